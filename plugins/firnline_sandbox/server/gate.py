"""The door through which requests come while a holder is there, and which it closes when it leaves."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class MovedError(Exception):
    """The holder is leaving: ask the next one."""


class Gate:
    """Counts the requests that are being served, and refuses new ones when the holder leaves."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self.is_closed = False

    @contextlib.contextmanager
    def passing(self, *, in_transaction: bool = False) -> Iterator[None]:
        """Serve a request.

        Raises:
            MovedError: the holder is leaving; sessions with an open transaction may still end it.
        """
        with self._lock:
            if self.is_closed and not in_transaction:
                raise MovedError
            self._count += 1
        try:
            yield
        finally:
            with self._lock:
                self._count -= 1

    def close(self) -> None:
        """Refuse new requests from now on."""
        with self._lock:
            self.is_closed = True

    @property
    def count(self) -> int:
        """How many requests are being served."""
        with self._lock:
            return self._count
