"""Which staged rows cannot be loaded, and why: counts, errors with their places, VALIDATION_MODE and VALIDATE."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Self

import duckdb

from firnline_sandbox.context import Context
from firnline_sandbox.errors import from_duckdb, invalid_argument, null_in_not_null
from firnline_sandbox.result import BATCH_ROWS, Result, conform
from firnline_sandbox.stages import delimited
from firnline_sandbox.stages.conversion import ALIAS, conversions
from firnline_sandbox.stages.reading import read_files
from firnline_sandbox.stages.rows import ROW_NUMBER, RowError
from firnline_sandbox.statements.load_history import LoadHistory
from firnline_sandbox.statements.registry import table_function
from firnline_sandbox.statements.scanner import split_name
from firnline_sandbox.statements.table_functions import relation_of_result
from firnline_sandbox.translate.safe_macros import failures_caught
from firnline_sandbox.types import INTEGER, TEXT, Column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from firnline_sandbox.stages.files import StagedFile
    from firnline_sandbox.stages.formats import Format
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


class CheckedRows:
    """Staged rows that were converted one by one, each with its failures; a temporary table of DuckDB's."""

    def __init__(self, context: Context, load: Load, format_: Format, files: Sequence[StagedFile]) -> None:
        self._context = context
        self._load = load
        self._format = format_
        self._files = files
        self._rows = read_files(context, files, format_)
        self.how = conversions(context, load, format_, self._rows)
        self._table = f'temp."checked_{uuid.uuid4().hex}"'
        tests = [item.works(f"v{index}") for index, item in enumerate(self.how.columns)]
        self._tests = ", ".join(tests)
        self._good = " AND ".join(["fits", *tests])
        with failures_caught(context.duckdb):
            context.duckdb.execute(
                f"CREATE TEMP TABLE {self._table[5:]} AS {self.how.select_caught(self._rows)}",
                list(load.params) or None,
            )

    def close(self) -> None:
        """Drop the table."""
        self._context.duckdb.execute(f"DROP TABLE {self._table}")

    def counts(self) -> list[FileCount]:
        """Count the rows of each file; a record that could not even be read counts as a row."""
        found = self._context.duckdb.execute(
            f"SELECT f, count(*), count(*) FILTER (WHERE {self._good}) FROM {self._table} GROUP BY ALL"  # noqa: S608
        ).fetchall()
        counts = {index: (total, good) for index, total, good in found}
        made = []
        for index, file in enumerate(self._files):
            total, good = counts.get(index, (0, 0))
            unread = sum(error.file == file.name for error in self._rows.errors)
            made.append(FileCount(rows=total + unread, good=good))
        return made

    def good_rows(self, files: Sequence[int]) -> str:
        """Write the query of the converted rows of some files, those that failed left out."""
        listed = ", ".join(f"v{index}[1] AS c{index}" for index in range(len(self.how.columns)))
        numbers = ", ".join(map(str, files))
        return f"SELECT {listed} FROM {self._table} WHERE f IN ({numbers}) AND {self._good}"  # noqa: S608

    def first_rows(self, count: int) -> str:
        """Write the query of the first rows, all of which have to work.

        Raises:
            ProgrammingError: that of the first that does not.
        """
        first = f"SELECT * FROM {self._table} ORDER BY f, r LIMIT {count}"  # noqa: S608
        sql = f"SELECT f, r FROM ({first}) WHERE NOT ({self._good}) ORDER BY f, r LIMIT 1"  # noqa: S608
        bad = self._context.duckdb.execute(sql).fetchall()
        unread = [error for error in self._rows.errors if (error.row or 0) <= count]
        if bad:
            raise self.errors(bad[0][0], limit=1)[0].raised()
        if unread:
            raise unread[0].raised()
        listed = ", ".join(f"v{index}[1] AS c{index}" for index in range(len(self.how.columns)))
        return f"SELECT {listed} FROM ({first})"  # noqa: S608

    def first_error(self) -> RowError:
        """Give the error at which loading stops."""
        return next(error for index in range(len(self._files)) for error in self.errors(index, limit=1))

    def errors(self, index: int, limit: int = _MOST_ERRORS) -> list[RowError]:
        """Say what is wrong with the rows of a file that cannot be loaded, in the order of rows."""
        file = self._files[index]
        bad = self._context.duckdb.execute(
            f"SELECT r, w, fits, [{self._tests}] FROM {self._table} WHERE f = {index} AND NOT ({self._good}) "  # noqa: S608
            f"ORDER BY r LIMIT {limit}"
        ).fetchall()
        found = [error for error in self._rows.errors if error.file == file.name]
        with _Probe(self._context, self._load, self._format, file) as probe:
            for row, width, fits, works in bad:
                if fits:
                    found.append(probe.why(row, works.index(False)))
                else:
                    found.append(_wrong_width(self._load, file, row, width, self.how.width or 0))
        found.sort(key=lambda error: error.row or 0)
        return _located(self._load, file, self._format, found[:limit])


