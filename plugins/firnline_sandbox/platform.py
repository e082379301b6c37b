"""The sandbox as a platform: sessions of one engine, tables and views of one schema."""

from __future__ import annotations

import contextlib
import threading
import weakref
from typing import TYPE_CHECKING, Final, Self

import duckdb

from firnline.errors import PlatformError
from firnline_sandbox.catalog.storage import DEFAULT_DATABASE, DEFAULT_SCHEMA, StoredCatalogError
from firnline_sandbox.locks import SandboxBusyError
from firnline_sandbox.sessions import open_sandbox
from firnline_sandbox.statements.scanner import split_name

if TYPE_CHECKING:
    from collections.abc import Collection

    from snowflake.snowpark import Session

    from firnline_sandbox.connection import SandboxConnection
    from firnline_sandbox.engine import SandboxEngine
    from firnline_sandbox.server.remote import RemoteEngine

_HOME: Final = (DEFAULT_DATABASE, DEFAULT_SCHEMA)


class SandboxPlatform:
    """An opened sandbox, in this process or another one. Opening it imports no Snowflake client; a session does."""

    def __init__(self, engine: SandboxEngine | RemoteEngine) -> None:
        self._engine = engine
        self._own_connection: SandboxConnection | None = None
        self._sessions: weakref.WeakSet[Session] = weakref.WeakSet()
        self._lock = threading.Lock()

    @classmethod
    def open(cls, place: str, *, wait_s: float) -> Self:
        """Open the sandbox in a folder, or a fresh one in memory.

        Raises:
            PlatformError: another process has it and lets nobody in, or it cannot be read.
        """
        try:
            return cls(open_sandbox(place, timeout_s=wait_s))
        except SandboxBusyError as error:
            raise PlatformError(
                str(error), hint="wait for that run to end, or take another folder: platform.path=FOLDER"
            ) from error
        except (StoredCatalogError, OSError, duckdb.Error) as error:
            raise PlatformError(
                f"the sandbox in {place} cannot be opened: {error}",
                hint="take another folder with platform.path=FOLDER, or remove this one: it is made anew",
            ) from error

    def session(self, query_tag: str) -> Session:
        """Return a Snowpark session of its own on the shared engine."""
        from firnline_sandbox.sessions import snowpark_session

        connection = self._engine.connect(paramstyle="qmark", session_parameters={"QUERY_TAG": query_tag})
        session = snowpark_session(connection)
        with self._lock:
            self._sessions.add(session)
        return session

    def schema(self) -> str:
        """Return the schema in which stages make their tables."""
        return ".".join(_HOME)

    def missing(self, tables: Collection[str]) -> frozenset[str]:
        """Look the tables up in the catalog."""
        return frozenset(table for table in tables if self._state(table) is None)

    def table_state(self, table: str) -> str:
        """Return the number of the table's last change; of a view, the text of its query.

        Raises:
            PlatformError: there is no such table.
        """
        state = self._state(table)
        if state is None:
            raise PlatformError(
                f"there is no table {table} in the sandbox", hint="`firnline sandbox sql 'SHOW TABLES'` lists them"
            )
        return state

    def publish(self, name: str, table: str) -> None:
        """Put a view in front of the table: readers see the old rows or the new ones, never a mixture."""
        quoted = name.replace('"', '""')
        view = f'{self.schema()}."{quoted}"'
        self._run(f"CREATE OR REPLACE VIEW {view} AS SELECT * FROM {table}")  # noqa: S608 (both quoted)

    def discard(self, tables: Collection[str]) -> None:
        """Drop the tables that are there."""
        for table in sorted(tables):
            self._run(f"DROP TABLE IF EXISTS {table}")

    def close(self) -> None:
        """Cancel what runs, close the sessions that nobody closed, and let go of the folder."""
        with self._lock:
            sessions, self._sessions = list(self._sessions), weakref.WeakSet()
        for session in sessions:
            with contextlib.suppress(duckdb.Error):  # its cursor may be gone already
                session.close()
        if self._own_connection is not None:
            self._own_connection.close()
        self._engine.close()

    def _state(self, table: str) -> str | None:
        parts = split_name(table)
        database, schema, name = (*_HOME[: 3 - len(parts)], *parts)
        return self._engine.relation_state((database, schema, name))

    def _run(self, sql: str) -> None:
        with self._lock:
            if self._own_connection is None:
                self._own_connection = self._engine.connect()
            connection = self._own_connection
        connection.runner.run(sql)
