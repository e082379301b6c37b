"""Two locks: one keeps other processes off a sandbox folder, one lets writers in one after the other."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from typing import TYPE_CHECKING, Final

from firnline_sandbox.errors import cancelled_error, locked

if TYPE_CHECKING:
    from pathlib import Path

POLL_S: Final = 0.05


class SandboxBusyError(TimeoutError):
    """Another process has the sandbox open."""


class FolderLock:
    """An exclusive lock on a folder; the lock file names the process that holds it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self, timeout_s: float) -> None:
        """Wait for the lock.

        Raises:
            SandboxBusyError: another process still holds it when the time is over.
        """
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    os.close(descriptor)
                    raise SandboxBusyError(self._busy(timeout_s)) from None
                time.sleep(POLL_S)
            else:
                break
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Let go of the lock."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            # A forked child may have the file open, too; closing it here would not unlock it.
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            os.close(self._descriptor)
            self._descriptor = None

    def forget(self) -> None:
        """Close the file in a forked child: the lock is its parent's."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _busy(self, timeout_s: float) -> str:
        holder = self._path.read_text(encoding="utf-8").strip() or "unknown"
        return (
            f"the sandbox in {self._path.parent} is in use by process {holder}, which lets nobody else in; "
            f"waited {timeout_s:g} s. End that process, or name another path."
        )


class WriteLock:
    """Held by the one transaction that is writing."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._is_held = False

    def acquire(self, *, timeout_s: float, cancelled: threading.Event) -> None:
        """Wait until nobody else writes.

        Raises:
            ProgrammingError: 604, the query was cancelled while it waited; 625, the time is over.
        """
        deadline = time.monotonic() + timeout_s
        with self._condition:
            while self._is_held:
                if cancelled.is_set():
                    raise cancelled_error()
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    raise locked(timeout_s)
                self._condition.wait(min(remaining, 1.0))
            self._is_held = True

    def release(self) -> None:
        """Give the lock back."""
        with self._condition:
            self._is_held = False
            self._condition.notify()

    def wake(self) -> None:
        """Let those who wait look whether they were cancelled."""
        with self._condition:
            self._condition.notify_all()
