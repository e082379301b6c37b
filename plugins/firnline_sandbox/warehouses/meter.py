"""Which warehouses run, for whom, and what it costs; the part of the engine named ``warehouses``."""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from firnline_sandbox.catalog import Warehouse
from firnline_sandbox.statements.registry import engine_part
from firnline_sandbox.warehouses.ledger import Charge, Ledger
from firnline_sandbox.warehouses.monitors import (
    SUSPEND,
    SUSPEND_IMMEDIATE,
    no_active_warehouse,
    quota_exceeded,
    suspended_immediately,
)
from firnline_sandbox.warehouses.rates import CREDITS_PER_HOUR
from firnline_sandbox.warehouses.watch import MonitorWatch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from firnline_sandbox.connection import SandboxConnection
    from firnline_sandbox.engine import SandboxEngine
    from firnline_sandbox.history import RunningQuery
    from firnline_sandbox.warehouses.monitors import ResourceMonitor

_SEEN_EVERY: Final = dt.timedelta(seconds=30)


@dataclass(slots=True)
class Running:
    """A warehouse that has started: what is charged for it, and what it is carrying out."""

    since: dt.datetime
    idle_since: dt.datetime
    charges: list[Charge] = field(default_factory=list)
    queries: dict[str, RunningQuery] = field(default_factory=dict)
    is_to_suspend: bool = False


def rate(warehouse: Warehouse) -> float:
    """Give what a warehouse costs in credits an hour: nothing ever queues here, so only its least clusters run."""
    return CREDITS_PER_HOUR[warehouse.size] * warehouse.min_cluster_count


