"""Refreshing dynamic tables: those that one reads from first, all of them in one transaction."""

from __future__ import annotations

import datetime as dt
import json
import threading
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Final

from snowflake.connector.errors import Error

from firnline_sandbox import execution
from firnline_sandbox.catalog.storage import next_version
from firnline_sandbox.dynamic.objects import DynamicTable
from firnline_sandbox.errors import invalid_argument, unsupported
from firnline_sandbox.statements.fetching import translate
from firnline_sandbox.statements.registry import engine_part
from firnline_sandbox.statements.tables import fill
from firnline_sandbox.statements.targets import count_rows

if TYPE_CHECKING:
    from pathlib import Path

    from firnline_sandbox.context import Context
    from firnline_sandbox.engine import SandboxEngine

SCHEDULED: Final = "SCHEDULED"
MANUAL: Final = "MANUAL"
CREATION: Final = "CREATION"
_AGAIN: Final = dt.timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresh:
    """One refresh: FULL, or NO_DATA where nothing had changed."""

    name: str
    database: str
    schema: str
    state: str
    action: str
    trigger: str
    at: dt.datetime
    query_id: str = ""
    message: str | None = None
    inserted: int = 0
    deleted: int = 0
    lag_s: int = 0


def refresh(context: Context, table: DynamicTable, trigger: str) -> Refresh:
    """Compute a dynamic table's rows anew, after those of the dynamic tables that it reads.

    Raises:
        ProgrammingError: that of the query; 1015, it gives other columns than at the table's creation.
    """
    found = _refresh(context, table, context.engine.clock.now(), trigger, {})
    history: RefreshHistory = context.engine.part("refreshes")
    for each in found.values():
        context.transaction.after_commit(lambda each=each: history.add(each))  # type: ignore[misc]
    return found[table.id]


def _refresh(
    context: Context, table: DynamicTable, at: dt.datetime, trigger: str, done: dict[str, Refresh]
) -> dict[str, Refresh]:
    inner = context.at(table.home).peeking().with_params(())
    for source in _sources(inner, table):
        upstream = context.catalog.by_id(source)
        if isinstance(upstream, DynamicTable) and upstream.id not in done:
            _refresh(context, upstream, at, trigger, done)
    inner.reads = {}
    translated = translate(inner, table.query)
    sources = dict(inner.reads)
    inserted = deleted = 0
    version = table.version
    action = "NO_DATA" if table.refreshed and sources == dict(table.sources) else "FULL"
    if action == "FULL":
        if len(translated.columns) != len(table.columns):
            raise invalid_argument(
                f"the query of dynamic table {table.name} gives {len(translated.columns)} columns now, not "
                f"{len(table.columns)}: create it anew"
            )
        deleted = count_rows(context, f"DELETE FROM {table.physical}")  # noqa: S608
        fill(inner, table, translated)
        inserted = int(context.duckdb.execute(f"SELECT count(*) FROM {table.physical}").fetchall()[0][0])  # noqa: S608
        version = next_version(context.duckdb)
    context.catalog.put(replace(table, version=version, refreshed=at.isoformat(), sources=sources))
    done[table.id] = Refresh(
        name=table.name,
        database=table.database,
        schema=table.schema,
        state="SUCCEEDED",
        action=action,
        trigger=trigger,
        at=at,
        query_id=context.query_id,
        inserted=inserted,
        deleted=deleted,
        lag_s=table.lag_s,
    )
    return done


def _sources(inner: Context, table: DynamicTable) -> list[str]:
    inner.reads = {}
    translate(inner, table.query)
    for source in inner.reads:
        entry = inner.catalog.by_id(source)
        if entry is not None and entry.kind == "STREAM":
            raise unsupported("a dynamic table over a stream")
    return list(inner.reads)


class RefreshHistory:
    """The refreshes that were made, the oldest first, in a file beside the data; and those that are due."""

    def __init__(self, engine: SandboxEngine, path: Path) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._failed: dict[str, dt.datetime] = {}
        self._found: list[Refresh] = []
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                if line.endswith("}"):  # the last line of a process that was killed while it wrote may not
                    fields = json.loads(line)
                    self._found.append(Refresh(**(fields | {"at": dt.datetime.fromisoformat(fields["at"])})))
        self._file = path.open("a", encoding="utf-8", buffering=1)

    def add(self, made: Refresh) -> None:
        """Note a refresh."""
        with self._lock:
            self._found.append(made)
            self._file.write(json.dumps(asdict(made), default=dt.datetime.isoformat, ensure_ascii=False) + "\n")

    def refreshes(self) -> list[Refresh]:
        """List the refreshes."""
        with self._lock:
            return list(self._found)

    def next_due(self) -> dt.datetime | None:
        """Say when the next table is to be refreshed."""
        tables = self._engine.catalog.entries(DynamicTable)
        return min((due for table in tables if (due := self._due(table)) is not None), default=None)

    def _due(self, table: DynamicTable) -> dt.datetime | None:
        due = table.due
        failed = self._failed.get(table.id)
        return due if due is None or failed is None else max(due, failed + _AGAIN)

    def run_due(self) -> None:
        """Refresh the tables whose rows have become too old, each on its own warehouse."""
        now = self._engine.clock.now()
        for known in self._engine.catalog.entries(DynamicTable):
            table = self._engine.catalog.by_id(known.id)  # it may have been refreshed for another one meanwhile
            if isinstance(table, DynamicTable) and (due := self._due(table)) is not None and due <= now:
                self._refresh(table, now)

    def _refresh(self, table: DynamicTable, now: dt.datetime) -> None:
        with self._engine.connect(
            database=table.database, schema=table.schema, warehouse=table.warehouse, user="SYSTEM"
        ) as connection:
            connection.refreshes = SCHEDULED
            try:
                execution.run(connection, f"ALTER DYNAMIC TABLE {table.full_name} REFRESH")
            except Error as failure:
                self._failed[table.id] = now
                self.add(
                    Refresh(
                        name=table.name,
                        database=table.database,
                        schema=table.schema,
                        state="FAILED",
                        action="FULL",
                        trigger=SCHEDULED,
                        at=now,
                        message=str(failure.raw_msg),
                        lag_s=table.lag_s,
                    )
                )
            else:
                self._failed.pop(table.id, None)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


@engine_part("refreshes")
def open_history(engine: SandboxEngine) -> RefreshHistory:
    """Read what was refreshed before."""
    return RefreshHistory(engine, engine.folder / "refreshes.jsonl")
