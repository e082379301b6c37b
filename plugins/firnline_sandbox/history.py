"""What was run, what is running, and the results that may be asked for again."""

from __future__ import annotations

import collections
import contextlib
import datetime as dt
import threading
import uuid
import weakref
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import duckdb

    from firnline_sandbox.clock import Clock
    from firnline_sandbox.result import Result

INTERRUPT_S: Final = 0.05
KEPT_QUERIES: Final = 10_000
KEPT_RESULTS: Final = 200
KEPT_RESULT_BYTES: Final = 256 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryRecord:
    """One statement of the query history."""

    query_id: str
    text: str
    kind: str
    session_id: int
    user: str
    role: str
    warehouse: str
    database: str
    schema: str
    query_tag: str
    started: dt.datetime
    ended: dt.datetime | None = None
    status: str = "RUNNING"
    error_code: int | None = None
    error_message: str | None = None
    rows: int | None = None
    warehouse_id: str | None = None
    warehouse_size: str | None = None
    credits_per_hour: float = 0.0


@dataclass(slots=True, kw_only=True)
class RunningQuery:
    """A statement that is being carried out, and how to stop it."""

    query_id: str
    session_id: int
    cancelled: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    reason: Callable[[], Exception] | None = None
    _cursor: duckdb.DuckDBPyConnection | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextlib.contextmanager
    def on(self, cursor: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """Carry out the block on a cursor, which is interrupted if the statement is cancelled, and never afterwards."""
        with self._lock:
            self._cursor = cursor
        try:
            yield
        finally:
            with self._lock:
                self._cursor = None

    def cancel(self) -> None:
        """Stop the statement: it raises 604 at its next chance."""
        if not self.cancelled.is_set():
            self.cancelled.set()
            threading.Thread(target=self._interrupt, name="firnline-sandbox-cancel", daemon=True).start()

    def _interrupt(self) -> None:
        import duckdb

        # DuckDB forgets an interrupt that comes a moment before its query starts.
        while not self.ended.is_set():
            with self._lock, contextlib.suppress(duckdb.ConnectionException):  # the cursor may be closed already
                if self._cursor is not None:
                    self._cursor.interrupt()
            self.ended.wait(INTERRUPT_S)


class History:
    """Shared by all sessions of an engine."""

    def __init__(self, clock: Clock | None = None, keep: Callable[[QueryRecord], None] | None = None) -> None:
        self._clock = clock or SystemClock()
        self._keep = keep
        self._lock = threading.Lock()
        self._records: collections.OrderedDict[str, QueryRecord] = collections.OrderedDict()
        self._running: dict[str, RunningQuery] = {}
        self._results: collections.OrderedDict[str, Result | Exception] = collections.OrderedDict()
        # Rows still in the database are the client's to keep: the history must not hold their cursors open.
        self._streams: weakref.WeakValueDictionary[str, Result] = weakref.WeakValueDictionary()
        self._parts: dict[str, tuple[str, ...]] = {}

    def start(self, record: QueryRecord) -> RunningQuery:
        """Note that a statement starts."""
        running = RunningQuery(query_id=record.query_id, session_id=record.session_id)
        with self._lock:
            self._records[record.query_id] = record
            self._running[record.query_id] = running
            while len(self._records) > KEPT_QUERIES:
                self._records.popitem(last=False)
        return running

    def note(self, query_id: str, **facts: Any) -> None:
        """Add to what is known of a statement: fields of its record."""
        with self._lock:
            if query_id in self._records:
                self._records[query_id] = replace(self._records[query_id], **facts)

    def finish(self, query_id: str, outcome: Result | Exception) -> None:
        """Note how a statement ended, and keep its result for a while."""
        failed = isinstance(outcome, Exception)
        with self._lock:
            running = self._running.pop(query_id, None)
            if running is not None:
                running.ended.set()
            record = self._records.get(query_id)
            if record is not None:
                self._records[query_id] = record = replace(
                    record,
                    ended=self._clock.now(),
                    status="FAILED_WITH_ERROR" if failed else "SUCCESS",
                    error_code=getattr(outcome, "errno", None) if failed else None,
                    error_message=str(outcome) if failed else None,
                    rows=None if isinstance(outcome, Exception) else outcome.num_rows,
                )
            if not isinstance(outcome, Exception) and outcome.is_stream:
                self._streams[query_id] = outcome
            else:
                self._results[query_id] = outcome
                self._drop_old_results(query_id)
        if record is not None and self._keep is not None:
            self._keep(record)

    def _drop_old_results(self, newest: str) -> None:
        size = sum(result.nbytes for result in self._results.values() if not isinstance(result, Exception))
        while len(self._results) > 1 and (len(self._results) > KEPT_RESULTS or size > KEPT_RESULT_BYTES):
            query_id, result = next(iter(self._results.items()))
            if query_id == newest:
                return
            del self._results[query_id]
            size -= 0 if isinstance(result, Exception) else result.nbytes

    def join(self, query_id: str, parts: tuple[str, ...]) -> None:
        """Note the statements that a multi-statement query consisted of."""
        with self._lock:
            self._parts[query_id] = parts

    def parts(self, query_id: str) -> tuple[str, ...]:
        """List the statements of a multi-statement query; none for a plain one."""
        with self._lock:
            return self._parts.get(query_id, ())

    def result(self, query_id: str) -> Result | Exception | None:
        """Give a statement's result or error; None when it was never there or is no longer kept."""
        with self._lock:
            return self._results.get(query_id) or self._streams.get(query_id)

    def record(self, query_id: str) -> QueryRecord | None:
        """Give a statement's record."""
        with self._lock:
            return self._records.get(query_id)

    def records(self) -> list[QueryRecord]:
        """List the statements that are remembered, oldest first."""
        with self._lock:
            return list(self._records.values())

    def running(self, query_id: str) -> RunningQuery | None:
        """Give a statement that is being carried out."""
        with self._lock:
            return self._running.get(query_id)

    def cancel(self, query_id: str) -> bool:
        """Stop a running statement; False when it is not running."""
        with self._lock:
            running = self._running.get(query_id)
        if running is None:
            return False
        running.cancel()
        return True

    def is_cancelled(self, query_id: str) -> bool:
        """Say whether a running statement is to stop."""
        with self._lock:
            running = self._running.get(query_id)
        return running is not None and running.cancelled.is_set()

    def cancel_session(self, session_id: int | None, *, but: str = "") -> int:
        """Stop all running statements of a session (of all sessions for None), and count them."""
        with self._lock:
            found = [query for query in self._running.values() if session_id in (None, query.session_id)]
        found = [query for query in found if query.query_id != but]
        for query in found:
            query.cancel()
        return len(found)


def new_query_id() -> str:
    """Make a query id in the form that the clients expect."""
    return str(uuid.uuid4())
