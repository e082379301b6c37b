"""The Snowflake connector's HTTP protocol: what its clients ask, and the answers in the form that they expect.

Errors are answered with status 200 and ``success: false``: the clients repeat a request that is answered otherwise.
"""

from __future__ import annotations

import concurrent.futures
import re
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import duckdb
from snowflake.connector.errors import Error

from firnline_sandbox.catalog.storage import DEFAULT_DATABASE, DEFAULT_SCHEMA, DEFAULT_WAREHOUSE
from firnline_sandbox.connection import ROLE, VERSION
from firnline_sandbox.errors import from_duckdb
from firnline_sandbox.server.connector_next import refusal
from firnline_sandbox.server.connector_session import ConnectorSession
from firnline_sandbox.server.endpoint import HOST
from firnline_sandbox.server.web import RefusedError, Response
from firnline_sandbox.statements.words import leading_words

if TYPE_CHECKING:
    from firnline_sandbox.server.host import Host
    from firnline_sandbox.server.web import Request

SESSION_S: Final = 3600
MASTER_S: Final = 4 * 3600
ANSWER_S: Final = 30.0  # after that long a client is told to ask again: it would give up waiting
_HANG_UP_S: Final = 5.0

_WRONG_LOGIN: Final = "390100"
_NO_SESSION: Final = "390111"
_EXPIRED: Final = "390112"
_NO_MASTER: Final = "390115"
_INTERNAL: Final = "000603"
_RUNNING: Final = "333333"
_RUNNING_DETACHED: Final = "333334"

_PARAMETERS: Final = (
    {"name": "AUTOCOMMIT", "value": True},
    {"name": "CLIENT_STAGE_ARRAY_BINDING_THRESHOLD", "value": 0},
    {"name": "CLIENT_TELEMETRY_ENABLED", "value": False},
    {"name": "CLIENT_SESSION_KEEP_ALIVE", "value": False},
    {"name": "PYTHON_SNOWPARK_ENABLE_THREAD_SAFE_SESSION", "value": True},
    {"name": "PYTHON_CONNECTOR_QUERY_RESULT_FORMAT", "value": "arrow"},
)


@dataclass(slots=True, kw_only=True)
class _Login:
    session: ConnectorSession
    master: str
    tokens: dict[str, float] = field(default_factory=dict)
    gone_since: float | None = None


