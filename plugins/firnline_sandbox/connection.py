"""A session of the sandbox in the shape of the connector's SnowflakeConnection.

Snowpark and the connector's own tools (``write_pandas``) use it in the real connection's place.
"""

from __future__ import annotations

import concurrent.futures
import getpass
import re
import threading
from typing import TYPE_CHECKING, Any, Final, Self

from firnline_sandbox import parameters
from firnline_sandbox.catalog.storage import DEFAULT_DATABASE, DEFAULT_SCHEMA, DEFAULT_WAREHOUSE
from firnline_sandbox.errors import closed_connection
from firnline_sandbox.history import new_query_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from snowflake.connector.constants import QueryStatus

    from firnline_sandbox.cursor import SandboxCursor
    from firnline_sandbox.engine import SandboxEngine
    from firnline_sandbox.execution import SessionTransaction
    from firnline_sandbox.runner import Runner
    from firnline_sandbox.tasks.objects import Task
    from firnline_sandbox.tasks.runs import TaskRun

ACCOUNT: Final = "SANDBOX"
ROLE: Final = "ACCOUNTADMIN"
VERSION: Final = "9.40.0"  # what CURRENT_VERSION answers: clients compare it
_REMEMBERED_QUERIES: Final = 1_000
_ASYNC_WORKERS: Final = 8
_LAST_QUERY_ID: Final = re.compile(r"LAST_QUERY_ID\((-?\d+)\)")


class NoTelemetry:
    """Takes what the clients would report to Snowflake, and drops it."""

    enabled = False

    def try_add_log_to_batch(self, *_: Any, **__: Any) -> None:
        """Drop it."""

    def send_batch(self, *_: Any, **__: Any) -> None:
        """Send nothing."""

    def close(self, *_: Any, **__: Any) -> None:
        """Nothing is open."""


