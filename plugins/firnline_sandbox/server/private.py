"""Sessions of Firnline's other processes. What they send again, because an answer was lost, is carried out once."""

from __future__ import annotations

import collections
import concurrent.futures
import threading
import uuid
from typing import TYPE_CHECKING, Any, Final

import duckdb
from snowflake.connector.errors import Error

from firnline_sandbox.catalog import receipts
from firnline_sandbox.catalog.snapshot import user_of
from firnline_sandbox.connection import SandboxConnection
from firnline_sandbox.errors import from_duckdb, lost_transaction, unknown_query
from firnline_sandbox.result import Result
from firnline_sandbox.server import spool, wire
from firnline_sandbox.server.gate import MovedError
from firnline_sandbox.server.version import PRIVATE
from firnline_sandbox.server.web import RefusedError, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from firnline_sandbox.server.host import Host
    from firnline_sandbox.server.web import Request


_KEPT_ANSWERS: Final = 8


class PrivateSession:
    """A session of another process. Its state is kept there, too, so that it survives this holder."""

    def __init__(self, host: Host, fields: dict[str, Any]) -> None:
        self.connection = SandboxConnection(
            host.engine,
            session_id=fields["session"],
            user=fields["user"],
            database=None,
            schema=None,
        )
        self.lock = threading.Lock()
        self.epoch = uuid.uuid4().hex
        self.version = 0
        self.broken_off = False
        self.answers: collections.OrderedDict[str, concurrent.futures.Future[bytes]] = collections.OrderedDict()
        self.set_state(fields["state"])

    def set_state(self, state: dict[str, Any]) -> None:
        """Take over what the other process knows of the session."""
        connection = self.connection
        with connection.lock:
            connection.use(state["database"], state["schema"])
            connection.warehouse = state["warehouse"]
            connection.role = state["role"]
            connection._parameters = dict(state["parameters"])  # noqa: SLF001 (they were checked over there)
            connection.variables = dict(state["variables"])
            connection.query_ids = list(state["query_ids"])

    def state(self) -> dict[str, Any]:
        """Say what there is to know of the session."""
        connection = self.connection
        with connection.lock:
            self.version += 1
            return {
                "epoch": self.epoch,
                "version": self.version,
                "database": connection.database,
                "schema": connection.schema,
                "warehouse": connection.warehouse,
                "role": connection.role,
                "parameters": connection.set_parameters(),
                "variables": connection.variables,
                "query_ids": connection.query_ids[-10:],
                "in_transaction": connection.transaction is not None,
            }


