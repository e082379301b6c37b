"""A run made again from its record: what is not as it was, and the numbers of both runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table

from firnline.cli.render.text import joined, plain

if TYPE_CHECKING:
    from firnline.record.reproduction import Change, Result

_MARKS = {"same": ("=", "green"), "close": ("≈", "green"), "differs": ("≠", "bold red")}
_DIGITS = 12  # numbers that differ in the last places shall be seen to do so


def render_changes(changes: Sequence[Change], *, nothing: str, heading: str) -> RenderableType:
    """Return what is not as it was; ``nothing`` if all is."""
    if not changes:
        return plain(nothing, "dim")
    table = _table()
    for name in ("", "", "then", "now"):
        table.add_column(name, overflow="fold")
    for change in changes:
        table.add_row(plain(change.where, "bold"), plain(change.what), plain(change.then), plain(change.now))
    return Group(plain(heading, "bold yellow"), table)


def render_results(run_id: str, compared: Sequence[Result], *, agrees: bool, verdict: str) -> RenderableType:
    """Return the numbers of both runs, and the verdict."""
    said = joined(("✓ " if agrees else "✗ ", "bold green" if agrees else "bold red"), (verdict, "bold"))
    if not compared:
        return said
    table = _table()
    table.add_column("")
    table.add_column("", overflow="fold")
    table.add_column(plain(run_id), justify="right", overflow="fold")
    table.add_column("now", justify="right", overflow="fold")
    for result in compared:
        table.add_row(joined(_MARKS[result.agreement]), plain(result.name), _number(result.then), _number(result.now))
    return Group(table, said)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.{_DIGITS}g}"


def _table() -> Table:
    return Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
