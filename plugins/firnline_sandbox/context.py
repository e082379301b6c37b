"""What a handler has at hand while it carries out one statement."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, BinaryIO

from firnline_sandbox.dispatch import find_handler
from firnline_sandbox.errors import missing_object, missing_session_context
from firnline_sandbox.statements.scanner import Scanner, leading_words, split_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb
    import pyarrow as pa

    from firnline_sandbox.catalog import Catalog, Table
    from firnline_sandbox.connection import SandboxConnection
    from firnline_sandbox.engine import SandboxEngine
    from firnline_sandbox.result import Result
    from firnline_sandbox.surroundings import StatementSurroundings
    from firnline_sandbox.transaction import Transaction


class Context:
    """One statement's session, catalog, DuckDB cursor and binds (see ``registry.StatementContext``)."""

    def __init__(
        self,
        connection: SandboxConnection,
        cursor: duckdb.DuckDBPyConnection,
        *,
        query_id: str,
        params: Sequence[Any] = (),
        file_stream: BinaryIO | None = None,
        transaction: Transaction | None = None,
        may_stream: bool = False,
        home: tuple[str, str] | None = None,
    ) -> None:
        self.connection = connection
        self.duckdb = cursor
        self.query_id = query_id
        self.params = params
        self.file_stream = file_stream
        self.may_stream = may_stream
        self._transaction = transaction
        self._catalog = transaction.catalog if transaction is not None else connection.engine.catalog
        self._home = home
        self._registered: list[str] = []

    @property
    def engine(self) -> SandboxEngine:
        """The engine."""
        return self.connection.engine

    @property
    def catalog(self) -> Catalog:
        """The catalog as this statement's transaction sees it."""
        return self._catalog

    @property
    def session_id(self) -> int:
        """The session whose temporary objects this statement sees."""
        return self.connection.session_id

    @property
    def transaction(self) -> Transaction:
        """The writing transaction; only statements that write have one."""
        if self._transaction is None:
            raise RuntimeError("a statement that was registered as only reading tried to write")
        return self._transaction

    @property
    def surroundings(self) -> StatementSurroundings:
        """What the translator asks."""
        from firnline_sandbox.surroundings import StatementSurroundings

        return StatementSurroundings(self)

    def scanner(self, sql: str) -> Scanner:
        """Read a statement with this statement's binds."""
        return Scanner(sql, self.params)

    def execute(self, sql: str, params: Sequence[Any] = ()) -> Result:
        """Run Snowflake SQL in this session and transaction, without an entry in the query history."""
        handler, writes = find_handler(sql, leading_words(sql))
        if writes:
            self.transaction  # noqa: B018 (raises in a statement that only reads)
        inner = Context(
            self.connection,
            self.duckdb,
            query_id=self.query_id,
            params=params,
            transaction=self._transaction,
            home=self._home,
        )
        try:
            return handler(inner, sql)
        finally:
            inner.release()

    def at(self, home: tuple[str, str]) -> Context:
        """Give the same context with another current schema (that of a view, for the names in its query)."""
        return self._copy(home)

    def _copy(self, home: tuple[str, str] | None) -> Context:
        inner = Context(
            self.connection,
            self.duckdb,
            query_id=self.query_id,
            params=self.params,
            transaction=self._transaction,
            home=home,
        )
        inner._registered = self._registered
        return inner

    def with_params(self, params: Sequence[Any]) -> Context:
        """Give the same context with other binds (those of a part of the statement)."""
        inner = self._copy(self._home)
        inner.params = params
        return inner

    # -- names

    @property
    def home(self) -> tuple[str | None, str | None]:
        """The database and schema in which partial names are looked up."""
        return self._home or (self.connection.database, self.connection.schema)

    def resolve(self, name: str) -> tuple[str, str, str]:
        """Split a possibly quoted, possibly partial name into database, schema and name, with the session's defaults."""
        return self.qualify(split_name(name))

    def qualify(self, parts: Sequence[str]) -> tuple[str, str, str]:
        """Complete a name's parts with the current database and schema.

        Raises:
            ProgrammingError: 90105, the name is partial and the session has no current database or schema.
        """
        database, schema = self.home
        match tuple(parts):
            case (name,):
                if database is None or schema is None:
                    raise missing_session_context()
                return database, schema, name
            case (other_schema, name):
                if database is None:
                    raise missing_session_context()
                return database, other_schema, name
            case (other_database, other_schema, name):
                return other_database, other_schema, name
            case _:
                raise missing_object("object", ".".join(parts))

    def qualify_schema(self, parts: Sequence[str]) -> tuple[str, str]:
        """Complete a schema's name with the current database."""
        database, _ = self.home
        if len(parts) == 2:
            return parts[0], parts[1]
        if database is None or len(parts) != 1:
            raise missing_session_context()
        return database, parts[0]

    def table(self, parts: Sequence[str]) -> Table:
        """Find a table.

        Raises:
            ProgrammingError: 2003, there is none; 2, the name is a view's, which cannot be written to.
        """
        from firnline_sandbox.catalog import Table
        from firnline_sandbox.errors import not_a_table

        full = self.qualify(parts)
        found = self.catalog.find_relation(full, self.session_id)
        if found is None:
            raise missing_object("table", ".".join(full))
        if not isinstance(found, Table):
            raise not_a_table(".".join(full))
        return found

    # -- data of Python's

    def register(self, table: pa.Table) -> str:
        """Make an Arrow table readable in this statement's DuckDB SQL, and return its name there."""
        name = f"arrow_{uuid.uuid4().hex}"
        self.duckdb.register(name, table)
        self._registered.append(name)
        return f'"{name}"'

    def finish(self) -> None:
        """Hand back the cursor of a streamed result, when its rows have been read or nobody wants them."""
        if self._registered or self.engine.closed:
            self.engine.give_cursor(self.duckdb, reusable=False)
        else:
            self.engine.give_cursor(self.duckdb)

    def release(self) -> None:
        """Forget what was registered, when the statement's rows have been read."""
        for name in self._registered:
            self.duckdb.unregister(name)
        self._registered.clear()
