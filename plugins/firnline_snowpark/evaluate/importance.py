"""How much worse the predictions get when one column's values are shuffled among the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from firnline.errors import InterruptedRunError
from firnline_snowpark.evaluate.measures import LOWER_IS_BETTER, PRIMARY, measures
from firnline_snowpark.evaluate.predictions import scores

if TYPE_CHECKING:
    from firnline.domain import StepContext
    from firnline_snowpark.rows import LabelledRows, LearningTask

REPEATS: Final = 3


def permutation_importance(
    context: StepContext, estimator: Any, task: LearningTask, rows: LabelledRows, *, seed: int
) -> list[tuple[str, float, float]]:
    """Return (column, mean, standard deviation) of the loss in the primary measure, most important first.

    Columns that carry the same information hide each other: shuffling one leaves the other.
    """
    import numpy as np
    import pandas as pd

    known = rows.labels >= 0 if task.task != "regression" else np.ones(len(rows.labels), dtype=bool)
    features, labels = rows.features[known].reset_index(drop=True), rows.labels[known]
    name = PRIMARY[task.task]
    reference = measures(task, labels, scores(estimator, task, features)).get(name)
    if reference is None:
        return []
    sign = 1 if name in LOWER_IS_BETTER else -1
    random = np.random.default_rng(seed)
    shuffled = pd.concat([features] * REPEATS, ignore_index=True)
    found = []
    for number, column in enumerate(task.features):
        if context.is_cancelled():
            raise InterruptedRunError("the evaluation was stopped")
        original = shuffled[column]
        orders = [random.permutation(len(features)) for _ in range(REPEATS)]
        shuffled[column] = features[column].take(np.concatenate(orders)).to_numpy()
        said = np.split(scores(estimator, task, shuffled), REPEATS)
        losses = [sign * (measures(task, labels, part)[name] - reference) for part in said]
        found.append((column, float(np.mean(losses)), float(np.std(losses))))
        shuffled[column] = original
        context.progress(f"importance of column {number + 1} of {len(task.features)}")
    return sorted(found, key=lambda item: (-item[1], item[0]))
