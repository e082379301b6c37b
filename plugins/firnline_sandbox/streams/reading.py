"""What a query reads from a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firnline_sandbox.catalog import Table
from firnline_sandbox.catalog.offsets import Consumption
from firnline_sandbox.errors import error
from firnline_sandbox.statements.scanner import quote_identifier, quote_text
from firnline_sandbox.streams.capture import KIND, ONLY, ROW, SEQUENCE, log_of
from firnline_sandbox.translate.surroundings import Relation
from firnline_sandbox.types import BOOLEAN, TEXT, Column

if TYPE_CHECKING:
    from firnline_sandbox.context import Context
    from firnline_sandbox.streams.objects import Stream

_METADATA: Final = (
    Column("METADATA$ACTION", TEXT, False, "firnline$action"),
    Column("METADATA$ISUPDATE", BOOLEAN, False, "firnline$isupdate"),
    Column("METADATA$ROW_ID", TEXT, False, "firnline$rowid"),
)


def stream_relation(context: Context, stream: Stream) -> Relation:
    """Give the changes since a stream's offset; a statement that writes moves the offset when it commits.

    Raises:
        ProgrammingError: 91901, the stream's table was dropped or replaced.
    """
    table = source_of(context, stream)
    bound = _bound(context, table)
    if bound is not None and context.consumes_streams:
        context.transaction.consume(Consumption(stream=stream.id, source=table.id, until=bound))
    columns = tuple(column.column for column in table.columns)
    query = _inserts(stream, table, bound) if stream.append_only else _net_changes(stream, table, bound)
    return Relation(f"({query})", (*columns, *_METADATA))


def source_of(context: Context, stream: Stream) -> Table:
    """Find a stream's table.

    Raises:
        ProgrammingError: 91901, it was dropped or replaced.
    """
    table = context.catalog.by_id(stream.source)
    if isinstance(table, Table):
        return table
    raise error(
        91901,
        "55000",
        f"SQL compilation error:\nBase table '{stream.source_name}' dropped, cannot read from stream '{stream.name}'",
    )


def _bound(context: Context, table: Table) -> int | None:
    """Give the last change to see: that before the open transaction began, or before a statement that writes."""
    session = context.connection.transaction
    if session is not None:
        began = session.began.by_id(table.id)
        return began.version if isinstance(began, Table) else 0
    return table.version if context.writes else None


def _recent(stream: Stream, table: Table, bound: int | None) -> str:
    identity = quote_text(stream.id)
    position = f"(SELECT max(position) FROM catalog.offsets WHERE stream = {identity})"  # noqa: S608
    until = "" if bound is None else f" AND {SEQUENCE} <= {bound}"
    return (
        f"SELECT * FROM {log_of(table)} WHERE {SEQUENCE} > {position}{until} "  # noqa: S608
        f"AND ({ONLY} IS NULL OR {ONLY} = {identity})"
    )


def _outputs(table: Table, update: str) -> str:
    names = [f"r.{quote_identifier(column.physical)}" for column in table.columns]
    action = f"CASE WHEN r.{KIND} IN ('I', 'A') THEN 'INSERT' ELSE 'DELETE' END AS \"firnline$action\""
    row_id = f"sha1('{table.id}:' || r.{ROW}) AS \"firnline$rowid\""
    return ", ".join([*names, action, f'{update} AS "firnline$isupdate"', row_id])


def _inserts(stream: Stream, table: Table, bound: int | None) -> str:
    return f"SELECT {_outputs(table, 'false')} FROM ({_recent(stream, table, bound)}) AS r WHERE r.{KIND} = 'I'"  # noqa: S608


def _net_changes(stream: Stream, table: Table, bound: int | None) -> str:
    """A row that was there and is not any more, one that was not and is, and both halves of one that was changed."""
    recent = _recent(stream, table, bound)
    edges = (
        f"SELECT {ROW} AS row, min({SEQUENCE}) AS first, max({SEQUENCE}) AS last, "  # noqa: S608
        f"arg_min({KIND}, {SEQUENCE}) IN ('B', 'D') AS was, arg_max({KIND}, {SEQUENCE}) IN ('I', 'A') AS is_there "
        f"FROM recent GROUP BY ALL"
    )
    return (
        f"WITH recent AS ({recent}), edges AS ({edges}) "  # noqa: S608
        f"SELECT {_outputs(table, 'e.was AND e.is_there')} FROM recent AS r JOIN edges AS e ON r.{ROW} = e.row "
        f"WHERE (r.{SEQUENCE} = e.first AND r.{KIND} IN ('B', 'D')) "
        f"OR (r.{SEQUENCE} = e.last AND r.{KIND} IN ('I', 'A'))"
    )