class WarehouseMeter:
    """Starts and suspends warehouses, and charges for them."""

    def __init__(self, engine: SandboxEngine) -> None:
        self._engine = engine
        self._clock = engine.clock
        self._lock = threading.RLock()
        self._running: dict[str, Running] = {}
        self._is_closed = False
        self.ledger = Ledger(engine.folder / "credits.jsonl", self._clock.now())
        for charge in self.ledger.charges():
            if charge.ended is None:
                found = self._running.setdefault(charge.warehouse, Running(charge.started, charge.seen))
                found.charges.append(charge)
        self.watch = MonitorWatch(engine, self.ledger)
        self._clock.on_move(self.check)

    # -- starting and suspending

    def state(self, warehouse: Warehouse) -> Running | None:
        """Give what a warehouse is doing; None while it is suspended."""
        with self._lock:
            self._settle(warehouse)
            return self._running.get(warehouse.id)

    def resume(self, warehouse: Warehouse) -> bool:
        """Start a warehouse; False if it runs already.

        Raises:
            ProgrammingError: 90073, a resource monitor forbids it.
        """
        with self._lock:
            self._settle(warehouse)
            if warehouse.id in self._running:
                return False
            self._refuse_spent(warehouse)
            now = self._clock.now()
            charge = self.ledger.start(warehouse.id, warehouse.name, rate(warehouse), now)
            self._running[warehouse.id] = Running(now, now, [charge])
            self._arm()
            return True

    def suspend(self, warehouse: Warehouse, *, at: dt.datetime | None = None) -> bool:
        """Suspend a warehouse as soon as it carries out nothing; False if it is suspended."""
        with self._lock:
            self._settle(warehouse)
            running = self._running.get(warehouse.id)
            if running is None:
                return False
            if running.queries:
                running.is_to_suspend = True
            else:
                self._end(warehouse.id, at or self._clock.now())
            return True

    def forget(self, warehouse: Warehouse) -> None:
        """End what is charged for a warehouse that was dropped."""
        with self._lock:
            if warehouse.id in self._running:
                self._end(warehouse.id, self._clock.now())

    def resize(self, warehouse: Warehouse) -> None:
        """Charge a running warehouse by its new rate: more by another charge, less by ending the latest ones."""
        with self._lock:
            running = self._running.get(warehouse.id)
            if running is None:
                return
            now, wanted = self._clock.now(), rate(warehouse)
            while running.charges and sum(charge.rate for charge in running.charges) > wanted:
                self.ledger.end(running.charges.pop(), now)
            missing = wanted - sum(charge.rate for charge in running.charges)
            if missing > 0:
                running.charges.append(self.ledger.start(warehouse.id, warehouse.name, missing, now))
            self._arm()

    def _end(self, warehouse_id: str, at: dt.datetime) -> None:
        for charge in self._running.pop(warehouse_id).charges:
            self.ledger.end(charge, at)

    def _settle(self, warehouse: Warehouse) -> None:
        """Suspend a warehouse that has been idle for long enough, as of when it was."""
        running = self._running.get(warehouse.id)
        if running is None or running.queries or warehouse.auto_suspend <= 0:
            return
        due = running.idle_since + dt.timedelta(seconds=warehouse.auto_suspend)
        if due <= self._clock.now():
            self._end(warehouse.id, due)

    # -- statements

    @contextlib.contextmanager
    def use(self, connection: SandboxConnection, query: RunningQuery) -> Iterator[None]:
        """Carry out a statement on the session's warehouse, which starts if it has to.

        Raises:
            ProgrammingError: 606, the session has no warehouse, or it is suspended and may not start by itself;
                90073, a resource monitor forbids it.
        """
        warehouse = self._warehouse(connection.warehouse)
        if warehouse is None:
            raise no_active_warehouse(connection.warehouse)
        with self._lock:
            self._enter(warehouse, query)
        history = self._engine.history
        history.note(
            query.query_id, warehouse_id=warehouse.id, warehouse_size=warehouse.size, credits_per_hour=rate(warehouse)
        )
        try:
            yield
        finally:
            with self._lock:
                self._leave(warehouse.id, query)

    def _warehouse(self, name: str | None) -> Warehouse | None:
        return None if name is None else self._engine.catalog.find(Warehouse, ("", "", name))

    def _enter(self, warehouse: Warehouse, query: RunningQuery) -> None:
        self._settle(warehouse)
        if self._running.get(warehouse.id) is None and not warehouse.auto_resume:
            raise no_active_warehouse()
        self._refuse_spent(warehouse)
        self.resume(warehouse)
        self._running[warehouse.id].queries[query.query_id] = query

    def _leave(self, warehouse_id: str, query: RunningQuery) -> None:
        running = self._running.get(warehouse_id)
        if running is None or self._is_closed:
            return
        running.queries.pop(query.query_id, None)
        now = self._clock.now()
        running.idle_since = now
        running.charges = [
            self.ledger.see(charge, now) if now - charge.seen > _SEEN_EVERY else charge for charge in running.charges
        ]
        if running.is_to_suspend and not running.queries:
            self._end(warehouse_id, now)

    # -- resource monitors

    def _refuse_spent(self, warehouse: Warehouse) -> None:
        monitor = self.watch.spent(warehouse)
        if monitor is not None:
            self._stop(warehouse, monitor, SUSPEND)
            raise quota_exceeded(warehouse.name, monitor.name)

    def check(self) -> None:
        """Act on the triggers of resource monitors that have been reached by now."""
        with self._lock:
            for warehouse in [] if self._is_closed else self._engine.catalog.entries(Warehouse):
                if warehouse.id not in self._running:
                    continue
                self._settle(warehouse)
                self.watch.notify(warehouse)
                for action in (SUSPEND_IMMEDIATE, SUSPEND):
                    monitor = self.watch.spent(warehouse, action)
                    if monitor is not None:
                        self._stop(warehouse, monitor, action)
                        break
            self._arm()

    def _stop(self, warehouse: Warehouse, monitor: ResourceMonitor, action: str) -> None:
        running = self._running.get(warehouse.id)
        if running is None:
            return
        if running.queries and action == SUSPEND:
            running.is_to_suspend = True
            return
        for query in running.queries.values():
            query.reason = lambda: suspended_immediately(warehouse.name, monitor.name)
            query.cancel()
        if running.queries:
            self._engine.write_lock.wake()
        now = self._clock.now()
        self._end(warehouse.id, max(running.since, self.watch.reached_at(monitor, action, now)))

    def _arm(self) -> None:
        if self._is_closed:
            return
        self.watch.arm(list(self._running), self.check)

    def close(self) -> None:
        """End with the engine: charges that run go on where they are, as in Snowflake, until the auto-suspension."""
        with self._lock:
            self._is_closed = True
            self.watch.close()
            now = self._clock.now()
            for running in self._running.values():
                for charge in running.charges:
                    self.ledger.see(charge, max(charge.seen, min(running.idle_since, now)))
            self.ledger.close()


@engine_part("warehouses")
def make_meter(engine: SandboxEngine) -> WarehouseMeter:
    """Make the meter of an engine's warehouses."""
    return WarehouseMeter(engine)