class ConnectorFront:
    """Answers the connector."""

    def __init__(self, host: Host, *, session_s: float = SESSION_S) -> None:
        self._host = host
        self.session_s = session_s
        self._lock = threading.Lock()
        self._logins: list[_Login] = []

    @property
    def count(self) -> int:
        """How many sessions there are."""
        return len(self._logins)

    def answer(self, request: Request) -> Response:
        """Answer one request.

        Raises:
            RefusedError: there is no such path.
        """
        try:
            return self._answer(request)
        except RefusedError:
            raise
        except Exception as failure:  # noqa: BLE001 (whatever it is, the client is told; else it would ask again for ever)
            return Response.json(_failure(_INTERNAL, f"Internal error: {type(failure).__name__}: {failure}"))

    def _answer(self, request: Request) -> Response:
        if found := re.fullmatch(r"/chunks/([\w-]+)/(\d{1,9})", request.path):
            return self._chunk(found[1], int(found[2]))
        match request.path:
            case "/session/v1/login-request":
                return Response.json(self._login(request))
            case "/session/token-request":
                return Response.json(self._renew(request))
            case "/telemetry/send":
                return Response.json(_success({}))
        login = self._find(request.token)
        if login is None:
            return Response.json(_failure(_NO_SESSION, "Session no longer exists. New login required."))
        if login.tokens[request.token] < time.monotonic():
            return Response.json(_failure(_EXPIRED, "Session token has expired. Renew it."))
        login.session.last_used = time.monotonic()
        with self._lock:
            login.session.callers.add(request.caller)
            login.gone_since = None
        return self._in_session(login, request)

    def _in_session(self, login: _Login, request: Request) -> Response:
        session = login.session
        match request.path:
            case "/session":
                if request.query.get("delete") == "true":
                    self._end(login)
                return Response.json(_success(None))
            case "/session/heartbeat":
                return Response.json(_success(None))
            case "/queries/v1/query-request":
                return Response.json(self._query(session, request))
            case "/queries/v1/abort-request":
                session.abort(str(request.json().get("requestId", "")))
                return Response.json(_success(None))
        if found := re.fullmatch(r"/queries/([\w-]+)/result", request.path):
            return Response.json(self._result(session, found[1]))
        if found := re.fullmatch(r"/queries/([\w-]+)/abort-request", request.path):
            session.cancel(found[1])
            return Response.json(_success(None))
        if found := re.fullmatch(r"/monitoring/queries/([\w-]+)", request.path):
            return Response.json(_success({"queries": _monitored(session, found[1])}))
        raise RefusedError(404, f"the sandbox's server has no {request.path}")

    # -- logging in and out

    def _login(self, request: Request) -> dict[str, Any]:
        data = request.json().get("data") or {}
        wanted = self._host.endpoint.token.encode()
        is_right = False
        for given in (data.get("PASSWORD"), data.get("TOKEN")):
            is_right |= secrets.compare_digest(str(given or "").encode(errors="replace"), wanted)
        if not is_right:
            return _failure(_WRONG_LOGIN, "Incorrect username or password was specified.")
        if reason := refusal(data):
            return _failure(_WRONG_LOGIN, reason)
        if self._host.gate.is_closed:
            return _failure(_WRONG_LOGIN, "The sandbox's server is being stopped.")
        try:
            connection = self._host.engine.connect(
                user=str(data.get("LOGIN_NAME") or "") or None,
                account=str(data.get("ACCOUNT_NAME") or "SANDBOX").upper(),
                session_parameters=data.get("SESSION_PARAMETERS") or {},
                paramstyle="qmark",
                **_names(request.query),
            )
        except Error as failure:
            return _error(failure)
        login = _Login(session=ConnectorSession(connection, self._host.engine.folder), master=secrets.token_urlsafe(32))
        with self._lock:
            self._logins.append(login)
        return _success(
            {
                **self._tokens(login),
                "token": next(iter(login.tokens)),
                "sessionId": connection.session_id,
                "serverVersion": VERSION,
                "displayUserName": connection.user,
                "parameters": [*_PARAMETERS, {"name": "TIMEZONE", "value": connection.parameter("TIMEZONE")}],
                "sessionInfo": {
                    "databaseName": connection.database,
                    "schemaName": connection.schema,
                    "warehouseName": connection.warehouse,
                    "roleName": connection.role,
                },
            }
        )

    def _tokens(self, login: _Login) -> dict[str, Any]:
        token = secrets.token_urlsafe(32)
        with self._lock:
            login.tokens[token] = time.monotonic() + self.session_s
            while len(login.tokens) > 10:
                login.tokens.pop(next(iter(login.tokens)))
        return {
            "sessionToken": token,
            "validityInSecondsST": self.session_s,
            "validityInSeconds": self.session_s,
            "masterToken": login.master,
            "validityInSecondsMT": MASTER_S,
            "masterValidityInSeconds": MASTER_S,
        }

    def _renew(self, request: Request) -> dict[str, Any]:
        with self._lock:
            logins = list(self._logins)
        for login in logins:
            if request.has_token(login.master):
                return _success(self._tokens(login) | {"sessionId": login.session.connection.session_id})
        return _failure(_NO_MASTER, "Master token is invalid.")

    def _find(self, token: str) -> _Login | None:
        with self._lock:
            return next((login for login in self._logins if token in login.tokens), None)

    def _end(self, login: _Login) -> None:
        with self._lock:
            if login not in self._logins:
                return
            self._logins.remove(login)
        login.session.end()

    def hung_up(self, caller: int) -> None:
        """Note that a caller's connection is closed."""
        now = time.monotonic()
        with self._lock:
            for login in self._logins:
                if caller in login.session.callers:
                    login.session.callers.discard(caller)
                    if not login.session.callers:
                        login.gone_since = now

    def end_idle_sessions(self) -> None:
        """Roll back for clients that hung up in the middle of a transaction; end sessions that nobody has used."""
        now = time.monotonic()
        with self._lock:
            logins = list(self._logins)
        for login in logins:
            if now - login.session.last_used > MASTER_S:
                self._end(login)
            elif login.gone_since is not None and now - login.gone_since > _HANG_UP_S:
                login.session.lose_transaction()

    def break_off(self) -> None:
        """Stop what is running."""
        with self._lock:
            logins = list(self._logins)
        for login in logins:
            login.session.connection.runner.interrupt()

    def close(self) -> None:
        """End all sessions."""
        with self._lock:
            logins = list(self._logins)
        for login in logins:
            self._end(login)

    # -- statements

    def _query(self, session: ConnectorSession, request: Request) -> dict[str, Any]:
        body = request.json()
        text = str(body.get("sqlText", ""))
        words = leading_words(text)
        try:
            if words and words[0] in {"PUT", "GET"}:
                return _success(session.transfer(text, body))
            if body.get("describeOnly"):
                return _success(session.describe(text, body))
            query_id = session.start(request.query.get("requestId", ""), body)
        except Error as failure:
            return _error(failure)
        except duckdb.Error as failure:
            return _error(from_duckdb(failure))
        if body.get("asyncExec"):
            return _still_running(_RUNNING_DETACHED, query_id)
        return self._result(session, query_id)

    def _result(self, session: ConnectorSession, query_id: str) -> dict[str, Any]:
        try:
            query = session.find(query_id)
            concurrent.futures.wait([query.future], ANSWER_S)
            if not query.future.done():
                return _still_running(_RUNNING, query_id)
            return _success(self._with_urls(query.data(query_id, session)))
        except concurrent.futures.CancelledError:
            return _failure("000604", "SQL execution canceled")
        except Error as failure:
            return _error(failure, query_id)
        except duckdb.Error as failure:
            return _error(from_duckdb(failure), query_id)

    def _with_urls(self, data: dict[str, Any]) -> dict[str, Any]:
        if "chunks" not in data:
            return data
        origin = f"http://{HOST}:{self._host.endpoint.port}"
        return data | {"chunks": [chunk | {"url": origin + chunk["url"]} for chunk in data["chunks"]]}

    def _chunk(self, key: str, number: int) -> Response:
        with self._lock:
            logins = list(self._logins)
        for login in logins:
            if found := login.session.files.find(key, number):
                return Response(file=found)
        raise RefusedError(404, "there is no such part of a result")


