"""What the monitor may be told."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field

from firnline.domain import Params

Method: TypeAlias = Literal["psi", "jensen_shannon", "wasserstein", "kolmogorov_smirnov", "chi_square"]


class MonitorParams(Params):
    """Which columns are compared, how, and from where on it is called drift."""

    columns: tuple[str, ...] = Field(default=(), description="columns to compare; none: all that have a kind for it")
    ignore: tuple[str, ...] = Field(default=(), description="columns that are left out, such as identifiers")
    method: Method = Field(default="psi", description="the measure that decides; all are told")
    category_method: Literal["psi", "jensen_shannon", "chi_square"] | None = Field(
        default=None, description="the measure that decides for text and flags; none: method, where it is defined"
    )
    threshold: float = Field(default=0.2, gt=0, description="a column has drifted from this value on")
    thresholds: dict[str, float] = Field(default_factory=dict, description="column: its own threshold")
    missing: float = Field(
        default=0.05, gt=0, le=1, description="a column has drifted when its share of NULLs differs by this much"
    )
    drifted_share: float = Field(
        default=0.3, gt=0, le=1, description="the data has drifted when this share of the columns has"
    )
    bins: int = Field(default=20, ge=4, le=100, description="bins that the reference fills equally")
    fine_bins: int = Field(default=200, ge=20, le=1_000, description="bins of equal width, for Wasserstein")
    categories: int = Field(default=50, ge=2, le=500, description="most frequent categories that are told apart")
    slices: tuple[str, ...] = Field(default=(), description="columns for whose values drift is measured separately too")
    slice_values: int = Field(default=10, ge=1, le=50, description="most frequent values of a slice column")
    time: str | None = Field(default=None, description="date or timestamp column of the reference, for the two below")
    season: Literal["weekday", "month"] | None = Field(
        default=None, description="compare with those rows of the reference that fall on the same weekdays or months"
    )
    usual: float | None = Field(
        default=None,
        gt=0,
        description="take so many times the reference's own week-to-week variation as threshold, where that is higher",
    )
    sample: int = Field(default=5_000, ge=100, le=100_000, description="rows drawn for the plots of Evidently's page")
    page: bool = Field(default=True, description="write Evidently's page")
    history: str | None = Field(
        default="DRIFT_HISTORY", description="table in the platform that keeps the numbers over time; null for none"
    )
    fail_on_drift: bool = Field(default=False, description="stop the pipeline (exit code 4) when the data has drifted")
    alerts: tuple[str, ...] = Field(
        default=(), description="names of environment variables that hold Apprise URLs to tell about drift"
    )
