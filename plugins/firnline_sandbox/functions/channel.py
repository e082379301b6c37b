"""A procedure's session inside of its worker: it talks to the engine over the worker's own pipes.

While a procedure runs, the worker's frames are messages of ``server.wire`` with a ``verb``. Each is answered by the
engine, until one with the verb ``done`` or ``failed`` ends the call.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import pyarrow as pa

from firnline_sandbox.functions.values import to_arrow, to_python
from firnline_sandbox.server import wire
from firnline_sandbox.workers.frames import metadata_of, own_traceback, read_frame, to_bytes, write_frame

if TYPE_CHECKING:
    from typing import BinaryIO

    from firnline_sandbox.connection import SandboxConnection
    from firnline_sandbox.functions.code import Code

# Files whose frames a handler's traceback does not begin with.
_OF_OURS: Final = (__file__, str(Path(__file__).with_name("worker.py")))


class PipeCalls:
    """Carries a session's calls (see ``server.remote``) over the pipes."""

    def __init__(self, pipes: tuple[BinaryIO, BinaryIO], folder: Path) -> None:
        self.folder = folder
        self._requests, self._replies = pipes
        self._lock = threading.Lock()

    def repeat(self, verb: str, fields: dict[str, Any], *, is_repeatable: bool = True) -> tuple[dict[str, Any], Any]:
        """Send a request and give the answer: the session's state, and what the verb gives."""
        del is_repeatable  # nothing gets lost on a pipe
        return self.once(verb, fields)

    def once(self, verb: str, fields: dict[str, Any]) -> tuple[dict[str, Any], Any]:
        """Do the same."""
        with self._lock:
            write_frame(self._replies, wire.dumps(fields | {"verb": verb}))
            answer = read_frame(self._requests)
        if answer is None:
            raise SystemExit("the sandbox is gone")
        return wire.loads(answer)


class _Elsewhere:
    """The engine, as far as a connection needs one where its statements run in another process."""

    closed = False


def run_procedure(code: Code, handler: Any, request: pa.Table, pipes: tuple[BinaryIO, BinaryIO], folder: Path) -> bytes:
    """Call a procedure with a session of its own; give the frame that ends the call."""
    fields, _ = wire.loads(bytes.fromhex(metadata_of(request)["session"]))
    try:
        session = _session(fields, PipeCalls(pipes, folder))
        columns = [request.column(position) for position in range(request.num_columns)]
        values = [to_python(column, type_)[0] for column, type_ in zip(columns, code.parameters, strict=True)]
        return _finished(code, session, handler(session, *values))
    except BaseException as error:  # noqa: BLE001 - whatever a handler raises is the caller's answer
        return wire.dumps({"verb": "failed", "error": own_traceback(error, *_OF_OURS)})


def _session(fields: dict[str, Any], calls: PipeCalls) -> Any:
    from firnline_sandbox.connection import SandboxConnection
    from firnline_sandbox.server.remote import RemoteRunner
    from firnline_sandbox.sessions import snowpark_session

    connection: SandboxConnection = SandboxConnection(
        cast("Any", _Elsewhere()),
        session_id=fields["session"],
        user=fields["user"],
        database=None,
        schema=None,
        paramstyle="qmark",
        runner=lambda made: RemoteRunner(cast("Any", calls), made),
    )
    return snowpark_session(connection)


def _finished(code: Code, session: Any, result: Any) -> bytes:
    """Say what a procedure gave: a value, or the query whose rows a DataFrame stands for."""
    from snowflake.snowpark import DataFrame

    if code.returns is None:
        if not isinstance(result, DataFrame):
            raise TypeError(f"the handler returned a value of type {type(result).__name__} for a table")
        query_id = session._conn.get_result_query_id(result._plan)  # noqa: SLF001
        return wire.dumps({"verb": "done", "query_id": query_id})
    column = to_arrow([result], code.returns)
    return wire.dumps({"verb": "done"}, to_bytes(pa.table({"result": column})))
