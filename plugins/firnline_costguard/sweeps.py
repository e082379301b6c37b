"""What the jobs of a multirun have used together: a file a job, written by whatever process runs it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class SweepLedger:
    """The credits of one multirun. Change it while the project's leases are locked."""

    def __init__(self, folder: Path, sweep_id: str) -> None:
        self._folder = folder / "sweeps" / sweep_id

    def used(self) -> float:
        """Return what ended jobs have used and running ones have reserved."""
        return sum(float(json.loads(path.read_text("utf-8"))["credits"]) for path in self._folder.glob("*.json"))

    def note(self, run_id: str, amount: float) -> None:
        """Note what a job reserves, or at its end what it has used."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{run_id}.json"
        unfinished = path.with_suffix(".new")
        unfinished.write_text(json.dumps({"credits": amount}), "utf-8")
        unfinished.replace(path)
