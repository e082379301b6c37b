"""The whole model: from named, typed inputs to probabilities and a class, or to an amount."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import TensorProto, checker, helper

from firnline.errors import DataError
from firnline_onnx.conversion import torch_module
from firnline_onnx.conversion.estimators import add_estimator
from firnline_onnx.conversion.graph import Block, Graph
from firnline_onnx.conversion.transformers import add_transformer
from firnline_onnx.signature import AMOUNT, CODE, PROBABILITIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from onnx import ModelProto

    from firnline.domain import Model
    from firnline_onnx.signature import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """A model as ONNX.

    Attributes:
        proto: the file's content, checked by onnx.
        ties: input → values at which it decides.
        closed: input → the only categories that the native model takes.
    """

    proto: ModelProto
    ties: Mapping[str, tuple[float, ...]]
    closed: Mapping[str, tuple[str, ...]]


def convert(estimator: Any, model: Model, kinds: Mapping[str, Kind]) -> Converted:
    """Write a fitted model as ONNX.

    Args:
        estimator: what the artifact holds.
        model: the artifact.
        kinds: whether each feature is a number or text.

    Raises:
        DataError: it, or a setting of it, is not carried over.
    """
    graph = Graph()
    return close_graph(graph, _answer(graph, estimator, model, open_inputs(graph, model, kinds)), model, kinds)


def open_inputs(graph: Graph, model: Model, kinds: Mapping[str, Kind]) -> Block:
    """Return the columns that a file takes.

    Raises:
        DataError: one has the name of an output.
    """
    reserved = {PROBABILITIES, CODE, AMOUNT}
    if clash := [name for name in model.features if name in reserved]:
        raise DataError(
            f"the feature {clash[0]!r} has the name of an output of the file", hint="rename the column in SQL"
        )
    graph.taken_names.update(model.features)
    return Block(
        columns=model.features,
        texts=tuple(kinds[name] == "text" for name in model.features),
        origins=model.features,
    )


def close_graph(graph: Graph, answer: str, model: Model, kinds: Mapping[str, Kind]) -> Converted:
    """Name the outputs and let onnx check the whole.

    Args:
        graph: what was added.
        answer: doubles: probabilities [rows, classes], or amounts [rows, 1].
        model: what is exported.
        kinds: whether each feature is a number or text.
    """
    if model.task == "regression":
        graph.nodes.append(helper.make_node("Reshape", [answer, graph.constant([-1], np.int64)], [AMOUNT]))
        outputs = [helper.make_tensor_value_info(AMOUNT, TensorProto.DOUBLE, ["rows"])]
    else:
        graph.nodes.append(helper.make_node("Identity", [answer], [PROBABILITIES]))
        graph.nodes.append(helper.make_node("ArgMax", [answer], [CODE], axis=1, keepdims=0))
        outputs = [
            helper.make_tensor_value_info(PROBABILITIES, TensorProto.DOUBLE, ["rows", len(model.classes)]),
            helper.make_tensor_value_info(CODE, TensorProto.INT64, ["rows"]),
        ]
    inputs = [
        helper.make_tensor_value_info(
            name, TensorProto.STRING if kinds[name] == "text" else TensorProto.DOUBLE, ["rows", 1]
        )
        for name in model.features
    ]
    proto = graph.model(model.target, inputs, outputs)
    checker.check_model(proto)
    return Converted(
        proto=proto,
        ties={name: tuple(sorted(values)) for name, values in graph.ties.items()},
        closed=dict(graph.closed),
    )


def _answer(graph: Graph, estimator: Any, model: Model, block: Block) -> str:
    if torch_module.is_encoded_network(estimator):
        return torch_module.add_encoded_network(graph, estimator, block, model)
    if torch_module.is_module(estimator):
        return torch_module.add_module(graph, estimator, block, model)
    if type(estimator).__name__ == "Pipeline":
        for _, step in estimator.steps[:-1]:
            block = add_transformer(graph, step, block)
        estimator = estimator.steps[-1][1]
    return add_estimator(graph, estimator, block, model.task)
