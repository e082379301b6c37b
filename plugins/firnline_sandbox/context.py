"""What a handler has at hand while it carries out one statement."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, BinaryIO

from firnline_sandbox.dispatch import find_handler
from firnline_sandbox.names import Names
from firnline_sandbox.statements.scanner import Scanner
from firnline_sandbox.statements.words import leading_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb
    import pyarrow as pa

    from firnline_sandbox.connection import SandboxConnection
    from firnline_sandbox.engine import SandboxEngine
    from firnline_sandbox.result import Result
    from firnline_sandbox.surroundings import StatementSurroundings
    from firnline_sandbox.transaction import Transaction


class Context(Names):
    """One statement's session, catalog, DuckDB cursor and binds."""

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
        super().__init__(
            connection, transaction.catalog if transaction is not None else connection.engine.catalog, home
        )
        self.duckdb = cursor
        self.query_id = query_id
        self.params = params
        self.file_stream = file_stream
        self.may_stream = may_stream
        self._transaction = transaction
        self._registered: list[str] = []
        self.reads: dict[str, int] | None = None
        """The tables and streams that queries read here, with their versions; None where nobody asks."""
        self.consumes_streams = transaction is not None
        """Whether a stream that is read here moves on when the transaction commits."""

    @property
    def engine(self) -> SandboxEngine:
        """The engine."""
        return self.connection.engine

    @property
    def writes(self) -> bool:
        """Say whether the statement writes, and so has a transaction."""
        return self._transaction is not None

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
        return Scanner(sql, self.params, self.connection.variables)

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
        inner.reads = self.reads
        inner.consumes_streams = self.consumes_streams
        return inner

    def peeking(self) -> Context:
        """Give the same context for reading that leaves streams where they are."""
        inner = self._copy(self._home)
        inner.consumes_streams = False
        return inner

    def with_params(self, params: Sequence[Any]) -> Context:
        """Give the same context with other binds (those of a part of the statement)."""
        inner = self._copy(self._home)
        inner.params = params
        return inner

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
            self.engine.cursors.give(self.duckdb, reusable=False)
        else:
            self.engine.cursors.give(self.duckdb)

    def release(self) -> None:
        """Forget what was registered, when the statement's rows have been read."""
        for name in self._registered:
            self.duckdb.unregister(name)
        self._registered.clear()
