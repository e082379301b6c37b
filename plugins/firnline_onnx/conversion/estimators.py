"""The last step of a pipeline: what makes probabilities or an amount of a matrix."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from firnline.errors import DataError
from firnline_onnx.conversion import boosters
from firnline_onnx.conversion.graph import Graph, matrix_of
from firnline_onnx.conversion.library import convert_by_library
from firnline_onnx.conversion.trees import add_trees, note_ties

if TYPE_CHECKING:
    from firnline.domain import Task
    from firnline_onnx.conversion.boosters import Ensemble
    from firnline_onnx.conversion.graph import Block


def add_estimator(graph: Graph, estimator: Any, block: Block, task: Task) -> str:
    """Add a fitted estimator.

    Returns:
        The name of doubles: probabilities [rows, classes], or amounts [rows, 1].

    Raises:
        DataError: it, or a setting of it, is not carried over.
    """
    library = type(estimator).__module__.partition(".")[0]
    name = type(estimator).__name__
    if library == "xgboost":
        return _ensemble(graph, boosters.from_xgboost(estimator), _without_zeros(graph, block), task, name)
    if library == "lightgbm":
        return _ensemble(graph, boosters.from_lightgbm(estimator), block, task, name)
    if library != "sklearn":
        raise DataError(
            f"models of {library} are not exported", hint="scikit-learn, XGBoost, LightGBM and torch models are"
        )
    if name.startswith("HistGradientBoosting"):
        from firnline_onnx.conversion.transformers import reorder_for_histograms

        block = reorder_for_histograms(graph, estimator, block)
        return _ensemble(graph, boosters.from_histogram_boosting(estimator), block, task, name)
    if name in _FORESTS:
        if getattr(estimator, "n_outputs_", 1) > 1:
            raise DataError(f"{name} with several targets is not exported", hint="train one model for each")
        return _ensemble(graph, boosters.from_forest(estimator), block, task, name)
    if name in _LINEAR:
        return _linear(graph, estimator, matrix_of(graph, block, where=name), task)
    return convert_by_library(graph, estimator, block, task)


_FORESTS = frozenset({
    "DecisionTreeClassifier", "DecisionTreeRegressor", "RandomForestClassifier", "RandomForestRegressor",
    "ExtraTreesClassifier", "ExtraTreesRegressor", "ExtraTreeClassifier", "ExtraTreeRegressor",
})  # fmt: skip
_LINEAR = frozenset({"LogisticRegression", "Ridge", "LinearRegression", "Lasso", "ElasticNet"})


def _ensemble(graph: Graph, ensemble: Ensemble, block: Block, task: Task, name: str) -> str:
    matrix = matrix_of(graph, block, where=name)
    if ensemble.single:
        matrix = graph.rounded(matrix)
    if ensemble.whole:
        matrix = _without_fractions(graph, matrix, ensemble.whole, block.width)
    note_ties(graph, block, ensemble.trees)
    total = add_trees(graph, matrix, ensemble.trees, ensemble.targets)
    if any(ensemble.base):
        total = graph.add("Add", total, graph.constant(ensemble.base, np.float64))
    if ensemble.scale != 1.0:
        total = graph.add("Mul", total, graph.constant(ensemble.scale, np.float64))
    match ensemble.link:
        case "sigmoid":
            return _two_classes(graph, total)
        case "softmax":
            return graph.add("Softmax", total, axis=1)
        case "exp":
            return graph.add("Exp", total)
        case "identity":
            if task != "regression" and ensemble.targets == 1:
                raise DataError(
                    f"{name} predicts an amount, the model is said to tell classes", hint="use a classifier"
                )
            return total


def _without_fractions(graph: Graph, matrix: str, places: frozenset[int], width: int) -> str:
    whole = graph.add("Mul", graph.add("Sign", matrix), graph.add("Floor", graph.add("Abs", matrix)))
    chosen = graph.constant([[place in places for place in range(width)]], bool)
    return graph.add("Where", chosen, whole, matrix)


def _linear(graph: Graph, estimator: Any, matrix: str, task: Task) -> str:
    weights, base = np.atleast_2d(estimator.coef_).T, np.atleast_1d(estimator.intercept_)
    product = graph.add("MatMul", matrix, graph.constant(weights, np.float64))
    total = graph.add("Add", product, graph.constant(base, np.float64))
    if task == "regression":
        return total
    return _two_classes(graph, total) if weights.shape[1] == 1 else graph.add("Softmax", total, axis=1)


def _two_classes(graph: Graph, margin: str) -> str:
    positive = graph.add("Sigmoid", margin)
    return graph.concatenated([graph.add("Sub", graph.constant(1.0, np.float64), positive), positive])


def _without_zeros(graph: Graph, block: Block) -> Block:
    """Make zeros missing where XGBoost was handed a sparse matrix: it takes what is not there for missing."""
    if not block.sparse:
        return block
    matrix = matrix_of(graph, block, where="XGBoost")
    is_zero = graph.add("Equal", matrix, graph.constant(0.0, np.float64))
    missing = graph.constant(np.nan, np.float64)
    return replace(block, matrix=graph.add("Where", is_zero, missing, matrix), columns=(), sparse=False)
