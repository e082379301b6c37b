"""What tasks did: one line for each run that ended, in a file beside the data."""

from __future__ import annotations

import datetime as dt
import json
import threading
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

SUCCEEDED = "SUCCEEDED"
FAILED = "FAILED"
SKIPPED = "SKIPPED"
EXECUTING = "EXECUTING"


@dataclass(slots=True, kw_only=True)
class TaskRun:
    """One run of a task; ``group`` is that of its graph."""

    task: str
    root: str
    group: str
    name: str
    database: str
    schema: str
    text: str
    condition: str
    scheduled: dt.datetime
    scheduled_from: str
    config: str = ""
    attempt: int = 1
    state: str = EXECUTING
    query_id: str | None = None
    started: dt.datetime | None = None
    ended: dt.datetime | None = None
    error_code: str | None = None
    error_message: str | None = None
    return_value: str | None = None
    predecessor_values: dict[str, str | None] | None = None


class RunHistory:
    """Runs, the oldest first. Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._runs: list[TaskRun] = []
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                run = _read(line)
                if run is not None:
                    self._runs.append(run)
        self._file = path.open("a", encoding="utf-8", buffering=1)

    def begin(self, run: TaskRun) -> None:
        """Note that a task runs."""
        with self._lock:
            self._runs.append(run)

    def end(self, run: TaskRun) -> None:
        """Write a run that has ended; one that was not begun is added."""
        with self._lock:
            if run not in self._runs:
                self._runs.append(run)
            self._file.write(json.dumps(asdict(run), default=dt.datetime.isoformat, ensure_ascii=False) + "\n")

    def runs(self) -> list[TaskRun]:
        """List the runs."""
        with self._lock:
            return list(self._runs)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _read(line: str) -> TaskRun | None:
    try:
        fields: dict[str, Any] = json.loads(line)
    except ValueError:
        return None  # the last line of a process that was killed while it wrote
    for name in ("scheduled", "started", "ended"):
        if fields[name] is not None:
            fields[name] = dt.datetime.fromisoformat(fields[name])
    return TaskRun(**fields)
