"""Numbers that say how good predictions are. Pure functions of labels and scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np

    from firnline_snowpark.evaluate.predictions import Predictions
    from firnline_snowpark.rows import LearningTask

PRIMARY: Final = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}
"""The measure by which importances are told and slices are compared."""
LOWER_IS_BETTER: Final = frozenset({"log_loss", "brier", "rmse", "mae"})
MOST_ROWS_WITH_INTERVALS: Final = 200_000


def measures(
    task: LearningTask, labels: np.ndarray[Any, Any], scores: np.ndarray[Any, Any], *, threshold: float = 0.5
) -> dict[str, float]:
    """Return every measure of the task that these labels allow.

    A measure that is not defined is left out: ROC AUC where only one class occurs, R² where all amounts are equal.
    """
    match task.task:
        case "binary":
            found = _binary(labels, scores, threshold)
        case "multiclass":
            found = _multiclass(labels, scores, len(task.classes))
        case "regression":
            found = _regression(labels, scores)
    return {name: float(value) for name, value in found.items()}


def _binary(labels: np.ndarray[Any, Any], scores: np.ndarray[Any, Any], threshold: float) -> dict[str, Any]:
    from sklearn import metrics

    positive = scores >= threshold
    found: dict[str, Any] = {}
    if 0 < labels.sum() < len(labels):
        found["roc_auc"] = metrics.roc_auc_score(labels, scores)
        found["average_precision"] = metrics.average_precision_score(labels, scores)
    return found | {
        "log_loss": metrics.log_loss(labels, _clipped(scores), labels=[0, 1]),
        "brier": ((scores - labels) ** 2).mean(),
        "accuracy": (positive == (labels == 1)).mean(),
        "f1": metrics.f1_score(labels, positive, zero_division=0),
        "precision": metrics.precision_score(labels, positive, zero_division=0),
        "recall": metrics.recall_score(labels, positive, zero_division=0),
    }


def _multiclass(labels: np.ndarray[Any, Any], scores: np.ndarray[Any, Any], classes: int) -> dict[str, Any]:
    import numpy as np
    from sklearn import metrics

    codes = np.arange(classes)
    guess = scores.argmax(axis=1)
    averaged: dict[str, Any] = {"labels": codes, "average": "macro", "zero_division": 0}
    found: dict[str, Any] = {}
    if len(np.unique(labels)) == classes:
        found["roc_auc"] = metrics.roc_auc_score(labels, _rows_of_one(scores), multi_class="ovr", labels=codes)
    return found | {
        "log_loss": metrics.log_loss(labels, _rows_of_one(_clipped(scores)), labels=codes),
        "accuracy": (guess == labels).mean(),
        "f1_macro": metrics.f1_score(labels, guess, **averaged),
        "precision_macro": metrics.precision_score(labels, guess, **averaged),
        "recall_macro": metrics.recall_score(labels, guess, **averaged),
    }


def _regression(labels: np.ndarray[Any, Any], scores: np.ndarray[Any, Any]) -> dict[str, Any]:
    errors = scores - labels
    spread = ((labels - labels.mean()) ** 2).sum()
    found: dict[str, Any] = {"rmse": (errors**2).mean() ** 0.5, "mae": abs(errors).mean()}
    return found | ({"r2": 1 - (errors**2).sum() / spread} if spread > 0 else {})


def _clipped(scores: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Keep the logarithm of a probability finite."""
    import numpy as np

    clipped: np.ndarray[Any, Any] = np.clip(scores, 1e-7, 1 - 1e-7)
    return clipped


def _rows_of_one(scores: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Make each row sum up to one; float32 probabilities do so only roughly."""
    normed: np.ndarray[Any, Any] = scores / scores.sum(axis=1, keepdims=True)
    return normed


def baseline_scores(task: LearningTask, known: np.ndarray[Any, Any], rows: int) -> np.ndarray[Any, Any]:
    """Return what a model would say that knows no features.

    Args:
        task: what is predicted.
        known: rows of each class in the training rows, or their mean amount as the one number.
        rows: how many rows to speak of.
    """
    import numpy as np

    if task.task == "regression":
        return np.full(rows, float(known[0]))
    shares = known / known.sum()
    return np.full(rows, shares[1]) if task.task == "binary" else np.tile(shares, (rows, 1))


def intervals(
    predictions: Predictions, *, threshold: float, resamples: int, seed: int
) -> dict[str, tuple[float, float]]:
    """Return the middle 95 % of each measure over bootstrap resamples of the rows (percentile method)."""
    import numpy as np

    rows = len(predictions.labels)
    if not resamples or rows > MOST_ROWS_WITH_INTERVALS:
        return {}
    random = np.random.default_rng(seed)
    drawn: dict[str, list[float]] = {}
    for _ in range(resamples):
        picked = random.integers(0, rows, rows)
        found = measures(predictions.task, predictions.labels[picked], predictions.scores[picked], threshold=threshold)
        for name, value in found.items():
            drawn.setdefault(name, []).append(value)
    return {name: tuple(np.quantile(values, (0.025, 0.975)).tolist()) for name, values in drawn.items()}
