"""How a trainer tells how far it is: lines of JSON in a file that others read while it grows. No torch in here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def append(path: Path, line: dict[str, Any]) -> None:
    """Add a line."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


class Reader:
    """Reads what was added since the last look."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._position = path.stat().st_size if path.exists() else 0

    def read(self) -> list[dict[str, Any]]:
        """Return the whole lines that were added."""
        if not self._path.exists():
            return []
        with self._path.open("rb") as file:
            file.seek(self._position)
            whole = file.read().rpartition(b"\n")[0]
        self._position += len(whole) + 1 if whole else 0
        return [json.loads(line) for line in whole.splitlines()]


def wording(line: dict[str, Any]) -> str:
    """Return a line for the screen."""
    best = "" if line["best"] is None else f", best loss {line['best']:.4f}"
    return f"epoch {line['epoch']} of {line['epochs']}{best}, {line['rows_per_s']:,.0f} rows/s"
