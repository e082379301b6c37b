"""An opened Snowflake account. This module imports the connector; the Snowpark client comes with the first session."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from snowflake.connector.errors import Error as SnowflakeError

from firnline.errors import PlatformError
from firnline_snowpark.columns import quoted
from firnline_snowpark.literals import literal
from firnline_snowpark.object_names import split_name

if TYPE_CHECKING:
    from snowflake.snowpark import Session

    from firnline_snowpark.platform_params import SnowflakeParams

Connect: TypeAlias = Callable[[], Any]


def connect_account(name: str, params: SnowflakeParams) -> SnowflakeAccount:
    """Open the account behind a connection of connections.toml."""
    import snowflake.connector

    given = {
        "database": params.database,
        "schema": params.schema_name,
        "warehouse": params.warehouse,
        "role": params.role,
    }
    options = {option: value for option, value in given.items() if value is not None}

    def connect() -> Any:
        try:
            return snowflake.connector.connect(connection_name=name, **options)
        except SnowflakeError as error:
            raise PlatformError(
                f"Snowflake refuses the connection {name!r}: {error.msg or error}",
                hint=f"look at [{name}] in connections.toml; `snow connection test -c {name}` tries it alone",
            ) from error

    return SnowflakeAccount(connect)


class SnowflakeAccount:
    """Tables, views and sessions of one schema of an account. Each session has a connection of its own."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._connection = connect()
        self._sessions: weakref.WeakSet[Session] = weakref.WeakSet()
        database, schema = self._connection.database, self._connection.schema
        if not database or not schema:
            self._connection.close()
            raise PlatformError(
                "the connection names no database and schema that exist and that its role may use",
                hint="set platform.database and platform.schema_name, and create the schema if it is not there yet",
            )
        self._schema = f"{quoted(database)}.{quoted(schema)}"

    def session(self, query_tag: str) -> Session:
        """Return a session on a connection of its own."""
        from snowflake.snowpark import Session

        session: Session = Session.builder.configs({"connection": self._connect()}).create()
        session.query_tag = query_tag
        with self._lock:
            self._sessions.add(session)
        return session

    def schema(self) -> str:
        """Return the schema of the connection, quoted."""
        return self._schema

    def missing(self, tables: Collection[str]) -> frozenset[str]:
        """Ask each schema once."""
        by_schema: dict[tuple[str, ...], dict[str, str]] = {}
        for table in tables:
            *place, name = split_name(table)
            by_schema.setdefault(tuple(place), {})[name] = table
        absent: set[str] = set()
        for (database, schema), names in by_schema.items():
            found = self._rows(
                f"SELECT TABLE_NAME FROM {quoted(database)}.INFORMATION_SCHEMA.TABLES "  # noqa: S608 (all quoted)
                f"WHERE TABLE_SCHEMA = {literal(schema)} AND TABLE_NAME IN ({', '.join(map(literal, names))})"
            )
            there = {row[0] for row in found}
            absent |= {table for name, table in names.items() if name not in there}
        return frozenset(absent)

    def table_state(self, table: str) -> str:
        """Return when the table last changed, as Snowflake counts it."""
        [row] = self._rows(f"SELECT SYSTEM$LAST_CHANGE_COMMIT_TIME({literal(table)})")
        return str(row[0])

    def publish(self, name: str, table: str) -> None:
        """Put a view in front of the table: readers of the view see the old rows or the new ones, never a mixture."""
        view = f"{self._schema}.{quoted(name)}"
        self._rows(f"CREATE OR REPLACE VIEW {view} AS SELECT * FROM {table}")  # noqa: S608 (both quoted)

    def discard(self, tables: Collection[str]) -> None:
        """Drop the tables that are there."""
        for table in sorted(tables):
            self._rows(f"DROP TABLE IF EXISTS {table}")

    def close(self) -> None:
        """Cancel what runs in the sessions that nobody closed, then close everything."""
        with self._lock:
            sessions, self._sessions = list(self._sessions), weakref.WeakSet()
        for session in sessions:
            session.close()  # which cancels its queries first
        self._connection.close()

    def _rows(self, sql: str) -> Sequence[Sequence[Any]]:
        """Run one statement on the platform's own connection, one at a time."""
        try:
            with self._lock, self._connection.cursor() as cursor:
                rows: Sequence[Sequence[Any]] = cursor.execute(sql).fetchall()
                return rows
        except SnowflakeError as error:
            raise PlatformError(f"Snowflake refuses: {error.msg or error}", hint=f"the statement was: {sql}") from error
