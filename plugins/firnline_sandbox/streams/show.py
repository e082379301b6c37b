"""SHOW STREAMS and DESCRIBE STREAM."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox.catalog import Table
from firnline_sandbox.statements.listing import answer
from firnline_sandbox.statements.registry import statement
from firnline_sandbox.statements.showing import read_show
from firnline_sandbox.streams.objects import Stream
from firnline_sandbox.streams.statements import find_stream
from firnline_sandbox.types import TEXT, TIMESTAMP_LTZ

if TYPE_CHECKING:
    from firnline_sandbox.context import Context
    from firnline_sandbox.result import Result
    from firnline_sandbox.statements.listing import Columns

STREAM_COLUMNS: Final[Columns] = {
    name: TIMESTAMP_LTZ if name in {"created_on", "stale_after"} else TEXT
    for name in (
        "created_on", "name", "database_name", "schema_name", "owner", "comment", "table_name", "source_type",
        "base_tables", "type", "stale", "mode", "stale_after", "invalid_reason", "owner_role_type",
    )
}  # fmt: skip
_TERSE: Final[Columns] = {
    name: TIMESTAMP_LTZ if name == "created_on" else TEXT
    for name in ("created_on", "name", "kind", "database_name", "schema_name", "tableOn")
}
_STALE_AFTER: Final = dt.timedelta(days=14)  # what Snowflake promises at least; streams of a sandbox never grow stale


def _row(context: Context, stream: Stream) -> dict[str, Any]:
    source = context.catalog.by_id(stream.source)
    name = source.full_name if isinstance(source, Table) else stream.source_name
    return {
        "created_on": stream.created,
        "name": stream.name,
        "database_name": stream.database,
        "schema_name": stream.schema,
        "owner": stream.owner,
        "comment": stream.comment,
        "table_name": name,
        "source_type": "Table",
        "base_tables": name,
        "type": "DELTA",
        "kind": "DELTA",
        "tableOn": name,
        "stale": "false",
        "mode": "APPEND_ONLY" if stream.append_only else "DEFAULT",
        "stale_after": context.engine.clock.now() + _STALE_AFTER,
        "invalid_reason": "N/A" if isinstance(source, Table) else "Base table dropped",
        "owner_role_type": "ROLE",
    }


@statement("SHOW STREAMS", "SHOW TERSE STREAMS", writes=False)
def show_streams(context: Context, sql: str) -> Result:
    """List streams."""
    show = read_show(context, context.scanner(sql), "STREAMS")
    found = context.catalog.entries(Stream, database=show.database, schema=show.schema)
    return show.answer(STREAM_COLUMNS, [_row(context, stream) for stream in found], terse=_TERSE)


@statement("DESC STREAM", "DESCRIBE STREAM", writes=False)
def describe_stream(context: Context, sql: str) -> Result:
    """Describe a stream as SHOW STREAMS does."""
    scanner = context.scanner(sql)
    scanner.take_any("DESC", "DESCRIBE")
    scanner.expect("STREAM")
    stream = find_stream(context, context.qualify(scanner.name()))
    scanner.expect_end()
    return answer(STREAM_COLUMNS, [_row(context, stream)])
