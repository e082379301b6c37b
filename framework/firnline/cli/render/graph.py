"""A pipeline's graph in text: rails beside the stage names, and Mermaid for documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from firnline.cli.render.text import MARKS, joined
from firnline.domain.plan import Plan, PlannedStage
from firnline.domain.wording import printable

MAX_LANES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One line of the drawing: what stands in each lane, and which lane holds the stage."""

    cells: str
    column: int


def render_graph(plan: Plan) -> Text:
    """Return one line a stage: rails that lead from what it takes, its mark, its name and where its inputs come from.

    A graph that needs more than :data:`MAX_LANES` rails beside each other is listed without them.
    """
    rows = _draw(plan.stages)
    wide = any(len(row.cells) > 2 * MAX_LANES for row in rows)
    lines = []
    width = 0 if wide else max((len(row.cells) for row in rows), default=0)
    for stage, row in zip(plan.stages, rows, strict=True):
        mark, style = MARKS[stage.action]
        at = 2 * row.column
        rails = (mark, style) if wide else None
        line = joined(rails) if rails else joined((row.cells[:at], "dim"), (mark, style), (row.cells[at + 1 :], "dim"))
        line.append(" " * (max(0, width - len(row.cells)) + 1))
        line.append_text(joined((stage.name, "dim" if stage.action == "skip" else "bold")))
        if stage.upstream:
            line.append_text(joined((" ← " + ", ".join(stage.upstream), "dim")))
        lines.append(line)
    return Text("\n").join(lines)


def plan_mermaid(plan: Plan) -> str:
    """Return the graph as a Mermaid flowchart, with the stages' actions as classes."""
    ids = {stage.name: f"s{index}" for index, stage in enumerate(plan.stages)}
    lines = ["flowchart TD"]
    lines += [f'    {ids[s.name]}["{_label(s.name)}<br/>{_label(s.step)}"]:::{s.action}' for s in plan.stages]
    for stage in plan.stages:
        lines += [f"    {ids[name]} --> {ids[stage.name]}" for name in stage.upstream if name in ids]
    lines += [
        "    classDef run fill:#d5f0f7,stroke:#0b7285,color:#0b3c49",
        "    classDef reuse fill:#e7ecf3,stroke:#5c7080,color:#26323d",
        "    classDef skip fill:#ffffff,stroke:#aab4bd,color:#7a858f,stroke-dasharray:4 3",
    ]
    return "\n".join(lines) + "\n"


def _label(text: str) -> str:
    # Mermaid reads entity codes written with '#'; everything that it could take for syntax is written so.
    safe = "".join(c if c.isalnum() or c in " ._-" else f"#{ord(c)};" for c in printable(text))
    return safe or " "


def _draw(stages: Sequence[PlannedStage]) -> list[_Row]:
    waiting: dict[str, int] = {}
    known = {stage.name for stage in stages}
    for stage in stages:
        for name in stage.upstream:
            waiting[name] = waiting.get(name, 0) + 1
    lanes: list[str | None] = []
    rows = []
    for stage in stages:
        sources = [name for name in stage.upstream if name in known]
        for name in sources:
            waiting[name] -= 1
        ending = {name for name in sources if not waiting[name]}
        column = _column(lanes, ending)
        rows.append(_Row(cells=_cells(lanes, column, set(sources), ending), column=column))
        lanes = [None if name in ending else name for name in lanes]
        lanes += [None] * (column + 1 - len(lanes))
        lanes[column] = stage.name if waiting.get(stage.name) else None
        while lanes and lanes[-1] is None:
            lanes.pop()
    return rows


def _column(lanes: Sequence[str | None], ending: set[str]) -> int:
    for index, name in enumerate(lanes):
        if name in ending:
            return index
    return lanes.index(None) if None in lanes else len(lanes)


def _cells(lanes: Sequence[str | None], column: int, sources: set[str], ending: set[str]) -> str:
    joined_lanes = [index for index, name in enumerate(lanes) if name in sources]
    left, right = min([*joined_lanes, column]), max([*joined_lanes, column])
    cells = []
    for index in range(max(len(lanes), column + 1)):
        name = lanes[index] if index < len(lanes) else None
        inside = left <= index < right
        if index == column:
            glyph = "*"
        elif name in sources:
            glyph = _joint(index, left, right, ends=name in ending)
        elif name is not None:
            glyph = "│"
        else:
            glyph = "─" if left < index < right else " "
        cells.append(glyph + ("─" if inside else " "))
    return "".join(cells).rstrip()


def _joint(index: int, left: int, right: int, *, ends: bool) -> str:
    if index == left:
        return "╰" if ends else "├"
    if index == right:
        return "╯" if ends else "┤"
    return "┴" if ends else "┼"
