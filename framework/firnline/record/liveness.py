"""Whether a run is alive: its process holds a lock on a file in the run's folder, which a kill releases too."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO, Final

_LOCK: Final = "alive.lock"


class RunLock:
    """The lock of one run. The operating system releases it when the process ends, in whatever way."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file: IO[str] | None = (folder / _LOCK).open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def release(self) -> None:
        """The run has ended."""
        if self._file is not None:
            self._file.close()
            self._file = None


def is_alive(folder: Path) -> bool:
    """Tell whether the run with this folder is being executed by a process."""
    path = folder / _LOCK
    if not path.exists():
        return False
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
