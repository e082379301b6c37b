"""The files of model versions: one folder each, which appears whole under its name or not at all.

A folder is made before the transaction that names it commits, and removed after the transaction that forgets it has: a
kill in between leaves a folder that no row names, and `sweep` removes it at the next start.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

UNFINISHED: Final = ".unfinished-"


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """The folder under which the model versions of one sandbox lie."""

    root: Path

    def folder(self, version_id: str) -> Path:
        """Return where a version's files are."""
        return self.root / version_id

    def add(self, version_id: str, source: Path) -> Path:
        """Copy a folder in: under a temporary name, flushed to disk, then renamed."""
        self.root.mkdir(parents=True, exist_ok=True)
        unfinished = self.root / f"{UNFINISHED}{version_id}"
        try:
            shutil.copytree(source, unfinished)
            for path in unfinished.rglob("*"):
                if path.is_file():
                    with path.open("rb") as file:
                        os.fsync(file.fileno())
        except OSError:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        return unfinished.rename(self.folder(version_id))

    def remove(self, version_id: str) -> None:
        """Remove a version's files; what cannot be removed now is swept at the next start."""
        shutil.rmtree(self.folder(version_id), ignore_errors=True)

    def sweep(self, known: Iterable[str]) -> None:
        """Remove the folders that no version names, left by a process that was killed."""
        if not self.root.is_dir():
            return
        keep = set(known)
        for path in self.root.iterdir():
            if path.name not in keep:
                shutil.rmtree(path, ignore_errors=True)

    def size(self, version_id: str) -> int:
        """Add up the bytes of a version's files."""
        return sum(path.stat().st_size for path in self.folder(version_id).rglob("*") if path.is_file())
