"""Claims on content keys: of several runs, in this process or others, one computes a key and the others wait for it.

A claim is a lock on a file in the store, so it ends with the process that holds it, in whatever way that ends.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO


class KeyClaims:
    """The claims of one run. Used from one thread."""

    def __init__(self, folder: Path, run_id: str) -> None:
        self._folder, self._run_id = folder, run_id
        self._held: dict[str, IO[str]] = {}

    def take(self, key: str) -> bool:
        """Claim a key; False if another run computes it now, or a stage of this run does."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._path(key)
        while True:
            file = path.open("a")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.close()
                return False
            if _is_file(file, path):
                break
            file.close()  # whoever held it took the file away between opening and locking
        file.truncate(0)
        file.write(self._run_id)
        file.flush()
        self._held[key] = file
        return True

    def holder(self, key: str) -> str:
        """Return the run that computes a key; empty if none does."""
        try:
            return self._path(key).read_text("utf-8")
        except FileNotFoundError:
            return ""

    def release(self, key: str) -> None:
        """Let others have the key; does nothing if it is not claimed."""
        file = self._held.pop(key, None)
        if file is not None:
            self._path(key).unlink(missing_ok=True)  # before the lock is let go: after that the file may be another's
            file.close()

    def release_all(self) -> None:
        """The run has ended."""
        for key in tuple(self._held):
            self.release(key)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.lock"


def _is_file(file: IO[str], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
