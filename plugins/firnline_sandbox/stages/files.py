"""A file of a stage."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

UNFINISHED: Final = ".unfinished-"
"""How the name of a file begins that is still being written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedFile:
    """A file of a stage: its name as LIST shows it, and where it is."""

    name: str
    relative: str
    local: Path

    @property
    def metadata_name(self) -> str:
        """Give the path that METADATA$FILENAME shows."""
        return self.relative

    @property
    def path(self) -> Path:
        """Give the file on the local disk."""
        return self.local

    @property
    def size(self) -> int:
        """Give the number of bytes."""
        return self.path.stat().st_size

    @property
    def md5(self) -> str:
        """Compute the MD5 of the content, as LIST shows it."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()

    @property
    def changed(self) -> dt.datetime:
        """Give the time of the last change, without a time zone."""
        return dt.datetime.fromtimestamp(self.path.stat().st_mtime, dt.UTC).replace(tzinfo=None)

    @property
    def content_key(self) -> str:
        """Give a text that changes whenever the file is written again."""
        found = self.path.stat()
        return f"{found.st_size:x}-{found.st_mtime_ns:x}-{found.st_ino:x}"

    def remove(self) -> None:
        """Remove the file; nothing happens if it is gone already."""
        self.path.unlink(missing_ok=True)

    @property
    def last_modified(self) -> str:
        """Give the time of the last change as LIST words it."""
        changed = dt.datetime.fromtimestamp(self.path.stat().st_mtime, dt.UTC)
        return changed.strftime("%a, %d %b %Y %H:%M:%S GMT")
