"""Which files a table was loaded from, kept beside the data so that both change in one transaction."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from firnline_sandbox.stages.rows import RowError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import duckdb

    from firnline_sandbox.stages.files import StagedFile

REMEMBERED: Final = dt.timedelta(days=64)
_KEPT_ERRORS: Final = 10_000
_LOADS: Final = """CREATE TABLE IF NOT EXISTS catalog.loads
    (table_id VARCHAR, place VARCHAR, file VARCHAR, content_key VARCHAR, loaded TIMESTAMP, document VARCHAR)"""
_ERRORS: Final = """CREATE TABLE IF NOT EXISTS catalog.load_errors
    (table_id VARCHAR, query_id VARCHAR, loaded TIMESTAMP, document VARCHAR)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedFile:
    """One row of COPY's result."""

    file: str
    status: str
    rows_parsed: int
    rows_loaded: int
    error_limit: int
    errors_seen: int
    first_error: str | None = None
    first_error_line: int | None = None
    first_error_character: int | None = None
    first_error_column_name: str | None = None


class LoadHistory:
    """The loads of one table, as the statement's transaction sees them."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, table_id: str) -> None:
        self._cursor = cursor
        self._table_id = table_id

    def without_loaded(self, place: str, files: Sequence[StagedFile]) -> list[StagedFile]:
        """Leave out the files that were loaded in the last 64 days and have not changed since."""
        if not self._exists("loads"):
            return list(files)
        since = _now() - REMEMBERED
        rows = self._cursor.execute(
            "SELECT file, content_key FROM catalog.loads WHERE table_id = ? AND place = ? AND loaded > ?",
            [self._table_id, place, since],
        ).fetchall()
        loaded = set(rows)
        return [file for file in files if (file.relative, file.content_key) not in loaded]

    def add(self, place: str, loads: Iterable[tuple[StagedFile, LoadedFile]]) -> None:
        """Note files that were loaded, wholly or in part."""
        rows = [
            (self._table_id, place, file.relative, file.content_key, _now(), json.dumps(asdict(loaded)))
            for file, loaded in loads
            if loaded.rows_loaded or not loaded.errors_seen
        ]
        if not rows:
            return
        self._cursor.execute(_LOADS)
        self._cursor.execute("DELETE FROM catalog.loads WHERE loaded < ?", [_now() - REMEMBERED])
        self._cursor.executemany("INSERT INTO catalog.loads VALUES (?, ?, ?, ?, ?, ?)", rows)

    def add_errors(self, query_id: str, errors: Sequence[RowError]) -> None:
        """Keep a load's errors for VALIDATE."""
        if not errors:
            return
        self._cursor.execute(_ERRORS)
        self._cursor.execute("DELETE FROM catalog.load_errors WHERE loaded < ?", [_now() - REMEMBERED])
        rows = [(self._table_id, query_id, _now(), json.dumps(asdict(error))) for error in errors[:_KEPT_ERRORS]]
        self._cursor.executemany("INSERT INTO catalog.load_errors VALUES (?, ?, ?, ?)", rows)

    def errors(self, query_id: str | None) -> list[RowError]:
        """Give the errors of a load, or of the last one that had any."""
        if not self._exists("load_errors"):
            return []
        if query_id is None:
            last = self._cursor.execute(
                "SELECT query_id FROM catalog.load_errors WHERE table_id = ? ORDER BY loaded DESC LIMIT 1",
                [self._table_id],
            ).fetchall()
            query_id = last[0][0] if last else ""
        rows = self._cursor.execute(
            "SELECT document FROM catalog.load_errors WHERE table_id = ? AND query_id = ? ORDER BY rowid",
            [self._table_id, query_id],
        ).fetchall()
        return [RowError(**json.loads(document)) for (document,) in rows]

    def forget(self) -> None:
        """Forget everything: TRUNCATE lets files be loaded again."""
        if self._exists("loads"):
            self._cursor.execute("DELETE FROM catalog.loads WHERE table_id = ?", [self._table_id])

    def _exists(self, name: str) -> bool:
        found = self._cursor.execute(
            "SELECT 1 FROM duckdb_tables() WHERE schema_name = 'catalog' AND table_name = ?", [name]
        ).fetchall()
        return bool(found)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)
