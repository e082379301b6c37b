"""The monitor's part of the run's report."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from firnline.domain import Figure, Grid, Report, Section, Text
from firnline_evidently.drawing import draw_bars, draw_history
from firnline_evidently.measures import TITLES
from firnline_evidently.profile import EVERYTHING, Profile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from firnline_evidently.history import Point
    from firnline_evidently.outputs import Compared
    from firnline_evidently.params import MonitorParams
    from firnline_evidently.profile import ColumnBins
    from firnline_evidently.verdict import ColumnVerdict, MetricVerdict, PairVerdict, Performance, Verdict

_DRAWN: Final = 6
_LISTED: Final = 40
_SHOWN_SLICES: Final = 15
_SHOWN_PAIRS: Final = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the verdict was made of, for plots.

    Attributes:
        before: the reference's counts.
        now: those of today's rows, in the same bins.
        outputs: the same of predictions and labels.
        past: (kind, name) → earlier measurements, the one of today last.
    """

    before: Profile
    now: Profile
    outputs: tuple[Compared, ...] = ()
    past: Mapping[tuple[str, str], Sequence[Point]] = field(default_factory=dict)


def report(seen: Seen, verdict: Verdict, params: MonitorParams, retraining: str) -> Report:
    """Sum up what was found, in words, tables and plots."""
    sections: list[Section] = [_summary(seen, verdict, params, retraining)]
    if verdict.performance is not None:
        sections += _performance(verdict.performance, seen)
    if verdict.predictions:
        sections.append(_grid("Predictions and labels", verdict.predictions))
        for compared in seen.outputs:
            sections += _figures(compared.verdicts, compared.before, compared.now, seen)
    sections.append(_grid("Columns", verdict.columns))
    if verdict.pairs:
        sections += [_pairs_grid(verdict.pairs), *_pair_histories(verdict.drifted_pairs, seen)]
    if verdict.slices:
        sections.append(_grid("Slices, worst first", verdict.slices[:_SHOWN_SLICES], with_segment=True))
    sections += _figures(verdict.columns[:_DRAWN], seen.before, seen.now, seen)
    return Report(title="Drift", sections=tuple(sections))


def _figures(verdicts: Sequence[ColumnVerdict], before: Profile, now: Profile, seen: Seen) -> list[Section]:
    """Draw the two distributions of each column, and how its measure went over time."""
    columns = {column.name: column for column in before.columns}
    drawn: list[Section] = []
    for found in verdicts:
        drawn.append(_distributions(found, columns[found.column], before, now))
        caption = f"The {_title(found.method)} of each measurement; the dashed line is the threshold."
        drawn += _history(f"{found.column} over time", seen.past.get((found.kind, found.column), ()), caption)
    return drawn


def _distributions(found: ColumnVerdict, column: ColumnBins, before: Profile, now: Profile) -> Figure:
    missing = f" Missing values {found.missing_change:+.1%}." if found.missing_change else ""
    return Figure(
        title=found.column,
        svg=draw_bars(
            column.labels,
            _shares(before.counts[EVERYTHING][found.column].bins),
            _shares(now.counts[EVERYTHING][found.column].bins),
        ),
        caption=f"{_title(found.method)} {_number(found.value)}, threshold {_number(found.threshold)} "
        f"({found.because}).{missing}",
    )


def _history(title: str, points: Sequence[Point], caption: str) -> list[Section]:
    if len(points) < 2:
        return []
    drawn = draw_history([(point.at, point.value, point.threshold) for point in points])
    return [Figure(title=title, svg=drawn, caption=caption)]


def _performance(performance: Performance, seen: Seen) -> list[Section]:
    sections: list[Section] = [Text(title="How the model did", body=performance.told)]
    if performance.metrics:
        head = ("metric", "verdict", "today", "at the evaluation", "bound")
        sections.append(Grid(title="Metrics", columns=head, rows=tuple(map(_metric_row, performance.metrics))))
    for metric in performance.metrics:
        if metric.bound is not None:
            caption = "Each measurement; the dashed line is the bound."
            points = seen.past.get(("performance", metric.name), ())
            sections += _history(f"{metric.name} over time", points, caption)
    return sections


def _metric_row(metric: MetricVerdict) -> tuple[Any, ...]:
    told = "" if metric.bound is None else "worse" if metric.is_drift else "holds"
    side = "at least" if metric.higher_is_better else "at most"
    bound = "" if metric.bound is None else f"{side} {_number(metric.bound)}"
    return (metric.name, told, _number(metric.value), _number(metric.evaluated), bound)


def _pairs_grid(pairs: Sequence[PairVerdict]) -> Grid:
    head = ("columns", "drift", "reference", "today", "change", "threshold", "rows")
    rows = [
        (
            f"{pair.first} and {pair.second}",
            "flipped" if pair.flipped else "changed" if pair.is_drift else "",
            f"{pair.before:+.2f}",
            f"{pair.now:+.2f}",
            _number(pair.change),
            _number(pair.threshold),
            f"{pair.rows:,}",
        )
        for pair in pairs[:_SHOWN_PAIRS]
    ]
    return Grid(title="Correlations, the most moved first", columns=head, rows=tuple(rows))


def _pair_histories(pairs: Sequence[PairVerdict], seen: Seen) -> list[Section]:
    drawn: list[Section] = []
    for pair in pairs[:_DRAWN]:
        caption = "How far the correlation was from the reference's; the dashed line is the threshold."
        title = f"Correlation of {pair.first} and {pair.second} over time"
        drawn += _history(title, seen.past.get(("correlation", pair.name), ()), caption)
    return drawn


def _summary(seen: Seen, verdict: Verdict, params: MonitorParams, retraining: str) -> Text:
    verdicts = [f"{reason[0].upper()}{reason[1:]}." for reason in verdict.reasons]
    if verdict.drifted:
        first = "It counts as drift. " + " ".join(verdicts)
    else:
        first = (
            f"It does not count as drift. {len(verdict.drifted_columns)} of {len(verdict.columns)} columns have "
            f"drifted; from {params.drifted_share:.0%} on, the data has."
        )
    counted = (
        f"All {seen.before.rows:,} rows of the reference and all {seen.now.rows:,} rows of today were counted in the "
        f"platform. Numbers are compared by the {_title(params.method)}."
    )
    body = [
        first,
        *([retraining] if retraining else []),
        counted,
    ]
    return Text(title="Verdict", body="\n\n".join(body))


def _grid(title: str, verdicts: Sequence[ColumnVerdict], *, with_segment: bool = False) -> Grid:
    head = ("column", "drift", "measure", "value", "threshold", "PSI", "JS", "Wasserstein", "KS", "missing")
    rows = [_grid_row(found, with_segment=with_segment) for found in verdicts[:_LISTED]]
    return Grid(title=title, columns=(("segment", *head) if with_segment else head), rows=tuple(rows))


def _grid_row(found: ColumnVerdict, *, with_segment: bool) -> tuple[Any, ...]:
    measures = found.measures
    row = (
        found.column,
        "drift" if found.drifted else "missing values" if found.missing_drifted else "",
        found.method.replace("_", " "),
        _number(found.value),
        _number(found.threshold),
        _number(measures.psi),
        _number(measures.jensen_shannon),
        _number(measures.wasserstein),
        _number(measures.kolmogorov_smirnov),
        f"{found.missing_change:+.1%}" if found.missing_change else "",
    )
    return (found.segment, *row) if with_segment else row


def _shares(counts: Sequence[int]) -> list[float]:
    total = sum(counts)
    return [count / total if total else 0.0 for count in counts]


def _title(method: str) -> str:
    return TITLES[method]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
