"""Place the nodes of a small directed graph: layers, an order with few crossings, and even coordinates.

Follows the layered method of Sugiyama, Tagawa and Toda (1981): longest-path layers, stand-ins where an edge passes a
layer, barycentre sweeps for the order; coordinates by isotonic regression (pool adjacent violators), layer by layer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

SWEEPS = 8
PLACING_SWEEPS = 48
STAND_IN_SHARE = 0.2
STAND_IN_WEIGHT = 12.0

# A node, or a stand-in for it: the node's name and the layer that an edge from it passes.
_Node: TypeAlias = str | tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where everything is, in units of the caller: ``across`` within a layer, layers counted from 0.

    Attributes:
        nodes: node → (layer, centre across).
        routes: (from, to) → the points that the edge passes, both ends included.
        layers: how many layers there are.
        breadth: from the leftmost to the rightmost edge of the nodes.
    """

    nodes: Mapping[str, tuple[int, float]]
    routes: Mapping[tuple[str, str], tuple[tuple[int, float], ...]]
    layers: int
    breadth: float


@dataclass(frozen=True, slots=True)
class _Graph:
    """Layers of nodes in their order, and for each node its neighbours in the layers beside its own."""

    layers: list[list[_Node]]
    before: dict[_Node, list[_Node]] = field(default_factory=dict)
    after: dict[_Node, list[_Node]] = field(default_factory=dict)

    def connect(self, source: _Node, target: _Node) -> None:
        if target not in self.after.setdefault(source, []):
            self.after[source].append(target)
            self.before.setdefault(target, []).append(source)


def lay_out(upstream: Mapping[str, Sequence[str]], *, size: float, gap: float) -> Layout:
    """Return the layout of a graph without cycles.

    Args:
        upstream: node → the nodes it takes from, in an order in which sources come first; unknown names are ignored.
        size: how much room a node takes within its layer.
        gap: the room between neighbours.
    """
    layer_of: dict[str, int] = {}
    for name, sources in upstream.items():
        layer_of[name] = 1 + max((layer_of[source] for source in sources if source in layer_of), default=-1)
    graph, paths = _with_stand_ins(upstream, layer_of)
    _order(graph)
    across = _coordinates(graph, size, gap)
    left = min((across[node] - size / 2 for node in layer_of), default=0.0)
    right = max((across[node] + size / 2 for node in layer_of), default=0.0)
    left = min([left, *(place - gap / 2 for node, place in across.items() if isinstance(node, tuple))])
    right = max([right, *(place + gap / 2 for node, place in across.items() if isinstance(node, tuple))])
    place = {node: across[node] - left for layer in graph.layers for node in layer}
    return Layout(
        nodes={name: (layer, place[name]) for name, layer in layer_of.items()},
        routes={
            edge: tuple((node[1] if isinstance(node, tuple) else layer_of[node], place[node]) for node in path)
            for edge, path in paths.items()
        },
        layers=len(graph.layers),
        breadth=right - left,
    )


def _with_stand_ins(
    upstream: Mapping[str, Sequence[str]], layer_of: Mapping[str, int]
) -> tuple[_Graph, dict[tuple[str, str], list[_Node]]]:
    """Put stand-ins where edges pass layers; edges from the same node share them, which keeps the picture calm."""
    graph = _Graph([[] for _ in range(max(layer_of.values(), default=-1) + 1)])
    paths: dict[tuple[str, str], list[_Node]] = {}
    seen: set[_Node] = set()
    for name, layer in layer_of.items():
        graph.layers[layer].append(name)
    for name, sources in upstream.items():
        for source in dict.fromkeys(sources):
            if source not in layer_of:
                continue
            path: list[_Node] = [source]
            for layer in range(layer_of[source] + 1, layer_of[name]):
                stand_in = (source, layer)
                if stand_in not in seen:
                    seen.add(stand_in)
                    graph.layers[layer].append(stand_in)
                path.append(stand_in)
            path.append(name)
            for one, other in pairwise(path):
                graph.connect(one, other)
            paths[source, name] = path
    return graph, paths


