"""Names of measures and lengths of numbers, as people write them."""

from __future__ import annotations

from typing import Final

LEGENDS: Final = {
    "roc_auc": "ROC AUC",
    "average_precision": "average precision",
    "log_loss": "log loss",
    "brier": "Brier score",
    "f1": "F1",
    "f1_macro": "F1, mean of classes",
    "precision_macro": "precision, mean of classes",
    "recall_macro": "recall, mean of classes",
    "rmse": "RMSE",
    "mae": "MAE",
    "r2": "R²",
}


def legend(measure: str) -> str:
    """Return a measure's name as people write it."""
    return LEGENDS.get(measure, measure)


def number(value: float | None) -> str:
    """Return a number at a length that can be compared by eye."""
    if value is None:
        return ""
    if value and (abs(value) >= 10_000 or abs(value) < 0.0001):
        return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.1e}"
    return f"{value:,.4f}" if abs(value) < 10 else f"{value:,.2f}"
