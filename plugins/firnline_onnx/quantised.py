"""A smaller variant of a network's file: weights of one byte. It is not the same, so what it loses is stated."""

from __future__ import annotations

import logging
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import TensorProto, load_model_from_string

from firnline.errors import DataError

if TYPE_CHECKING:
    from onnx import ModelProto

    from firnline.domain import Model

_WEIGHTED = frozenset({"MatMul", "Gemm"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What a variant loses on the rows of the table.

    Attributes:
        difference: the mean difference of a probability or an amount.
        flipped: share of rows with another class.
        before: of the model: share of rows in which it is right, or the mean absolute error; None without labels.
        after: of the variant.
    """

    difference: float
    flipped: float
    before: float | None
    after: float | None


def quantise(proto: ModelProto) -> ModelProto:
    """Return the model with weights of one byte.

    Raises:
        DataError: it has no weights that could be made smaller.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    floats = {tensor.name for tensor in proto.graph.initializer if tensor.data_type == TensorProto.FLOAT}
    if not any(node.op_type in _WEIGHTED and floats.intersection(node.input) for node in proto.graph.node):
        raise DataError(
            "the model has no weights of single precision that could be quantised: trees and linear models have none",
            hint="quantise networks (train=torch), or set export.params.quantised=false",
        )
    with tempfile.TemporaryDirectory() as name:
        source, target = Path(name) / "model.onnx", Path(name) / "quantised.onnx"
        source.write_bytes(proto.SerializeToString())
        root = logging.getLogger()
        before = root.level
        root.setLevel(logging.ERROR)  # it advises to prepare models that need no preparation
        try:
            quantize_dynamic(source, target, weight_type=QuantType.QInt8, op_types_to_quantize=sorted(_WEIGHTED))
        finally:
            root.setLevel(before)
        return load_model_from_string(target.read_bytes())


def measure_loss(
    model: Model, native: np.ndarray[Any, Any], said: np.ndarray[Any, Any], labels: np.ndarray[Any, Any] | None
) -> Loss:
    """Compare a variant with the model, and both with the truth.

    Args:
        model: what was exported.
        native: what the model says: probabilities [rows, classes] or amounts [rows, 1].
        said: what the variant says.
        labels: the target's values, None where they are missing; None: the table has none.
    """
    difference = float(np.abs(native - said).mean())
    flipped = 0.0 if model.task == "regression" else float((native.argmax(axis=1) != said.argmax(axis=1)).mean())
    known = None if labels is None else np.array([label is not None and label == label for label in labels])
    if labels is None or known is None or not known.any():
        return Loss(difference=difference, flipped=flipped, before=None, after=None)
    before, after = (_quality(model, answers[known], labels[known]) for answers in (native, said))
    return Loss(difference=difference, flipped=flipped, before=before, after=after)


def _quality(model: Model, answers: np.ndarray[Any, Any], labels: np.ndarray[Any, Any]) -> float:
    if model.task == "regression":
        return float(np.abs(answers[:, 0] - labels.astype(np.float64)).mean())
    chosen = [model.classes[place] for place in answers.argmax(axis=1)]
    return float(np.mean([label == choice for label, choice in zip(labels, chosen, strict=True)]))
