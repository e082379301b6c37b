"""What resource monitors have counted, which of their triggers were reached, and when the next one will be."""

from __future__ import annotations

import datetime as dt
import threading
from typing import TYPE_CHECKING, Final

from firnline_sandbox.catalog import Warehouse
from firnline_sandbox.warehouses.ledger import total
from firnline_sandbox.warehouses.monitors import SUSPEND, SUSPEND_IMMEDIATE, Notification, ResourceMonitor

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from firnline_sandbox.engine import SandboxEngine
    from firnline_sandbox.warehouses.ledger import Charge, Ledger

_SECONDS_PER_HOUR: Final = 3_600
_LONGEST_WAIT_S: Final = 86_400.0
_SHORTEST_WAIT_S: Final = 0.05
_BISECTIONS: Final = 40
_KEPT_NOTIFICATIONS: Final = 1_000


class MonitorWatch:
    """Answers what the meter asks about resource monitors. Used under the meter's lock."""

    def __init__(self, engine: SandboxEngine, ledger: Ledger) -> None:
        self._engine = engine
        self._ledger = ledger
        self._timer: threading.Timer | None = None
        self._notified: set[tuple[str, dt.datetime, int, str]] = set()
        self.notifications: list[Notification] = []
        """What users would have been told, the oldest first."""

    # -- who watches what

    def monitors(self, warehouse: Warehouse) -> list[ResourceMonitor]:
        """List the monitors of a warehouse: the account's, and its own."""
        return [
            monitor
            for monitor in self._engine.catalog.entries(ResourceMonitor)
            if monitor.is_for_account or monitor.name == warehouse.resource_monitor
        ]

    def charges(self, monitor: ResourceMonitor) -> list[Charge]:
        """List the charges that count for a monitor."""
        if monitor.is_for_account:
            return self._ledger.charges()
        watched = {
            warehouse.id
            for warehouse in self._engine.catalog.entries(Warehouse)
            if warehouse.resource_monitor == monitor.name
        }
        return [charge for charge in self._ledger.charges() if charge.warehouse in watched]

    def used(self, monitor: ResourceMonitor, at: dt.datetime | None = None) -> float:
        """Add up the credits of a monitor's running period."""
        now = at or self._engine.clock.now()
        start = monitor.period_start(now)
        charges = [charge for charge in self.charges(monitor) if charge.started <= now]
        return total(charges, now, start) if start <= now else 0.0

    # -- what has been reached

    def spent(self, warehouse: Warehouse, *actions: str) -> ResourceMonitor | None:
        """Give a monitor that has a warehouse suspended; None if it may run."""
        now = self._engine.clock.now()
        for monitor in self.monitors(warehouse):
            if monitor.ends is not None and monitor.ends <= now:
                return monitor
            thresholds = monitor.thresholds(*(actions or (SUSPEND, SUSPEND_IMMEDIATE)))
            if thresholds and self.used(monitor) >= thresholds[0][0]:
                return monitor
        return None

    def reached_at(self, monitor: ResourceMonitor, action: str, now: dt.datetime) -> dt.datetime:
        """Find out when a monitor's trigger was reached: the clock may have been moved far beyond it."""
        thresholds = monitor.thresholds(action) or monitor.thresholds(SUSPEND, SUSPEND_IMMEDIATE)
        if not thresholds:
            return min(now, monitor.ends or now)
        early, late = monitor.period_start(now), now
        for _ in range(_BISECTIONS):
            middle = early + (late - early) / 2
            if self.used(monitor, middle) >= thresholds[0][0]:
                late = middle
            else:
                early = middle
        return late

    def notify(self, warehouse: Warehouse) -> None:
        """Note the triggers of a warehouse's monitors that were reached in the running period, once each."""
        now = self._engine.clock.now()
        for monitor in self.monitors(warehouse):
            used, start = self.used(monitor), monitor.period_start(now)
            for threshold, percent, action in monitor.thresholds():
                mark = (monitor.id, start, percent, action)
                if used >= threshold and mark not in self._notified:
                    self._notified.add(mark)
                    self.notifications.append(Notification(now, monitor.name, percent, action, used))
                    del self.notifications[:-_KEPT_NOTIFICATIONS]

    # -- when the next one will be

    def arm(self, running: Collection[str], check: Callable[[], None]) -> None:
        """Have ``check`` called when the next trigger is due at the rate at which credits are used now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        wait = self._next_in(running)
        if wait is not None:
            self._timer = threading.Timer(min(max(wait, _SHORTEST_WAIT_S), _LONGEST_WAIT_S), check)
            self._timer.daemon = True
            self._timer.start()

    def _next_in(self, running: Collection[str]) -> float | None:
        waits = []
        for monitor in self._engine.catalog.entries(ResourceMonitor):
            open_charges = [charge for charge in self.charges(monitor) if charge.ended is None]
            pace = sum(charge.rate for charge in open_charges if charge.warehouse in running)
            if pace <= 0:
                continue
            used = self.used(monitor)
            due = [threshold - used for threshold, _, _ in monitor.thresholds() if threshold > used]
            if due:
                waits.append(min(due) / pace * _SECONDS_PER_HOUR)
        return min(waits, default=None)

    def close(self) -> None:
        """Stop waiting."""
        if self._timer is not None:
            self._timer.cancel()
