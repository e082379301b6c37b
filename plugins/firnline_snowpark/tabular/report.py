"""The profile as a reader sees it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from firnline.domain import Figure, Grid, Report, Text
from firnline_snowpark.figures import BLUE, draw_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from firnline_snowpark.tabular.profile import ColumnProfile, Profile

MOST_COLUMNS: Final = 300
MOST_BARS: Final = 30
KINDS: Final = {"text": "category", "other": "semi-structured"}
ROLES: Final = ("target", "feature", "identifier", "set aside")


def profile_report(profile: Profile, copies: int) -> Report:
    """Tell what the table holds, what is predicted, and what each column is for.

    Args:
        profile: what was found.
        copies: how many rows are copies of others, identifiers apart.
    """
    target = profile.target
    what = {"binary": "one of two classes", "multiclass": "one of several classes", "regression": "an amount"}
    counts = Counter(column.role for column in profile.columns)
    parts = [
        f"{profile.rows:,} rows, {len(profile.columns):,} columns.",
        f"{counts['feature']:,} are features, {counts['identifier']:,} identifiers, {counts['set aside']:,} set aside.",
        f"{target.name} is predicted, {what[target.task]} ({target.note}).",
    ]
    if target.task == "binary":
        parts.append(f"The class to look for is {target.classes[-1]!r}.")
    if target.missing:
        parts.append(f"{target.missing:,} rows have no {target.name}: they are scored, but not learned from.")
    if copies:
        parts.append(f"{copies:,} rows are exact copies of others, identifiers apart.")
    figures = (_class_plot(profile),) if target.classes and len(target.classes) <= MOST_BARS else ()
    return Report(
        title=f"Columns, to predict {target.name}", sections=(Text(body=" ".join(parts)), *figures, grid(profile))
    )


def grid(profile: Profile) -> Grid:
    """Return one line a column; those that are set aside come last."""
    ordered = sorted(profile.columns, key=lambda column: ROLES.index(column.role))
    rows = tuple(_line(column) for column in ordered[:MOST_COLUMNS])
    title = "Columns" if len(ordered) <= MOST_COLUMNS else f"The first {MOST_COLUMNS} of {len(ordered):,} columns"
    return Grid(
        title=title, columns=("column", "role", "kind", "missing", "distinct", "lowest", "highest", "note"), rows=rows
    )


def _line(column: ColumnProfile) -> tuple[str, ...]:
    return (
        column.name,
        column.role,
        KINDS.get(column.kind, column.kind),
        f"{column.missing:,}" if column.missing else "",
        f"{column.distinct:,}" if column.distinct else "",
        column.low,
        column.high,
        column.note,
    )


def _class_plot(profile: Profile) -> Figure:
    target = profile.target
    total = sum(target.counts)

    def draw(axes: Axes) -> None:
        places = range(len(target.classes))
        axes.barh(places, target.counts, color=BLUE)
        axes.set_yticks(places, [str(label)[:30] for label in target.classes])
        for place, count in zip(places, target.counts, strict=True):
            axes.text(count, place, f" {count:,} ({count / total:.1%})", va="center")
        axes.set_xlim(0, max(target.counts) * 1.25)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("rows")

    svg = draw_svg(draw, width=5.2, height=0.9 + 0.3 * len(target.classes))
    return Figure(title=f"Classes of {target.name}", svg=svg, caption="Rows whose target is known.")
