"""Put a resource monitor with a run's cap on the warehouse, and take it off again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from firnline.errors import PlatformError
from firnline_costguard.leases import Lease
from firnline_costguard.warehouses import (
    adjust_monitor,
    create_monitor,
    current_role,
    drop_monitor,
    find_monitor,
    find_warehouse,
    set_monitor,
)

if TYPE_CHECKING:
    from snowflake.snowpark import Session

    from firnline_costguard.leases import Leases
    from firnline_costguard.warehouses import Warehouse

PREFIX: Final = "FIRNLINE_RUN_"
_PROBE: Final = "FIRNLINE_PROBE_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """What a run may use.

    Attributes:
        warehouse: of this warehouse, as it was before.
        amount: so many credits.
        lease: of the resource monitor that sees to it; None without one.
        used_before: what that monitor had counted before the run.
    """

    warehouse: Warehouse
    amount: float
    lease: Lease | None = None
    used_before: float = 0.0


def missing_privileges(session: Session, warehouse: Warehouse) -> tuple[str, ...]:
    """Return what the role may not do of what a cap needs, by trying it; that costs nothing and leaves nothing."""
    from snowflake.snowpark.exceptions import SnowparkSQLException

    lacking: list[str] = []
    probe = f"{_PROBE}{uuid4().hex[:12].upper()}"
    try:
        create_monitor(session, probe, 1.0)
    except SnowparkSQLException as error:
        lacking.append(f"create resource monitors (Snowflake lets ACCOUNTADMIN do so): {_first_line(error)}")
    else:
        drop_monitor(session, probe)
    try:
        set_monitor(session, warehouse.name, warehouse.monitor)
    except SnowparkSQLException as error:
        lacking.append(f"set the resource monitor of warehouse {warehouse.name}: {_first_line(error)}")
    role = current_role(session) if lacking else ""
    return tuple(f"role {role} may not {what}" for what in lacking)


def put_cap(session: Session, leases: Leases, warehouse: Warehouse, run_id: str, amount: float) -> Cap:
    """Cap a warehouse for a run; call it while the leases are locked and those of dead runs are undone.

    Runs of this project at the same time share one monitor, whose cap is the sum of theirs. A monitor that stands there
    is put aside for the time of the run; what it has left bounds the run too.

    Raises:
        PlatformError: another project's run has its monitor on the warehouse.
    """
    others = [lease for lease, held in leases.found() if held and lease.warehouse == warehouse.name]
    if others:
        return _join(session, leases, others[0], warehouse, run_id, amount)
    refuse_foreign(warehouse)
    previous = find_monitor(session, warehouse.monitor) if warehouse.monitor else None
    if previous is not None and previous.remaining is not None:
        amount = min(amount, previous.remaining)
    monitor = f"{PREFIX}{run_id.upper()}"
    lease = Lease(run_id=run_id, warehouse=warehouse.name, monitor=monitor, previous=warehouse.monitor, cap=amount)
    leases.take(lease)
    try:
        create_monitor(session, monitor, amount)
        set_monitor(session, warehouse.name, monitor)
    except BaseException:
        lift_cap(session, leases, lease)
        raise
    return Cap(warehouse=warehouse, amount=amount, lease=lease)


def refuse_foreign(warehouse: Warehouse) -> None:
    """Refuse a warehouse that a run of another project has capped.

    Raises:
        PlatformError: it has a monitor of another project's run.
    """
    if warehouse.monitor.startswith(PREFIX):
        raise PlatformError(
            f"warehouse {warehouse.name} has the resource monitor {warehouse.monitor}, of a run of another project",
            hint="wait for that run, take another warehouse (guard.warehouse), or drop the monitor if that run is gone",
        )


def _join(session: Session, leases: Leases, other: Lease, warehouse: Warehouse, run_id: str, amount: float) -> Cap:
    monitor = find_monitor(session, other.monitor)
    if monitor is None:
        raise PlatformError(
            f"the resource monitor {other.monitor} of run {other.run_id} is gone", hint="end that run, then try again"
        )
    together = sum(lease.cap for lease, held in leases.found() if held and lease.monitor == other.monitor)
    lease = Lease(run_id=run_id, warehouse=other.warehouse, monitor=other.monitor, previous=other.previous, cap=amount)
    leases.take(lease)
    adjust_monitor(session, other.monitor, max(together, monitor.used) + amount)
    return Cap(warehouse=warehouse, amount=amount, lease=lease, used_before=monitor.used)


def lift_cap(session: Session, leases: Leases, lease: Lease) -> None:
    """End a run's hold; the last one puts the former monitor back. Call it while the leases are locked."""
    others = [one for one, held in leases.found() if held and one.monitor == lease.monitor and one != lease]
    if not others:
        _undo(session, lease)
    leases.release(lease.run_id)


def undo_dead(session: Session, leases: Leases) -> None:
    """Undo what killed runs of this project left on warehouses. Call it while the leases are locked."""
    for lease, held in leases.found():
        if not held:
            lift_cap(session, leases, lease)


def _undo(session: Session, lease: Lease) -> None:
    warehouse = find_warehouse(session, lease.warehouse)
    if warehouse is not None and warehouse.monitor == lease.monitor:
        there = bool(lease.previous) and find_monitor(session, lease.previous) is not None
        set_monitor(session, lease.warehouse, lease.previous if there else "")
    drop_monitor(session, lease.monitor)


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
