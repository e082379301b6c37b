"""What is not written by hand here goes through skl2onnx, in single precision; the parity check decides about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onnx import TensorProto

from firnline.errors import DataError
from firnline_onnx.conversion.graph import ML, ML_OPSET, OPSET, Graph, matrix_of, numbers

if TYPE_CHECKING:
    from onnx import ModelProto

    from firnline.domain import Task
    from firnline_onnx.conversion.graph import Block


def convert_by_library(graph: Graph, estimator: Any, block: Block, task: Task) -> str:
    """Add an estimator; see :func:`firnline_onnx.conversion.estimators.add_estimator`."""
    options = {id(estimator): {"zipmap": False}} if task != "regression" else None
    outputs = _inlined(graph, estimator, block, options)
    if task == "regression":
        return graph.double(outputs[0])
    return graph.double(outputs[1])


def transform_by_library(graph: Graph, transformer: Any, block: Block) -> Block:
    """Add a transformer of numbers."""
    [output] = _inlined(graph, transformer, block, None)
    return numbers(graph.double(output), len(transformer.get_feature_names_out()))


def _inlined(graph: Graph, estimator: Any, block: Block, options: Any) -> list[str]:
    name = type(estimator).__name__
    matrix = graph.cast(matrix_of(graph, block, where=name), TensorProto.FLOAT)
    return graph.inline(_converted(estimator, block.width, options), matrix=matrix)


def _converted(estimator: Any, width: int, options: Any) -> ModelProto:
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType
    from skl2onnx.common.exceptions import MissingConverter, MissingShapeCalculator

    try:
        return convert_sklearn(
            estimator,
            initial_types=[("matrix", FloatTensorType([None, width]))],
            options=options,
            target_opset={"": OPSET, ML: ML_OPSET},
        )
    except (MissingConverter, MissingShapeCalculator, NotImplementedError, NameError, RuntimeError) as error:
        raise DataError(
            f"{type(estimator).__name__} has no counterpart in ONNX: {' '.join(str(error).split())[:300]}",
            hint="do in SQL what it does, or use an estimator that can be exported (docs/how-to/export-and-serve.md)",
        ) from error
