"""What a client gets: predictions as JSON or Arrow."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from firnline_onnx.signature import Signature


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """Predictions in columns.

    Attributes:
        labels: the class of each row, or the amount; None where the model has no number.
        probability: of two classes, the positive one's; of several, the predicted one's; None for amounts.
        each: the probability of each class, of several.
    """

    labels: list[Any]
    probability: list[float | None] | None
    each: np.ndarray[Any, Any] | None = None


def predictions(signature: Signature, said: np.ndarray[Any, Any]) -> Predictions:
    """Turn what the file says into predictions."""
    if signature.task == "regression":
        return Predictions(labels=_known(said[:, 0]), probability=None)
    if signature.task == "binary":
        positive = said[:, 1]
        negative_label, positive_label = signature.classes
        chosen = [positive_label if value >= signature.threshold else negative_label for value in positive]
        return Predictions(labels=chosen, probability=_known(positive))
    places = said.argmax(axis=1)
    return Predictions(
        labels=[signature.classes[place] for place in places], probability=_known(said.max(axis=1)), each=said
    )


def as_json(signature: Signature, found: Predictions, *, single: bool) -> bytes:
    """Return the body: an object for one row, a list for a list."""
    rows: list[dict[str, Any]] = [{"prediction": label} for label in found.labels]
    if found.probability is not None:
        for row, probability in zip(rows, found.probability, strict=True):
            row["probability"] = probability
    if found.each is not None:
        names = [str(label) for label in signature.classes]
        for row, values in zip(rows, found.each.tolist(), strict=True):
            row["probabilities"] = dict(zip(names, values, strict=True))
    return json.dumps(rows[0] if single else rows, ensure_ascii=False, allow_nan=False).encode()


def as_arrow(signature: Signature, found: Predictions) -> bytes:
    """Return the body as an Arrow IPC stream."""
    import pyarrow as pa

    columns: dict[str, Any] = {"prediction": pa.array(found.labels)}
    if found.probability is not None:
        columns["probability"] = pa.array(found.probability, pa.float64())
    if found.each is not None:
        for place, label in enumerate(signature.classes):
            columns[f"probability_{label}"] = pa.array(found.each[:, place])
    table = pa.table(columns)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def schema(signature: Signature) -> dict[str, Any]:
    """Return the JSON schema of one prediction."""
    kinds = {str: "string", bool: "boolean", int: "integer", float: "number"}
    if signature.task == "regression":
        properties: dict[str, Any] = {"prediction": {"type": ["number", "null"]}}
    else:
        label: dict[str, Any] = {"enum": list(signature.classes)}
        if len(types := {type(value) for value in signature.classes}) == 1:
            label["type"] = kinds[types.pop()]
        properties = {"prediction": label, "probability": {"type": ["number", "null"]}}
    if signature.task == "multiclass":
        each = {str(value): {"type": "number"} for value in signature.classes}
        properties["probabilities"] = {"type": "object", "properties": each}
    return {"type": "object", "title": "Prediction", "properties": properties, "required": list(properties)}


def _known(values: np.ndarray[Any, Any]) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in values.tolist()]
