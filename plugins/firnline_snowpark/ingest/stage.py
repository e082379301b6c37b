"""``ingest.stage``: COPY INTO from a stage, an address or local files; the platform reads, types and rejects."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from snowflake.snowpark.exceptions import SnowparkSQLException

from firnline.domain import Grid, Metrics, Report, Text
from firnline.errors import DataError, StoppedByGateError
from firnline_snowpark.columns import quoted
from firnline_snowpark.ingest.stage_listing import stage_sql
from firnline_snowpark.ingest.stage_params import local_files
from firnline_snowpark.literals import literal
from firnline_snowpark.tables import described_table, stop_if_cancelled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from snowflake.snowpark import Session

    from firnline.domain import Outputs, StepContext, Table
    from firnline_snowpark.ingest.stage_params import StageParams

ON_ERROR: Final = {"abort": "ABORT_STATEMENT", "continue": "CONTINUE", "skip_file": "SKIP_FILE"}
REJECTED: Final = '"FILE" TEXT, "LINE" NUMBER, "COLUMN_NAME" TEXT, "ERROR" TEXT, "RECORD" TEXT'
SHOWN_FILES: Final = 100


def run(context: StepContext, params: StageParams) -> Outputs:
    """Load the files; keep what was rejected.

    Raises:
        DataError: the platform cannot read the files, or a row does not fit and on_error says abort.
        StoppedByGateError: more rows were rejected than may be; they are kept.
    """
    session = context.session
    table = params.into or context.table_name("table")
    try:
        with _location(session, context, params) as location, _format(session, context, params) as format_:
            _make_table(session, table, params, location, format_)
            stop_if_cancelled(context)
            context.progress(f"loading {params.location}")
            files = _copy(session, table, params, location, format_)
    except SnowparkSQLException as error:
        raise DataError(
            f"stage {context.stage}: {params.location} cannot be loaded: {error.message}",
            hint="look at format, options and columns; on_error=continue keeps rows that do not fit apart",
        ) from error
    rejected = _keep_rejected(context, session, table, files, params)
    if params.into is not None:
        kept, table = table, context.table_name("table")
        session.sql(f"CREATE TABLE {table} AS SELECT * FROM {kept}").collect()  # noqa: S608 (a checked name)
    made = described_table(session, table)
    context.progress("loaded", made.rows)
    return {"table": made, "rejected": rejected, **_findings(params, files, made, rejected)}


@contextmanager
def _location(session: Session, context: StepContext, params: StageParams) -> Iterator[str]:
    if params.location.startswith("@"):
        yield params.location
        return
    name = f"{context.table_name('files')}_STAGE"
    session.sql(
        f"CREATE TEMPORARY STAGE {name}" if params.is_local else stage_sql(name, params.location, params.integration)
    ).collect()
    try:
        for file in local_files(params, context.project) if params.is_local else ():
            context.progress(f"uploading {file.name}")
            _put(session, file, name)
        yield f"@{name}"
    finally:
        session.sql(f"DROP STAGE IF EXISTS {name}").collect()


def _put(session: Session, file: Path, stage: str) -> None:
    session.file.put(str(file), f"@{stage}", auto_compress=False, overwrite=True)


@contextmanager
def _format(session: Session, context: StepContext, params: StageParams) -> Iterator[str]:
    name = f"{context.table_name('format')}_FORMAT"
    session.sql(f"CREATE TEMPORARY FILE FORMAT {name} {params.format_sql()}").collect()
    try:
        yield name
    finally:
        session.sql(f"DROP FILE FORMAT IF EXISTS {name}").collect()


def _make_table(session: Session, table: str, params: StageParams, location: str, format_: str) -> None:
    unless = "IF NOT EXISTS " if params.into is not None else ""
    if params.columns is not None:
        listed_ = ", ".join(f"{quoted(name)} {type_}" for name, type_ in params.columns.items())
        session.sql(f"CREATE TABLE {unless}{table} ({listed_})").collect()
        return
    found = f"INFER_SCHEMA(LOCATION => {literal(location)}, FILE_FORMAT => {literal(format_)})"
    template = f"SELECT ARRAY_AGG(OBJECT_CONSTRUCT(*)) FROM TABLE({found})"  # noqa: S608 (constants)
    session.sql(f"CREATE TABLE {unless}{table} USING TEMPLATE ({template})").collect()


def _copy(session: Session, table: str, params: StageParams, location: str, format_: str) -> list[dict[str, Any]]:
    """Load what is not loaded yet; return a line for each file."""
    pattern = f"PATTERN = {literal(params.pattern)} " if params.pattern else ""
    rows = session.sql(
        f"COPY INTO {table} FROM {location} {pattern}FILE_FORMAT = (FORMAT_NAME = {literal(format_)}) "
        f"MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE ON_ERROR = {ON_ERROR[params.on_error]}"
    ).collect()
    found = [{name.lower(): value for name, value in row.as_dict().items()} for row in rows]
    return [row for row in found if "file" in row]  # where there is nothing to load, one line says so


def _keep_rejected(
    context: StepContext, session: Session, table: str, files: Sequence[dict[str, Any]], params: StageParams
) -> Table:
    rejected = context.table_name("rejected")
    session.sql(f"CREATE TABLE {rejected} ({REJECTED})").collect()
    errors = sum(int(file["errors_seen"] or 0) for file in files)
    if errors:
        session.sql(
            f"INSERT INTO {rejected} SELECT FILE, LINE, COLUMN_NAME, ERROR, REJECTED_RECORD "  # noqa: S608 (own names)
            f"FROM TABLE(VALIDATE({table}, JOB_ID => '_last'))"
        ).collect()
    found = described_table(session, rejected)
    parsed = sum(int(file["rows_parsed"] or 0) for file in files)
    if params.on_error == "continue" and errors > params.max_rejected * parsed:
        first = next(file for file in files if file["errors_seen"])
        raise StoppedByGateError(
            f"{context.stage}: {errors:,} of {parsed:,} rows do not fit, kept in {rejected}, "
            f"e.g. {first['file']} line {first['first_error_line']}: {first['first_error']}",
            hint="look at the kept rows, then mend files or columns; max_rejected says how many may be left out",
        )
    return found


def _findings(params: StageParams, files: Sequence[dict[str, Any]], table: Table, rejected: Table) -> Outputs:
    loaded = sum(int(file["rows_loaded"] or 0) for file in files)
    story = f"{loaded:,} rows of {len(files):,} files were loaded, {rejected.rows or 0:,} rejected."
    if params.into is not None:
        story += f" {params.into} has {table.rows or 0:,} rows; files that were in it already were left alone."
    names = ("file", "status", "rows_parsed", "rows_loaded", "errors_seen", "first_error")
    rows = tuple(tuple(file[name] for name in names) for file in files[:SHOWN_FILES])
    metrics = {"rows": table.rows or 0, "loaded": loaded, "files": len(files), "rejected": rejected.rows or 0}
    return {
        "metrics": Metrics(values={name: float(value) for name, value in metrics.items()}),
        "report": Report(
            title=f"Loaded {params.location}",
            sections=(
                Text(body=story),
                Grid(title="Files", columns=tuple(name.replace("_", " ") for name in names), rows=rows),
            ),
        ),
    }