class PrivateFront:
    """Answers Firnline's other processes."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._lock = threading.Lock()
        self._sessions: dict[int, PrivateSession] = {}
        self._verbs: dict[str, Callable[[PrivateSession, dict[str, Any]], bytes]] = {
            "open": self._open,
            "run": self._run,
            "describe": self._describe,
            "outcome": self._outcome,
            "staged": self._staged,
            "transaction": self._end_transaction,
        }

    def answer(self, request: Request) -> Response:
        """Answer one request.

        Raises:
            RefusedError: the token is wrong, or it is no request that this version knows.
        """
        if not request.has_token(self._host.endpoint.token):
            raise RefusedError(401, "the token is wrong")
        verb = request.path.rpartition("/")[2]
        try:
            fields = wire.loads(request.body)[0] if request.body else {}
            if not isinstance(fields, dict):
                raise RefusedError(400, "a request's fields are an object")
            return Response(body=self._answer(verb, fields))
        except MovedError:
            return Response(status=503)
        except (KeyError, TypeError, ValueError) as failure:
            raise RefusedError(400, f"{verb} cannot be read: {failure}") from failure

    def _answer(self, verb: str, fields: dict[str, Any]) -> bytes:
        match verb:
            case "hello":
                return wire.dumps({"version": PRIVATE, "identity": self._host.engine.identity})
            case "status":
                return wire.dumps({"sessions": len(self._sessions) + self._host.connector.count})
            case "stop":
                self._host.stop_wanted.set()
                return wire.dumps({})
            case "relation":
                with self._host.gate.passing():
                    database, schema, name = fields["name"]
                    return wire.dumps({"state": self._host.engine.relation_state((database, schema, name))})
            case "cancel":
                return wire.dumps({"found": self._cancel(fields)})
            case "end":
                self._end(fields["session"])
                return wire.dumps({})
            case _ if verb in self._verbs:
                return self._in_session(verb, fields)
            case _:
                raise RefusedError(404, f"there is no request {verb!r}")

    # -- sessions

    def _in_session(self, verb: str, fields: dict[str, Any]) -> bytes:
        with self._lock:
            session = self._sessions.get(fields["session"])
        is_in_transaction = session is not None and session.connection.transaction is not None
        with self._host.gate.passing(in_transaction=is_in_transaction):
            try:
                session = session or self._make(fields)
                if session.connection.transaction is None and fields["in_transaction"]:
                    failure = lost_transaction("the process that had the sandbox open ended in the middle of it")
                    return wire.dumps({"state": session.state()}, _error(failure))
                if fields.get("push"):
                    session.set_state(fields["state"])
                inner = self._verbs[verb](session, fields)
            except Error as failure:
                inner = _error(failure)
            except duckdb.Error as failure:
                inner = _error(from_duckdb(failure))
            return wire.dumps({"state": None if session is None else session.state()}, inner)

    def _make(self, fields: dict[str, Any]) -> PrivateSession:
        with self._lock:
            found = self._sessions.get(fields["session"])
            if found is None:
                found = self._sessions[fields["session"]] = PrivateSession(self._host, fields)
            return found

    def _end(self, session_id: int) -> None:
        with self._lock:
            session = self._sessions.pop(session_id, None)
        if session is not None:
            session.connection.close()

    def end_sessions_but(self, living: Collection[int]) -> None:
        """End the sessions of processes that are gone."""
        with self._lock:
            gone = [session for session in self._sessions if user_of(session) not in living]
        for session in gone:
            self._end(session)

    def open_transactions(self) -> int:
        """Count the sessions with an open transaction."""
        with self._lock:
            return sum(session.connection.transaction is not None for session in self._sessions.values())

    def break_off(self, *, all_of_them: bool) -> None:
        """Stop what is running: the next holder will carry it out. Open transactions are spared at first."""
        with self._lock:
            sessions = list(self._sessions.values())
        for session in sessions:
            if all_of_them or session.connection.transaction is None:
                session.broken_off = True
                session.connection.runner.interrupt()
                if all_of_them:
                    session.connection.rollback()

    def let_go(self) -> None:
        """Forget the sessions without ending them: they go on with the next holder, with their temporary objects."""
        with self._lock:
            self._sessions.clear()

    def _cancel(self, fields: dict[str, Any]) -> bool:
        with self._lock:
            session = self._sessions.get(fields["session"])
        if session is None:
            return False
        if fields["query_id"] is None:
            session.connection.runner.interrupt()
            return True
        return session.connection.runner.cancel(fields["query_id"])

    # -- verbs

    def _open(self, session: PrivateSession, fields: dict[str, Any]) -> bytes:
        del fields
        session.connection.runner.open()
        return wire.dumps({})

    def _run(self, session: PrivateSession, fields: dict[str, Any]) -> bytes:
        query_id = fields["query_id"]
        with session.lock:
            known = session.answers.get(query_id)
            if known is None:
                mine = session.answers[query_id] = concurrent.futures.Future()
                while len(session.answers) > _KEPT_ANSWERS and next(iter(session.answers.values())).done():
                    session.answers.popitem(last=False)
        if known is not None:
            return known.result()
        try:
            answer = self._carry_out(session, fields)
        except BaseException as failure:
            with session.lock:
                session.answers.pop(query_id, None)
            mine.set_exception(failure)
            raise
        mine.set_result(answer)
        return answer

    def _carry_out(self, session: PrivateSession, fields: dict[str, Any]) -> bytes:
        query_id = fields["query_id"]
        if fields["again"] and (known := self._receipt(query_id)) is not None:
            return known
        request = receipts.Request(query_id=query_id, write=self._result)
        token = receipts.current.set(request)
        try:
            _, result = session.connection.runner.run(
                fields["sql"],
                wire.binds_from_json(fields["binds"]),
                file_stream=_opened(fields["file"]),
                keeps_transaction=fields["keeps_transaction"],
                query_tag=fields["query_tag"],
                query_id=query_id,
            )
            return self._result(result)
        except Exception as failure:
            if session.broken_off:
                raise MovedError from failure
            if isinstance(failure, Error | duckdb.Error):
                raise
            return _error(failure)
        finally:
            receipts.current.reset(token)

    def _receipt(self, query_id: str) -> bytes | None:
        cursor = self._host.engine.cursors.take()
        try:
            return receipts.find(cursor, query_id)
        finally:
            self._host.engine.cursors.give(cursor)

    def _result(self, result: Result) -> bytes:
        document = wire.result_to_json(result)
        data, path = spool.write(result.empty_table().schema, result.batches(), self._host.engine.folder)
        return wire.dumps({"result": document, "spool": None if path is None else str(path)}, data)

    def _describe(self, session: PrivateSession, fields: dict[str, Any]) -> bytes:
        query_id, columns = session.connection.runner.describe(fields["sql"], wire.binds_from_json(fields["binds"]))
        return wire.dumps({"query_id": query_id, "columns": wire.columns_to_json(columns)})

    def _outcome(self, session: PrivateSession, fields: dict[str, Any]) -> bytes:
        outcome = session.connection.runner.outcome(fields["query_id"])
        status = session.connection.runner.status(fields["query_id"])
        match outcome:
            case Result():
                return self._result(outcome)
            case None:
                return wire.dumps({"status": status}, b"") if status else _error(unknown_query(fields["query_id"]))
            case _:
                return _error(outcome)

    def _staged(self, session: PrivateSession, fields: dict[str, Any]) -> bytes:
        with session.connection.runner.staged_file(fields["location"], decompress=fields["decompress"]) as stream:
            return wire.dumps({}, stream.read())

    def _end_transaction(self, session: PrivateSession, fields: dict[str, Any]) -> bytes:
        session.connection.runner.end_transaction(commit=fields["commit"])
        return wire.dumps({})


def _opened(path: str | None) -> Any:
    from pathlib import Path

    return None if path is None else Path(path).open("rb")


def _error(failure: Exception) -> bytes:
    known = isinstance(failure, Error)
    return wire.dumps(
        {
            "error": {
                "class": type(failure).__name__ if known else "InternalError",
                "errno": getattr(failure, "errno", None) if known else 603,
                "sqlstate": getattr(failure, "sqlstate", None) if known else "XX000",
                "message": (getattr(failure, "raw_msg", None) or str(failure))
                if known
                else f"{type(failure).__name__}: {failure}",
                "query_id": getattr(failure, "sfqid", None),
                "query": getattr(failure, "query", None),
            }
        }
    )