def _names(query: dict[str, str]) -> dict[str, Any]:
    database = query.get("databaseName") or DEFAULT_DATABASE
    return {
        "database": database,
        "schema": query.get("schemaName") or DEFAULT_SCHEMA,
        "warehouse": query.get("warehouse") or DEFAULT_WAREHOUSE,
        "role": query.get("roleName") or ROLE,
    }


def _monitored(session: ConnectorSession, query_id: str) -> list[dict[str, Any]]:
    status = session.status(query_id)
    if status is None:
        return []
    shown: dict[str, Any] = {"id": query_id, "status": status, "state": status, "errorCode": "", "errorMessage": ""}
    outcome = session.connection.runner.outcome(query_id)
    if isinstance(outcome, Exception):
        shown["errorMessage"] = getattr(outcome, "raw_msg", None) or str(outcome)
        shown["errorCode"] = f"{getattr(outcome, 'errno', None) or 603:06d}"
    return [shown]


def _success(data: Any) -> dict[str, Any]:
    return {"data": data, "code": None, "message": None, "success": True}


def _failure(code: str, message: str, data: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"data": data or {}, "code": code, "message": message, "success": False}


def _still_running(code: str, query_id: str) -> dict[str, Any]:
    data = {
        "queryId": query_id,
        "getResultUrl": f"/queries/{query_id}/result",
        "queryAbortsAfterSecs": 300,
        "progressDesc": None,
    }
    return {"data": data, "code": code, "message": "Query execution in progress.", "success": True}


def _error(failure: Error, query_id: str | None = None) -> dict[str, Any]:
    code = f"{failure.errno or 603:06d}"
    data = {
        "errorCode": code,
        "sqlState": failure.sqlstate,
        "queryId": failure.sfqid or query_id,
        "internalError": False,
    }
    return _failure(code, failure.raw_msg or failure.msg or str(failure), data)
