"""SYSTEM$ functions of the engine itself."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox.errors import invalid_argument
from firnline_sandbox.statements.registry import system_function

if TYPE_CHECKING:
    from firnline_sandbox.context import Context

_UNITS_S: Final = {"SECONDS": 1, "MINUTES": 60, "HOURS": 3_600, "DAYS": 86_400, "MILLISECONDS": 0.001}


@system_function("SYSTEM$CANCEL_ALL_QUERIES")
def cancel_all_queries(context: Context, arguments: list[Any]) -> str:
    """Cancel what a session is running, but for this query."""
    session_id = int(arguments[0]) if arguments and arguments[0] is not None else context.session_id
    count = context.engine.history.cancel_session(session_id, but=context.query_id)
    context.engine.write_lock.wake()
    return f"{count} cancelled."


@system_function("SYSTEM$CANCEL_QUERY")
def cancel_query(context: Context, arguments: list[Any]) -> str:
    """Cancel one query."""
    (query_id,) = arguments
    cancelled = context.engine.history.cancel(str(query_id))
    context.engine.write_lock.wake()
    return f"query [{query_id}] terminated." if cancelled else "Identified SQL statement is not currently executing."


@system_function("SYSTEM$ABORT_SESSION")
def abort_session(context: Context, arguments: list[Any]) -> str:
    """Cancel what another session is running."""
    return str(cancel_all_queries(context, arguments))


@system_function("SYSTEM$WAIT")
def wait(context: Context, arguments: list[Any]) -> str:
    """Wait; the query may be cancelled meanwhile."""
    amount = float(arguments[0])
    unit = str(arguments[1]).upper() if len(arguments) > 1 else "SECONDS"
    if unit not in _UNITS_S:
        raise invalid_argument(f"Invalid unit '{unit}' in SYSTEM$WAIT")
    running = context.engine.history.running(context.query_id)
    if running is None:
        time.sleep(amount * _UNITS_S[unit])
    elif running.cancelled.wait(amount * _UNITS_S[unit]):
        from firnline_sandbox.errors import cancelled_error

        raise cancelled_error()
    return f"waited {arguments[0]} {unit.lower()}"


@system_function("SYSTEM$LAST_CHANGE_COMMIT_TIME")
def last_change(context: Context, arguments: list[Any]) -> int:
    """Give a number that grows with every change of a table: nanoseconds of its last one."""
    (name,) = arguments
    table = context.table(context.resolve(str(name)))
    return int(table.altered.timestamp() * 1_000_000_000)
