"""Params of ``score.model``. Light: imported while planning."""

from __future__ import annotations

from pydantic import Field

from firnline.domain import Params


class ScoreParams(Params):
    """What the results table shows beside the prediction."""

    identifiers: tuple[str, ...] = Field(
        (), description="Columns taken over from the scored table; default: those of the profile, or else all columns."
    )
    threshold: float = Field(
        0.5, gt=0, lt=1, description="Of two classes, the positive one is predicted from this probability on."
    )
    shown_rows: int = Field(10, ge=0, le=100, description="How many of the rows with the highest scores are shown.")
