"""Export the selected columns as Parquet: COPY INTO a stage of this attempt, then GET into a local folder."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

from firnline.domain import quote_name
from firnline.errors import DataError, InterruptedRunError, TransientError
from firnline_torch.columns import value_sql
from firnline_torch.job import LABEL, ROW, feature_column

if TYPE_CHECKING:
    from pathlib import Path

    from snowflake.snowpark import Session

    from firnline.domain import StepContext, Table
    from firnline_torch.roles import Roles

FILE_BYTES: Final = 256 * 1024 * 1024


def unload(
    context: StepContext, roles: Roles, tables: dict[str, Table], folder: Path, *, limit: int | None, seed: int
) -> dict[str, int]:
    """Bring the tables into sub-folders of ``folder`` that are called like them; return their rows.

    Args:
        context: of the training stage.
        roles: which columns.
        tables: name of the sub-folder → table. The limit is for ``train`` alone.
        folder: where to; what is left there of an export that was cut short is removed.
        limit: take this many rows, the same ones whenever ``seed`` is the same.
        seed: of that sample.

    Raises:
        DataError: no training row has a label.
        TransientError: fewer rows arrived than were exported.
    """
    stage = f"{context.schema}.{quote_name(f'FIRNLINE_EXPORT_{context.attempt.upper()}')}"
    session = context.session
    session.sql(f"CREATE TEMPORARY STAGE {stage}").collect()
    try:
        rows = {}
        for name, table in tables.items():
            if context.is_cancelled():
                raise InterruptedRunError("the export was stopped")
            context.progress(f"exporting the rows of {name}")
            taken = limit if name == "train" else None
            rows[name] = _copy(session, f"@{stage}/{name}/", _query(roles, table.name, taken, seed))
            if not rows[name] and name == "train":
                raise DataError(
                    f"{table.name} has no row with a value in {roles.target.name!r}",
                    hint="is the right table connected?",
                )
            _fetch(session, f"@{stage}/{name}/", folder / name, rows[name])
    finally:
        session.sql(f"DROP STAGE IF EXISTS {stage}").collect()
    return rows


def _query(roles: Roles, table: str, limit: int | None, seed: int) -> str:
    target, features = roles.target, list(roles.kinds)
    values = [value_sql(name, kind) for name, kind in roles.kinds.items()]
    columns = [f"{sql} AS {quote_name(feature_column(place))}" for place, sql in enumerate(values)]
    label = value_sql(target.name, target.kind)
    # Files come in any order; a hash of the row, cheap to sort by, puts the rows into one that is always the same.
    told_apart = ", ".join(quote_name(name) for name in (*roles.order, *features, target.name))
    columns += [f"{label} AS {quote_name(LABEL)}", f"HASH({told_apart}) AS {quote_name(ROW)}"]
    query = f"SELECT {', '.join(columns)} FROM {table} WHERE {quote_name(target.name)} IS NOT NULL"  # noqa: S608 (quoted)
    if limit is not None:
        query += f" ORDER BY HASH({told_apart}, {seed}) LIMIT {limit}"
    return query


def _copy(session: Session, location: str, query: str) -> int:
    [done] = session.sql(
        f"COPY INTO {location} FROM ({query}) FILE_FORMAT = (TYPE = PARQUET) HEADER = TRUE MAX_FILE_SIZE = {FILE_BYTES}"
    ).collect()
    return int(done["rows_unloaded"])


def _fetch(session: Session, location: str, folder: Path, rows: int) -> None:
    import pyarrow.parquet as pq

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if not rows:
        return
    session.file.get(location, str(folder))
    arrived = sum(pq.read_metadata(path).num_rows for path in folder.glob("*.parquet"))
    if arrived != rows:
        raise TransientError(f"{arrived:,} of {rows:,} exported rows arrived from {location}")
