"""Rows of the platform as a model wants them: doubles with NaN, text with None."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firnline.domain import quote_name
from firnline.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from snowflake.snowpark import Session

    from firnline_onnx.signature import Kind


def feature_kinds(session: Session, table: str, features: Sequence[str]) -> dict[str, tuple[Kind, str]]:
    """Return for each feature whether it is a number or text, and the SQL that gives it.

    Raises:
        DataError: the table lacks one, or it is of a kind that no model takes.
    """
    from snowflake.snowpark import types

    fields = {_exact(field.name): field.datatype for field in session.table(table).schema.fields}
    if absent := [name for name in features if name not in fields]:
        raise DataError(
            f"{table} lacks the model's columns {', '.join(absent[:10])}",
            hint="connect `test` to rows made by the same steps as the training rows",
        )
    found: dict[str, tuple[Kind, str]] = {}
    for name in features:
        datatype, column = fields[name], quote_name(name)
        if isinstance(datatype, types.BooleanType):
            found[name] = "number", f"CAST(CAST({column} AS INTEGER) AS FLOAT)"
        elif isinstance(datatype, types.StringType):
            found[name] = "text", f"CAST({column} AS TEXT)"
        elif isinstance(datatype, types._NumericType):  # noqa: SLF001 (the client names no public class for all numbers)
            found[name] = "number", f"CAST({column} AS FLOAT)"
        else:
            raise DataError(
                f"column {name!r} holds {datatype}, which no model takes", hint="make a number of it in SQL"
            )
    return found


def draw_rows(
    session: Session, table: str, kinds: Mapping[str, tuple[Kind, str]], *, rows: int, seed: int
) -> pd.DataFrame:
    """Fetch at most so many rows, always the same ones of the same table.

    Raises:
        DataError: there are none.
    """
    import pandas as pd

    listed = ", ".join(f"{sql} AS C{place}" for place, (_, sql) in enumerate(kinds.values()))
    order = ", ".join(quote_name(name) for name in kinds)
    query = f"SELECT {listed} FROM {table} ORDER BY HASH({order}, {seed}) LIMIT {rows}"  # noqa: S608 (quoted)
    batches = [batch.to_pandas() for batch in session.sql(query).to_arrow_batches() if batch.num_rows]
    if not batches:
        raise DataError(f"{table} has no rows to compare on", hint="connect `test` to the rows of the split")
    frame = pd.concat(batches, ignore_index=True)
    frame.columns = pd.Index(list(kinds))
    return as_features(frame, {name: kind for name, (kind, _) in kinds.items()})


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
