"""Params of ``evaluate.holdout``. Light: imported while planning."""

from __future__ import annotations

from pydantic import Field

from firnline.domain import Params


class HoldoutParams(Params):
    """How the model is looked at."""

    threshold: float = Field(
        0.5, gt=0, lt=1, description="Of two classes, the positive one is predicted from this probability on."
    )
    slices: tuple[str, ...] | None = Field(
        None, description="Columns by whose values the metrics are told apart; default: the most important categories."
    )
    slice_values: int = Field(8, ge=2, le=50, description="Largest number of values shown for a slice column.")
    resamples: int = Field(
        200, ge=0, le=5_000, description="Bootstrap resamples behind the confidence intervals; 0: none."
    )
    importance_rows: int = Field(5_000, ge=0, description="Rows behind the permutation importance; 0: leave it out.")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Seed of resamples and permutations.")
