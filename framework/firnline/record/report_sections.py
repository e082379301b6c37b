"""What steps put into their reports, made ready for the page: paragraphs, tables and figures."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from markupsafe import Markup

from firnline.domain.artifact import Figure, Grid, Section, Text
from firnline.domain.wording import number_text, printable
from firnline.record.report_svg import SvgRefusedError, clean_svg

ROW_LIMIT = 500
CELL_LIMIT = 600
SHORT_TABLE = 14
WIDE_COLUMNS = 4
WIDE_FIGURE = 1.75
GROUPED_FROM = 10_000

_VIEW_BOX = re.compile(r'viewBox="[\d.eE+-]+[\s,]+[\d.eE+-]+[\s,]+([\d.eE+-]+)[\s,]+([\d.eE+-]+)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class TextView:
    """A text as paragraphs."""

    title: str
    paragraphs: tuple[str, ...]
    kind: str = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class GridView:
    """A table: columns as (name, whether its cells are numbers), rows as texts (None where there is no value)."""

    title: str
    columns: tuple[tuple[str, bool], ...]
    rows: tuple[tuple[str | None, ...], ...]
    hidden: int = 0
    kind: str = "grid"

    @property
    def wide(self) -> bool:
        """Whether it wants the page's whole width."""
        return len(self.columns) > WIDE_COLUMNS or any(len(cell or "") > 60 for row in self.rows for cell in row)

    @property
    def long(self) -> bool:
        """Whether it scrolls within the page."""
        return len(self.rows) > SHORT_TABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureView:
    """A plot that may stand in the page, or the reason why it may not."""

    title: str
    caption: str
    svg: Markup | None
    refused: str = ""
    wide: bool = False
    kind: str = "figure"


SectionView: TypeAlias = TextView | GridView | FigureView


def view_section(section: Section, prefix: str) -> SectionView:
    """Return what the page shows of one section.

    Args:
        section: as the step made it.
        prefix: what the ids in a figure begin with; another one for each section of the page.
    """
    match section:
        case Text():
            return view_text(section.body, section.title)
        case Grid():
            return _grid(section)
        case Figure():
            return _figure(section, prefix)


def view_text(body: str, title: str = "") -> TextView:
    """Return plain text as paragraphs, which blank lines separate."""
    paragraphs = (part.strip("\n") for part in re.split(r"\n\s*\n", printable(body)))
    return TextView(title=printable(title), paragraphs=tuple(part for part in paragraphs if part.strip()))


def _figure(figure: Figure, prefix: str) -> FigureView:
    title, caption = printable(figure.title), printable(figure.caption)
    try:
        cleaned = clean_svg(figure.svg, prefix)
    except SvgRefusedError as error:
        return FigureView(title=title, caption=caption, svg=None, refused=printable(error))
    size = _VIEW_BOX.search(cleaned)
    wide = size is not None and float(size.group(1)) >= WIDE_FIGURE * (float(size.group(2)) or 1.0)
    # What clean_svg lets through is made of allowed elements and escaped text only.
    return FigureView(title=title, caption=caption, svg=Markup(cleaned), wide=wide)  # noqa: S704


def _grid(grid: Grid) -> GridView:
    width = max([len(grid.columns), *(len(row) for row in grid.rows)], default=0)
    names = [printable(name) for name in grid.columns] + [""] * (width - len(grid.columns))
    shown = [tuple(row) + (None,) * (width - len(row)) for row in grid.rows[:ROW_LIMIT]]
    columns = [_column([row[index] for row in shown]) for index in range(width)]
    return GridView(
        title=printable(grid.title),
        columns=tuple((name, numeric) for name, (_, numeric) in zip(names, columns, strict=True)),
        rows=tuple(zip(*(cells for cells, _ in columns), strict=True)) if shown else (),
        hidden=max(len(grid.rows) - ROW_LIMIT, 0),
    )


def _column(values: Sequence[Any]) -> tuple[list[str | None], bool]:
    """Return the cells as text, numbers of one column with the same number of decimals."""
    known = [value for value in values if not _is_missing(value)]
    numeric = bool(known) and all(isinstance(value, int | float) and not isinstance(value, bool) for value in known)
    decimals = _decimals(known) if numeric else None
    return [None if _is_missing(value) else _cell(value, decimals) for value in values], numeric


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value)) or value == ""


def _decimals(values: Iterable[float]) -> int | None:
    """Return how many decimals tell the column's numbers apart; None for whole numbers and for a mix of sizes."""
    finite = [abs(value) for value in values if math.isfinite(value)]
    if not finite or all(value == int(value) for value in finite):
        return None
    largest, smallest = max(finite), min((value for value in finite if value), default=1.0)
    decimals = next((digits for bound, digits in ((10, 4), (100, 2), (1_000, 1)) if largest < bound), 0)
    return decimals if smallest >= 0.5 * 10**-decimals else None


def _cell(value: Any, decimals: int | None) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number(value, decimals)
    text = printable(value)
    return text if len(text) <= CELL_LIMIT else text[: CELL_LIMIT - 1] + "…"


def _number(value: float, decimals: int | None) -> str:
    if not math.isfinite(value):
        return number_text(value)
    if decimals is not None:
        return f"{value:,.{decimals}f}"
    if value == int(value) and abs(value) < GROUPED_FROM:
        return f"{value:.0f}"  # years and ids are not grouped
    return number_text(value)
