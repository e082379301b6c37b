"""Which processes use a sandbox: each holds a lock on a file of its own, which the kernel lets go when it dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path


class Presence:
    """One user of a folder; its number is part of its sessions' ids."""

    def __init__(self, folder: Path, number: int, descriptor: int) -> None:
        self.number = number
        self._path = folder / str(number)
        self._descriptor: int | None = descriptor

    @classmethod
    def register(cls, folder: Path) -> Self:
        """Become a user of the sandbox whose users' folder this is."""
        folder.mkdir(exist_ok=True)
        while True:
            number = secrets.randbelow(2**31 - 1) + 1
            path = folder / str(number)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            # Somebody may have taken the file for a dead user's before it was locked.
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_ino == os.fstat(descriptor).st_ino:
                    return cls(folder, number, descriptor)
            os.close(descriptor)

    def release(self) -> None:
        """Be a user no longer."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            self._path.unlink(missing_ok=True)
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            os.close(descriptor)


def living(folder: Path) -> frozenset[int]:
    """Give the numbers of the users that are alive; what dead ones left behind is removed."""
    if not folder.is_dir():
        return frozenset()
    return frozenset(int(path.name) for path in folder.iterdir() if path.name.isdigit() and _is_held(path))


def _is_held(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        path.unlink(missing_ok=True)
        return False
    finally:
        os.close(descriptor)
