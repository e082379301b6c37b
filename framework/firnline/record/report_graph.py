"""Draw the stage graph as an inline SVG whose colours come from the page's style sheet."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from firnline.domain.wording import one_line
from firnline.record.report_layout import Layout, lay_out

NODE_WIDTH, NODE_HEIGHT = 190, 50
GAP_ACROSS = {"right": 18, "down": 20}
GAP_ALONG = {"right": 46, "down": 34}
MARGIN = 10
SMALLEST_SCALE = 0.72
PAGE_WIDTH = 1_000
LABEL_COLUMNS = 19
NOTE_COLUMNS = 26
TEXT_LEFT, TEXT_ROOM = 37, 144
# From so many columns on, a text is told how wide to be: how wide it would be otherwise is up to the reader's fonts.
LABEL_SAFE = 15
NOTE_SAFE = 22

# Strokes inside a circle of radius 8 around (0, 0), so that a state can be told without its colour.
_MARKS = {
    "finished": "M-3.6 0.3 L-1.1 2.9 L3.8 -2.7",
    "reused": "M-3.5 -1.6 H2.4 M0.4 -3.7 L2.6 -1.6 L0.4 0.5 M3.5 1.9 H-2.4 M-0.4 4 L-2.6 1.9 L-0.4 -0.2",
    "failed": "M-2.8 -2.8 L2.8 2.8 M2.8 -2.8 L-2.8 2.8",
    "skipped": "M-3.2 0 H3.2",
    "running": "M-1.8 -3.3 L3.2 0 L-1.8 3.3 Z",
    "waiting": "M-3 0 h0.1 M0 0 h0.1 M3 0 h0.1",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One stage in the picture.

    Attributes:
        name: the stage's name.
        note: the smaller line under it.
        state: finished, reused, failed, skipped, running or waiting.
        title: what is shown when the pointer rests on it.
        anchor: the id of the part of the page that tells more; empty for none.
    """

    name: str
    note: str
    state: str
    title: str
    anchor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """The drawn graph and its size in pixels."""

    svg: Markup
    width: int
    height: int


def draw_graph(nodes: Sequence[Node], upstream: Mapping[str, Sequence[str]]) -> Picture:
    """Return the graph, from left to right if that fits on the page, else from top to bottom if that does.

    Args:
        nodes: in an order in which sources come first.
        upstream: node → the names of the nodes that it takes from.
    """
    ordered = {node.name: upstream.get(node.name, ()) for node in nodes}
    rightwards = lay_out(ordered, size=NODE_HEIGHT, gap=GAP_ACROSS["right"])
    downwards = lay_out(ordered, size=NODE_WIDTH, gap=GAP_ACROSS["down"])
    widths = {"right": _size(rightwards, "right")[0], "down": _size(downwards, "down")[0]}
    fitting = [direction for direction in ("right", "down") if widths[direction] <= PAGE_WIDTH]
    direction = fitting[0] if fitting else min(widths, key=lambda name: widths[name])
    return _draw(nodes, rightwards if direction == "right" else downwards, direction)


def _size(layout: Layout, direction: str) -> tuple[float, float]:
    depth = NODE_WIDTH if direction == "right" else NODE_HEIGHT
    along = layout.layers * depth + max(layout.layers - 1, 0) * GAP_ALONG[direction]
    width, height = (along, layout.breadth) if direction == "right" else (layout.breadth, along)
    return width + 2 * MARGIN, height + 2 * MARGIN


