"""What the monitor may be told."""

from __future__ import annotations

from typing import Final, Literal, Self, TypeAlias, get_args

from pydantic import Field, model_validator

from firnline.domain import Params

Method: TypeAlias = Literal["psi", "jensen_shannon", "wasserstein", "kolmogorov_smirnov", "chi_square"]


Rule: TypeAlias = Literal["columns", "correlations", "predictions", "labels", "performance"]
RULES: Final[tuple[Rule, ...]] = get_args(Rule)


class PerformanceParams(Params):
    """How the model did, once labels have arrived."""

    key: tuple[str, ...] = Field(min_length=1, description="columns that name a row in the results and in the labels")
    label: str = Field(description="the column of the labels that tells what turned out to be true; NULL: not yet")
    positive: str | None = Field(
        default=None, description="of two classes, the one whose probability is told; none: the last in order"
    )
    metric: str | None = Field(
        default=None,
        description="the metric that decides; none: roc_auc of two classes, accuracy of several, rmse of numbers",
    )
    drop: float = Field(
        default=0.1, gt=0, description="the model has become worse when the metric is worse by this share of it"
    )
    bound: float | None = Field(
        default=None, description="the metric's worst value that is accepted, instead of a share of the evaluation's"
    )
    rows: int = Field(default=100, ge=10, description="so many labelled rows are needed to judge the model by")


class RetrainParams(Params):
    """Which run drift asks for, and how often it may."""

    pipeline: str = Field(description="the pipeline that trains the model; gates belong into it")
    overrides: tuple[str, ...] = Field(default=(), description="further overrides, such as +promote=champion")
    cooldown_days: float = Field(default=7.0, ge=0, description="after a retraining, no other one for so many days")
    at_most: int = Field(default=3, ge=1, description="no more retrainings than this within within_days")
    within_days: float = Field(default=30.0, gt=0, description="the days for at_most")
    table: str = Field(default="DRIFT_RETRAININGS", description="table in the platform that remembers them")


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
    pairs: int = Field(
        default=30, ge=0, le=200, description="the most correlated pairs of number columns are watched; 0 for none"
    )
    correlation: float = Field(
        default=0.3, gt=0, le=2, description="a pair has drifted when its correlation moves by this much"
    )
    prediction_columns: tuple[str, ...] = Field(
        default=("PREDICTION", "PROBABILITY"), description="columns of the results tables that the model said"
    )
    prediction_threshold: float = Field(
        default=0.2, gt=0, description="predictions and labels have drifted from this value of the measure on"
    )
    performance: PerformanceParams | None = Field(default=None, description="how the model did; needs labels")
    rules: tuple[Rule, ...] = Field(default=RULES, description="what counts as drift of the data; all are told")
    sample: int = Field(default=5_000, ge=100, le=100_000, description="rows drawn for the plots of Evidently's page")
    page: bool = Field(default=True, description="write Evidently's page")
    history: str | None = Field(
        default="DRIFT_HISTORY", description="table in the platform that keeps the numbers over time; null for none"
    )
    fail_on_drift: bool = Field(default=False, description="stop the pipeline (exit code 4) when the data has drifted")
    on_drift: Literal["tell", "retrain"] = Field(
        default="tell", description="retrain: ask for the run that retrain describes, after this one"
    )
    retrain: RetrainParams | None = Field(default=None, description="the run that on_drift=retrain asks for")
    alerts: tuple[str, ...] = Field(
        default=(), description="names of environment variables that hold Apprise URLs to tell about drift"
    )

    @model_validator(mode="after")
    def _retraining_is_described(self) -> Self:
        if self.on_drift == "retrain" and self.retrain is None:
            raise ValueError("on_drift=retrain needs retrain.pipeline: the pipeline that trains the model")
        return self
