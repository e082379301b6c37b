"""Rows of a table as numbers and text: the only two kinds of feature that a model sees.

The same expressions select the columns for training and for scoring, so that a model is asked what it has learned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from firnline.errors import DataError
from firnline_snowpark.columns import quoted, unquoted

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from snowflake.snowpark import Session

    from firnline.domain import Task

Kind: TypeAlias = Literal["number", "flag", "text", "date", "timestamp", "time", "other"]
FEATURE_KINDS: Final = frozenset({"number", "flag", "text"})
UNKNOWN_LABEL: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningTask:
    """What is predicted from what.

    Attributes:
        features: columns in the model's order.
        target: the column to predict.
        task: ``binary``, ``multiclass`` or ``regression``.
        classes: the labels in the order of their codes; of two, the positive one is last. Empty for regression.
    """

    features: tuple[str, ...]
    target: str
    task: Task
    classes: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledRows:
    """Rows in local memory.

    Attributes:
        features: one column a feature, in the task's order: float64, or text with None for NULL.
        labels: floats for regression; else the class's place in the task's classes, -1 for a class that is not there.
        others: further columns that were asked for, as text.
    """

    features: pd.DataFrame
    labels: np.ndarray[Any, Any]
    others: pd.DataFrame


def column_kinds(session: Session, table: str) -> dict[str, Kind]:
    """Return the kind of each column of a table, by name, in order."""
    from snowflake.snowpark import types

    kinds: tuple[tuple[tuple[type, ...], Kind], ...] = (
        ((types.BooleanType,), "flag"),
        ((types.ByteType, types.ShortType, types.IntegerType, types.LongType), "number"),
        ((types.FloatType, types.DoubleType, types.DecimalType), "number"),
        ((types.StringType,), "text"),
        ((types.DateType,), "date"),
        ((types.TimestampType,), "timestamp"),
        ((types.TimeType,), "time"),
    )

    def kind(datatype: types.DataType) -> Kind:
        return next((kind for classes, kind in kinds if isinstance(datatype, classes)), "other")

    return {unquoted(field.name): kind(field.datatype) for field in session.table(table).schema.fields}


def feature_sql(name: str, kind: Kind) -> str:
    """Return the expression that gives a feature to a model: FLOAT for numbers and flags, TEXT for text."""
    if kind == "flag":
        return f"CAST(CAST({quoted(name)} AS INTEGER) AS FLOAT)"
    return f"CAST({quoted(name)} AS {'FLOAT' if kind == 'number' else 'TEXT'})"


def label_sql(name: str, kind: Kind) -> str:
    """Return the expression that gives a label, so that :func:`label_codes` understands it."""
    return feature_sql(name, kind if kind in {"number", "flag"} else "text")


def rows_query(
    kinds: Mapping[str, Kind],
    table: str,
    task: LearningTask,
    *,
    others: Sequence[str] = (),
    order: Sequence[str] = (),
    limit: int | None = None,
    seed: int = 0,
) -> str:
    """Return the query of the rows whose label is known: features, label, others. The rest as in :func:`read_batches`.

    Args:
        kinds: of the table's columns.
        table: fully qualified, ready for SQL.
        task: which columns.
        others: further columns, as text.
        order: columns that order the rows.
        limit: take a sample of so many rows.
        seed: of that sample.
    """
    expressions = [
        *(feature_sql(name, kinds[name]) for name in task.features),
        label_sql(task.target, kinds[task.target]),
        *(f"CAST({quoted(name)} AS TEXT)" for name in others),
    ]
    listed = ", ".join(f"{sql} AS C{index}" for index, sql in enumerate(expressions))
    query = f"SELECT {listed} FROM {table} WHERE {quoted(task.target)} IS NOT NULL"  # noqa: S608 (identifiers are quoted)
    if limit is not None:
        picked = ", ".join([*(quoted(name) for name in order or task.features), str(seed)])
        return f"{query} ORDER BY HASH({picked}) LIMIT {limit}"
    return f"{query} ORDER BY {', '.join(quoted(name) for name in order)}" if order else query


def read_batches(
    session: Session,
    table: str,
    task: LearningTask,
    *,
    others: Sequence[str] = (),
    order: Sequence[str] = (),
    limit: int | None = None,
    seed: int = 0,
    batch_rows: int | None = None,
) -> Iterator[LabelledRows]:
    """Read features and labels of the rows whose label is known, batch by batch.

    Args:
        session: where the table is.
        table: fully qualified, ready for SQL.
        task: which columns, and what the labels mean.
        others: further columns to bring along.
        order: columns that put the rows into an order that is always the same; none leaves the order open.
        limit: take this many rows, the same ones whenever ``seed`` is the same.
        seed: of that sample.
        batch_rows: as many rows of a batch as are converted at once; None: all that the platform sent in one.
    """
    query = rows_query(column_kinds(session, table), table, task, others=others, order=order, limit=limit, seed=seed)
    split = len(task.features)
    for batch in _slices(session.sql(query).to_arrow_batches(), batch_rows):
        frame = batch.to_pandas()
        frame.columns = [*task.features, task.target, *others]
        yield LabelledRows(
            features=frame.iloc[:, :split],
            labels=label_codes(frame.iloc[:, split], task),
            others=frame.iloc[:, split + 1 :],
        )


def _slices(batches: Iterator[Any], rows: int | None) -> Iterator[Any]:
    for batch in batches:
        for start in range(0, batch.num_rows, rows or max(batch.num_rows, 1)):
            yield batch.slice(start, rows)


def read_all(session: Session, table: str, task: LearningTask, **options: Any) -> LabelledRows:
    """Read what :func:`read_batches` reads as one piece.

    Raises:
        DataError: there is no row with a label.
    """
    import numpy as np
    import pandas as pd

    batches = [batch for batch in read_batches(session, table, task, **options) if len(batch.labels)]
    if not batches:
        raise DataError(f"{table} has no row with a value in {task.target!r}", hint="is the right table connected?")
    return LabelledRows(
        features=pd.concat([batch.features for batch in batches], ignore_index=True),
        labels=np.concatenate([batch.labels for batch in batches]),
        others=pd.concat([batch.others for batch in batches], ignore_index=True),
    )


def label_codes(labels: pd.Series[Any], task: LearningTask) -> np.ndarray[Any, Any]:
    """Turn what :func:`label_sql` gave into class codes, or floats for regression."""
    import numpy as np

    if task.task == "regression":
        return labels.to_numpy(dtype=np.float64)
    codes = {label: code for code, label in enumerate(task.classes)}
    return np.fromiter((codes.get(label, UNKNOWN_LABEL) for label in labels), dtype=np.int64, count=len(labels))
