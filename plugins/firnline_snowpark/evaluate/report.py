"""The evaluation as a reader sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firnline.domain import Figure, Grid, Report, Text
from firnline_snowpark.evaluate.measures import measures
from firnline_snowpark.evaluate.wording import legend, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firnline.domain import Task
    from firnline_snowpark.evaluate.evaluation import Evaluation
    from firnline_snowpark.evaluate.predictions import Predictions
    from firnline_snowpark.evaluate.slices import Slice

THRESHOLDS: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
SLICE_MEASURES: Final = {
    "binary": ("roc_auc", "precision", "recall"),
    "multiclass": ("accuracy", "f1_macro"),
    "regression": ("rmse", "mae"),
}


def evaluation_report(
    evaluation: Evaluation, predictions: Predictions, figures: tuple[Figure, ...], *, against: str
) -> Report:
    """Put numbers, plots, thresholds and slices in order.

    Args:
        evaluation: what was found.
        predictions: for the table of thresholds.
        figures: the plots.
        against: which rows the baseline knows.
    """
    grids = [metrics_grid(evaluation)]
    if evaluation.task.task == "binary":
        grids.append(_thresholds(predictions))
    slices = [slices_grid(evaluation.slices, evaluation.task.task)] if evaluation.slices else []
    return Report(
        title=f"Evaluation on {evaluation.rows:,} held-out rows",
        sections=(Text(body=_story(evaluation, against)), *grids, *figures, *slices),
    )


def metrics_grid(evaluation: Evaluation) -> Grid:
    """Return each measure beside its interval and the baseline's."""
    rows = []
    for name, value in evaluation.metrics.items():
        low, high = evaluation.intervals.get(name, (None, None))
        interval = f"{number(low)} to {number(high)}" if low is not None else ""
        rows.append((legend(name), number(value), interval, number(evaluation.baseline.get(name))))
    return Grid(title="Metrics", columns=("measure", "model", "95 % interval", "baseline"), rows=tuple(rows))


def _story(evaluation: Evaluation, against: str) -> str:
    name = evaluation.primary
    value, plain = evaluation.metrics.get(name), evaluation.baseline.get(name)
    parts = [f"{legend(name)} {number(value)}, where a baseline that knows no features reaches {number(plain)}."]
    if evaluation.share is not None:
        parts.append(
            f"{evaluation.share:.1%} of the rows are {evaluation.task.target} = {evaluation.task.classes[-1]!r}."
        )
    said = "the shares of the classes" if evaluation.task.classes else "the mean"
    parts.append(f"The baseline predicts {said} in the {against} rows.")
    if evaluation.intervals:
        parts.append("Intervals come from resampling the rows with replacement.")
    if evaluation.unknown:
        parts.append(f"{evaluation.unknown:,} rows have a class that training never saw; they are left out.")
    return " ".join(parts)


def _thresholds(predictions: Predictions) -> Grid:
    rows = []
    for threshold in THRESHOLDS:
        found = measures(predictions.task, predictions.labels, predictions.scores, threshold=threshold)
        flagged = float((predictions.scores >= threshold).mean())
        rows.append(
            (f"{threshold:g}", f"{flagged:.1%}", *(number(found.get(name)) for name in ("precision", "recall", "f1")))
        )
    columns = ("threshold", "rows flagged", "precision", "recall", "F1")
    return Grid(title="What other thresholds would mean", columns=columns, rows=tuple(rows))


def slices_grid(slices: Sequence[Slice], task: Task, title: str = "Slices") -> Grid:
    """Return one line a slice."""
    shown = SLICE_MEASURES[task]
    means = ("actual", "predicted") if task != "multiclass" else ()
    rows = tuple(
        (
            part.column,
            part.value,
            f"{part.rows:,}",
            *((_mean(part.actual, task), _mean(part.predicted, task)) if means else ()),
            *(number(part.measures.get(name)) for name in shown),
        )
        for part in slices
    )
    columns = ("column", "value", "rows", *means, *(legend(name) for name in shown))
    return Grid(title=title, columns=columns, rows=rows)


def _mean(value: float | None, task: str) -> str:
    if value is None:
        return ""
    return f"{value:.1%}" if task == "binary" else number(value)
