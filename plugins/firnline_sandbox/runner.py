"""Where a session's statements run: in this process's engine (here), or in another process (``server.remote``)."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from firnline_sandbox import execution
from firnline_sandbox.errors import missing_context
from firnline_sandbox.statements.removal import remove_temporary_objects

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from firnline_sandbox.connection import SandboxConnection
    from firnline_sandbox.engine import SandboxEngine
    from firnline_sandbox.result import Result
    from firnline_sandbox.types import Column


class Runner(Protocol):
    """What a connection and its cursors need of the place where statements run."""

    def open(self) -> None:
        """Check the names with which the session starts."""

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

    def run_several(
        self, statements: Sequence[str], params: Sequence[Any], *, query_id: str | None = None
    ) -> tuple[str, tuple[str, ...]]:
        """Carry out statements under one id; give it and their own."""

    def describe(self, sql: str, params: Sequence[Any]) -> tuple[str, tuple[Column, ...]]:
        """Give the columns that a statement would return."""

    def outcome(self, query_id: str) -> Result | Exception | None:
        """Give an earlier query's result or error."""

    def parts(self, query_id: str) -> tuple[str, ...]:
        """List the statements of a multi-statement query."""

    def status(self, query_id: str) -> str | None:
        """Say how far a query is."""

    def cancel(self, query_id: str) -> bool:
        """Stop a running query."""

    def staged_file(self, location: str, *, decompress: bool) -> BinaryIO:
        """Open one file of a stage."""

    def end_transaction(self, *, commit: bool) -> None:
        """Commit or roll back the open transaction."""

    def interrupt(self) -> None:
        """Stop what the session has running."""

    def end(self) -> None:
        """End the session: its transaction is rolled back, its temporary objects go."""


class LocalRunner:
    """Runs a session's statements in the engine of this process."""

    def __init__(self, engine: SandboxEngine, connection: SandboxConnection) -> None:
        self._engine = engine
        self._connection = connection

    def open(self) -> None:
        """Check the names with which the session starts.

        Raises:
            ProgrammingError: 2043, the database or schema does not exist.
        """
        database, schema = self._connection.database, self._connection.schema
        if database is not None and self._engine.catalog.database(database) is None:
            raise missing_context(database)
        if database and schema and self._engine.catalog.schema(database, schema) is None:
            raise missing_context(f"{database}.{schema}")

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
        with self._tagged(query_tag):
            return execution.run(
                self._connection,
                sql,
                params,
                file_stream=file_stream,
                keeps_transaction=keeps_transaction,
                query_id=query_id,
            )

    def run_several(
        self, statements: Sequence[str], params: Sequence[Any], *, query_id: str | None = None
    ) -> tuple[str, tuple[str, ...]]:
        """Carry out statements under one id; give it and their own."""
        return execution.run_several(self._connection, statements, params, query_id=query_id)

    def describe(self, sql: str, params: Sequence[Any]) -> tuple[str, tuple[Column, ...]]:
        """Give the columns that a statement would return."""
        from firnline_sandbox.description import describe

        return describe(self._connection, sql, params)

    def outcome(self, query_id: str) -> Result | Exception | None:
        """Give an earlier query's result or error."""
        return self._engine.history.result(query_id)

    def parts(self, query_id: str) -> tuple[str, ...]:
        """List the statements of a multi-statement query."""
        return self._engine.history.parts(query_id)

    def status(self, query_id: str) -> str | None:
        """Say how far a query is."""
        record = self._engine.history.record(query_id)
        return None if record is None else record.status

    def cancel(self, query_id: str) -> bool:
        """Stop a running query."""
        found = self._engine.history.cancel(query_id)
        self._engine.write_lock.wake()
        return found

    def staged_file(self, location: str, *, decompress: bool) -> BinaryIO:
        """Open one file of a stage."""
        from firnline_sandbox.stages.transfer import open_stage_file

        return open_stage_file(self._connection, location, decompress=decompress)

    def end_transaction(self, *, commit: bool) -> None:
        """Commit or roll back the open transaction."""
        connection = self._connection
        with connection.lock:
            if connection.transaction is None:
                return
            if commit:
                connection.transaction.commit()
            else:
                connection.transaction.rollback()

    def interrupt(self) -> None:
        """Stop what the session has running."""
        self._engine.history.cancel_session(self._connection.session_id)
        self._engine.write_lock.wake()

    def end(self) -> None:
        """End the session: its transaction is rolled back, its temporary objects go."""
        if self._engine.closed:
            return
        self.end_transaction(commit=False)
        remove_temporary_objects(self._engine, self._connection.session_id)

    @contextlib.contextmanager
    def _tagged(self, query_tag: str | None) -> Iterator[None]:
        """Apply a statement's own QUERY_TAG while it runs."""
        if query_tag is None:
            yield
            return
        before = self._connection.parameter("QUERY_TAG")
        self._connection.set_parameter("QUERY_TAG", query_tag)
        try:
            yield
        finally:
            self._connection.set_parameter("QUERY_TAG", before)
