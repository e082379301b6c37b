"""Carrying out one statement: finding its handler, its transaction and its DuckDB cursor, and keeping the history."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import duckdb

from firnline_sandbox.catalog import receipts
from firnline_sandbox.context import Context
from firnline_sandbox.dispatch import find_handler
from firnline_sandbox.errors import (
    empty_statement,
    from_duckdb,
    lost_transaction,
    timed_out,
)
from firnline_sandbox.history import QueryRecord, RunningQuery, new_query_id
from firnline_sandbox.result import Result
from firnline_sandbox.statements import registry
from firnline_sandbox.statements.secrets import without_secrets
from firnline_sandbox.statements.words import leading_words, lex
from firnline_sandbox.warehouses.usage import usage, warehouse_timeout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from firnline_sandbox.connection import SandboxConnection
    from firnline_sandbox.transaction import Transaction

# Statements that stay inside the session's open transaction; every other writing statement commits it first.
_TRANSACTIONAL: Final = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE", "COPY", "TRUNCATE"})
_TRANSACTION_CONTROL: Final = frozenset({"BEGIN", "START", "COMMIT", "ROLLBACK"})
_READ_ATTEMPTS: Final = 5
_LONGEST_TIMEOUT_S: Final = 7 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement, ready to be carried out."""

    connection: SandboxConnection
    sql: str
    params: Sequence[Any]
    words: tuple[str, ...]
    handler: Callable[[Any, str], Result]
    writes: bool
    keeps_transaction: bool
    file_stream: BinaryIO | None
    running: RunningQuery

    @property
    def commits(self) -> bool:
        """Say whether the statement ends an open transaction before it starts."""
        return self.writes and self.words[0] not in _TRANSACTIONAL and not self.keeps_transaction

    def receipt(self, result: Result) -> tuple[str, bytes] | None:
        """Give what is kept with the statement's changes, in case that its answer is lost."""
        answer = receipts.answer(self.running.query_id, result)
        return None if answer is None else (self.running.query_id, answer)

    def carry_out(
        self, cursor: duckdb.DuckDBPyConnection, transaction: Transaction | None = None, *, may_stream: bool = False
    ) -> Result:
        """Call the handler on a DuckDB cursor; what it registered there is gone afterwards."""
        context = Context(
            self.connection,
            cursor,
            query_id=self.running.query_id,
            params=self.params,
            file_stream=self.file_stream,
            transaction=transaction,
            may_stream=may_stream,
        )
        self.connection.engine.cursors.set_zone(cursor, str(self.connection.parameter("TIMEZONE")))
        with self.running.on(cursor):
            result = self.handler(context, self.sql)
        if not result.is_stream:
            context.release()
        return result


def run(
    connection: SandboxConnection,
    sql: str,
    params: Sequence[Any] = (),
    *,
    file_stream: BinaryIO | None = None,
    keeps_transaction: bool = False,
    query_id: str | None = None,
) -> tuple[str, Result]:
    """Carry out one statement of a session and note it in the history.

    Args:
        connection: the session.
        sql: one statement.
        params: the values of its binds.
        file_stream: what a PUT of a stream reads.
        keeps_transaction: DDL on a temporary object that must not commit the open transaction.
        query_id: the id to use; a new one if None.

    Raises:
        ProgrammingError: with Snowflake's number; its ``sfqid`` and ``query`` are set.
    """
    query_id = query_id or new_query_id()
    words = tuple(leading_words(sql))
    history = connection.engine.history
    running = history.start(_record(connection, query_id, sql, words))
    try:
        handler, writes = find_handler(sql, words)
        statement = Statement(
            connection=connection,
            sql=sql,
            params=params,
            words=words or ("(",),
            handler=handler,
            writes=writes,
            keeps_transaction=keeps_transaction,
            file_stream=file_stream,
            running=running,
        )
        with _time_limit(connection, running), usage(connection, running, sql, words):
            result = _carry_out(statement)
    except BaseException as failure:
        raised = _snowflake_error(failure, running)
        raised.sfqid = query_id  # type: ignore[attr-defined]
        raised.query = sql  # type: ignore[attr-defined]
        history.finish(query_id, raised if isinstance(raised, Exception) else RuntimeError("interrupted"))
        if raised is failure:
            raise
        raise raised from failure
    history.finish(query_id, result)
    connection.note_query(query_id)
    return query_id, result


