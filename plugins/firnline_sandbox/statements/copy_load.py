"""COPY INTO a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import duckdb

from firnline_sandbox.result import Result
from firnline_sandbox.stages.conversion import ALIAS, Conversions, conversions
from firnline_sandbox.stages.formats import find_format
from firnline_sandbox.stages.locations import list_files, resolve
from firnline_sandbox.stages.reading import read_files
from firnline_sandbox.stages.rows import FILE, RowError
from firnline_sandbox.statements.copy_checks import CheckedRows, report
from firnline_sandbox.statements.copy_syntax import read_load
from firnline_sandbox.statements.dml import insert_rows
from firnline_sandbox.statements.load_history import LoadedFile, LoadHistory
from firnline_sandbox.statements.registry import statement
from firnline_sandbox.translate import Translated
from firnline_sandbox.types import INTEGER, TEXT, Column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firnline_sandbox.context import Context
    from firnline_sandbox.stages.files import StagedFile
    from firnline_sandbox.stages.formats import Format
    from firnline_sandbox.stages.locations import Location
    from firnline_sandbox.stages.rows import StagedRows
    from firnline_sandbox.statements.copy_syntax import Load

_COLUMNS: Final = [
    ("file", TEXT),
    ("status", TEXT),
    ("rows_parsed", INTEGER),
    ("rows_loaded", INTEGER),
    ("error_limit", INTEGER),
    ("errors_seen", INTEGER),
    ("first_error", TEXT),
    ("first_error_line", INTEGER),
    ("first_error_character", INTEGER),
    ("first_error_column_name", TEXT),
]


@statement("COPY INTO")
def copy_into(context: Context, sql: str) -> Result:
    """Load files into a table, or unload a query into files."""
    scanner = context.scanner(sql)
    scanner.expect("COPY", "INTO")
    target = scanner.here
    if target.text.startswith("@") or (
        target.kind == "string" and target.value.startswith(("@", "s3", "azure", "gcs"))
    ):
        from firnline_sandbox.statements.copy_unload import unload

        return unload(context, scanner)
    load = read_load(context, scanner)
    place = resolve(context, load.location)
    format_ = find_format(context, load.format, place)
    history = LoadHistory(context.duckdb, load.table.id)
    files, missing = _chosen(load, place)
    if load.options["VALIDATION_MODE"] is not None:
        return report(context, load, format_, files, missing)
    if missing:
        raise missing[0].raised()
    if load.options["FORCE"] is not True:
        files = history.without_loaded(_identity(place), files)
    files = _within_size(files, load.options["SIZE_LIMIT"])
    if not files:
        return Result.status("Copy executed with 0 files processed.")
    loaded, errors = _load(context, load, format_, files)
    history.add(_identity(place), zip(files, loaded, strict=True))
    history.add_errors(context.query_id, errors)
    if load.options["PURGE"] is True:
        _purge(context, files, loaded)
    return _result(load, loaded)


def _identity(place: Location) -> str:
    return place.root.name


def _chosen(load: Load, place: Location) -> tuple[list[StagedFile], list[RowError]]:
    """List the files to load, and an error for each that FILES names and the stage lacks."""
    found = list_files(place, load.pattern)
    if load.files is None:
        return list(found), []
    base = place.prefix.rstrip("/") + "/" if place.prefix else ""
    by_name = {file.relative: file for file in list_files(place)}
    wanted = {file.relative for file in found}
    chosen: list[StagedFile] = []
    missing: list[RowError] = []
    for name in load.files:
        file = by_name.get(base + name.lstrip("/")) or by_name.get(place.prefix + name)
        if file is None:
            message = f"Remote file '{place.path.rstrip('/')}/{name}' was not found. The file might not exist."
            missing.append(RowError(message=message, file=name, code=91016, category="other"))
        elif file.relative in wanted:
            chosen.append(file)
    return chosen, missing


def _within_size(files: list[StagedFile], limit: Any) -> list[StagedFile]:
    """Stop after the file that reaches SIZE_LIMIT."""
    if limit is None:
        return files
    taken: list[StagedFile] = []
    size = 0
    for file in files:
        if size >= int(limit) and taken:
            break
        taken.append(file)
        size += file.size
    return taken


def _load(
    context: Context, load: Load, format_: Format, files: Sequence[StagedFile]
) -> tuple[list[LoadedFile], list[RowError]]:
    """Load files: at first as if nothing were wrong with them; if something is, again with a look at each row."""
    rows = read_files(context, files, format_)
    how = conversions(context, load, format_, rows)
    if context.transaction.is_untouched and not rows.errors and _widths_right(context, rows, how):
        try:
            return _insert_all(context, load, files, rows, how), []
        except duckdb.Error:
            context.transaction.restart()
    return _load_checked(context, load, format_, files)


def _widths_right(context: Context, rows: StagedRows, how: Conversions) -> bool:
    if how.width is None:
        return True
    found = context.duckdb.execute(
        f"SELECT 1 FROM {rows.relation.sql} AS {ALIAS} WHERE NOT ({how.right_width}) LIMIT 1"  # noqa: S608
    ).fetchall()
    return not found


def _insert_all(
    context: Context, load: Load, files: Sequence[StagedFile], rows: StagedRows, how: Conversions
) -> list[LoadedFile]:
    counts = dict(
        context.duckdb.execute(f"SELECT {FILE}, count(*) FROM {rows.relation.sql} GROUP BY ALL").fetchall()  # noqa: S608
    )
    _insert(context, load, how, how.select(rows), list(load.params))
    return [
        LoadedFile(
            file=file.name,
            status="LOADED",
            rows_parsed=counts.get(index, 0),
            rows_loaded=counts.get(index, 0),
            error_limit=load.tolerance.limit(counts.get(index, 0)),
            errors_seen=0,
        )
        for index, file in enumerate(files)
    ]


def _insert(context: Context, load: Load, how: Conversions, sql: str, params: Sequence[Any]) -> None:
    columns = tuple(
        Column(item.column.name, item.column.type, item.column.nullable, f"c{index}")
        for index, item in enumerate(how.columns)
    )
    targets = [item.column for item in how.columns]
    insert_rows(context, load.table, targets, Translated(sql, columns), params)


def _load_checked(
    context: Context, load: Load, format_: Format, files: Sequence[StagedFile]
) -> tuple[list[LoadedFile], list[RowError]]:
    """Load the rows that can be loaded, as far as ON_ERROR lets them."""
    checked = CheckedRows(context, load, format_, files)
    counts = checked.counts()
    if any(count.errors for count in counts) and load.tolerance.action == "ABORT_STATEMENT":
        raise checked.first_error().raised()
    loaded: list[LoadedFile] = []
    errors: list[RowError] = []
    kept: list[int] = []
    for index, (file, count) in enumerate(zip(files, counts, strict=True)):
        own = checked.errors(index) if count.errors else []
        good = 0 if load.tolerance.skips(count.errors, count.rows) else count.good
        if good:
            kept.append(index)
        loaded.append(_described(load, file, count.rows, good, own, count.errors))
        errors += own
    if kept:
        _insert(context, load, checked.how, checked.good_rows(kept), [])
    checked.close()
    return loaded, errors


def _described(load: Load, file: StagedFile, rows: int, good: int, errors: Sequence[RowError], seen: int) -> LoadedFile:
    first = errors[0] if errors else None
    status = "LOADED" if not seen else "PARTIALLY_LOADED" if good else "LOAD_FAILED"
    return LoadedFile(
        file=file.name,
        status=status,
        rows_parsed=rows,
        rows_loaded=good,
        error_limit=load.tolerance.limit(rows),
        errors_seen=seen,
        first_error=None if first is None else first.message,
        first_error_line=None if first is None else first.line,
        first_error_character=None if first is None else first.character,
        first_error_column_name=None if first is None else first.column,
    )


def _purge(context: Context, files: Sequence[StagedFile], loaded: Sequence[LoadedFile]) -> None:
    """Remove loaded files once the load is committed."""
    for file, row in zip(files, loaded, strict=True):
        if row.status != "LOAD_FAILED":
            context.transaction.after_commit(file.remove)


def _result(load: Load, loaded: Sequence[LoadedFile]) -> Result:
    shown = [row for row in loaded if row.status != "LOADED" or load.options["RETURN_FAILED_ONLY"] is not True]
    rows = [tuple(getattr(row, name) for name, _ in _COLUMNS) for row in shown]
    result = Result.rows(_COLUMNS, rows)
    result.rows_affected = sum(row.rows_loaded for row in loaded)
    return result
