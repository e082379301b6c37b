"""Params of the trainers. Light: imported while planning."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from firnline.domain import Params


class TrainParams(Params):
    """What every trainer wants to know."""

    target: str | None = Field(None, description="The column to predict; may be left out where a profile names it.")
    identifiers: tuple[str, ...] = Field((), description="Columns that name a row, and are no features.")
    set_aside: tuple[str, ...] = Field((), description="Further columns that are no features.")
    task: Literal["auto", "classification", "regression"] = Field(
        "auto", description="auto: as the profile says, or told by the target's type and values."
    )
    seed: int = Field(
        0, ge=0, le=2**31 - 1, description="Seed of everything random; the same seed gives the same model."
    )
    class_weight: Literal["none", "balanced"] = Field(
        "none", description="balanced: rare classes weigh as much as frequent ones, at the price of calibration."
    )
    one_hot_limit: int = Field(
        30, ge=2, le=1_000, description="A category column with more values than this is encoded by its target mean."
    )
    max_rows: int | None = Field(
        None, ge=100, description="Train on a random sample of this many rows, if the table has more."
    )


class XGBoostParams(TrainParams):
    """Gradient-boosted trees, stopped early on the validation rows."""

    rounds: int = Field(1_000, ge=1, le=100_000, description="Trees at most.")
    early_stopping_rounds: int = Field(
        50, ge=1, description="Stop after so many rounds without a better validation loss."
    )
    learning_rate: float = Field(0.05, gt=0, le=1, description="How much each tree adds.")
    max_depth: int = Field(4, ge=1, le=20, description="Depth of a tree.")
    min_child_weight: float = Field(2.0, ge=0, description="Smallest weight of a leaf.")
    subsample: float = Field(0.8, gt=0, le=1, description="Share of the rows that each tree sees.")
    colsample: float = Field(0.8, gt=0, le=1, description="Share of the columns that each tree sees.")
    reg_lambda: float = Field(1.0, ge=0, description="L2 penalty on leaf values.")
    threads: int = Field(0, ge=0, le=256, description="CPU threads; 0: all, or one where the table is small.")


class LogisticParams(TrainParams):
    """A linear model: logistic regression for classes, ridge regression for amounts."""

    regularization: float = Field(
        1.0, gt=0, description="Strength of the L2 penalty; larger keeps coefficients smaller."
    )
    max_iterations: int = Field(2_000, ge=10, le=1_000_000, description="Iterations of the solver at most.")
