"""The statements that computed on a warehouse, kept in a file beside the data: ACCOUNT_USAGE tells of them later."""

from __future__ import annotations

import datetime as dt
import json
import threading
from dataclasses import asdict
from typing import IO, TYPE_CHECKING, Any, Final

from firnline_sandbox.history import KEPT_QUERIES, QueryRecord

if TYPE_CHECKING:
    from pathlib import Path

LARGEST_BYTES: Final = 16 * 2**20  # of a file that is shortened when the sandbox is opened
_LONGEST_TEXT: Final = 100_000  # characters, as Snowflake keeps


class QueryLog:
    """Safe to use from several threads; the sandbox's holder alone writes to it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._file: IO[str] | None = None
        if path.exists() and path.stat().st_size > LARGEST_BYTES:
            unfinished = path.with_suffix(".new")
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            unfinished.write_text("".join(lines[-KEPT_QUERIES:]), encoding="utf-8")
            unfinished.replace(path)

    def keep(self, record: QueryRecord) -> None:
        """Add a statement that has ended, if a warehouse computed it."""
        if record.warehouse_id is None:
            return
        fields = asdict(record) | {"text": record.text[:_LONGEST_TEXT]}
        line = json.dumps(fields, default=dt.datetime.isoformat, ensure_ascii=False) + "\n"
        with self._lock:
            if self._file is None:
                self._file = self._path.open("a", encoding="utf-8", buffering=1)
            self._file.write(line)

    def records(self) -> list[QueryRecord]:
        """List the statements, the oldest first."""
        with self._lock:
            if not self._path.exists():
                return []
            lines = self._path.read_text(encoding="utf-8").splitlines()
        found = (_read(line) for line in lines[-KEPT_QUERIES:])
        return [record for record in found if record is not None]

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._file is not None:
                self._file.close()


def _read(line: str) -> QueryRecord | None:
    try:
        fields: dict[str, Any] = json.loads(line)
    except ValueError:
        return None  # the last line of a process that was killed while it wrote
    for name in ("started", "ended"):
        if fields[name] is not None:
            fields[name] = dt.datetime.fromisoformat(fields[name])
    return QueryRecord(**fields)