def _draw(nodes: Sequence[Node], layout: Layout, direction: str) -> Picture:
    width, height = (round(side) for side in _size(layout, direction))
    edges = [
        Markup('<path class="edge" d="{}" marker-end="url(#arrow)"><title>{} → {}</title></path>').format(
            _curve(route, direction), source, target
        )
        for (source, target), route in layout.routes.items()
    ]
    boxes = [_box(node, *_corner(*layout.nodes[node.name], direction)) for node in nodes]
    svg = Markup(
        '<svg class="graph" viewBox="0 0 {w} {h}" width="{w}" height="{h}" style="min-width:{least}px"'
        ' role="img" aria-label="stage graph">'
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
        ' orient="auto"><path class="arrow" d="M0 0.6 L7.4 4 L0 7.4 Z"/></marker></defs>{edges}{boxes}</svg>'
    ).format(
        w=width,
        h=height,
        least=round(SMALLEST_SCALE * width),
        edges=Markup("").join(edges),
        boxes=Markup("").join(boxes),
    )
    return Picture(svg=svg, width=width, height=height)


def _corner(layer: int, across: float, direction: str) -> tuple[float, float]:
    depth = NODE_WIDTH if direction == "right" else NODE_HEIGHT
    along = MARGIN + layer * (depth + GAP_ALONG[direction])
    if direction == "right":
        return along, MARGIN + across - NODE_HEIGHT / 2
    return MARGIN + across - NODE_WIDTH / 2, along


def _curve(route: Sequence[tuple[int, float]], direction: str) -> str:
    """Return a path that leaves and enters layers at a right angle, and passes those between in a straight line."""
    depth, gap = (NODE_WIDTH if direction == "right" else NODE_HEIGHT), GAP_ALONG[direction]
    pieces: list[str] = []
    for (layer, across), (_, following) in pairwise(route):
        start = MARGIN + layer * (depth + gap) + depth
        end = start + gap
        middle = (start + end) / 2
        points = [(start, across), (middle, across), (middle, following), (end, following)]
        x0, y0, *rest = (value for point in points for value in _oriented(*point, direction))
        pieces.append(f"{'L' if pieces else 'M'}{x0:.1f} {y0:.1f} C" + " ".join(f"{value:.1f}" for value in rest))
    # A layer in between is crossed by the straight piece that the next "L" draws.
    return " ".join(pieces)


def _oriented(along: float, across: float, direction: str) -> tuple[float, float]:
    return (along, MARGIN + across) if direction == "right" else (MARGIN + across, along)


def _box(node: Node, x: float, y: float) -> Markup:
    drawn = Markup(
        '<g class="node {state}" transform="translate({x} {y})"><title>{title}</title>'
        '<rect class="box" width="{w}" height="{h}" rx="9"/>'
        '<g transform="translate(20 {middle})"><circle class="dot" r="9"/><path class="mark" d="{mark}"/></g>'
        '<text class="name" x="{left}" y="21"{name_fit}>{name}</text>'
        '<text class="note" x="{left}" y="37"{note_fit}>{note}</text></g>'
    ).format(
        state=node.state,
        x=f"{x:.1f}",
        y=f"{y:.1f}",
        w=NODE_WIDTH,
        h=NODE_HEIGHT,
        middle=NODE_HEIGHT // 2,
        mark=_MARKS.get(node.state, _MARKS["waiting"]),
        title=node.title,
        left=TEXT_LEFT,
        name=clip(node.name, LABEL_COLUMNS),
        name_fit=_fit(node.name, LABEL_SAFE),
        note=clip(node.note, NOTE_COLUMNS),
        note_fit=_fit(node.note, NOTE_SAFE),
    )
    return Markup('<a href="#{}">{}</a>').format(node.anchor, drawn) if node.anchor else drawn


def _fit(text: str, safe: int) -> Markup:
    """Return the attributes that keep a long text within its box."""
    if sum(map(_columns, one_line(text))) <= safe:
        return Markup("")
    return Markup(' textLength="{}" lengthAdjust="spacingAndGlyphs"').format(TEXT_ROOM)


def _columns(char: str) -> int:
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def clip(text: str, columns: int) -> str:
    """Return text on one line, cut so that it takes at most ``columns`` half-width columns."""
    kept: list[str] = []
    used = 0
    line = one_line(text)
    for char in line:
        used += _columns(char)
        if used > columns:
            return "".join(kept[:-1]) + "…"
        kept.append(char)
    return line
