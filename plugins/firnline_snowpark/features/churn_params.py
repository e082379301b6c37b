"""Params of the churn features."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import Field, field_validator

from firnline.domain import Params


class ChurnFeaturesParams(Params):
    """Which days are looked at, how far back and how far ahead."""

    snapshots: int | tuple[dt.date, ...] = Field(
        default=7,
        description="the days on which features are computed: their dates, or how many, each horizon_days apart and "
        "the last one early enough for its label to be known",
    )
    window_days: tuple[int, ...] = Field(
        default=(7, 30, 90), min_length=2, max_length=6, description="lengths of the rolling windows, in days"
    )
    horizon_days: int = Field(default=30, ge=1, le=365, description="how many days after the snapshot the label covers")
    label: Literal["cancelled", "inactive", "none"] = Field(
        default="cancelled",
        description="churn is a cancellation within the horizon, or no usage at all in it; none: no label, for "
        "scoring, and the last snapshot is the last day with events",
    )

    attributes: tuple[str, ...] | None = Field(
        default=None,
        description="columns of the customers to take over as they are; by default all others. What changes after the "
        "snapshot does not belong here: it would let the future in",
    )

    @field_validator("snapshots")
    @classmethod
    def _some(cls, snapshots: int | tuple[dt.date, ...]) -> int | tuple[dt.date, ...]:
        count = snapshots if isinstance(snapshots, int) else len(snapshots)
        if not 1 <= count <= 100:
            raise ValueError("ask for 1 to 100 snapshots")
        if not isinstance(snapshots, int) and len(set(snapshots)) != count:
            raise ValueError("a snapshot is named twice")
        return snapshots

    @field_validator("window_days", mode="before")
    @classmethod
    def _one_or_many(cls, days: object) -> object:
        """Take one number as the longest window, with a third and a twelfth of it as the shorter ones."""
        if isinstance(days, int) and not isinstance(days, bool):
            return tuple(sorted({max(days // 12, 1), max(days // 3, 2), days}))
        return days

    @field_validator("window_days")
    @classmethod
    def _rising(cls, days: tuple[int, ...]) -> tuple[int, ...]:
        if list(days) != sorted(set(days)) or days[0] < 1 or days[-1] > 730:
            raise ValueError("windows must rise, each once, from 1 to at most 730 days")
        return days
