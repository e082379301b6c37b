"""Rows of the platform as a model wants them: doubles with NaN, text with None."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from firnline.domain import quote_name
from firnline.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import pandas as pd
    from snowflake.snowpark import Session

    from firnline_onnx.signature import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """Rows of a table.

    Attributes:
        features: doubles with NaN, text with None.
        labels: the target's values, None for NULL; None: the table has no such column.
    """

    features: pd.DataFrame
    labels: np.ndarray[Any, Any] | None


def feature_kinds(session: Session, table: str, features: Sequence[str]) -> dict[str, tuple[Kind, str]]:
    """Return for each feature whether it is a number or text, and the SQL that gives it.

    Raises:
        DataError: the table lacks one, or it is of a kind that no model takes.
    """
    fields = _fields(session, table)
    if absent := [name for name in features if name not in fields]:
        raise DataError(
            f"{table} lacks the model's columns {', '.join(absent[:10])}",
            hint="connect `test` to rows made by the same steps as the training rows",
        )
    found: dict[str, tuple[Kind, str]] = {}
    for name in features:
        known = _kind(name, fields[name])
        if known is None:
            raise DataError(
                f"column {name!r} holds {fields[name]}, which no model takes", hint="make a number of it in SQL"
            )
        found[name] = known
    return found


def draw_rows(
    session: Session, table: str, kinds: Mapping[str, tuple[Kind, str]], target: str, *, rows: int, seed: int
) -> Drawn:
    """Fetch at most so many rows, always the same ones of the same table.

    Raises:
        DataError: there are none.
    """
    import pandas as pd

    fields = _fields(session, table)
    label = _kind(target, fields[target]) if target in fields else None
    expressions = [sql for _, sql in kinds.values()] + ([label[1]] if label is not None else [])
    listed = ", ".join(f"{sql} AS C{place}" for place, sql in enumerate(expressions))
    order = ", ".join(quote_name(name) for name in kinds)
    query = f"SELECT {listed} FROM {table} ORDER BY HASH({order}, {seed}) LIMIT {rows}"  # noqa: S608 (quoted)
    batches = [batch.to_pandas() for batch in session.sql(query).to_arrow_batches() if batch.num_rows]
    if not batches:
        raise DataError(f"{table} has no rows to compare on", hint="connect `test` to the rows of the split")
    frame = pd.concat(batches, ignore_index=True)
    labels = frame.iloc[:, -1].to_numpy(dtype=object) if label is not None else None
    features = frame.iloc[:, : len(kinds)].set_axis(list(kinds), axis=1)
    return Drawn(features=as_features(features, {name: kind for name, (kind, _) in kinds.items()}), labels=labels)


def _fields(session: Session, table: str) -> dict[str, Any]:
    return {_exact(field.name): field.datatype for field in session.table(table).schema.fields}


def _kind(name: str, datatype: Any) -> tuple[Kind, str] | None:
    from snowflake.snowpark import types

    column = quote_name(name)
    if isinstance(datatype, types.BooleanType):
        return "number", f"CAST(CAST({column} AS INTEGER) AS FLOAT)"
    if isinstance(datatype, types.StringType):
        return "text", f"CAST({column} AS TEXT)"
    if isinstance(datatype, types._NumericType):  # noqa: SLF001 (the client names no public class for all numbers)
        return "number", f"CAST({column} AS FLOAT)"
    return None


def as_features(frame: pd.DataFrame, kinds: Mapping[str, Kind]) -> pd.DataFrame:
    """Return a frame of doubles with NaN and text with None."""
    import numpy as np
    import pandas as pd

    columns: dict[str, object] = {}
    for name, kind in kinds.items():
        if kind == "number":
            columns[name] = frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
        else:
            values = frame[name].astype(object)
            columns[name] = values.where(values.notna(), None)
    return pd.DataFrame(columns, index=frame.index)


def _exact(identifier: str) -> str:
    if len(identifier) >= 2 and identifier[0] == identifier[-1] == '"':
        return identifier[1:-1].replace('""', '"')
    return identifier
