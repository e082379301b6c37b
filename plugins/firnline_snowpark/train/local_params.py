"""Params of ``train.local``. Light: imported while planning."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from firnline_snowpark.train.estimators import LOCAL_ESTIMATORS, settings_problem
from firnline_snowpark.train.params import TrainParams


class LocalParams(TrainParams):
    """An estimator fitted on this machine, part by part: the rows lie on its disk, a part at a time in its memory."""

    estimator: Literal["xgboost", "lightgbm", "linear"] = Field(
        "xgboost", description="Trees of XGBoost or LightGBM, or a linear model of scikit-learn."
    )
    settings: dict[str, Any] = Field(
        default_factory=dict, description="The estimator's own settings, as its constructor names them."
    )
    rounds: int | None = Field(
        None, ge=1, le=100_000, description="Trees, or passes of the linear model, at most; default 1,000 or 50."
    )
    early_stopping_rounds: int | None = Field(
        None, ge=1, description="Stop after so many without a better validation loss; default 50, or 5 passes."
    )
    learning_rate: float = Field(0.05, gt=0, le=1, description="How much each tree adds; not of the linear model.")
    batch_rows: int = Field(50_000, ge=100, le=10_000_000, description="Rows in memory at once.")
    sample_rows: int = Field(
        100_000, ge=100, le=10_000_000, description="Rows on which encoders and scalers are fitted, drawn at random."
    )

    @model_validator(mode="after")
    def _settings_are_the_estimators(self) -> LocalParams:
        taken = sorted(set(self.settings) & {"n_estimators", "learning_rate", "early_stopping_rounds", "random_state"})
        if taken and self.estimator != "linear":
            raise ValueError(
                f"{', '.join(taken)}: say it by the params rounds, learning_rate, early_stopping_rounds and seed"
            )
        if problem := settings_problem(LOCAL_ESTIMATORS[self.estimator], self.settings):
            raise ValueError(problem)
        return self
