"""Which staged rows cannot be loaded, and why: counts, errors with their places, VALIDATION_MODE and VALIDATE."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import duckdb

from firnline_sandbox.context import Context
from firnline_sandbox.errors import from_duckdb, invalid_argument, null_in_not_null
from firnline_sandbox.result import Result
from firnline_sandbox.stages import delimited
from firnline_sandbox.stages.conversion import ALIAS, Conversion, Conversions, conversions
from firnline_sandbox.stages.reading import read_files
from firnline_sandbox.stages.rows import FILE, ROW_NUMBER, WIDTH, RowError
from firnline_sandbox.statements.load_history import LoadHistory
from firnline_sandbox.statements.registry import table_function
from firnline_sandbox.statements.scanner import split_name
from firnline_sandbox.statements.table_functions import relation_of_result
from firnline_sandbox.types import INTEGER, TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from firnline_sandbox.stages.formats import Format
    from firnline_sandbox.stages.locations import StagedFile
    from firnline_sandbox.stages.rows import StagedRows
    from firnline_sandbox.statements.copy_syntax import Load
    from firnline_sandbox.translate.surroundings import Relation

_MOST_ERRORS: Final = 10_000
_COLUMNS: Final = [
    ("ERROR", TEXT),
    ("FILE", TEXT),
    ("LINE", INTEGER),
    ("CHARACTER", INTEGER),
    ("BYTE_OFFSET", INTEGER),
    ("CATEGORY", TEXT),
    ("CODE", INTEGER),
    ("SQL_STATE", TEXT),
    ("COLUMN_NAME", TEXT),
    ("ROW_NUMBER", INTEGER),
    ("ROW_START_LINE", INTEGER),
    ("REJECTED_RECORD", TEXT),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileCount:
    """How many rows a file has, and how many of them can be loaded."""

    rows: int
    good: int

    @property
    def errors(self) -> int:
        """Count the rows that cannot be loaded."""
        return self.rows - self.good


def count_rows(
    context: Context, load: Load, files: Sequence[StagedFile], rows: StagedRows, how: Conversions
) -> list[FileCount]:
    """Count the rows of each file that can be loaded; a record that could not even be read counts as a row."""
    found = context.duckdb.execute(
        f"SELECT {FILE}, count(*), count(*) FILTER (WHERE {how.works}) FROM {rows.relation.sql} AS {ALIAS} "  # noqa: S608
        "GROUP BY ALL",
        list(load.params) or None,
    ).fetchall()
    counts = {index: (total, good) for index, total, good in found}
    made = []
    for index, file in enumerate(files):
        total, good = counts.get(index, (0, 0))
        unread = sum(error.file == file.name for error in rows.errors)
        made.append(FileCount(rows=total + unread, good=good))
    return made


def find_errors(
    context: Context, load: Load, format_: Format, files: Sequence[StagedFile], limit: int = _MOST_ERRORS
) -> list[RowError]:
    """Say what is wrong with rows that cannot be loaded, file by file, in the order of rows."""
    found: list[RowError] = []
    for file in files:
        if len(found) >= limit:
            break
        with _probe(context, load) as probe:
            rows = read_files(probe, [file], format_)
            how = conversions(probe, load, format_, rows)
            own = [*rows.errors, *_conversion_errors(probe, load, file, rows, how, limit - len(found))]
        own.sort(key=lambda error: error.row or 0)
        found += _located(load, file, format_, own[: limit - len(found)])
    return found


@contextlib.contextmanager
def _probe(context: Context, load: Load) -> Iterator[Context]:
    """Open a cursor outside of the transaction: an error on it undoes nothing."""
    cursor = context.engine.take_cursor()
    try:
        probe = Context(context.connection, cursor, query_id=context.query_id, params=load.params)
        yield probe
    finally:
        context.engine.give_cursor(cursor, reusable=False)


def _conversion_errors(
    probe: Context, load: Load, file: StagedFile, rows: StagedRows, how: Conversions, limit: int
) -> Iterator[RowError]:
    width = WIDTH if how.width is not None else "NULL"
    tests = ", ".join(item.works for item in how.columns)
    bad = probe.duckdb.execute(
        f"SELECT {ROW_NUMBER}, {width}, [{tests}] FROM {rows.relation.sql} AS {ALIAS} "  # noqa: S608
        f"WHERE NOT ({how.works}) ORDER BY 1 LIMIT {limit}",
        list(load.params) or None,
    ).fetchall()
    for row, found_width, works in bad:
        if how.width is not None and found_width != how.width:
            yield _wrong_width(load, file, row, found_width, how.width)
            continue
        index = works.index(False)
        yield _why(probe, load, file, rows, how.columns[index], index, row)


def _wrong_width(load: Load, file: StagedFile, row: int, found: int, wanted: int) -> RowError:
    column = load.columns[min(found, len(load.columns)) - 1]
    return RowError(
        message=(
            f"Number of columns in file ({found}) does not match that of the corresponding table ({wanted}), "
            "use file format option error_on_column_count_mismatch=false to ignore this error"
        ),
        file=file.name,
        row=row,
        code=100080,
        column=_shown(load, column.name, min(found, wanted)),
    )


def _why(
    probe: Context, load: Load, file: StagedFile, rows: StagedRows, item: Conversion, index: int, row: int
) -> RowError:
    """Convert one value once more, for its error."""
    failure = null_in_not_null(item.column.name)
    try:
        probe.duckdb.execute(
            f"SELECT {item.sql} FROM {rows.relation.sql} AS {ALIAS} WHERE {ALIAS}.{ROW_NUMBER} = {row}",  # noqa: S608
            list(load.params) or None,
        ).fetchall()
    except duckdb.Error as raised:
        failure = from_duckdb(raised)
    return RowError(
        message=str(failure.raw_msg),
        file=file.name,
        row=row,
        category="conversion",
        code=int(failure.errno or 0),
        sqlstate=str(failure.sqlstate),
        column=_shown(load, item.column.name, index + 1),
    )


def _shown(load: Load, column: str, place: int) -> str:
    return f'"{load.table.name}"["{column}":{place}]'


def _located(load: Load, file: StagedFile, format_: Format, errors: Sequence[RowError]) -> list[RowError]:
    """Add the lines and places of CSV records, and the records themselves; other formats have row numbers alone."""
    if format_.type != "CSV" or not errors:
        return [error if error.line else replace(error, line=error.row, character=1) for error in errors]
    records = delimited.find_records(file, format_, {error.row or 0 for error in errors})
    made = []
    for error in errors:
        found = records.get(error.row or 0)
        if found is None:
            made.append(error)
            continue
        record, text, offset = found
        place = error.character
        if place is None:
            index = int(error.column.rpartition(":")[2].rstrip("]")) - 1 if error.column else 0
            plain = load.projections is None and index < len(record.starts)
            place = (record.starts[index] - record.start if plain else 0) + 1
        made.append(
            replace(
                error,
                line=record.line,
                character=place,
                byte_offset=offset,
                row_start_line=record.line,
                rejected=text,
            )
        )
    return made


def report(context: Context, load: Load, format_: Format, files: Sequence[StagedFile]) -> Result:
    """Answer COPY with a VALIDATION_MODE, which loads nothing."""
    if load.projections is not None:
        raise invalid_argument("VALIDATION_MODE cannot be used with a transformation")
    mode = str(load.options["VALIDATION_MODE"]).upper()
    if mode in {"RETURN_ERRORS", "RETURN_ALL_ERRORS"}:
        return _errors_result(find_errors(context, load, format_, files))
    count = int(mode.split("_")[1])
    rows = read_files(context, files, format_)
    how = conversions(context, load, format_, rows)
    if rows.errors:
        raise rows.errors[0].raised()
    names = [item.column.name for item in how.columns]
    first = f"(SELECT * FROM {rows.relation.sql} ORDER BY {FILE}, {ROW_NUMBER} LIMIT {count})"  # noqa: S608
    bad = context.duckdb.execute(f"SELECT count(*) FROM {first} AS {ALIAS} WHERE NOT ({how.works})")  # noqa: S608
    if bad.fetchall()[0][0]:
        raise find_errors(context, load, format_, files, limit=1)[0].raised()
    listed = ", ".join(f"{item.sql} AS c{index}" for index, item in enumerate(how.columns))
    relation = context.duckdb.sql(f"SELECT {listed} FROM {first} AS {ALIAS}")  # noqa: S608
    from firnline_sandbox.result import BATCH_ROWS, conform
    from firnline_sandbox.types import Column

    columns = [Column(name, item.column.type) for name, item in zip(names, how.columns, strict=True)]
    return Result.from_batches(columns, list(conform(relation.to_arrow_reader(BATCH_ROWS), columns)))


def _errors_result(errors: Sequence[RowError]) -> Result:
    rows = [
        (
            error.message,
            error.file,
            error.line,
            error.character,
            error.byte_offset,
            error.category,
            error.code,
            error.sqlstate,
            error.column,
            error.row,
            error.row_start_line,
            error.rejected,
        )
        for error in errors
    ]
    return Result.rows(_COLUMNS, rows)


@table_function("VALIDATE")
def validate(context: Context, arguments: Sequence[Any], named: Mapping[str, Any]) -> Relation:
    """Show the errors of an earlier COPY INTO."""
    if len(arguments) != 1 or set(named) - {"JOB_ID"}:
        raise invalid_argument("function VALIDATE takes a table and JOB_ID => ...")
    table = context.table(split_name(f'"{arguments[0]}"'))
    job = str(named.get("JOB_ID", "_last"))
    errors = LoadHistory(context.duckdb, table.id).errors(None if job == "_last" else job)
    return relation_of_result(context, _errors_result(errors))
