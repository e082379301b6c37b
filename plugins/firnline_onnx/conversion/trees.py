"""Trees of any library as one ``TreeEnsembleRegressor``, with thresholds in double precision.

The converters of the libraries round thresholds to single precision, which sends values near them to the other side,
and forget splits by category. Here nothing is rounded but what the library rounds itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np
from onnx import numpy_helper

from firnline_onnx.conversion.graph import ML

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firnline_onnx.conversion.graph import Block, Graph

Mode: TypeAlias = Literal["BRANCH_LEQ", "BRANCH_LT", "BRANCH_EQ", "LEAF"]
MOST_TIES: Final = 40


@dataclass(slots=True)
class Tree:
    """One tree: its nodes in columns, its leaves as (node, target, weight)."""

    features: list[int] = field(default_factory=list)
    modes: list[Mode] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    right: list[int] = field(default_factory=list)
    missing_left: list[bool] = field(default_factory=list)
    leaves: list[tuple[int, int, float]] = field(default_factory=list)

    def reserve(self) -> int:
        """Add an empty node and return its number."""
        self.features.append(0)
        self.modes.append("LEAF")
        self.values.append(0.0)
        self.left.append(0)
        self.right.append(0)
        self.missing_left.append(False)
        return len(self.features) - 1

    def split(
        self, node: int, feature: int, mode: Mode, value: float, left: int, right: int, *, missing_left: bool
    ) -> None:
        """Make a node a decision: to the left where it is true."""
        self.features[node], self.modes[node], self.values[node] = feature, mode, value
        self.left[node], self.right[node], self.missing_left[node] = left, right, missing_left

    def split_by_categories(
        self, node: int, feature: int, categories: Sequence[int], inside: int, outside: int
    ) -> None:
        """Make a node a decision by membership: a chain of questions, each for one category."""
        for category in categories[:-1]:
            following = self.reserve()
            self.split(node, feature, "BRANCH_EQ", float(category), inside, following, missing_left=False)
            node = following
        if categories:
            self.split(node, feature, "BRANCH_EQ", float(categories[-1]), inside, outside, missing_left=False)
        else:
            self.split(node, feature, "BRANCH_LEQ", float("inf"), outside, outside, missing_left=True)


def add_trees(graph: Graph, matrix: str, trees: Sequence[Tree], targets: int) -> str:
    """Add the sum of the trees' leaves for each target; the matrix holds doubles.

    Returns:
        The name of a tensor [rows, targets] of doubles.
    """
    nodes = [(number, node) for number, tree in enumerate(trees) for node in range(len(tree.features))]

    def flat(name: str) -> list[object]:
        return [item for tree in trees for item in getattr(tree, name)]

    def tensor(name: str, values: Sequence[object]) -> object:
        return numpy_helper.from_array(np.array(values, dtype=np.float64), name)

    leaves = [(number, *leaf) for number, tree in enumerate(trees) for leaf in tree.leaves]
    summed = graph.add(
        "TreeEnsembleRegressor",
        matrix,
        domain=ML,
        n_targets=targets,
        aggregate_function="SUM",
        post_transform="NONE",
        nodes_treeids=[number for number, _ in nodes],
        nodes_nodeids=[node for _, node in nodes],
        nodes_featureids=flat("features"),
        nodes_modes=flat("modes"),
        nodes_values_as_tensor=tensor("nodes_values", flat("values")),
        nodes_truenodeids=flat("left"),
        nodes_falsenodeids=flat("right"),
        nodes_missing_value_tracks_true=[int(bool(flag)) for flag in flat("missing_left")],
        target_treeids=[leaf[0] for leaf in leaves],
        target_nodeids=[leaf[1] for leaf in leaves],
        target_ids=[leaf[2] for leaf in leaves],
        target_weights_as_tensor=tensor("target_weights", [leaf[3] for leaf in leaves]),
    )
    return graph.double(summed)


def note_ties(graph: Graph, block: Block, trees: Sequence[Tree]) -> None:
    """Remember at which values of the inputs the trees decide."""
    for tree in trees:
        for feature, mode, value in zip(tree.features, tree.modes, tree.values, strict=True):
            origin = block.origins[feature] if mode in {"BRANCH_LEQ", "BRANCH_LT"} else None
            if origin is not None and np.isfinite(value):
                found = graph.ties.setdefault(origin, set())
                if len(found) < MOST_TIES:
                    found.add(float(value))
