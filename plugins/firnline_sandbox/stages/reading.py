"""Files of a stage as rows: ``$1``, ``$2`` and so on, the metadata columns, and for Parquet the typed fields."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from firnline_sandbox import types as t
from firnline_sandbox.errors import missing_file, unsupported
from firnline_sandbox.stages import delimited, documents, parquet
from firnline_sandbox.stages.formats import find_format
from firnline_sandbox.stages.locations import list_files, resolve
from firnline_sandbox.stages.rows import FILE, LINE, METADATA, ROW_NUMBER, WIDTH
from firnline_sandbox.translate.surroundings import Relation
from firnline_sandbox.translate.values import quote_name
from firnline_sandbox.types import Column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from firnline_sandbox.context import Context
    from firnline_sandbox.stages.files import StagedFile
    from firnline_sandbox.stages.formats import Format
    from firnline_sandbox.stages.rows import StagedRows

_METADATA_COLUMNS = (
    Column(f"{METADATA}FILENAME", t.TEXT, False, f"{METADATA}FILENAME"),
    Column(f"{METADATA}FILE_ROW_NUMBER", t.INTEGER, False, f"{METADATA}FILE_ROW_NUMBER"),
    Column(f"{METADATA}FILE_LAST_MODIFIED", t.TIMESTAMP_NTZ, False, f"{METADATA}FILE_LAST_MODIFIED"),
    Column(f"{METADATA}FILE_CONTENT_KEY", t.TEXT, False, f"{METADATA}FILE_CONTENT_KEY"),
    Column(f"{METADATA}START_SCAN_TIME", t.TIMESTAMP_LTZ, False, f"{METADATA}START_SCAN_TIME"),
)


def staged_files(context: Context, location: str, options: Mapping[str, Any]) -> Relation:
    """Read the files at a location of a stage, or behind a file scheme.

    Raises:
        ProgrammingError: 2003, there is no such stage or file format; 253006, no such file; 100080 and the like, a file
            is not what its format says.
    """
    place = resolve(context, location)
    format_ = find_format(context, options.get("FILE_FORMAT"), place)
    files = list_files(place, options.get("PATTERN"))
    if not files and "://" in location:
        raise missing_file(location)
    rows = read_files(context, files, format_)
    if rows.errors:
        raise rows.errors[0].raised()
    return rows.relation


def read_files(context: Context, files: Sequence[StagedFile], format_: Format) -> StagedRows:
    """Make files readable in this statement; what cannot be read at all is among the errors."""
    match format_.type:
        case "CSV":
            rows = delimited.read(context, files, format_)
        case "JSON":
            rows = documents.read(context, files, format_)
        case "PARQUET":
            rows = parquet.read(context, files, format_)
        case _:
            raise unsupported(f"file format TYPE = {format_.type}")
    return rows.over(_with_metadata(context, files, rows.relation, delimited_text=format_.type == "CSV"))


def _with_metadata(
    context: Context, files: Sequence[StagedFile], relation: Relation, *, delimited_text: bool
) -> Relation:
    """Add the metadata columns; DuckDB computes those alone that the statement names."""
    described = pa.table(
        {
            "f": pa.array(range(len(files)), type=pa.int32()),
            "name": pa.array([file.metadata_name for file in files], type=pa.string()),
            "changed": pa.array([file.changed for file in files], type=pa.timestamp("us")),
            "key": pa.array([file.content_key for file in files], type=pa.string()),
        }
    )
    name = context.register(described)
    listed = ", ".join(f"r.{quote_name(column.physical)}" for column in relation.columns)
    now = dt.datetime.now(dt.UTC).isoformat()
    # A lookup for each column, not a join: what nobody names costs nothing, and the order of rows stays.
    parts = {
        "FILENAME": _lookup(name, "name"),
        "FILE_ROW_NUMBER": f"r.{ROW_NUMBER}",
        "FILE_LAST_MODIFIED": _lookup(name, "changed"),
        "FILE_CONTENT_KEY": _lookup(name, "key"),
        "START_SCAN_TIME": f"CAST('{now}' AS TIMESTAMPTZ)",
    }
    metadata = ", ".join(f"{sql} AS {quote_name(METADATA + key)}" for key, sql in parts.items())
    inner = ", ".join(f"r.{name}" for name in (FILE, ROW_NUMBER, *((LINE, WIDTH) if delimited_text else ())))
    sql = f"(SELECT {listed}, {inner}, {metadata} FROM {relation.sql} AS r)"  # noqa: S608
    return Relation(sql, (*relation.columns, *_METADATA_COLUMNS))


def _lookup(table: str, column: str) -> str:
    return f"(SELECT list({column} ORDER BY f) FROM {table})[r.{FILE} + 1]"  # noqa: S608 (names of our own making)
