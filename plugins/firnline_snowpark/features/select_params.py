"""Params of ``features.select``. Light: imported while planning."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from firnline.domain import Params


class SelectParams(Params):
    """Which columns are worth keeping: by what is missing, by variance, by what they tell of the target."""

    target: str | None = Field(None, description="The column to predict; may be left out where a profile names it.")
    identifiers: tuple[str, ...] = Field((), description="Columns that name a row: kept, and no features.")
    set_aside: tuple[str, ...] = Field((), description="Further columns that are kept and are no features.")
    always: tuple[str, ...] = Field((), description="Features to keep whatever their scores.")
    task: Literal["auto", "classification", "regression"] = Field(
        "auto", description="auto: as the profile says, or told by the target's type and values."
    )
    keep: int | None = Field(None, ge=1, description="Keep so many features, the best ones; default: all that pass.")
    max_missing: float = Field(0.95, ge=0, le=1, description="Largest share of rows in which a feature may be NULL.")
    min_variance: float = Field(0.0, ge=0, description="A number must vary more than this; constants always go.")
    min_information: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Smallest share of the target's entropy that a feature must explain by itself "
        "(mutual information by bins, corrected for chance).",
    )
    max_correlation: float | None = Field(
        0.98, gt=0, le=1, description="Of two numbers that correlate more than this, the better one stays; null: both."
    )
    rank_by: Literal["information", "importance"] = Field(
        "information",
        description="importance: by the gain in a gradient-boosted model (Snowpark ML) that is fitted on the platform.",
    )
    bins: int = Field(10, ge=2, le=50, description="Quantile bins of a number.")
    compared: int = Field(
        60, ge=2, le=300, description="How many of the best numbers are compared pairwise for their correlation."
    )
    importance_rows: int = Field(
        50_000, ge=100, description="Rows from which importances are learned, chosen by hash where there are more."
    )
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Of the rows and the model behind importances.")

    @model_validator(mode="after")
    def _one_place_a_column(self) -> SelectParams:
        roles = [*self.identifiers, *self.set_aside, *self.always]
        if twice := sorted({name for name in roles if roles.count(name) > 1}):
            raise ValueError(f"{twice[0]!r} has two roles")
        return self
