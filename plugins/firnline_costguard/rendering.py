"""Tables of costs and advice for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from firnline.domain.wording import credits_text, duration_text, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firnline_costguard.advice import Advice, SizeFigures
    from firnline_costguard.usage import Spent, WarehouseUse
    from firnline_costguard.warehouses import Warehouse

_IDLE_SHARE: Final = 0.5
_SHORT_SUSPEND_S: Final = 60.0
DELAY: Final = "Snowflake's own numbers come late: the statements of the last hours (up to eight) may be missing."


def render_spent(
    dimensions: Sequence[str], spent: Sequence[Spent], use: Sequence[WarehouseUse], days: int
) -> RenderableType:
    """Return the table of what was used, and what the warehouses used beside it."""
    if not spent:
        return Text(f"No statement of Firnline's used credits in the last {days} days. {DELAY}")
    table = _table(*dimensions)
    table.add_column("credits", justify="right")
    table.add_column("statements", justify="right")
    for one in spent:
        table.add_row(
            *(Text(printable(value) or "–") for value in one.group), credits_text(one.credits), f"{one.statements:,}"
        )
    total = sum(one.credits for one in spent)
    parts: list[RenderableType] = [table, Text(), Text(f"{credits_text(total)} credits in {days} days.", "bold")]
    if use:
        paid = sum(one.credits for one in use)
        parts.append(
            Text(f"All warehouses used {credits_text(paid)}: other people's statements, least minutes, idling.")
        )
    return Group(*parts, Text(DELAY, "dim"))


def render_advice(
    advices: Sequence[Advice],
    use: Sequence[WarehouseUse],
    warehouses: Sequence[Warehouse],
    deadline_s: float | None,
    days: int,
) -> RenderableType:
    """Return what is advised for each stage, and the warehouses that idle."""
    parts: list[RenderableType] = []
    if not advices:
        parts.append(Text(f"No stage ran on a warehouse in the last {days} days. {DELAY}"))
    for advice in advices:
        parts += [
            Text(printable(f"{advice.pipeline}.{advice.stage}"), "bold"),
            _sizes(advice),
            Text(_sentence(advice, deadline_s)),
            Text(),
        ]
    found = {warehouse.name: warehouse for warehouse in warehouses}
    parts += [Text(line) for one in use if (line := _idle(one, found.get(one.name), days))]
    return Group(*parts)


def _sizes(advice: Advice) -> Table:
    table = _table("", "size")
    for title in ("seconds", "at worst", "credits", "at worst"):
        table.add_column(title, justify="right")
    table.add_column("how known")
    for one in advice.figures:
        table.add_row(
            "→" if one == advice.best else "",
            one.size,
            duration_text(one.seconds[0]),
            duration_text(one.seconds[1]),
            credits_text(one.credits[0]),
            credits_text(one.credits[1]),
            Text(one.basis, "" if one.runs else "dim"),
        )
    return table


def _sentence(advice: Advice, deadline_s: float | None) -> str:
    within = f" within {duration_text(deadline_s)}" if deadline_s is not None else ""
    best = advice.best
    if best is None:
        return f"No size that was looked at surely ends{within}."
    untried = "" if best.runs else ", which was not measured: try it once"
    return f"Cheapest{within}: {best.size}{untried}{_saving(advice, best)}."


def _saving(advice: Advice, best: SizeFigures) -> str:
    measured = [one for one in advice.figures if one.runs and one != best]
    dearer = max((one.credits[0] for one in measured), default=0.0)
    return (
        f", {credits_text(dearer - best.credits[0])} credits less than the dearest measured"
        if dearer > best.credits[0]
        else ""
    )


def _idle(use: WarehouseUse, warehouse: Warehouse | None, days: int) -> str:
    """Return a sentence about a warehouse that mostly idles, with the statement that helps; empty if it is fine."""
    if warehouse is None or use.idle_share < _IDLE_SHARE:
        return ""
    idle = f"{use.idle_share:.0%} of them for no statement"
    told = f"Warehouse {use.name} used {credits_text(use.credits)} credits in {days} days, {idle}"
    if 0 < warehouse.auto_suspend_s <= _SHORT_SUSPEND_S:
        return f"{told}: it starts for short work; give it more at a time."
    return f'{told}: ALTER WAREHOUSE "{use.name}" SET AUTO_SUSPEND = 60'


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
