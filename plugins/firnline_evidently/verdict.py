"""What became of the data: of each column, of pairs of columns, of predictions and labels, and of the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from firnline_evidently.measures import Measures
    from firnline_evidently.params import Method

Kind: TypeAlias = Literal["feature", "prediction", "label"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnVerdict:
    """What became of a column in a segment.

    Attributes:
        column: its name.
        kind: whose it is: the model reads it, says it, or should have said it.
        segment: ``""`` for all rows, or a slice.
        method: the measure that decided.
        value: of that measure.
        threshold: from which on it is drift: the configured one, what chance explains, or the usual variation,
            whichever is the highest.
        because: which of these it is.
        measures: all measures.
        missing_change: the share of missing values now, less that of the reference.
        drifted: whether the measure reached its threshold.
        missing_drifted: whether the share of missing values moved too far.
        rows: current rows of the segment.
    """

    column: str
    kind: Kind = "feature"
    segment: str
    method: Method
    value: float
    threshold: float
    because: str
    measures: Measures
    missing_change: float
    drifted: bool
    missing_drifted: bool
    rows: int

    @property
    def is_drift(self) -> bool:
        """Whether either rule found something."""
        return self.drifted or self.missing_drifted


@dataclass(frozen=True, slots=True, kw_only=True)
class PairVerdict:
    """What became of the correlation of two columns.

    Attributes:
        first: a column of numbers.
        second: another.
        before: their correlation in the reference.
        now: their correlation today.
        threshold: the change from which on it is drift: the configured one, or what chance explains, if that is more.
        rows: of today, with both values.
    """

    first: str
    second: str
    before: float
    now: float
    threshold: float
    rows: int

    @property
    def name(self) -> str:
        """Both columns in one."""
        return f"{self.first} ~ {self.second}"

    @property
    def change(self) -> float:
        """How far the correlation moved: 0 to 2."""
        return abs(self.now - self.before)

    @property
    def is_drift(self) -> bool:
        """Whether it moved too far."""
        return self.change >= self.threshold

    @property
    def flipped(self) -> bool:
        """Whether it moved too far, to the other side."""
        return self.is_drift and self.now * self.before < 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricVerdict:
    """How well the model predicted what turned out to be true.

    Attributes:
        name: of the metric, as ``evaluate.holdout`` names it.
        value: today.
        evaluated: on the rows of the evaluation; None if it is not known.
        bound: beyond which the model has become worse; None if the metric decides nothing.
        higher_is_better: on which side of the bound the metric should be.
    """

    name: str
    value: float
    evaluated: float | None = None
    bound: float | None = None
    higher_is_better: bool = True

    @property
    def is_drift(self) -> bool:
        """Whether the model has become worse than it may."""
        if self.bound is None:
            return False
        return self.value < self.bound if self.higher_is_better else self.value > self.bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """What labels say of the model.

    Attributes:
        predicted: rows that the model scored.
        labelled: those of them whose label is known.
        fewest: below so many labelled rows nothing is judged.
        metrics: empty if there are no labels.
    """

    predicted: int
    labelled: int
    fewest: int
    metrics: tuple[MetricVerdict, ...] = ()

    @property
    def worse(self) -> tuple[MetricVerdict, ...]:
        """The metrics that are beyond their bounds."""
        return tuple(metric for metric in self.metrics if metric.is_drift)

    @property
    def told(self) -> str:
        """Say in words what there is to judge by."""
        if not self.labelled:
            return (
                f"No labels have arrived yet for any of the {self.predicted:,} predicted rows: "
                "how well the model does is not known."
            )
        told = f"The labels of {self.labelled:,} of {self.predicted:,} predicted rows have arrived."
        if self.labelled < self.fewest:
            told += f" From {self.fewest:,} on they are judged; the numbers are told all the same."
        elif not any(metric.bound is not None for metric in self.metrics):
            told += " There is nothing to hold them against: neither an evaluation nor a bound."
        return told


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of the data and the model.

    Attributes:
        columns: of all rows, worst first.
        slices: of each slice, worst first.
        predictions: of what the model says, and of what turned out to be true.
        pairs: correlations, the most moved first.
        performance: None without a table of labels.
        reasons: why it counts as drift, in words; empty if it does not.
    """

    columns: tuple[ColumnVerdict, ...]
    slices: tuple[ColumnVerdict, ...] = ()
    predictions: tuple[ColumnVerdict, ...] = ()
    pairs: tuple[PairVerdict, ...] = ()
    performance: Performance | None = None
    reasons: tuple[str, ...] = ()

    @property
    def drifted(self) -> bool:
        """Whether there is a reason to act."""
        return bool(self.reasons)

    @property
    def drifted_columns(self) -> tuple[ColumnVerdict, ...]:
        """The columns that have drifted, worst first."""
        return tuple(verdict for verdict in self.columns if verdict.is_drift)

    @property
    def drifted_pairs(self) -> tuple[PairVerdict, ...]:
        """The pairs whose correlation has moved too far, the most moved first."""
        return tuple(verdict for verdict in self.pairs if verdict.is_drift)

    @property
    def drifted_share(self) -> float:
        """The share of columns that have drifted."""
        return len(self.drifted_columns) / len(self.columns) if self.columns else 0.0
