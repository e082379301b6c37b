"""The monitor's part of the run's report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from firnline.domain import Figure, Grid, Report, Text
from firnline_evidently.drawing import draw_bars, draw_history
from firnline_evidently.measures import TITLES
from firnline_evidently.profile import EVERYTHING, Profile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from firnline_evidently.history import Point
    from firnline_evidently.params import MonitorParams
    from firnline_evidently.rules import ColumnVerdict, Verdict

_DRAWN: Final = 6
_LISTED: Final = 40
_SHOWN_SLICES: Final = 15


def report(
    before: Profile,
    now: Profile,
    verdict: Verdict,
    params: MonitorParams,
    past: Mapping[str, Sequence[Point]],
) -> Report:
    """Sum up what was found, in words, tables and plots."""
    sections: list[Text | Grid | Figure] = [_summary(before, now, verdict, params), _grid("Columns", verdict.columns)]
    if verdict.slices:
        sections.append(_grid("Slices, worst first", verdict.slices[:_SHOWN_SLICES], with_segment=True))
    columns = {column.name: column for column in before.columns}
    for found in verdict.columns[:_DRAWN]:
        column = columns[found.column]
        sections.append(
            Figure(
                title=found.column,
                svg=draw_bars(
                    column.labels,
                    _shares(before.counts[EVERYTHING][found.column].bins),
                    _shares(now.counts[EVERYTHING][found.column].bins),
                ),
                caption=f"{_title(found.method)} {_number(found.value)}, threshold {_number(found.threshold)} "
                f"({found.because}).",
            )
        )
        points = past.get(found.column, ())
        if len(points) > 1:
            sections.append(
                Figure(
                    title=f"{found.column} over time",
                    svg=draw_history([(point.at, point.value, point.threshold) for point in points]),
                    caption=f"The {_title(found.method)} of each measurement; the dashed line is the threshold.",
                )
            )
    return Report(title="Drift", sections=tuple(sections))


def _summary(before: Profile, now: Profile, verdict: Verdict, params: MonitorParams) -> Text:
    rows_before = max((counts.rows for counts in before.counts[EVERYTHING].values()), default=0)
    rows_now = max((counts.rows for counts in now.counts[EVERYTHING].values()), default=0)
    drifted = verdict.drifted_columns
    named = ", ".join(found.column for found in drifted[:5]) + (", …" if len(drifted) > 5 else "")
    body = (
        f"{len(drifted)} of {len(verdict.columns)} columns have drifted{f' ({named})' if drifted else ''}; "
        f"from {params.drifted_share:.0%} on, the data counts as drifted. "
        + ("It has drifted." if verdict.drifted else "It has not drifted.")
        + f"\n\nAll {rows_before:,} rows of the reference and all {rows_now:,} rows of today "
        "were counted in the platform. "
        f"Numbers are compared by the {_title(params.method)}."
    )
    return Text(title="Verdict", body=body)


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
