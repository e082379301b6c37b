"""``ingest.table``: a table that is in the platform already, or was there once, is where the pipeline begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snowflake.snowpark import functions as sf
from snowflake.snowpark.exceptions import SnowparkSQLException

from firnline.domain import Text
from firnline.errors import DataError
from firnline_snowpark.columns import quoted, resolve_columns, unquoted
from firnline_snowpark.query.result import described
from firnline_snowpark.tables import described_table, write_table

if TYPE_CHECKING:
    from snowflake.snowpark import DataFrame, Session

    from firnline.domain import Outputs, StepContext
    from firnline_snowpark.ingest.table_params import TableParams

UNSUPPORTED = "0A000"
NO_DATA_THEN = frozenset({707})
"""Snowflake's code for a moment before the table was made, or longer ago than it keeps the past."""


def run(context: StepContext, params: TableParams) -> Outputs:
    """Copy the table's rows, or hand on the table itself.

    Raises:
        DataError: the table, a column or the past is not there, or the filter cannot be evaluated.
    """
    session = context.session
    what = f"{params.table} {params.at.sql()}" if params.at is not None else params.table
    context.progress(f"reading {what}")
    try:
        if params.copy_rows:
            table = write_table(context, rows(session, params, context.stage))
        else:
            table = described_table(session, params.table)
    except SnowparkSQLException as error:
        raise _refused(context.stage, params, error) from error
    story = f"from {what}" + (f" where {params.filter}" if params.filter else "")
    context.progress(f"read {what}", table.rows)
    return {"table": table, "report": described(context, table, f"Rows {story}", _origin(params))}


def rows(session: Session, params: TableParams, stage: str) -> DataFrame:
    """Return the data frame of the rows that are taken; nothing runs yet but a look at the columns.

    Raises:
        DataError: a column is not there.
    """
    if params.at is None:
        frame = session.table(params.table)
    else:
        frame = session.sql(f"SELECT * FROM {params.table} {params.at.sql()}")  # noqa: S608 (both are checked)
    if params.filter is not None:
        frame = frame.filter(sf.sql_expr(f"({params.filter})"))
    if params.columns is not None:
        names = resolve_columns(params.columns, [unquoted(name) for name in frame.columns], where=f"stage {stage}")
        frame = frame.select(*[sf.col(quoted(name)) for name in names])
    return frame


def _refused(stage: str, params: TableParams, error: SnowparkSQLException) -> DataError:
    code, message = error.sql_error_code, str(error.message)
    if params.at is not None and (UNSUPPORTED in message or code in NO_DATA_THEN):
        return DataError(
            f"stage {stage}: {params.table} cannot be read {params.at.sql()}: {message}",
            hint="Time Travel reaches back as far as the table's DATA_RETENTION_TIME_IN_DAYS, on an account only; "
            f"take {stage}.params.at out to read the table as it is",
        )
    return DataError(
        f"stage {stage}: {params.table} cannot be read: {message}",
        hint="look at the table's name, at what the role may read, and at the filter, a condition over its columns",
    )


def _origin(params: TableParams) -> Text:
    if params.copy_rows:
        return Text(body="The rows were copied: later stages see what was there when this one ran.")
    return Text(body="The table itself is handed on, not a copy of it.")
