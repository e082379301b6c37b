"""Who has put which monitor on which warehouse: written down before it is done, so that it is undone after a kill too.

A lease is a file that its run holds locked; the operating system lets go of the lock when the process ends, in whatever
way. A lease that nobody holds is undone by the next run.
"""

from __future__ import annotations

import fcntl
import json
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A run's hold on a warehouse.

    Attributes:
        run_id: the run.
        warehouse: the warehouse.
        monitor: the resource monitor that stands on it for the run, perhaps made by another run.
        previous: the monitor that stood there before, or empty.
        cap: credits by which the run raised the monitor's cap.
    """

    run_id: str
    warehouse: str
    monitor: str
    previous: str
    cap: float


class Leases:
    """The leases of a project."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "leases"
        self._held: dict[str, IO[str]] = {}

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other runs of the project from changing leases and monitors meanwhile."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder.parent / "leases.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def take(self, lease: Lease) -> None:
        """Write a lease down, and hold it."""
        path = self._folder / f"{lease.run_id}.json"
        unfinished = path.with_suffix(".new")
        file = unfinished.open("w", encoding="utf-8")
        fcntl.flock(file, fcntl.LOCK_EX)
        json.dump(asdict(lease), file)
        file.flush()
        unfinished.replace(path)  # the lock stays with the file
        self._held[lease.run_id] = file

    def release(self, run_id: str) -> None:
        """Remove a lease, held or left behind."""
        (self._folder / f"{run_id}.json").unlink(missing_ok=True)
        if run_id in self._held:
            self._held.pop(run_id).close()

    def monitors(self) -> frozenset[str]:
        """Return the monitors of runs that go on. Call it while :meth:`locked`."""
        return frozenset(lease.monitor for lease, held in self.found() if held)

    def found(self) -> list[tuple[Lease, bool]]:
        """Return each lease with whether a living process holds it. Call it while :meth:`locked`."""
        return [
            (Lease(**json.loads(path.read_text("utf-8"))), _is_held(path))
            for path in sorted(self._folder.glob("*.json"))
        ]


def _is_held(path: Path) -> bool:
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
