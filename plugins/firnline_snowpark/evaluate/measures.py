"""Numbers that say how good predictions are. Pure functions of labels and scores.

Written out in NumPy, because the bootstrap asks for them hundreds of times and scikit-learn's checks of its arguments
take ten times as long as the sums themselves; a test holds them against scikit-learn's.
"""

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

    A measure that is not defined is left out: ROC AUC where only one class occurs, precision where nothing is
    predicted to be positive, R² where all amounts are equal. Means over classes count such a class as 0.
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
    positive, guess = labels == 1, scores >= threshold
    hits, flagged, wanted = (positive & guess).sum(), guess.sum(), positive.sum()
    return {
        **_ranking(positive, scores),
        "log_loss": _log_loss(_chosen(labels, scores)),
        "brier": ((scores - positive) ** 2).mean(),
        "accuracy": (positive == guess).mean(),
        **({"f1": 2 * hits / (flagged + wanted)} if flagged + wanted else {}),
        **({"precision": hits / flagged} if flagged else {}),
        **({"recall": hits / wanted} if wanted else {}),
    }


def _ranking(positive: np.ndarray[Any, Any], scores: np.ndarray[Any, Any]) -> dict[str, Any]:
    """Return the areas under the ROC curve (trapezoids) and the precision-recall curve (steps)."""
    import numpy as np

    wanted = positive.sum()
    if not 0 < wanted < len(positive):
        return {}
    order = np.argsort(-scores, kind="stable")
    last_of_its_score = np.append(np.diff(scores[order]) != 0, [True])
    hits = np.cumsum(positive[order])[last_of_its_score]
    flagged = np.flatnonzero(last_of_its_score) + 1
    true_share = np.concatenate([[0.0], hits / wanted])
    false_share = np.concatenate([[0.0], (flagged - hits) / (len(positive) - wanted)])
    return {
        "roc_auc": np.trapezoid(true_share, false_share),
        "average_precision": (np.diff(true_share) * hits / flagged).sum(),
    }


def _multiclass(labels: np.ndarray[Any, Any], scores: np.ndarray[Any, Any], classes: int) -> dict[str, Any]:
    import numpy as np

    guess = scores.argmax(axis=1)
    hits = np.bincount(labels[guess == labels], minlength=classes)
    flagged, wanted = np.bincount(guess, minlength=classes), np.bincount(labels, minlength=classes)
    normed = scores / scores.sum(axis=1, keepdims=True)
    found = (_ranking(labels == code, normed[:, code]) for code in range(classes))
    areas = [area["roc_auc"] for area in found if area]
    return {
        **({"roc_auc": sum(areas) / classes} if len(areas) == classes else {}),
        "log_loss": _log_loss(normed[np.arange(len(labels)), labels]),
        "accuracy": (guess == labels).mean(),
        "f1_macro": (2 * hits / np.maximum(flagged + wanted, 1)).mean(),
        "precision_macro": (hits / np.maximum(flagged, 1)).mean(),
        "recall_macro": (hits / np.maximum(wanted, 1)).mean(),
    }


def _regression(labels: np.ndarray[Any, Any], scores: np.ndarray[Any, Any]) -> dict[str, Any]:
    errors = scores - labels
    spread = ((labels - labels.mean()) ** 2).sum()
    found: dict[str, Any] = {"rmse": (errors**2).mean() ** 0.5, "mae": abs(errors).mean()}
    return found | ({"r2": 1 - (errors**2).sum() / spread} if spread > 0 else {})


def _chosen(labels: np.ndarray[Any, Any], scores: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the probability that was given to the class that is the right one."""
    import numpy as np

    return np.where(labels == 1, scores, 1 - scores)


def _log_loss(given: np.ndarray[Any, Any]) -> Any:
    """Return the mean of -log p; p is kept from 0, where one sure mistake would be infinitely bad."""
    import numpy as np

    return -np.log(np.maximum(given, 1e-7)).mean()


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