def read_only(
    connection: SandboxConnection, sql: str, params: Sequence[Any], handler: Callable[[Any, str], Result]
) -> Result:
    """Call a handler that only reads, in the session's open transaction if there is one, outside of the history."""
    registry.load_builtin()
    running = RunningQuery(query_id=new_query_id(), session_id=connection.session_id)
    statement = Statement(
        connection=connection,
        sql=sql,
        params=params,
        words=("DESCRIBE",),
        handler=handler,
        writes=False,
        keeps_transaction=True,
        file_stream=None,
        running=running,
    )
    try:
        return _carry_out(statement)
    except BaseException as failure:
        raised = _snowflake_error(failure, running)
        raised.sfqid = running.query_id  # type: ignore[attr-defined]
        raised.query = sql  # type: ignore[attr-defined]
        if raised is failure:
            raise
        raise raised from failure


def run_several(
    connection: SandboxConnection, statements: Sequence[str], params: Sequence[Any], *, query_id: str | None = None
) -> tuple[str, tuple[str, ...]]:
    """Carry out statements one after the other under one query id; binds are dealt out in order.

    Returns:
        The id of the whole, and the ids of its statements.

    Raises:
        ProgrammingError: that of the first statement that fails; those before it have been carried out.
    """
    query_id = query_id or new_query_id()
    left = list(params)
    parts: list[str] = []
    history = connection.engine.history
    history.start(_record(connection, query_id, ";\n".join(statements), ("MULTI_STATEMENT",)))
    try:
        result = None
        for statement in statements:
            count = sum(word.kind == "bind" for word in lex(statement))
            part, result = run(connection, statement, left[:count])
            del left[:count]
            parts.append(part)
    except Exception as failure:
        history.finish(query_id, failure)
        raise
    history.join(query_id, tuple(parts))
    history.finish(query_id, empty_statement() if result is None else result)
    return query_id, tuple(parts)


def _snowflake_error(failure: BaseException, running: RunningQuery) -> BaseException:
    if running.reason is not None and isinstance(failure, Exception):
        return running.reason()
    return from_duckdb(failure) if isinstance(failure, duckdb.Error) else failure


def _record(connection: SandboxConnection, query_id: str, sql: str, words: tuple[str, ...]) -> QueryRecord:
    return QueryRecord(
        query_id=query_id,
        text=without_secrets(sql),
        kind=words[0] if words else "UNKNOWN",
        session_id=connection.session_id,
        user=connection.user,
        role=connection.role or "",
        warehouse=connection.warehouse or "",
        database=connection.database or "",
        schema=connection.schema or "",
        query_tag=str(connection.parameter("QUERY_TAG") or ""),
        started=connection.engine.clock.now(),
    )