class _Probe:
    """Converts single values of one file on a cursor outside of the transaction: an error there undoes nothing."""

    def __init__(self, context: Context, load: Load, format_: Format, file: StagedFile) -> None:
        self._context = context
        self._load = load
        self._format = format_
        self._file = file
        self._cursor: duckdb.DuckDBPyConnection | None = None
        self._parts: list[str] = []
        self._names: list[str] = []
        self._source = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._cursor is not None:
            self._context.engine.cursors.give(self._cursor, reusable=False)

    def why(self, row: int, index: int) -> RowError:
        """Convert one value once more, for its error."""
        cursor = self._opened()
        column = self._names[index]
        failure = null_in_not_null(column)
        try:
            cursor.execute(
                f"SELECT {self._parts[index]} FROM {self._source} AS {ALIAS} WHERE {ALIAS}.{ROW_NUMBER} = {row}",  # noqa: S608
                list(self._load.params) or None,
            ).fetchall()
        except duckdb.Error as raised:
            failure = from_duckdb(raised)
        return RowError(
            message=str(failure.raw_msg),
            file=self._file.name,
            row=row,
            category="conversion",
            code=int(failure.errno or 0),
            sqlstate=str(failure.sqlstate),
            column=_shown(self._load, column, index + 1),
        )

    def _opened(self) -> duckdb.DuckDBPyConnection:
        if self._cursor is None:
            self._cursor = self._context.engine.cursors.take()
            probe = Context(
                self._context.connection, self._cursor, query_id=self._context.query_id, params=self._load.params
            )
            rows = read_files(probe, [self._file], self._format)
            how = conversions(probe, self._load, self._format, rows)
            self._source = rows.relation.sql
            self._parts = [item.sql for item in how.columns]
            self._names = [item.column.name for item in how.columns]
        return self._cursor


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


def report(
    context: Context, load: Load, format_: Format, files: Sequence[StagedFile], missing: Sequence[RowError]
) -> Result:
    """Answer COPY with a VALIDATION_MODE, which loads nothing."""
    if load.projections is not None:
        raise invalid_argument("VALIDATION_MODE cannot be used with a transformation")
    mode = str(load.options["VALIDATION_MODE"]).upper()
    checked = CheckedRows(context, load, format_, files)
    if mode in {"RETURN_ERRORS", "RETURN_ALL_ERRORS"}:
        return _errors_result([*missing, *(error for index in range(len(files)) for error in checked.errors(index))])
    if missing:
        raise missing[0].raised()
    relation = context.duckdb.sql(checked.first_rows(int(mode.split("_")[1])))
    columns = [Column(item.column.name, item.column.type) for item in checked.how.columns]
    result = Result.from_batches(columns, list(conform(relation.to_arrow_reader(BATCH_ROWS), columns)))
    checked.close()
    return result


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
    written = str(arguments[0])
    table = context.table(split_name(written) if written.startswith('"') else (written,))
    job = str(named.get("JOB_ID", "_last"))
    errors = LoadHistory(context.duckdb, table.id).errors(None if job == "_last" else job)
    return relation_of_result(context, _errors_result(errors))
