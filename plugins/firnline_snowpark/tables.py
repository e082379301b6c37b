"""Make tables on the platform and tell the next stages about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firnline.domain import Table
from firnline.errors import InterruptedRunError
from firnline_snowpark.columns import unquoted

if TYPE_CHECKING:
    from snowflake.snowpark import DataFrame, Session

    from firnline.domain import StepContext


def write_table(context: StepContext, frame: DataFrame, port: str = "table") -> Table:
    """Materialise ``frame`` as the table of an output port, unless the run is to stop."""
    stop_if_cancelled(context)
    name = context.table_name(port)
    frame.write.save_as_table(name, mode="errorifexists")
    return described_table(context.session, name)


def stop_if_cancelled(context: StepContext) -> None:
    """Stop between two statements; those that run are cancelled on the platform.

    Raises:
        InterruptedRunError: the run is to stop.
    """
    if context.is_cancelled():
        raise InterruptedRunError(f"stage {context.stage} was stopped")


def described_table(session: Session, name: str) -> Table:
    """Return the artifact for a table that exists, with its row count and columns."""
    table = session.table(name)
    return Table(name=name, rows=table.count(), columns=tuple(unquoted(column) for column in table.columns))