@contextlib.contextmanager
def _time_limit(connection: SandboxConnection, running: RunningQuery) -> Iterator[None]:
    """Cancel the statement when STATEMENT_TIMEOUT_IN_SECONDS is over: the session's or the warehouse's, the shorter."""
    limits = (int(connection.parameter("STATEMENT_TIMEOUT_IN_SECONDS") or 0), warehouse_timeout(connection))
    seconds = min((limit for limit in limits if limit > 0), default=0)
    if not 0 < seconds < _LONGEST_TIMEOUT_S:
        yield
        return

    def expire() -> None:
        running.reason = lambda: timed_out(seconds)
        running.cancel()
        connection.engine.write_lock.wake()

    timer = threading.Timer(seconds, expire)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _carry_out(statement: Statement) -> Result:
    connection = statement.connection
    if statement.words[0] in _TRANSACTION_CONTROL:
        with connection.lock:
            if statement.words[0] == "COMMIT" and connection.transaction is not None:
                connection.transaction.receipt = statement.receipt(Result.status())
            return read(statement)
    if statement.writes and not connection.parameter("AUTOCOMMIT") and not statement.commits:
        with connection.lock:
            connection.transaction = connection.transaction or SessionTransaction(connection)
    if connection.transaction is not None:
        with connection.lock:
            if connection.transaction is not None:
                if not statement.commits:
                    return connection.transaction.run(statement)
                connection.transaction.commit()
    if statement.writes:
        return _write(statement)
    return read(statement)


def _write(statement: Statement) -> Result:
    transaction = begin(statement)
    try:
        result = statement.carry_out(transaction.cursor, transaction)
    except BaseException:
        transaction.rollback()
        raise
    transaction.receipt = statement.receipt(result)
    transaction.commit()
    return result


def begin(statement: Statement) -> Transaction:
    """Start a writing transaction for a statement's session."""
    connection = statement.connection
    return connection.engine.begin(timeout_s=connection.lock_timeout_s, cancelled=statement.running.cancelled)


def read(statement: Statement) -> Result:
    """Run a statement that only reads.

    The catalog is read a moment before DuckDB takes its snapshot of the data. If a table went away in between, the
    statement starts again with the new catalog.
    """
    engine = statement.connection.engine
    for attempt in range(_READ_ATTEMPTS):
        revision = engine.catalog.revision
        cursor = engine.cursors.take()
        try:
            result = statement.carry_out(cursor, may_stream=True)
        except (duckdb.CatalogException, duckdb.BinderException):
            engine.cursors.give(cursor, reusable=False)
            if attempt == _READ_ATTEMPTS - 1 or engine.catalog.revision == revision:
                raise
        except BaseException:
            engine.cursors.give(cursor, reusable=False)
            raise
        else:
            if not result.is_stream:
                engine.cursors.give(cursor)
            return result
    raise AssertionError("unreachable")


class SessionTransaction:
    """What BEGIN opens.

    Snowflake reads what is committed when each statement starts, and undoes a failed statement alone. So DuckDB's
    transaction, with the write lock, starts at the first statement that writes; and when a statement fails, DuckDB
    having given up the whole transaction, the earlier ones are carried out again.
    """

    def __init__(self, connection: SandboxConnection) -> None:
        self._connection = connection
        self.began = connection.engine.catalog
        """What was committed when the transaction began: streams show what had changed by then."""
        self.receipt: tuple[str, bytes] | None = None
        self._inner: Transaction | None = None
        self._done: list[Statement] = []

    def run(self, statement: Statement) -> Result:
        """Carry out a statement inside the transaction."""
        if self._inner is None:
            if not statement.writes:
                return read(statement)
            self._inner = begin(statement)
        try:
            result = statement.carry_out(self._inner.cursor, self._inner)
        except BaseException:
            self._restore(statement)
            raise
        if statement.writes:
            self._done.append(statement)
        return result

    def _restore(self, failed: Statement) -> None:
        inner, self._inner = self._inner, None
        if inner is not None:
            inner.rollback()
        if not self._done:
            return
        self._inner = begin(failed)
        try:
            for statement in self._done:
                statement.carry_out(self._inner.cursor, self._inner)
        except Exception as failure:
            self.rollback()
            raise lost_transaction(str(failure)) from failure

    def commit(self) -> None:
        """End the transaction and keep its changes."""
        self._connection.transaction = None
        if self._inner is not None:
            self._inner.receipt = self.receipt
            self._inner.commit()

    def rollback(self) -> None:
        """End the transaction and drop its changes."""
        self._connection.transaction = None
        if self._inner is not None:
            self._inner.rollback()
