"""Write an ONNX graph node by node."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Sequence

    from onnx import ModelProto, NodeProto

OPSET: Final = 20
ML_OPSET: Final = 3
IR_VERSION: Final = 9
ML: Final = "ai.onnx.ml"
MISSING_TEXT: Final = "\u2400"
"""What stands for NULL in a string tensor, which has no missing values: the symbol for null."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Columns side by side on their way through a pipeline.

    Attributes:
        columns: names of tensors of shape [rows, 1]; empty when ``matrix`` is given.
        texts: for each column whether it is text.
        matrix: name of one tensor [rows, width] of doubles, when the columns stand in one.
        origins: for each column the input that it still is, value by value; None for what was computed.
        sparse: whether the native pipeline hands a sparse matrix on, in which a zero is not there.
    """

    columns: tuple[str, ...] = ()
    texts: tuple[bool, ...] = ()
    matrix: str | None = None
    origins: tuple[str | None, ...] = ()
    sparse: bool = False

    @property
    def width(self) -> int:
        """How many columns there are."""
        return len(self.texts)


@dataclass(slots=True)
class Graph:
    """A graph that grows.

    Attributes:
        taken_names: names that inputs have.
        ties: input → values at which a tree decides; rows with these very values are the hard ones.
        closed: input → the only categories that the native model takes; it raises at any other.
    """

    nodes: list[NodeProto] = field(default_factory=list)
    initializers: dict[str, Any] = field(default_factory=dict)
    ties: dict[str, set[float]] = field(default_factory=dict)
    closed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    taken_names: set[str] = field(default_factory=set)
    _names: int = 0

    def name(self, stem: str) -> str:
        """Return a name that nothing else has."""
        self._names += 1
        name = f"{stem}_{self._names}"
        return name if name not in self.taken_names else self.name(stem)

    def add(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node with one output, and return the output's name."""
        output = self.name(operator.lower())
        self.nodes.append(helper.make_node(operator, list(inputs), [output], domain=domain, **attributes))
        return output

    def constant(self, value: Any, kind: Any = None) -> str:
        """Return the name of a constant."""
        array = np.asarray(value, dtype=kind)
        name = self.name("constant")
        self.initializers[name] = numpy_helper.from_array(array, name)
        return name

    def cast(self, value: str, kind: int) -> str:
        """Convert a tensor's element type."""
        return self.add("Cast", value, to=kind)

    def double(self, value: str) -> str:
        """Convert a tensor to doubles."""
        return self.cast(value, TensorProto.DOUBLE)

    def rounded(self, value: str) -> str:
        """Round doubles to single precision, as a library does that computes in it, and return doubles."""
        return self.double(self.cast(value, TensorProto.FLOAT))

    def concatenated(self, values: Sequence[str]) -> str:
        """Put tensors side by side."""
        return values[0] if len(values) == 1 else self.add("Concat", *values, axis=1)

    def taken(self, matrix: str, places: Sequence[int]) -> str:
        """Return some columns of a matrix."""
        return self.add("Gather", matrix, self.constant(list(places), np.int64), axis=1)

    def inline(self, model: ModelProto, **values: str) -> list[str]:
        """Put another model into the graph, its inputs by their names; return the names of its outputs."""
        from onnx import compose

        stem = self.name("part")
        inner = compose.add_prefix(model, f"{stem}_").graph
        for given in inner.input:  # one that nothing needs may have been left out
            self.nodes.append(helper.make_node("Identity", [values[given.name.removeprefix(f"{stem}_")]], [given.name]))
        self.nodes.extend(inner.node)
        self.initializers |= {tensor.name: tensor for tensor in inner.initializer}
        return [output.name for output in inner.output]

    def model(self, name: str, inputs: Sequence[Any], outputs: Sequence[Any]) -> ModelProto:
        """Close the graph."""
        graph = helper.make_graph(self.nodes, name, list(inputs), list(outputs), list(self.initializers.values()))
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(ML, ML_OPSET)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="firnline")


def matrix_of(graph: Graph, block: Block, *, where: str) -> str:
    """Return a block of numbers as one tensor of doubles.

    Raises:
        DataError: a column is text.
    """
    from firnline.errors import DataError

    if block.matrix is not None:
        return block.matrix
    if any(block.texts):
        names = [
            origin or column
            for origin, column, text in zip(block.origins, block.columns, block.texts, strict=True)
            if text
        ]
        raise DataError(
            f"{where} is handed text ({', '.join(names[:5])}), which it cannot compute with in ONNX",
            hint="encode the column in the pipeline: OneHotEncoder, OrdinalEncoder or TargetEncoder",
        )
    return graph.concatenated(block.columns)


def column_of(graph: Graph, block: Block, place: int) -> str:
    """Return one column of a block, [rows, 1]."""
    if block.matrix is None:
        return block.columns[place]
    return graph.taken(block.matrix, [place])


def picked(graph: Graph, block: Block, places: Sequence[int]) -> Block:
    """Return a block of some columns."""
    texts, origins = tuple(block.texts[place] for place in places), tuple(block.origins[place] for place in places)
    if block.matrix is not None:
        return Block(matrix=graph.taken(block.matrix, places), texts=texts, origins=origins, sparse=block.sparse)
    return Block(columns=tuple(block.columns[place] for place in places), texts=texts, origins=origins)


def numbers(matrix: str, width: int, *, origins: Sequence[str | None] = (), sparse: bool = False) -> Block:
    """Return a block around a matrix of doubles."""
    return Block(matrix=matrix, texts=(False,) * width, origins=tuple(origins) or (None,) * width, sparse=sparse)
