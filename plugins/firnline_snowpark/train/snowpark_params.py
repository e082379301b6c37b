"""Params of ``train.snowpark``. Light: imported while planning."""

from __future__ import annotations

import difflib
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from firnline.domain import Params
from firnline_snowpark.train.estimators import ESTIMATORS, settings_problem
from firnline_snowpark.train.params import TrainParams


class SearchParams(Params):
    """A search for the best settings by cross-validation; the preprocessing is fitted in each fold anew."""

    kind: Literal["grid", "random"] = Field("grid", description="grid: every combination; random: a sample of them.")
    values: dict[str, list[Any]] = Field(min_length=1, description="setting → the values to try.")
    iterations: int = Field(10, ge=1, le=1_000, description="Combinations that a random search tries.")
    folds: int = Field(3, ge=2, le=20, description="Parts of the cross-validation.")
    scoring: (
        Literal[
            "accuracy",
            "average_precision",
            "f1",
            "neg_log_loss",
            "neg_mean_absolute_error",
            "neg_root_mean_squared_error",
            "r2",
            "roc_auc",
        ]
        | None
    ) = Field(None, description="Measure to be best in; default: neg_log_loss, or neg_root_mean_squared_error.")

    @field_validator("values")
    @classmethod
    def _something_to_try(cls, values: dict[str, list[Any]]) -> dict[str, list[Any]]:
        if empty := [name for name, tried in values.items() if not tried]:
            raise ValueError(f"no value to try for {', '.join(empty)}")
        return values


class SnowparkParams(TrainParams):
    """An estimator of Snowpark ML, fitted inside the platform by a stored procedure: no row comes here."""

    estimator: str = Field("xgboost", description=f"One of {', '.join(ESTIMATORS)}.")
    settings: dict[str, Any] = Field(
        default_factory=dict, description="The estimator's own settings, as its constructor names them."
    )
    search: SearchParams | None = Field(None, description="Search for the best settings by cross-validation.")
    imputer: Literal["median", "mean", "most_frequent"] = Field(
        "median", description="What stands in for missing numbers, where the estimator cannot take gaps."
    )
    scaler: Literal["standard", "min_max", "robust", "none"] = Field(
        "standard", description="How numbers are scaled, where the estimator cannot take gaps."
    )
    artifact_repository: str | None = Field(
        None,
        description="Where the account takes the procedure's packages from, e.g. "
        "snowflake.snowpark.pypi_shared_repository; null: its own channel.",
    )

    @field_validator("estimator")
    @classmethod
    def _known(cls, estimator: str) -> str:
        if estimator in ESTIMATORS:
            return estimator
        nearest = difflib.get_close_matches(estimator, ESTIMATORS, n=1)
        raise ValueError(
            f"{estimator!r} is none of {', '.join(ESTIMATORS)}" + (f"; did you mean {nearest[0]!r}?" if nearest else "")
        )

    @model_validator(mode="after")
    def _settings_are_the_estimators(self) -> SnowparkParams:
        searched = self.search.values if self.search is not None else {}
        if problem := settings_problem(ESTIMATORS[self.estimator], [*self.settings, *searched]):
            raise ValueError(problem)
        if both := sorted(set(self.settings) & set(searched)):
            raise ValueError(f"{', '.join(both)} cannot be both set and searched")
        if self.search is not None and self.class_weight != "none":
            raise ValueError(
                "a search cannot weigh rows; leave class_weight at none, and set class_weight among the estimator's "
                "own settings where it has one"
            )
        return self
