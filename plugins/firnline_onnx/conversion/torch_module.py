"""A torch module as a part of the graph: from one matrix of the features to probabilities or amounts."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import TensorProto, helper, load_model_from_string, numpy_helper

from firnline.errors import DataError
from firnline_onnx.conversion.graph import OPSET, Graph, matrix_of

if TYPE_CHECKING:
    from onnx import ModelProto

    from firnline_onnx.conversion.graph import Block


def add_module(graph: Graph, module: Any, block: Block) -> str:
    """Add a module whose ``forward`` takes float32 [rows, features] and returns what ``predict_proba`` would.

    Raises:
        DataError: torch cannot write it as ONNX.
    """
    import torch

    module = module.eval()
    example = torch.zeros((2, block.width), dtype=torch.float32)
    written = io.BytesIO()
    try:
        with warnings.catch_warnings():
            # The exporter that needs no further package is said to be the older one.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                module,
                (example,),
                written,
                input_names=["features"],
                output_names=["answer"],
                dynamic_axes={"features": {0: "rows"}, "answer": {0: "rows"}},
                opset_version=OPSET,
                dynamo=False,
            )
    except (torch.onnx.errors.OnnxExporterError, RuntimeError) as error:
        raise DataError(
            f"torch cannot write {type(module).__name__} as ONNX: {' '.join(str(error).split())[:300]}",
            hint="forward must take float32 [rows, features] and use operators that ONNX has",
        ) from error
    inner = _refuse_negative_codes(load_model_from_string(written.getvalue()))
    [answer] = graph.inline(inner, graph.cast(matrix_of(graph, block, where="torch"), TensorProto.FLOAT))
    return graph.double(answer)


def _refuse_negative_codes(model: ModelProto) -> ModelProto:
    """Let a negative code be an error, as in torch: ONNX counts it from the end, and takes the last embedding."""
    tables = {tensor.name: tensor.dims[0] for tensor in model.graph.initializer if len(tensor.dims) == 2}
    nodes = []
    for number, node in enumerate(model.graph.node):
        if node.op_type == "Gather" and node.input[0] in tables:
            names = [f"guard_{number}_{part}" for part in ("zero", "outside", "negative", "code")]
            zero, outside, negative, code = names
            model.graph.initializer.extend([
                numpy_helper.from_array(np.array(0, dtype=np.int64), zero),
                numpy_helper.from_array(np.array(tables[node.input[0]], dtype=np.int64), outside),
            ])  # fmt: skip
            nodes.append(helper.make_node("Less", [node.input[1], zero], [negative]))
            nodes.append(helper.make_node("Where", [negative, outside, node.input[1]], [code]))
            node.input[1] = code
        nodes.append(node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model
