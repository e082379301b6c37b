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

    def on_move(self, listener: Callable[[], object], stop: Callable[[], dt.datetime | None] | None = None) -> None:
        """Call this after each move of the clock, which stops on its way at the times that ``stop`` names."""


class SystemClock:
    """The real time."""

    def now(self) -> dt.datetime:
        """Give the time."""
        return dt.datetime.now(dt.UTC)

    def moved(self) -> None:
        """Say that it is the real time."""

    def on_move(self, listener: Callable[[], object], stop: Callable[[], dt.datetime | None] | None = None) -> None:
        """Take a listener that is never called: the real time moves by itself."""


class MovableClock:
    """A clock for tests: it runs with the real time, or stands still, and can be moved forward."""

    def __init__(self, start: dt.datetime | None = None, *, stands_still: bool = False) -> None:
        self._lock = threading.Lock()
        self._began = dt.datetime.now(dt.UTC)
        self._now = start or self._began
        self._stands_still = stands_still
        self._listeners: list[Callable[[], object]] = []
        self._stops: list[Callable[[], dt.datetime | None]] = []

    def now(self) -> dt.datetime:
        """Give the time."""
        with self._lock:
            passed = dt.timedelta() if self._stands_still else dt.datetime.now(dt.UTC) - self._began
            return self._now + passed

    def moved(self) -> str:
        """Give the time as SQL understands it."""
        return self.now().isoformat(sep=" ")

    def on_move(self, listener: Callable[[], object], stop: Callable[[], dt.datetime | None] | None = None) -> None:
        """Call this after each move, and at the times on the way that ``stop`` names."""
        with self._lock:
            self._listeners.append(listener)
            if stop is not None:
                self._stops.append(stop)

    def advance(self, seconds: float = 0, *, minutes: float = 0, hours: float = 0, days: float = 0) -> None:
        """Move the clock forward, and wait for what is due on the way.

        Raises:
            ValueError: the time would go backwards.
        """
        step = dt.timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        if step < dt.timedelta():
            raise ValueError("a clock moves forward only")
        target = self.now() + step
        while True:
            times = [time for stop in list(self._stops) if (time := stop()) is not None]
            before = [time for time in times if self.now() < time < target]
            self._set(min(before, default=target))
            if not before:
                return

    def _set(self, time: dt.datetime) -> None:
        with self._lock:
            passed = dt.timedelta() if self._stands_still else dt.datetime.now(dt.UTC) - self._began
            self._now = max(time, self._now + passed) - passed
            listeners = list(self._listeners)
        for listener in listeners:
            listener()
