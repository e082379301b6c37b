"""The same measures for parts of the rows: where a model is weak, an average does not show it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from firnline_snowpark.evaluate.measures import measures

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from firnline_snowpark.evaluate.predictions import Predictions
    from firnline_snowpark.rows import Kind

FEWEST_ROWS: Final = 20
FEWEST_OF_A_CLASS: Final = 10
"""With fewer rows of a class, how they rank among the others is chance."""
RANKING: Final = ("roc_auc", "average_precision")
NO_VALUE: Final = "(missing)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """The rows with one value in one column.

    Attributes:
        column: the column.
        value: its value in all of these rows.
        rows: how many there are.
        actual: mean label: the share of the positive class, or the mean amount; None for several classes.
        predicted: mean prediction, likewise.
        measures: see :func:`firnline_snowpark.evaluate.measures.measures`; without those by ranking where a class
            has hardly any rows.
    """

    column: str
    value: str
    rows: int
    actual: float | None
    predicted: float | None
    measures: dict[str, float]


def slice_by(predictions: Predictions, column: str, kind: Kind, *, threshold: float, most_values: int) -> list[Slice]:
    """Return a slice for each frequent value of a column, or for each quarter of the rows in a number's order.

    Values with fewer than 20 rows are left out.
    """
    values = predictions.others[column]
    if kind == "number":
        chosen = _quarters(values)
    else:
        counts = values.fillna(NO_VALUE).value_counts()
        names = sorted(counts.index, key=lambda value: (-counts[value], value))[:most_values]
        chosen = [(name, values.fillna(NO_VALUE) == name) for name in names]
    return [
        _slice(predictions, column, value, rows.to_numpy(), threshold)
        for value, rows in chosen
        if rows.sum() >= FEWEST_ROWS
    ]


def _quarters(values: pd.Series[Any]) -> list[tuple[str, pd.Series[bool]]]:
    import pandas as pd

    numbers = pd.to_numeric(values)
    edges = sorted(set(numbers.quantile([0, 0.25, 0.5, 0.75, 1]).dropna()))
    parts = [(NO_VALUE, numbers.isna())]
    for low, high in itertools.pairwise(edges):
        first = low == edges[0]
        inside = (numbers >= low if first else numbers > low) & (numbers <= high)
        parts.append((f"{low:,.6g} to {high:,.6g}" if first else f"over {low:,.6g} to {high:,.6g}", inside))
    return parts


def _slice(predictions: Predictions, column: str, value: str, rows: np.ndarray[Any, Any], threshold: float) -> Slice:
    labels, said = predictions.labels[rows], predictions.scores[rows]
    found = measures(predictions.task, labels, said, threshold=threshold)
    if predictions.task.task == "binary" and min(labels.sum(), (1 - labels).sum()) < FEWEST_OF_A_CLASS:
        found = {name: number for name, number in found.items() if name not in RANKING}
    has_mean = predictions.task.task != "multiclass"
    return Slice(
        column=column,
        value=value,
        rows=int(rows.sum()),
        actual=float(labels.mean()) if has_mean else None,
        predicted=float(said.mean()) if has_mean else None,
        measures=found,
    )
