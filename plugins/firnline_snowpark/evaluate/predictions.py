"""What a model says of held-out rows: a few numbers a row, however wide the table is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from firnline.errors import DataError, InterruptedRunError
from firnline_snowpark.rows import UNKNOWN_LABEL, LearningTask, read_batches

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from firnline.domain import Model, StepContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """Labels beside what the model says.

    Attributes:
        task: what was predicted.
        labels: class codes, or amounts.
        scores: binary: the positive class's probability; multiclass: one column a class; regression: the amount.
        others: the columns by which slices are told apart, as text.
        unknown: how many rows were left out because the model does not know their class.
    """

    task: LearningTask
    labels: np.ndarray[Any, Any]
    scores: np.ndarray[Any, Any]
    others: pd.DataFrame
    unknown: int = 0


def learning_task(model: Model) -> LearningTask:
    """Return what the model predicts from what."""
    return LearningTask(features=model.features, target=model.target, task=model.task, classes=model.classes)


def scores(estimator: Any, task: LearningTask, features: pd.DataFrame) -> np.ndarray[Any, Any]:
    """Ask the model; see :class:`Predictions` for the shape."""
    import numpy as np

    if task.task == "regression":
        return np.asarray(estimator.predict(features), dtype=np.float64)
    probabilities = np.asarray(estimator.predict_proba(features), dtype=np.float64)
    return probabilities[:, 1] if task.task == "binary" else probabilities


def predict_table(
    context: StepContext, estimator: Any, task: LearningTask, table: str, others: Sequence[str]
) -> Predictions:
    """Ask the model about every row of a table that has a label, batch by batch.

    Raises:
        DataError: no row has a label that the model knows.
    """
    import numpy as np
    import pandas as pd

    labels, said, extras = [], [], []
    done = unknown = 0
    for batch in read_batches(context.session, table, task, others=others):
        if context.is_cancelled():
            raise InterruptedRunError("the evaluation was stopped")
        known = np.ones(len(batch.labels), dtype=bool) if task.task == "regression" else batch.labels != UNKNOWN_LABEL
        unknown += int((~known).sum())
        if known.any():
            labels.append(batch.labels[known])
            said.append(scores(estimator, task, batch.features[known]))
            extras.append(batch.others[known])
        done += len(batch.labels)
        context.progress("predicting", done)
    if not labels:
        raise DataError(
            f"{table} has no row with a known value in {task.target!r}", hint="is the right table connected to `test`?"
        )
    return Predictions(
        task=task,
        labels=np.concatenate(labels),
        scores=np.concatenate(said),
        others=pd.concat(extras, ignore_index=True),
        unknown=unknown,
    )
