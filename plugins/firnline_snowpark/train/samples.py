"""The rows a trainer learns from, in local memory, and their weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from firnline.errors import DataError
from firnline_snowpark.rows import UNKNOWN_LABEL, LabelledRows, read_all

if TYPE_CHECKING:
    import numpy as np

    from firnline.domain import StepContext, Table
    from firnline_snowpark.train.params import TrainParams
    from firnline_snowpark.train.roles import Roles


def training_rows(context: StepContext, params: TrainParams, roles: Roles, table: Table) -> LabelledRows:
    """Read the training rows, in an order that is always the same.

    Raises:
        DataError: a class has no training row at all.
    """
    rows = read_all(context.session, table.name, roles.task, order=roles.order, limit=params.max_rows, seed=params.seed)
    context.progress("read the training rows", len(rows.labels))
    if roles.task.task != "regression":
        present = {int(code) for code in set(rows.labels)} - {UNKNOWN_LABEL}
        if absent := [label for code, label in enumerate(roles.task.classes) if code not in present]:
            raise DataError(
                f"no training row has {roles.task.target} = {', '.join(repr(label) for label in absent[:5])}",
                hint="such rare classes are better merged or removed; or split with another seed, or stratified",
            )
    return rows


def validation_rows(context: StepContext, roles: Roles, table: Table) -> LabelledRows | None:
    """Read the validation rows whose class the model knows; None if there are none."""
    rows = read_all(context.session, table.name, roles.task, order=roles.order)
    known = rows.labels != UNKNOWN_LABEL if roles.task.task != "regression" else rows.labels == rows.labels
    if not known.any():
        return None
    return LabelledRows(features=rows.features[known], labels=rows.labels[known], others=rows.others[known])


def sample_weights(params: TrainParams, roles: Roles, labels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any] | None:
    """Return a weight for each row, or None where all weigh the same."""
    if params.class_weight == "none" or roles.task.task == "regression":
        return None
    from sklearn.utils.class_weight import compute_sample_weight

    weights: np.ndarray[Any, Any] = compute_sample_weight("balanced", labels)
    return weights
