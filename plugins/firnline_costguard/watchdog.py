"""Read while the run goes on what its warehouse has used, and stop it in time. None of it needs a warehouse."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from firnline.domain.wording import credits_text
from firnline_costguard.estimate import LEAST_SECONDS
from firnline_costguard.warehouses import find_monitor, find_warehouse

if TYPE_CHECKING:
    from collections.abc import Callable

    from snowflake.snowpark import Session

    from firnline_costguard.caps import Cap

_SECONDS_PER_HOUR: Final = 3_600.0
_FAILURES: Final = 3  # readings in a row that may fail before the run is stopped


@dataclass(slots=True)
class Stopwatch:
    """Adds up what a warehouse costs by looking at it again and again: a monitor's numbers may be minutes old.

    Attributes:
        paid: credits of the times that it ran before.
        since: since when it has been seen running; None while it is suspended.
        rate: its credits an hour when it was last seen.
    """

    paid: float = 0.0
    since: float | None = None
    rate: float = 0.0
    is_first: bool = True
    least_s: float = LEAST_SECONDS

    def look(self, now: float, *, runs: bool, rate: float) -> float:
        """Take what was seen; return the credits so far."""
        if self.since is not None and (not runs or rate != self.rate):
            self.paid += self._running(now)
            self.since = None
        if runs and self.since is None:
            # One that ran before the first look, or only changed its size, has paid its first minute before.
            self.least_s = 0.0 if self.is_first or self.rate > 0 else LEAST_SECONDS
            self.since = now
        self.rate, self.is_first = (rate if runs else 0.0), False
        return self.paid + self._running(now)

    def _running(self, now: float) -> float:
        if self.since is None:
            return 0.0
        return max(now - self.since, self.least_s) * self.rate / _SECONDS_PER_HOUR


class Watchdog:
    """A thread that reads, and stops the run at its limit."""

    def __init__(self, session: Session, cap: Cap, *, limit: float, poll_s: float, stop: Callable[[str], None]) -> None:
        self._session, self._cap = session, cap
        self._limit, self._poll_s, self._stop = limit, poll_s, stop
        self._stopwatch = Stopwatch()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="cost guard", daemon=True)
        self.used = 0.0

    def start(self) -> None:
        """Begin; the first reading is made at once."""
        self.read()
        self._thread.start()

    def end(self) -> None:
        """Stop watching, with a last reading."""
        self._ended.set()
        self._thread.join()
        self.read()

    def read(self) -> float:
        """Return the credits that the warehouse has used since the run began."""
        found = find_warehouse(self._session, self._cap.warehouse.name)
        runs, rate = (found.runs, found.credits_per_hour) if found is not None else (False, 0.0)
        self.used = max(self.used, self._stopwatch.look(time.monotonic(), runs=runs, rate=rate))
        if self._cap.lease is not None:
            monitor = find_monitor(self._session, self._cap.lease.monitor)
            if monitor is not None:
                self.used = max(self.used, monitor.used - self._cap.used_before)
        return self.used

    def _watch(self) -> None:
        failures = 0
        while not self._ended.wait(self._poll_s):
            try:
                used = self.read()
            except Exception as error:  # noqa: BLE001 (the line may be down for a moment; a guard that stays blind stops)
                failures += 1
                if failures >= _FAILURES:
                    self._stop(f"the credits used cannot be read: {error}")
                    return
                continue
            failures = 0
            if used >= self._limit:
                self._stop(f"{credits_text(used)} credits are used, {credits_text(self._limit)} may be")
                return
