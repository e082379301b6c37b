"""``evaluate.holdout``: how good a model is on rows it has not seen, against a baseline that knows no features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from firnline.domain import Metrics
from firnline_snowpark.columns import quoted, resolve_columns
from firnline_snowpark.evaluate.evaluation import Evaluation
from firnline_snowpark.evaluate.importance import permutation_importance
from firnline_snowpark.evaluate.measures import PRIMARY, baseline_scores, intervals, measures
from firnline_snowpark.evaluate.plots import importance_plot, plots
from firnline_snowpark.evaluate.predictions import learning_task, predict_table
from firnline_snowpark.evaluate.report import evaluation_report
from firnline_snowpark.evaluate.slices import slice_by
from firnline_snowpark.rows import column_kinds, label_codes, label_sql, read_all

if TYPE_CHECKING:
    from snowflake.snowpark import Session

    from firnline.domain import Model, Outputs, StepContext, Table
    from firnline_snowpark.evaluate.params import HoldoutParams
    from firnline_snowpark.evaluate.predictions import Predictions
    from firnline_snowpark.evaluate.slices import Slice
    from firnline_snowpark.rows import Kind, LearningTask

SLICE_COLUMNS: Final = 4


def run(context: StepContext, params: HoldoutParams, model: Model, test: Table, train: Table | None = None) -> Outputs:
    """Measure the model; nothing is decided by it.

    Raises:
        DataError: no test row has a label that the model knows, or a slice column is not there.
    """
    estimator, task = model.load(), learning_task(model)
    kinds = column_kinds(context.session, test.name)
    importances = _importances(context, params, estimator, task, test)
    if params.slices is None:
        columns = _slice_columns(task, kinds, importances)
    else:
        columns = resolve_columns(params.slices, list(kinds), where=f"stage {context.stage}")
    predictions = predict_table(context, estimator, task, test.name, columns)
    slices = [
        part
        for column in columns
        for part in slice_by(
            predictions, column, kinds[column], threshold=params.threshold, most_values=params.slice_values
        )
    ]
    evaluation = _evaluate(context, params, predictions, importances, slices, train or test)
    figures = plots(predictions, params.threshold)
    if importances:
        figures = (*figures, importance_plot(importances, evaluation.primary))
    return {
        "metrics": Metrics(values=evaluation.metrics),
        "report": evaluation_report(evaluation, predictions, figures, against="test" if train is None else "training"),
        "details": context.save(evaluation, "evaluation.pkl"),
    }


def _evaluate(
    context: StepContext,
    params: HoldoutParams,
    predictions: Predictions,
    importances: list[tuple[str, float, float]],
    slices: list[Slice],
    known: Table,
) -> Evaluation:
    task, rows = predictions.task, len(predictions.labels)
    plain = baseline_scores(task, _known_labels(context.session, known, task), rows)
    return Evaluation(
        task=task,
        rows=rows,
        unknown=predictions.unknown,
        primary=PRIMARY[task.task],
        metrics=measures(task, predictions.labels, predictions.scores, threshold=params.threshold),
        baseline=measures(task, predictions.labels, plain, threshold=params.threshold),
        intervals=intervals(predictions, threshold=params.threshold, resamples=params.resamples, seed=params.seed),
        importances=importances,
        slices=slices,
        threshold=params.threshold,
        share=float(predictions.labels.mean()) if task.task == "binary" else None,
    )


def _importances(
    context: StepContext, params: HoldoutParams, estimator: Any, task: LearningTask, test: Table
) -> list[tuple[str, float, float]]:
    if not params.importance_rows:
        return []
    rows = read_all(context.session, test.name, task, limit=params.importance_rows, seed=params.seed)
    return permutation_importance(context, estimator, task, rows, seed=params.seed)


def _slice_columns(
    task: LearningTask, kinds: dict[str, Kind], importances: list[tuple[str, float, float]]
) -> tuple[str, ...]:
    """Take the most important columns; without importances, the categories."""
    if importances:
        return tuple(name for name, _, _ in importances[:SLICE_COLUMNS])
    return tuple(name for name in task.features if kinds[name] != "number")[:SLICE_COLUMNS]


def _known_labels(session: Session, table: Table, task: LearningTask) -> Any:
    """Return rows of each class, or the mean amount; computed where the rows are."""
    import numpy as np
    import pandas as pd

    column = quoted(task.target)
    if task.task == "regression":
        [row] = session.sql(f"SELECT AVG(CAST({column} AS FLOAT)) FROM {table.name}").collect()  # noqa: S608 (quoted)
        return np.array([row[0]])
    label = label_sql(task.target, column_kinds(session, table.name)[task.target])
    query = f"SELECT {label}, COUNT(*) FROM {table.name} WHERE {column} IS NOT NULL GROUP BY 1"  # noqa: S608 (quoted)
    counted = session.sql(query).collect()
    codes = label_codes(pd.Series([row[0] for row in counted], dtype=object), task)
    found = np.zeros(len(task.classes))
    for code, row in zip(codes, counted, strict=True):
        if code >= 0:
            found[code] += int(row[1])
    return found
