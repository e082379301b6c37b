"""``ingest.files``: a CSV or Parquet file becomes a table, and what was decided on the way is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pyarrow as pa

from firnline.domain import Grid, Report, StepContext, Table, Text
from firnline.errors import DataError
from firnline_snowpark.ingest.csv_file import open_csv
from firnline_snowpark.ingest.files_params import FilesParams, file_path
from firnline_snowpark.ingest.parquet_file import is_parquet, open_parquet
from firnline_snowpark.ingest.upload import upload

if TYPE_CHECKING:
    from pathlib import Path

    from firnline.domain import Outputs
    from firnline_snowpark.ingest.file_columns import FileRows


def run(context: StepContext, params: FilesParams) -> Outputs:
    """Load the file into a fresh table; the first column numbers the rows from 1.

    Raises:
        UsageError: there is no such file.
        DataError: the file cannot be used; the message says where and why.
    """
    path = file_path(params, context.project)
    rows = open_file(path, params, context.stage)
    table = context.table_name("table")
    missing = [0] * len(rows.columns)
    columns = [(params.row_column, "NUMBER(38,0)"), *((column.name, column.type) for column in rows.columns)]
    count = upload(context, table, columns, _numbered(rows.batches(), missing, context))
    return {
        "table": Table(name=table, rows=count, columns=tuple(name for name, _ in columns)),
        "report": _report(path, rows, count, missing),
    }


def open_file(path: Path, params: FilesParams, stage: str) -> FileRows:
    """Open the file as what it is.

    Raises:
        DataError: it is empty, or not what the param ``format`` says, or cannot be read.
    """
    if not path.stat().st_size:
        raise DataError(f"{path.name} is empty (0 bytes)", hint="was it written to the end?")
    named_parquet = path.suffix.lower() in {".parquet", ".pq"}
    if params.format == "parquet" or (params.format == "auto" and (is_parquet(path) or named_parquet)):
        return open_parquet(path, params)
    return open_csv(path, params, stage)


def _numbered(batches: Iterator[pa.RecordBatch], missing: list[int], context: StepContext) -> Iterator[pa.RecordBatch]:
    """Put the row number in front, and count missing values on the way."""
    start = 1
    for batch in batches:
        for index, column in enumerate(batch.columns):
            missing[index] += column.null_count
        numbers = pa.array(range(start, start + batch.num_rows), pa.int64())
        start += batch.num_rows
        context.progress("reading", start - 1)
        columns = [numbers, *batch.columns]
        yield pa.record_batch(columns, names=[f"C{index}" for index in range(len(columns))])


def _report(path: Path, rows: FileRows, count: int, missing: list[int]) -> Report:
    facts = [("file", str(path)), ("size", f"{path.stat().st_size:,} bytes"), *rows.facts]
    listed = tuple(
        (column.name, column.type, nulls, column.note) for column, nulls in zip(rows.columns, missing, strict=True)
    )
    left_out = tuple((name, "not loaded", "", why) for name, why in rows.left_out)
    return Report(
        title=f"Loaded {path.name}",
        sections=(
            Text(
                body=f"{count:,} rows and {len(rows.columns):,} columns were loaded. Types were decided over all rows."
            ),
            Grid(title="File", columns=("what", "how"), rows=tuple(facts)),
            Grid(title="Columns", columns=("column", "type", "missing", "note"), rows=(*listed, *left_out)),
        ),
    )