class SandboxConnection:
    """One session: its current names, parameters, variables, transaction and temporary objects.

    May be used by several threads at once.
    """

    expired = False
    rest = None
    host = "localhost"
    port = 0
    is_pyformat = False
    messages: tuple[Any, ...] = ()

    def __init__(
        self,
        engine: SandboxEngine,
        *,
        database: str | None = DEFAULT_DATABASE,
        schema: str | None = DEFAULT_SCHEMA,
        warehouse: str | None = DEFAULT_WAREHOUSE,
        role: str | None = ROLE,
        user: str | None = None,
        account: str = ACCOUNT,
        paramstyle: str = "pyformat",
        session_parameters: dict[str, Any] | None = None,
        owns_engine: bool = False,
        application: str = "Firnline",
        session_id: int | None = None,
        runner: Callable[[SandboxConnection], Runner] | None = None,
    ) -> None:
        self.engine = engine
        self.session_id = engine.next_session_id() if session_id is None else session_id
        self.database = database and database.upper()
        self.schema = schema and schema.upper()
        self.warehouse = warehouse and warehouse.upper()
        self.role = role and role.upper()
        self.user = (user or getpass.getuser()).upper()
        self.account = account
        self.application = application
        self.lock = threading.RLock()
        self.transaction: SessionTransaction | None = None
        self.query_ids: list[str] = []
        self.variables: dict[str, Any] = {}
        self._parameters: dict[str, Any] = {}
        self._owns_engine = owns_engine
        self._closed = False
        self.task: tuple[Task, TaskRun] | None = None
        """The task that runs in this session, if one does."""
        self.refreshes = ""
        """Why dynamic tables are refreshed in this session, if nobody asked for it."""
        self._pending: dict[str, concurrent.futures.Future[None]] = {}
        self._executor: concurrent.futures.ThreadPoolExecutor | None = None
        self._paramstyle = paramstyle
        self._telemetry = NoTelemetry()
        self._conn_parameters: dict[str, Any] = {}
        self.arrow_number_to_decimal = False
        """Whether NUMBER columns with a scale come out of Arrow as decimals instead of floats."""
        # Snowpark reads these; the first one gives each thread a cursor of its own.
        self._session_parameters: dict[str, Any] = {"PYTHON_SNOWPARK_ENABLE_THREAD_SAFE_SESSION": True}
        for name, value in (session_parameters or {}).items():
            self._parameters[name.upper()] = parameters.checked(name.upper(), value)
        self.runner = _local_runner(self) if runner is None else runner(self)
        self.runner.open()

    # -- what clients call

    def cursor(self, cursor_class: type | None = None) -> SandboxCursor:
        """Give a cursor; with the connector's DictCursor as ``cursor_class``, rows are dictionaries."""
        from snowflake.connector import DictCursor

        from firnline_sandbox.cursor import SandboxCursor

        self.check_open()
        return SandboxCursor(self, as_dictionaries=cursor_class is not None and issubclass(cursor_class, DictCursor))

    def execute_string(self, sql_text: str, **_: Any) -> Iterable[SandboxCursor]:
        """Run several statements, one after the other."""
        from firnline_sandbox.translate import split_statements

        return [self.cursor().execute(statement) for statement in split_statements(sql_text)]

    def commit(self) -> None:
        """Commit the open transaction."""
        self.runner.end_transaction(commit=True)

    def rollback(self) -> None:
        """Roll back the open transaction."""
        self.runner.end_transaction(commit=False)

    def autocommit(self, mode: bool) -> None:
        """Set AUTOCOMMIT."""
        self.set_parameter("AUTOCOMMIT", mode)

    def is_closed(self) -> bool:
        """Say whether the session has ended."""
        return self._closed

    def close(self, *_: Any, **__: Any) -> None:
        """End the session: running queries stop, an open transaction is rolled back, temporary objects go."""
        with self.lock:
            if self._closed:
                return
            self._closed = True
        self.runner.interrupt()
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)
        self.runner.end()
        if self._owns_engine:
            self.engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def check_open(self) -> None:
        """Raise 8002 when the session has ended."""
        if self._closed:
            raise closed_connection()

    # -- parameters and names

    def parameter(self, name: str) -> Any:
        """Give a session parameter's value."""
        return self._parameters.get(name, parameters.DEFAULTS.get(name))

    def set_parameter(self, name: str, value: Any) -> None:
        """Set a session parameter; refused unless the sandbox obeys it, or it has no effect here."""
        self._parameters[name] = parameters.checked(name, value)

    def unset_parameter(self, name: str) -> None:
        """Set a session parameter back to its default."""
        self._parameters.pop(name, None)

    def set_parameters(self) -> dict[str, Any]:
        """List the parameters that were set in this session."""
        return dict(self._parameters)

    @property
    def lock_timeout_s(self) -> float:
        """How long a writing statement waits for another session's transaction."""
        return float(self.parameter("LOCK_TIMEOUT"))

    @property
    def arrow_number_to_decimal_setter(self) -> bool:
        """The same as :attr:`arrow_number_to_decimal`; the connector has it under this name too, to be set."""
        return self.arrow_number_to_decimal

    @arrow_number_to_decimal_setter.setter
    def arrow_number_to_decimal_setter(self, value: bool) -> None:
        self.arrow_number_to_decimal = value

    def use(self, database: str | None, schema: str | None) -> None:
        """Make a database and schema the current ones."""
        self.database, self.schema = database, schema

    def note_query(self, query_id: str) -> None:
        """Remember a query for LAST_QUERY_ID."""
        with self.lock:
            self.query_ids.append(query_id)
            del self.query_ids[:-_REMEMBERED_QUERIES]

    def session_value(self, name: str, home: tuple[str | None, str | None]) -> str | None:
        """Answer CURRENT_DATABASE and the like."""
        match name.upper():
            case "CURRENT_DATABASE":
                return home[0]
            case "CURRENT_SCHEMA":
                return home[1]
            case "CURRENT_ROLE" | "CURRENT_AVAILABLE_ROLES":
                return self.role
            case "CURRENT_WAREHOUSE":
                return self.warehouse
            case "CURRENT_USER":
                return self.user
            case "CURRENT_ACCOUNT" | "CURRENT_ACCOUNT_NAME" | "CURRENT_ORGANIZATION_NAME":
                return self.account
            case "CURRENT_REGION":
                return "LOCAL"
            case "CURRENT_SESSION":
                return str(self.session_id)
            case "CURRENT_VERSION":
                return VERSION
            case "CURRENT_CLIENT":
                return self.application
            case "CURRENT_TRANSACTION":
                return None if self.transaction is None else str(id(self.transaction))
            case "CURRENT_TIMESTAMP":
                return self.engine.clock.moved()
            case "LAST_QUERY_ID":
                return self._query_id(-1)
            case _ if found := _LAST_QUERY_ID.fullmatch(name.upper()):
                return self._query_id(int(found[1]))
            case _:
                return None

    def _query_id(self, place: int) -> str | None:
        """Give an earlier query of this session: counted from the first (1, 2 …) or the last (-1, -2 …)."""
        index = place - 1 if place > 0 else place
        with self.lock:
            return self.query_ids[index] if place and -len(self.query_ids) <= index < len(self.query_ids) else None

    # -- queries that run in the background

    def start(self, statements: Sequence[str], params: Sequence[Any], *, keeps_transaction: bool) -> str:
        """Run statements in the background under one query id."""
        query_id = new_query_id()
        with self.lock:
            if self._executor is None:
                self._executor = concurrent.futures.ThreadPoolExecutor(_ASYNC_WORKERS, "firnline-sandbox")
            self._pending[query_id] = self._executor.submit(
                self._run_in_background, query_id, statements, params, keeps_transaction
            )
        return query_id

    def _run_in_background(
        self, query_id: str, statements: Sequence[str], params: Sequence[Any], keeps_transaction: bool
    ) -> None:
        if len(statements) == 1:
            self.runner.run(statements[0], params, query_id=query_id, keeps_transaction=keeps_transaction)
            return
        self.runner.run_several(statements, params, query_id=query_id)

    def wait(self, query_id: str) -> None:
        """Wait until a background query has ended, well or badly."""
        pending = self._pending.get(query_id)
        if pending is not None:
            concurrent.futures.wait([pending])

    def get_query_status(self, query_id: str) -> QueryStatus:
        """Say how far a query is."""
        from snowflake.connector.constants import QueryStatus

        pending = self._pending.get(query_id)
        if pending is not None and not pending.done():
            return QueryStatus.RUNNING
        status = self.runner.status(query_id)
        return QueryStatus.NO_DATA if status is None else QueryStatus[status]

    def get_query_status_throw_if_error(self, query_id: str) -> QueryStatus:
        """Say how far a query is; raise its error if it failed."""
        status = self.get_query_status(query_id)
        outcome = self.runner.outcome(query_id)
        if isinstance(outcome, Exception):
            raise outcome
        return status

    @staticmethod
    def is_still_running(status: QueryStatus) -> bool:
        """Say whether a status means that the query goes on."""
        return status.name in {"RUNNING", "NO_DATA"}

    @staticmethod
    def is_an_error(status: QueryStatus) -> bool:
        """Say whether a status means that the query failed."""
        return status.name in {"FAILED_WITH_ERROR", "ABORTED", "FAILED_WITH_INCIDENT"}


def _local_runner(connection: SandboxConnection) -> Runner:
    from firnline_sandbox.runner import LocalRunner  # it imports DuckDB, which a connection to a server can do without

    return LocalRunner(connection.engine, connection)
