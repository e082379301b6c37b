"""Torch in the graph: a bare module, or a network with the encoder of its columns."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import TensorProto, helper, load_model_from_string, numpy_helper

from firnline.errors import DataError
from firnline_onnx.conversion.graph import MISSING_TEXT, ML, OPSET, Block, Graph, matrix_of, picked

if TYPE_CHECKING:
    from onnx import ModelProto

    from firnline.domain import Model

CLIP = 10.0
"""Where the encoder of ``train.torch`` ends standardised numbers; the comparison with the model sees another value."""
_ENCODER = ("numbers", "means", "scales", "gaps", "texts", "vocabularies")


def is_module(estimator: Any) -> bool:
    """Tell whether it is a torch module."""
    return any(base.__module__.startswith("torch.nn") for base in type(estimator).__mro__)


def is_encoded_network(estimator: Any) -> bool:
    """Tell whether it is what ``train.torch`` makes: a network, and an encoder that says what it does as plain data."""
    encoder = getattr(estimator, "encoder", None)
    return is_module(getattr(estimator, "network", None)) and all(hasattr(encoder, name) for name in _ENCODER)


def add_module(graph: Graph, module: Any, block: Block, model: Model) -> str:
    """Add a module whose ``forward`` takes float32 [rows, features] and returns what ``predict_proba`` would.

    Raises:
        DataError: torch cannot write it as ONNX, or it returns something else.
    """
    import torch

    features = torch.zeros((2, block.width), dtype=torch.float32)
    wanted = (2, len(model.classes))
    with torch.no_grad():
        found = tuple(module.eval()(features).shape)
    if model.task != "regression" and found != wanted:
        raise DataError(
            f"{type(module).__name__} returns {list(found)} for two rows, not {list(wanted)}",
            hint="forward must return a probability for each class, for two classes as well",
        )
    matrix = graph.cast(matrix_of(graph, block, where="torch"), TensorProto.FLOAT)
    [answer] = graph.inline(_written(module, {"features": features}), features=matrix)
    return graph.double(answer)


def add_encoded_network(graph: Graph, estimator: Any, block: Block, model: Model) -> str:
    """Add the encoder's work, the network, and what makes probabilities or an amount of its outputs.

    Raises:
        DataError: torch cannot write it as ONNX.
    """
    import torch

    encoder, places = estimator.encoder, {name: place for place, name in enumerate(model.features)}
    codes = [
        _codes(graph, block.columns[places[name]], known)
        for name, known in zip(encoder.texts, encoder.vocabularies, strict=True)
    ]
    numbers = _numbers(graph, encoder, picked(graph, block, [places[name] for name in encoder.numbers]))
    # Of either kind there may be no column at all.
    codes_matrix = graph.concatenated(codes) if codes else graph.cast(graph.taken(numbers, []), TensorProto.INT64)
    numbers_matrix = numbers if encoder.numbers else graph.cast(graph.taken(codes_matrix, []), TensorProto.FLOAT)
    examples = {
        "numbers": torch.zeros((2, encoder.width), dtype=torch.float32),
        "codes": torch.zeros((2, len(encoder.texts)), dtype=torch.int64),
    }
    [said] = graph.inline(_written(estimator.network, examples), numbers=numbers_matrix, codes=codes_matrix)
    outputs = graph.double(said)
    if model.task == "regression":
        scaled = graph.add("Mul", outputs, graph.constant(estimator.scale, np.float64))
        return graph.add("Add", scaled, graph.constant(estimator.center, np.float64))
    if model.task == "multiclass":
        return graph.add("Softmax", outputs, axis=1)
    positive = graph.add("Sigmoid", outputs)
    return graph.concatenated([graph.add("Sub", graph.constant(1.0, np.float64), positive), positive])


def _numbers(graph: Graph, encoder: Any, block: Block) -> str:
    if not encoder.numbers:
        return ""
    matrix = matrix_of(graph, block, where="the network's encoder")
    missing = graph.add("IsNaN", matrix)
    centered = graph.add("Sub", matrix, graph.constant([encoder.means], np.float64))
    scaled = graph.add("Div", centered, graph.constant([encoder.scales], np.float64))
    known = graph.add("Where", missing, graph.constant(0.0, np.float64), scaled)
    bounds = (graph.constant(-CLIP, np.float64), graph.constant(CLIP, np.float64))
    parts = [graph.cast(graph.add("Clip", known, *bounds), TensorProto.FLOAT)]
    if encoder.gaps:
        parts.append(graph.cast(graph.taken(missing, encoder.gaps), TensorProto.FLOAT))
    return graph.concatenated(parts)


def _codes(graph: Graph, column: str, known: tuple[str, ...]) -> str:
    if MISSING_TEXT in known:
        raise DataError(f"a category is the text {MISSING_TEXT!r}, which stands for NULL in the ONNX file")
    if not known:  # every value was missing; the encoder of labels wants one
        known = ("",)
        return graph.add("LabelEncoder", column, domain=ML, keys_strings=known, values_int64s=[0], default_int64=0)
    codes = list(range(1, len(known) + 1))
    return graph.add("LabelEncoder", column, domain=ML, keys_strings=known, values_int64s=codes, default_int64=0)


def _written(module: Any, examples: dict[str, Any]) -> ModelProto:
    import torch

    written = io.BytesIO()
    fast = torch.backends.mha.get_fastpath_enabled()
    try:
        torch.backends.mha.set_fastpath_enabled(value=False)  # ONNX has no counterpart of the fused attention
        with warnings.catch_warnings():
            # The exporter that needs no further package is said to be the older one.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                module.eval(),
                tuple(examples.values()),
                written,
                input_names=list(examples),
                output_names=["answer"],
                dynamic_axes={name: {0: "rows"} for name in (*examples, "answer")},
                opset_version=OPSET,
                dynamo=False,
            )
    except (torch.onnx.errors.OnnxExporterError, RuntimeError) as error:
        raise DataError(
            f"torch cannot write {type(module).__name__} as ONNX: {' '.join(str(error).split())[:300]}",
            hint="forward must take its tensors for any number of rows and use operators that ONNX has",
        ) from error
    finally:
        torch.backends.mha.set_fastpath_enabled(value=fast)
    return _refuse_negative_codes(load_model_from_string(written.getvalue()))


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
