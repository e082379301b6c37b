"""Params of the splits."""

from __future__ import annotations

import datetime as dt

from pydantic import Field, model_validator

from firnline.domain import Params


class TimeSplitParams(Params):
    """Where time is cut into training, validation and test."""

    date_column: str = Field(default="SNAPSHOT_ON", description="the date that a row speaks of")
    valid_from: dt.date | None = Field(
        default=None, description="first date of the validation set; by default worked out from valid_share"
    )
    test_from: dt.date | None = Field(
        default=None, description="first date of the test set; by default worked out from test_share"
    )
    valid_share: float = Field(
        default=0.15, gt=0.0, lt=0.8, description="share of the distinct dates for validation, at least one date"
    )
    test_share: float = Field(
        default=0.15, gt=0.0, lt=0.8, description="share of the distinct dates for the test, at least one date"
    )
    gap_days: int = Field(
        default=30,
        ge=0,
        le=730,
        description="a set ends so many days before the next one begins; set it to the label's horizon, or labels leak",
    )

    @model_validator(mode="after")
    def _in_order(self) -> TimeSplitParams:
        if self.valid_from and self.test_from and self.valid_from >= self.test_from:
            raise ValueError("valid_from must lie before test_from")
        if self.valid_share + self.test_share >= 0.9:
            raise ValueError("valid_share and test_share leave less than a tenth for training")
        return self


class RandomSplitParams(Params):
    """How rows are dealt out by a hash, always in the same way."""

    valid_share: float = Field(default=0.2, gt=0.0, lt=0.9, description="share of the rows for validation")
    test_share: float = Field(default=0.2, gt=0.0, lt=0.9, description="share of the rows for the test")
    seed: int = Field(default=7, ge=0, description="another seed deals differently")
    key: tuple[str, ...] = Field(
        default=(), description="columns that identify a row; by default all of them, so that equal rows stay together"
    )
    group: tuple[str, ...] = Field(
        default=(), description="rows with the same values in these columns stay in one set, e.g. a customer's"
    )
    stratify: str | None = Field(
        default=None, description="a column whose values get the same shares in each set, e.g. the target"
    )

    @model_validator(mode="after")
    def _consistent(self) -> RandomSplitParams:
        if self.valid_share + self.test_share >= 0.95:
            raise ValueError("valid_share and test_share leave less than a twentieth for training")
        if self.group and (self.stratify or self.key):
            raise ValueError("group cannot be combined with stratify or key: a group goes where its own hash says")
        return self
