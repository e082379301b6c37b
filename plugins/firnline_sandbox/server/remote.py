"""A sandbox that another process holds, used over loopback; when its holder goes, the sessions go on with the next."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

from firnline_sandbox.catalog.snapshot import session_id
from firnline_sandbox.errors import lost_engine
from firnline_sandbox.history import new_query_id
from firnline_sandbox.result import Result
from firnline_sandbox.server import endpoint, spool, wire
from firnline_sandbox.server.calls import CallFailedError, Calls
from firnline_sandbox.server.presence import Presence
from firnline_sandbox.statements.words import leading_words, lex

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from firnline_sandbox.connection import SandboxConnection
    from firnline_sandbox.engine import SandboxEngine
    from firnline_sandbox.types import Column

# Procedures do work outside of transactions: nobody can tell how far they came, so they are never started again.
_NOT_REPEATABLE: Final = frozenset({"CALL", "EXECUTE"})
_KEPT_RESULTS: Final = 200
_KEPT_BYTES: Final = 64 * 2**20

_open_remotes: Final[dict[Path, RemoteEngine]] = {}
_open_lock: Final = threading.Lock()


class RemoteEngine:
    """Stands in this process for an engine in another one."""

    closed = False

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._users = 1
        self._presence = Presence.register(folder / "users")
        self.calls = Calls(folder)
        self._numbers = iter(range(1, 2**20))
        self._lock = threading.Lock()

    @staticmethod
    def opened(folder: Path) -> RemoteEngine | None:
        """Give the one that this process has for a folder already, for one more user."""
        with _open_lock:
            found = _open_remotes.get(folder)
            if found is not None:
                found._users += 1  # noqa: SLF001 (its own class)
            return found

    @staticmethod
    def try_open(folder: Path) -> RemoteEngine | None:
        """Reach the folder's holder; None when nobody answers.

        Raises:
            CallFailedError: the holder is of another version.
        """
        if endpoint.read(folder) is None:
            return None
        with _open_lock:
            if (found := _open_remotes.get(folder)) is not None:
                found._users += 1  # noqa: SLF001 (its own class)
                return found
            made = RemoteEngine(folder)
            if not made.calls.hello():
                made._presence.release()
                return None
            _open_remotes[folder] = made
            return made

    def connect(self, **options: Any) -> SandboxConnection:
        """Open a session. Options as for :class:`SandboxConnection`."""
        from firnline_sandbox.connection import SandboxConnection

        return SandboxConnection(
            cast("SandboxEngine", self), runner=lambda connection: RemoteRunner(self.calls, connection), **options
        )

    def next_session_id(self) -> int:
        """Give a number that no other session of the sandbox has."""
        with self._lock:
            return session_id(self._presence.number, next(self._numbers))

    def relation_state(self, parts: tuple[str, str, str]) -> str | None:
        """Name the state of a table or view; None if there is none."""
        fields, _ = self.calls.repeat("relation", {"name": list(parts)})
        return cast("str | None", fields["state"])

    def close(self) -> None:
        """Let go; the last user's call takes this process off the sandbox's users."""
        with _open_lock:
            self._users -= 1
            if self._users > 0 or self.closed:
                return
            self.closed = True
            if _open_remotes.get(self.folder) is self:
                del _open_remotes[self.folder]
        self.calls.close()
        self._presence.release()


class RemoteRunner:
    """Runs a session's statements in the process that holds the sandbox."""

    def __init__(self, calls: Calls, connection: SandboxConnection) -> None:
        self._calls = calls
        self._connection = connection
        self._lock = threading.Lock()
        self._epoch = ""
        self._version = 0
        self._known: dict[str, Any] | None = None
        self._in_transaction = False
        self._results: dict[str, Result] = {}
        self._parts: dict[str, tuple[str, ...]] = {}

    def open(self) -> None:
        """Check the names with which the session starts."""
        try:
            self._call("open", {})
        except BaseException:
            self.end()
            raise

    def run(
        self,
        sql: str,
        params: Sequence[Any] = (),
        *,
        file_stream: BinaryIO | None = None,
        keeps_transaction: bool = False,
        query_tag: str | None = None,
        query_id: str | None = None,
    ) -> tuple[str, Result]:
        """Carry out one statement; give its id and result."""
        query_id = query_id or new_query_id()
        words = leading_words(sql)
        verb = words[0] if words else ""
        fields = {
            "query_id": query_id,
            "sql": _with_absolute_paths(sql) if verb in {"PUT", "GET"} else sql,
            "binds": wire.binds_to_json(params),
            "keeps_transaction": keeps_transaction,
            "query_tag": query_tag,
        }
        with _kept(file_stream, self._calls.folder) as file:
            fields["file"] = file
            try:
                answer, data = self._call("run", fields, is_repeatable=verb not in _NOT_REPEATABLE)
            except BaseException as failure:
                if not isinstance(failure, Exception):
                    self.cancel(query_id)
                raise
        result = self._result(answer, data)
        self._keep(query_id, result)
        return query_id, result

    def run_several(
        self, statements: Sequence[str], params: Sequence[Any], *, query_id: str | None = None
    ) -> tuple[str, tuple[str, ...]]:
        """Carry out statements under one id; give it and their own."""
        left = list(params)
        parts = []
        for statement in statements:
            count = sum(word.kind == "bind" for word in lex(statement))
            part, _ = self.run(statement, left[:count])
            del left[:count]
            parts.append(part)
        query_id = query_id or new_query_id()
        with self._lock:
            self._parts[query_id] = tuple(parts)
        return query_id, tuple(parts)

    def describe(self, sql: str, params: Sequence[Any]) -> tuple[str, tuple[Column, ...]]:
        """Give the columns that a statement would return."""
        answer, _ = self._call("describe", {"sql": sql, "binds": wire.binds_to_json(params)})
        return answer["query_id"], tuple(wire.columns_from_json(answer["columns"]))

    def outcome(self, query_id: str) -> Result | Exception | None:
        """Give an earlier query's result or error."""
        from snowflake.connector.errors import Error

        with self._lock:
            parts = self._parts.get(query_id)
            found = self._results.get(parts[-1] if parts else query_id)
        if found is not None:
            return found
        try:
            answer, data = self._call("outcome", {"query_id": query_id})
        except Error as failure:
            return cast("Exception", failure)
        return None if "result" not in answer else self._result(answer, data)

    def parts(self, query_id: str) -> tuple[str, ...]:
        """List the statements of a multi-statement query."""
        with self._lock:
            return self._parts.get(query_id, ())

    def status(self, query_id: str) -> str | None:
        """Say how far a query is."""
        from snowflake.connector.errors import Error

        with self._lock:
            if query_id in self._results or query_id in self._parts:
                return "SUCCESS"
        try:
            answer, _ = self._call("outcome", {"query_id": query_id})
        except Error as failure:
            return None if failure.errno == 709 else "FAILED_WITH_ERROR"
        return "SUCCESS" if "result" in answer else answer["status"]

    def cancel(self, query_id: str | None) -> bool:
        """Stop a running query, or all of the session's."""
        try:
            answer, _ = self._calls.once("cancel", {"session": self._connection.session_id, "query_id": query_id})
        except CallFailedError:
            return False  # nobody runs it any more
        return bool(answer["found"])

    def staged_file(self, location: str, *, decompress: bool) -> BinaryIO:
        """Open one file of a stage."""
        import io

        _, data = self._call("staged", {"location": location, "decompress": decompress})
        return io.BytesIO(data)

    def end_transaction(self, *, commit: bool) -> None:
        """Commit or roll back the open transaction."""
        if commit and self._in_transaction:
            self.run("COMMIT")
        elif self._in_transaction:
            self.run("ROLLBACK")

    def interrupt(self) -> None:
        """Stop what the session has running."""
        self.cancel(None)

    def end(self) -> None:
        """End the session: its transaction is rolled back, its temporary objects go."""
        with contextlib.suppress(CallFailedError):  # whoever holds the sandbox next drops what is left of the session
            self._calls.once("end", {"session": self._connection.session_id})

    # -- calls

    def _call(self, verb: str, fields: dict[str, Any], *, is_repeatable: bool = True) -> tuple[dict[str, Any], Any]:
        state = self._state()
        fields = fields | {
            "session": self._connection.session_id,
            "user": self._connection.user,
            "state": state,
            "push": self._known is not None and state != self._known,
            "in_transaction": self._in_transaction,
            "again": False,
        }
        try:
            outer, inner = self._calls.repeat(verb, fields, is_repeatable=is_repeatable)
        except CallFailedError as failure:
            raise lost_engine(str(failure)) from failure
        if outer["state"] is not None:
            self._take_state(outer["state"])
        answer, data = wire.loads(bytes(inner))
        if "error" in answer:
            raise _error(answer["error"])
        return answer, data

    def _state(self) -> dict[str, Any]:
        connection = self._connection
        with connection.lock:
            return {
                "database": connection.database,
                "schema": connection.schema,
                "warehouse": connection.warehouse,
                "role": connection.role,
                "parameters": connection.set_parameters(),
                "variables": dict(connection.variables),
                "query_ids": list(connection.query_ids),
            }

    def _take_state(self, state: dict[str, Any]) -> None:
        connection = self._connection
        epoch, version, in_transaction = state.pop("epoch"), state.pop("version"), state.pop("in_transaction")
        with self._lock, connection.lock:
            if epoch == self._epoch and version < self._version:
                return  # another thread's statement ended later and told of a later state
            self._epoch, self._version = epoch, version
            self._known, self._in_transaction = state, in_transaction
            connection.use(state["database"], state["schema"])
            connection.warehouse = state["warehouse"]
            connection.role = state["role"]
            connection._parameters = dict(state["parameters"])  # noqa: SLF001 (checked where they were set)
            connection.variables = dict(state["variables"])
            connection.query_ids = list(state["query_ids"])

    def _result(self, answer: dict[str, Any], data: Any) -> Result:
        described = answer["result"]
        columns = wire.columns_from_json(described["columns"])
        if answer["spool"] is None:
            return wire.result_from_json(described, Result(columns, spool.read(data)))
        from pathlib import Path

        return wire.result_from_json(described, Result(columns, stream=spool.stream(Path(answer["spool"]))))

    def _keep(self, query_id: str, result: Result) -> None:
        with self._lock:
            self._results[query_id] = result
            size = sum(kept.nbytes for kept in self._results.values())
            while len(self._results) > 1 and (len(self._results) > _KEPT_RESULTS or size > _KEPT_BYTES):
                size -= self._results.pop(next(iter(self._results))).nbytes


@contextlib.contextmanager
def _kept(stream: BinaryIO | None, folder: Path) -> Any:
    """Put a stream's content where the holder can read it, as often as need be."""
    if stream is None:
        yield None
        return
    path = spool.folder_of(folder) / f"{new_query_id()}.put"
    path.parent.mkdir(exist_ok=True)
    try:
        with path.open("wb") as file:
            shutil.copyfileobj(stream, file)
        yield str(path)
    finally:
        path.unlink(missing_ok=True)


def _with_absolute_paths(sql: str) -> str:
    import re

    here = os.getcwd().replace("\\", "\\\\")  # noqa: PTH109 (a text is wanted)
    return re.sub(r"file://(?![/'~])", f"file://{here}/", sql)


def _error(fields: dict[str, Any]) -> Exception:
    from snowflake.connector import errors

    cls = getattr(errors, fields["class"], errors.DatabaseError)
    failure: Exception = cls(
        msg=fields["message"],
        errno=fields["errno"],
        sqlstate=fields["sqlstate"],
        sfqid=fields["query_id"],
        query=fields["query"],
        send_telemetry=False,
    )
    return failure
