"""The sandbox engine: one folder (or memory) with a DuckDB database, a catalog, stages and models.

Opening it imports neither the Snowflake clients nor pandas.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import os
import shutil
import tempfile
import threading
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import duckdb

from firnline_sandbox.catalog import Table, View, storage
from firnline_sandbox.clock import SystemClock
from firnline_sandbox.cursors import CursorPool
from firnline_sandbox.folders import SandboxFolders
from firnline_sandbox.history import History
from firnline_sandbox.locks import FolderLock, WriteLock
from firnline_sandbox.query_log import QueryLog
from firnline_sandbox.server import presence
from firnline_sandbox.server.listener import Listener
from firnline_sandbox.transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from firnline_sandbox.catalog import Catalog
    from firnline_sandbox.clock import Clock
    from firnline_sandbox.connection import SandboxConnection
    from firnline_sandbox.server.endpoint import Kind
    from firnline_sandbox.types import SnowflakeType

MEMORY: Final = ":memory:"
OPEN_TIMEOUT_S: Final = 60.0
_DUCKDB_OPTIONS: Final = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    # Names in SQL mean tables of the sandbox, never variables of the calling Python code.
    "python_enable_replacements": "false",
}

_open_engines: Final[dict[Path, SandboxEngine]] = {}
_open_lock: Final = threading.Lock()
_of_parent: Final[list[SandboxEngine]] = []


class SandboxEngine(SandboxFolders):
    """One open sandbox. Sessions in any number of threads share it."""

    def __init__(self, folder: Path, *, in_memory: bool, timeout_s: float, clock: Clock | None = None) -> None:
        super().__init__(folder)
        self.clock = clock or SystemClock()
        self.in_memory = in_memory
        self._users = 1
        self._folder_lock = FolderLock(folder / "lock")
        self._folder_lock.acquire(timeout_s)
        try:
            self.identity = _identity(folder / "identity")
            self.database = duckdb.connect(
                MEMORY if in_memory else str(folder / "sandbox.duckdb"), config=dict(_DUCKDB_OPTIONS)
            )
            self.database.execute("SET TimeZone = 'UTC'")
            self._catalog = storage.load(self.database, presence.living(self.users))
            self.sweep({entry.id for entry in self._catalog})
        except BaseException:
            self._folder_lock.release()
            raise
        self.write_lock = WriteLock()
        self.query_log = QueryLog(folder / "queries.jsonl")
        self.history = History(self.clock, self.query_log.keep)
        self.functions: dict[str, tuple[str, SnowflakeType]] = {}
        """Functions of the sandbox's own making, by upper-case name: their DuckDB name and what they return."""
        self.cursors = CursorPool(self.database)
        self._session_ids = itertools.count(1)
        self._parts: dict[str, Any] = {}
        self._parts_lock = threading.RLock()
        self.listener: Listener | None = None
        self.closed = False
        self._is_closing = False

    # -- opening and closing

    @staticmethod
    def open(
        path: str | Path = MEMORY,
        *,
        timeout_s: float = OPEN_TIMEOUT_S,
        kind: Kind = "process",
        port: int = 0,
        clock: Clock | None = None,
    ) -> SandboxEngine:
        """Open the sandbox in a folder, making it if it is new, or a fresh one in memory.

        Every call needs its own :meth:`close`. Within one process, the same folder gives the same engine. Other
        processes can use it through its listener (see ``sessions.open_sandbox``); ``kind`` tells them what sort
        of process this is. Credits and schedules go by ``clock``, the real time if None.

        Raises:
            SandboxBusyError: another process has it open and kept it so for ``timeout_s``.
        """
        if str(path) == MEMORY:
            folder = Path(tempfile.mkdtemp(prefix="firnline-sandbox-"))
            engine = SandboxEngine(folder, in_memory=True, timeout_s=timeout_s, clock=clock)
            with _open_lock:
                _open_engines[folder] = engine
            return engine
        folder = Path(path).expanduser().resolve()
        with _open_lock:
            if (found := _open_engines.get(folder)) is not None:
                found._users += 1  # noqa: SLF001 (its own class)
                return found
            folder.mkdir(parents=True, exist_ok=True)
            engine = SandboxEngine(folder, in_memory=False, timeout_s=timeout_s, clock=clock)
            try:
                engine.listener = Listener(engine, kind=kind, port=port)
            except BaseException:
                engine.close()
                raise
            _open_engines[folder] = engine
            engine._start_tasks()
            return engine

    def _start_tasks(self) -> None:
        """Run the tasks of a sandbox that was closed and is open again, as they become due."""
        if any(entry.kind in {"TASK", "DYNAMIC TABLE"} for entry in self._catalog):
            from firnline_sandbox.statements.registry import load_builtin

            load_builtin()
            self.part("tasks").start()

    def close(self) -> None:
        """Let go of the engine; the last user's call closes the database and unlocks the folder."""
        with _open_lock:
            self._users -= 1
            if self._users > 0 or self.closed or self._is_closing:
                return
            self._is_closing = True
            if _open_engines.get(self.folder) is self:
                del _open_engines[self.folder]
        if self.listener is not None:
            self.listener.stop()
        self.closed = True
        self.history.cancel_session(None)
        if (tasks := self._parts.pop("tasks", None)) is not None:
            tasks.close()  # which uses the other parts until it has ended
        for part in self._parts.values():
            part.close()
        self.query_log.close()
        self.cursors.close()
        self.database.close()
        self._folder_lock.release()
        if self.in_memory:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- sessions and parts

    def connect(self, **options: Any) -> SandboxConnection:
        """Open a session. Options as for :class:`SandboxConnection`."""
        from firnline_sandbox.connection import SandboxConnection

        return SandboxConnection(self, **options)

    def relation_state(self, parts: tuple[str, str, str]) -> str | None:
        """Name the state of a table (the number of its last change) or a view (its query); None if there is none."""
        match self.catalog.find_relation(parts):
            case Table() as found:
                return f"{found.id}:{found.version}"
            case View() as found:
                return f"{found.id}:{found.text}"
            case _:
                return None

    def next_session_id(self) -> int:
        """Give a number that no other session of this engine has."""
        return next(self._session_ids)  # one call into C: no two threads get the same

    def part(self, name: str) -> Any:
        """Give a part of the engine that a module registered with ``registry.engine_part``, making it at first use."""
        from firnline_sandbox.statements.registry import find_engine_part

        with self._parts_lock:
            if name not in self._parts:
                self._parts[name] = find_engine_part(name)(self)
            return self._parts[name]

    # -- catalog and transactions

    @property
    def catalog(self) -> Catalog:
        """The committed catalog."""
        return self._catalog

    def begin(self, *, timeout_s: float, cancelled: threading.Event) -> Transaction:
        """Start a writing transaction as soon as nobody else writes."""
        self.write_lock.acquire(timeout_s=timeout_s, cancelled=cancelled)
        try:
            cursor = self.cursors.take()
            cursor.execute("BEGIN")
        except BaseException:
            self.write_lock.release()
            raise
        return Transaction(self, cursor, self._catalog.fork())

    @contextlib.contextmanager
    def write(self) -> Iterator[Transaction]:
        """Run the block as one transaction that commits at its end, or rolls back if it raises."""
        transaction = self.begin(timeout_s=OPEN_TIMEOUT_S, cancelled=threading.Event())
        try:
            yield transaction
        except BaseException:
            transaction.rollback()
            raise
        transaction.commit()

    def publish(self, catalog: Catalog) -> None:
        """Put a committed catalog in the old one's place. For :class:`Transaction` alone."""
        catalog.changes.clear()
        self._catalog = catalog


def is_open_here(folder: Path) -> bool:
    """Say whether this process has a folder's engine."""
    with _open_lock:
        return folder in _open_engines


def _identity(path: Path) -> str:
    if path.exists():
        return path.read_text(encoding="utf-8").strip()
    identity = str(uuid.uuid4())
    unfinished = path.with_suffix(".new")
    unfinished.write_text(identity + "\n", encoding="utf-8")
    unfinished.rename(path)
    return identity


def _after_fork() -> None:
    """Let go, in a forked child, of what is its parent's alone."""
    for engine in _open_engines.values():
        engine.closed = True
        engine._folder_lock.forget()  # noqa: SLF001 (its own class)
        if engine.listener is not None:
            engine.listener.forget()
    # DuckDB's threads are not there in the child, so that its database must not even be closed.
    _of_parent.extend(_open_engines.values())
    _open_engines.clear()


os.register_at_fork(after_in_child=_after_fork)


@atexit.register
def _close_all() -> None:
    for engine in list(_open_engines.values()):
        engine._users = 1  # noqa: SLF001 (nobody is left to use it)
        engine.close()