def _order(graph: _Graph) -> None:
    best, fewest = [list(layer) for layer in graph.layers], _crossings(graph)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        downwards = sweep % 2 == 0
        indices = range(1, len(graph.layers)) if downwards else range(len(graph.layers) - 2, -1, -1)
        for index in indices:
            neighbours = graph.before if downwards else graph.after
            fixed = graph.layers[index - 1 if downwards else index + 1]
            _sort_by_neighbours(graph.layers[index], fixed, neighbours)
        crossings = _crossings(graph)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in graph.layers], crossings
    graph.layers[:] = best


def _sort_by_neighbours(
    layer: list[_Node], fixed: Sequence[_Node], neighbours: Mapping[_Node, Sequence[_Node]]
) -> None:
    rank = {node: index for index, node in enumerate(fixed)}

    def barycentre(pair: tuple[int, _Node]) -> float:
        places = [rank[node] for node in neighbours.get(pair[1], ()) if node in rank]
        return sum(places) / len(places) if places else float(pair[0])

    layer[:] = [node for _, node in sorted(enumerate(layer), key=barycentre)]


def _crossings(graph: _Graph) -> int:
    total = 0
    for upper, lower in pairwise(graph.layers):
        rank = {node: index for index, node in enumerate(lower)}
        ends = [sorted(rank[node] for node in graph.after.get(source, ()) if node in rank) for source in upper]
        seen: list[int] = []
        for group in ends:
            total += sum(earlier > end for end in group for earlier in seen)
            seen += group
    return total


def _coordinates(graph: _Graph, size: float, gap: float) -> dict[_Node, float]:
    across: dict[_Node, float] = {}
    for layer in graph.layers:
        offset = 0.0
        offsets = _offsets(layer, size, gap)
        middle = (offsets[-1] - offsets[0]) / 2 if offsets else 0.0
        for node, offset in zip(layer, offsets, strict=True):
            across[node] = offset - middle
    for sweep in range(PLACING_SWEEPS):
        order = graph.layers if sweep % 2 == 0 else list(reversed(graph.layers))
        for layer in order:
            wanted, weights = _wishes(layer, graph, across)
            offsets = _offsets(layer, size, gap)
            fitted = _isotonic([want - offset for want, offset in zip(wanted, offsets, strict=True)], weights)
            across.update({node: fit + offset for node, fit, offset in zip(layer, fitted, offsets, strict=True)})
    _straighten(graph, across, gap)
    return across


def _straighten(graph: _Graph, across: dict[_Node, float], gap: float) -> None:
    """Put the stand-ins of a node that nearly form a straight line onto one, so that long edges do not wobble."""
    chains: dict[str, list[_Node]] = {}
    for layer in graph.layers:
        for node in layer:
            if isinstance(node, tuple):
                chains.setdefault(node[0], []).append(node)
    for chain in chains.values():
        places = [across[node] for node in chain]
        if max(places) - min(places) <= gap / 2:
            across.update(dict.fromkeys(chain, sum(places) / len(places)))


def _offsets(layer: Sequence[_Node], size: float, gap: float) -> list[float]:
    offsets: list[float] = []
    place = 0.0
    for index, node in enumerate(layer):
        half = size * (STAND_IN_SHARE if isinstance(node, tuple) else 1) / 2
        place += half + (gap if index else 0.0)
        offsets.append(place)
        place += half
    return offsets


def _wishes(layer: Sequence[_Node], graph: _Graph, across: Mapping[_Node, float]) -> tuple[list[float], list[float]]:
    wanted, weights = [], []
    for node in layer:
        places, weight = 0.0, 0.0
        for other in (*graph.before.get(node, ()), *graph.after.get(node, ())):
            straight = STAND_IN_WEIGHT if isinstance(node, tuple) and isinstance(other, tuple) else 1.0
            places += straight * across[other]
            weight += straight
        wanted.append(places / weight if weight else across[node])
        weights.append(weight or 0.1)
    return wanted, weights


def _isotonic(values: Sequence[float], weights: Sequence[float]) -> Iterable[float]:
    """Return the non-decreasing sequence that is closest to ``values`` in weighted least squares."""
    blocks: list[tuple[float, float, int]] = []
    for value, weight in zip(values, weights, strict=True):
        blocks.append((value, weight, 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            last, previous = blocks.pop(), blocks.pop()
            total = last[1] + previous[1]
            mean = (last[0] * last[1] + previous[0] * previous[1]) / total
            blocks.append((mean, total, last[2] + previous[2]))
    return [value for value, _, count in blocks for _ in range(count)]
