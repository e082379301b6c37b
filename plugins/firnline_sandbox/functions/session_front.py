"""The engine's side of a procedure's session: what the procedure asks is done in the caller's own session."""

from __future__ import annotations

import contextlib
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from firnline_sandbox.history import new_query_id
from firnline_sandbox.result import Result
from firnline_sandbox.server import spool, wire

if TYPE_CHECKING:
    from firnline_sandbox.connection import SandboxConnection


class SessionFront:
    """Answers one call's requests, all in the thread that carries out the CALL: it may hold the session's lock."""

    def __init__(self, connection: SandboxConnection, folder: Path) -> None:
        self._connection = connection
        self._folder = folder
        self._epoch = uuid.uuid4().hex
        self._version = 0
        self.running: str | None = None
        """The id of the statement that runs for the procedure."""
        self.ending: tuple[dict[str, Any], bytes] = ({}, b"")
        """The message that ended the call."""

    def greeting(self) -> bytes:
        """Say which session it is."""
        return wire.dumps({"session": self._connection.session_id, "user": self._connection.user})

    def answer(self, frame: bytes) -> bytes | None:
        """Answer a request; None for the message that ends the call."""
        fields, data = wire.loads(frame)
        if fields["verb"] in {"done", "failed"}:
            self.ending = fields, bytes(data)
            return None
        if fields.get("push"):
            self._take_state(fields["state"])
        try:
            inner = self._carry_out(fields)
        except Exception as failure:  # noqa: BLE001 - the procedure's code may catch it
            inner = _error(failure)
        return wire.dumps({"state": self._state()} | _outer(fields["verb"]), inner)

    def _carry_out(self, fields: dict[str, Any]) -> bytes:
        runner = self._connection.runner
        match fields["verb"]:
            case "run":
                return self._run(fields)
            case "describe":
                query_id, columns = runner.describe(fields["sql"], wire.binds_from_json(fields["binds"]))
                return wire.dumps({"query_id": query_id, "columns": wire.columns_to_json(columns)})
            case "outcome":
                return self._outcome(fields["query_id"])
            case "staged":
                with runner.staged_file(fields["location"], decompress=fields["decompress"]) as stream:
                    return wire.dumps({}, stream.read())
            case "transaction":
                runner.end_transaction(commit=fields["commit"])
        return wire.dumps({})

    def _run(self, fields: dict[str, Any]) -> bytes:
        self.running = fields["query_id"] or new_query_id()
        with contextlib.ExitStack() as stack:
            stack.callback(self._forget_running)
            file = fields["file"]
            _, result = self._connection.runner.run(
                fields["sql"],
                wire.binds_from_json(fields["binds"]),
                file_stream=None if file is None else stack.enter_context(Path(file).open("rb")),
                keeps_transaction=fields["keeps_transaction"],
                query_tag=fields["query_tag"],
                query_id=self.running,
            )
        return self._result(result)

    def _forget_running(self) -> None:
        self.running = None

    def _result(self, result: Result) -> bytes:
        table: pa.Table = result.table()  # kept, as the rows may be the procedure's own result
        data, path = spool.write(table.schema, iter(table.to_batches()), self._folder)
        document = wire.result_to_json(result)
        return wire.dumps({"result": document, "spool": None if path is None else str(path)}, data)

    def _outcome(self, query_id: str) -> bytes:
        outcome = self._connection.runner.outcome(query_id)
        if isinstance(outcome, Result):
            return self._result(outcome)
        if outcome is not None:
            raise outcome
        status = self._connection.runner.status(query_id)
        if status is None:
            from firnline_sandbox.errors import unknown_query

            raise unknown_query(query_id)
        return wire.dumps({"status": status})

    def _state(self) -> dict[str, Any]:
        connection = self._connection
        self._version += 1
        with connection.lock:
            return {
                "epoch": self._epoch,
                "version": self._version,
                "database": connection.database,
                "schema": connection.schema,
                "warehouse": connection.warehouse,
                "role": connection.role,
                "parameters": connection.set_parameters(),
                "variables": dict(connection.variables),
                "query_ids": connection.query_ids[-10:],
                "in_transaction": connection.transaction is not None,
            }

    def _take_state(self, state: dict[str, Any]) -> None:
        connection = self._connection
        with connection.lock:
            connection.use(state["database"], state["schema"])
            connection.warehouse, connection.role = state["warehouse"], state["role"]
            for name, value in state["parameters"].items():
                connection.set_parameter(name, value)


def _outer(verb: str) -> dict[str, Any]:
    return {"found": False} if verb == "cancel" else {}


def _error(failure: Exception) -> bytes:
    from snowflake.connector.errors import Error

    known = isinstance(failure, Error)
    message = getattr(failure, "raw_msg", None) or str(failure)
    return wire.dumps(
        {
            "error": {
                "class": type(failure).__name__ if known else "InternalError",
                "errno": getattr(failure, "errno", None) if known else 603,
                "sqlstate": getattr(failure, "sqlstate", None) if known else "XX000",
                "message": message if known else f"{type(failure).__name__}: {failure}",
                "query_id": getattr(failure, "sfqid", None),
                "query": getattr(failure, "query", None),
            }
        }
    )
