"""From Arrow batches to a table: Parquet parts, PUT into a temporary stage, COPY INTO."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.parquet as pq

from firnline_snowpark.columns import quoted

if TYPE_CHECKING:
    from snowflake.snowpark import Session

    from firnline.domain import StepContext

PART_BYTES: Final = 64 * 2**20


def upload(
    context: StepContext, table: str, columns: Iterable[tuple[str, str]], batches: Iterable[pa.RecordBatch]
) -> int:
    """Make a table and fill it; return the number of rows.

    The parts carry columns named by their place, so that a name with quotes in it never becomes a path into a value.

    Args:
        context: of the stage that loads.
        table: fully qualified, ready for SQL.
        columns: name and Snowflake type of each, in the order of the batches' columns.
        batches: the rows.
    """
    session = context.session
    pairs = list(columns)
    listed = ", ".join(f"{quoted(name)} {type_}" for name, type_ in pairs)
    session.sql(f"CREATE TABLE {table} ({listed})").collect()
    rows = 0
    with _stage(session, f"{table}_PARTS") as stage:
        for number, part in enumerate(_parts(context, batches)):
            rows += pq.read_metadata(part).num_rows
            session.file.put(str(part), f"@{stage}", auto_compress=False, overwrite=True)
            part.unlink()
            context.progress(f"uploaded part {number + 1}", rows)
        values = ", ".join(f'$1:"C{index}"::{type_}' for index, (_, type_) in enumerate(pairs))
        session.sql(
            f"COPY INTO {table} ({', '.join(quoted(name) for name, _ in pairs)}) "  # noqa: S608 (names are quoted)
            f"FROM (SELECT {values} FROM @{stage}) FILE_FORMAT = (TYPE = PARQUET)"
        ).collect()
    return rows


@contextmanager
def _stage(session: Session, name: str) -> Iterator[str]:
    session.sql(f"CREATE TEMPORARY STAGE {name}").collect()
    try:
        yield name
    finally:
        session.sql(f"DROP STAGE IF EXISTS {name}").collect()


def _parts(context: StepContext, batches: Iterable[pa.RecordBatch]) -> Iterator[Path]:
    writer: pq.ParquetWriter | None = None
    number = size = 0
    path = context.directory
    for batch in batches:
        if writer is None:
            path = context.directory / f"part_{number:05}.parquet"
            writer = pq.ParquetWriter(path, batch.schema, compression="snappy")
        writer.write_batch(batch)
        size += batch.nbytes
        if size >= PART_BYTES:
            writer.close()
            yield path
            writer, number, size = None, number + 1, 0
    if writer is not None:
        writer.close()
        yield path
