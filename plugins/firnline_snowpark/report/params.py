"""Params of ``report.summary``. Light: imported while planning."""

from __future__ import annotations

from pydantic import Field

from firnline.domain import Params


class SummaryParams(Params):
    """What the summary shows."""

    title: str = Field("Summary", min_length=1, description="Heading of the report.")
    features: int = Field(12, ge=1, le=100, description="How many of the most important features are listed.")
