"""The store: one SQLite database in WAL mode and one folder a run, in ``.firnline/`` of the project.

Many processes of a multirun write to it at once. Each event is one transaction; the one that finishes a stage also
makes its output known, so a stage's output is there whole or not at all.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final, TypeVar

from firnline.domain import (
    Event,
    Plan,
    StageFailed,
    StageFinished,
    StageReused,
    StageSkipped,
    StageStarted,
    event_from_json,
)
from firnline.domain.event import RunFinished, RunStarted, StageMeasured, StageProgress
from firnline.errors import UsageError

DATABASE: Final = "firnline.db"
_BUSY_S: Final = 60.0
_POLL_S: Final = 0.01
_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """What an attempt of a run that is gone left behind.

    Attributes:
        attempt_id: the attempt.
        platform: the name of the platform on which its tables are.
        tables: fully qualified names that it may have made.
    """

    attempt_id: str
    platform: str
    tables: tuple[str, ...]


class Store:
    """The memory of a project. Safe to share among threads, and among processes by opening it in each."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        ignore = root / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
        self._lock = threading.RLock()
        try:
            self._connection = sqlite3.connect(
                root / DATABASE, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
            )
            self._write_ahead()
            self._connection.execute("PRAGMA synchronous=NORMAL")
            self._connection.executescript(resources.files(__package__).joinpath("schema.sql").read_text("utf-8"))
        except sqlite3.DatabaseError as error:
            raise UsageError(
                f"{root / DATABASE} cannot be opened: {error}",
                hint="if the file is damaged, move it away: a new one is made, and stages run again",
            ) from error

    def _write_ahead(self) -> None:
        """Turn on the write-ahead log; of processes that make the database together, all but one have to wait.

        SQLite's own waiting does not cover this statement.
        """
        deadline = time.monotonic() + _BUSY_S
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode=WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(_POLL_S)
            else:
                return

    @property
    def artifacts(self) -> Path:
        """The folder of the artifact folders."""
        return self.root / "artifacts"

    def folder(self, run_id: str) -> Path:
        """Return the folder of a run."""
        return self.root / "runs" / run_id

    def begin(self, run_id: str, plan: Plan, started: float) -> None:
        """Note how each stage of a run is planned."""
        keys = {stage.name: stage.key for stage in plan.stages}
        rows = [
            (
                run_id,
                stage.name,
                plan.pipeline,
                started,
                stage.step,
                stage.key,
                "planned",
                json.dumps(dict(stage.parts)),
                json.dumps(dict(stage.params)),
                json.dumps({p: [[x.stage, x.port, keys[x.stage]] for x in links] for p, links in stage.inputs.items()}),
            )
            for stage in plan.stages
            if stage.action != "skip"
        ]
        with self._transaction() as connection:
            connection.executemany("INSERT INTO stages VALUES (?, ?, ?, ?, ?, ?, ?, NULL, ?, ?, ?)", rows)

    def append(self, run_id: str, sequence: int, event: Event, text: str, platform: str = "") -> None:
        """Write one event and what follows from it, in one transaction.

        Progress, and what is measured on the way, stands in ``events.jsonl`` alone.

        Args:
            run_id: the run.
            sequence: the event's number in the run.
            event: the event.
            text: the event as JSON.
            platform: where an attempt that starts makes its tables.
        """
        if isinstance(event, StageProgress | StageMeasured):
            return
        with self._transaction() as connection:
            connection.execute("INSERT INTO events VALUES (?, ?, ?)", (run_id, sequence, text))
            _apply(connection, run_id, event, platform)

    def claim(self, attempt_id: str, table: str) -> None:
        """Note that an attempt is about to make a table, so that it can be dropped if nobody finishes it."""
        with self._transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO claims VALUES (?, ?)", (attempt_id, table))

    def claimed(self, attempt_id: str) -> list[str]:
        """Return the tables that an attempt may have made."""
        rows = self._read("SELECT table_name FROM claims WHERE attempt_id = ?", (attempt_id,), tuple[str])
        return [name for (name,) in rows]

    def release(self, attempt_ids: Collection[str]) -> None:
        """Forget attempts: what they left behind was thrown away, or is kept on purpose."""
        with self._transaction() as connection:
            for table in ("claims", "attempts"):
                connection.executemany(
                    f"DELETE FROM {table} WHERE attempt_id = ?",  # noqa: S608 (constant names)
                    [(attempt_id,) for attempt_id in attempt_ids],
                )

    def leftovers(self, is_alive: Callable[[str], bool]) -> list[Leftover]:
        """Return what attempts of runs that are not alive left behind."""
        attempts = self._read("SELECT attempt_id, run_id, platform FROM attempts", (), tuple[str, str, str])
        dead = [(attempt, platform) for attempt, run, platform in attempts if not is_alive(run)]
        claims: dict[str, list[str]] = {}
        for attempt, table in self._read("SELECT attempt_id, table_name FROM claims", (), tuple[str, str]):
            claims.setdefault(attempt, []).append(table)
        return [Leftover(attempt_id=a, platform=p, tables=tuple(claims.get(a, ()))) for a, p in dead]

    def events(self, run_id: str) -> list[Event]:
        """Return the events of a run in order, without progress; empty if there is no such run."""
        rows = self._read("SELECT data FROM events WHERE run_id = ? ORDER BY sequence", (run_id,), tuple[str])
        return [event_from_json(json.loads(data)) for (data,) in rows]

    def publish(self, name: str, table: str) -> bool:
        """Note that ``name`` now shows ``table``; False if it did already."""
        with self._transaction() as connection:
            shown = connection.execute("SELECT table_name FROM published WHERE name = ?", (name,)).fetchone()
            connection.execute("INSERT OR REPLACE INTO published VALUES (?, ?)", (name, table))
        return bool(shown != (table,))

    def query(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a reading statement; for the modules of this package that answer questions about the past."""
        return self._read(sql, values, tuple[Any, ...])

    def close(self) -> None:
        """Let go of the database."""
        with self._lock:
            self._connection.close()

    def _read(self, sql: str, values: Sequence[Any], _: type[_Row]) -> list[_Row]:
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")


def _apply(connection: sqlite3.Connection, run_id: str, event: Event, platform: str) -> None:
    match event:
        case RunStarted():
            connection.execute(
                "INSERT INTO runs VALUES (?, ?, 'running', ?, NULL, ?, ?, ?)",
                (run_id, event.pipeline, event.at, event.platform, event.sweep_id, event.job),
            )
        case RunFinished():
            connection.execute(
                "UPDATE runs SET status = ?, seconds = ? WHERE run_id = ?", (event.status, event.seconds, run_id)
            )
        case StageStarted():
            connection.execute("INSERT INTO attempts VALUES (?, ?, ?)", (event.attempt_id, run_id, platform))
            _set_status(connection, run_id, event.stage, "running")
        case StageFinished():
            connection.execute(
                "INSERT OR REPLACE INTO outputs VALUES (?, ?, ?, ?, ?, ?)",
                (event.key, run_id, event.stage, event.at, json.dumps(event.outputs), json.dumps(event.metrics)),
            )
            connection.execute("DELETE FROM claims WHERE attempt_id = ?", (event.attempt_id,))
            connection.execute("DELETE FROM attempts WHERE attempt_id = ?", (event.attempt_id,))
            _set_status(connection, run_id, event.stage, "finished", event.seconds)
        case StageReused():
            _set_status(connection, run_id, event.stage, "reused")
        case StageFailed():
            _set_status(connection, run_id, event.stage, "failed", event.seconds)
        case StageSkipped():
            _set_status(connection, run_id, event.stage, "skipped")
        case _:
            pass


def _set_status(
    connection: sqlite3.Connection, run_id: str, stage: str, status: str, seconds: float | None = None
) -> None:
    connection.execute(
        "UPDATE stages SET status = ?, seconds = ? WHERE run_id = ? AND stage = ?", (status, seconds, run_id, stage)
    )
