"""DuckDB cursors with the sandbox's macros, kept for the next statement."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import duckdb

_IDLE: Final = 8


class CursorPool:
    """Hands out cursors of one database; each has one user at a time."""

    def __init__(self, database: duckdb.DuckDBPyConnection) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._idle: list[duckdb.DuckDBPyConnection] = []
        self._zones: weakref.WeakKeyDictionary[duckdb.DuckDBPyConnection, str] = weakref.WeakKeyDictionary()
        self._is_closed = False

    def take(self) -> duckdb.DuckDBPyConnection:
        """Take a cursor of one's own; hand it back with :meth:`give`."""
        with self._lock:
            if self._idle:
                return self._idle.pop()
        from firnline_sandbox.translate.macros import MACROS

        cursor = self._database.cursor()
        cursor.execute("SET TimeZone = 'UTC'")
        for macro in MACROS:
            cursor.execute(macro)
        return cursor

    def give(self, cursor: duckdb.DuckDBPyConnection, *, reusable: bool = True) -> None:
        """Hand a cursor back."""
        with self._lock:
            if reusable and not self._is_closed and len(self._idle) < _IDLE:
                self._idle.append(cursor)
                return
        cursor.close()

    def set_zone(self, cursor: duckdb.DuckDBPyConnection, zone: str) -> None:
        """Let a cursor see TIMESTAMP_LTZ values in a session's time zone."""
        if self._zones.get(cursor, "UTC") != zone:
            cursor.execute(f"SET TimeZone = '{zone}'")
            self._zones[cursor] = zone

    def close(self) -> None:
        """Close the idle cursors, and those that come back from now on."""
        with self._lock:
            self._is_closed = True
            for cursor in self._idle:
                cursor.close()
            self._idle.clear()
