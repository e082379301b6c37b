"""Params of the generated sample data."""

from __future__ import annotations

import datetime as dt
from typing import Final

from pydantic import Field, model_validator

from firnline.domain import Params

EVENTS_PER_CUSTOMER: Final = 100
BUSIEST_SHARE: Final = 0.3
"""Of all days of all customers, at most this share can carry an event: customers join, pause and leave."""


class GeneratedParams(Params):
    """How much sample data to generate, and of which world.

    The same params give the same rows on every platform.
    """

    events: int = Field(
        default=100_000, ge=1_000, le=10_000_000, description="about how many usage events to generate (within 5 %)"
    )
    customers: int | None = Field(
        default=None,
        ge=50,
        le=1_000_000,
        description="how many customers; by default one per 100 events, and up to 1,000 where events are few",
    )
    seed: int = Field(default=7, ge=0, le=2_147_483_646, description="another seed makes other customers")
    start: dt.date = Field(default=dt.date(2025, 1, 1), description="first day of usage")
    end: dt.date = Field(default=dt.date(2025, 12, 31), description="last day of usage")
    drift: float = Field(
        default=0.0, ge=0.0, le=1.0, description="how far usage has moved: fewer, shorter sessions, more of them mobile"
    )
    drift_start: dt.date | None = Field(
        default=None, description="first day of the drift; by default all of the period has it"
    )
    dirt: float = Field(
        default=0.01, ge=0.0, le=0.2, description="share of duplicated, incomplete and malformed raw records"
    )

    @property
    def days(self) -> int:
        """Length of the period, both ends included."""
        return (self.end - self.start).days + 1

    @property
    def customer_count(self) -> int:
        """The number of customers, worked out where it is not given."""
        if self.customers is not None:
            return self.customers
        return max(self.events // EVENTS_PER_CUSTOMER, min(self.events // 10, 1_000))

    @model_validator(mode="after")
    def _fits(self) -> GeneratedParams:
        if not 60 <= self.days <= 1_461:
            raise ValueError(f"start and end must be 60 days to 4 years apart, they are {self.days - 1} days apart")
        if self.drift_start is not None and not self.start <= self.drift_start <= self.end:
            raise ValueError("drift_start must lie between start and end")
        most = int(self.customer_count * self.days * BUSIEST_SHARE)
        if self.events > most:
            raise ValueError(
                f"{self.customer_count:,} customers leave at most {most:,} events in {self.days} days; "
                "ask for more customers, fewer events or a longer period"
            )
        return self
