"""What time it is in a sandbox: the real time, or one that tests move."""

from __future__ import annotations

import datetime as dt
import threading
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock(Protocol):
    """Tells the time, and who wants to know when somebody moves it."""

    def now(self) -> dt.datetime:
        """Give the time, with a time zone."""

    def moved(self) -> str | None:
        """Give the time as SQL understands it where it is not the real time."""

    def on_move(self, listener: Callable[[], None]) -> None:
        """Call this after each move of the clock. The real time never moves but by itself."""


class SystemClock:
    """The real time."""

    def now(self) -> dt.datetime:
        """Give the time."""
        return dt.datetime.now(dt.UTC)

    def moved(self) -> None:
        """Say that it is the real time."""

    def on_move(self, listener: Callable[[], None]) -> None:
        """Take a listener that is never called."""


class MovableClock:
    """A clock for tests: it runs with the real time, or stands still, and can be moved forward."""

    def __init__(self, start: dt.datetime | None = None, *, stands_still: bool = False) -> None:
        self._lock = threading.Lock()
        self._began = dt.datetime.now(dt.UTC)
        self._now = start or self._began
        self._stands_still = stands_still
        self._listeners: list[Callable[[], None]] = []

    def now(self) -> dt.datetime:
        """Give the time."""
        with self._lock:
            passed = dt.timedelta() if self._stands_still else dt.datetime.now(dt.UTC) - self._began
            return self._now + passed

    def moved(self) -> str:
        """Give the time as SQL understands it."""
        return self.now().isoformat(sep=" ")

    def on_move(self, listener: Callable[[], None]) -> None:
        """Call this after each move."""
        with self._lock:
            self._listeners.append(listener)

    def advance(self, seconds: float = 0, *, minutes: float = 0, hours: float = 0, days: float = 0) -> None:
        """Move the clock forward.

        Raises:
            ValueError: the time would go backwards.
        """
        step = dt.timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        if step < dt.timedelta():
            raise ValueError("a clock moves forward only")
        with self._lock:
            self._now += step
            listeners = list(self._listeners)
        for listener in listeners:
            listener()
