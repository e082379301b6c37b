"""Warehouses and resource monitors as SHOW tells them, and the statements that change them. None needs a warehouse."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from firnline.domain import quote_constant, quote_name
from firnline.errors import PlatformError

if TYPE_CHECKING:
    from snowflake.snowpark import Session

# https://docs.snowflake.com/en/user-guide/warehouses-overview: each size costs twice what the one before it costs.
SIZES: Final = (
    "X-Small", "Small", "Medium", "Large", "X-Large", "2X-Large", "3X-Large", "4X-Large", "5X-Large", "6X-Large",
)  # fmt: skip
CREDITS_PER_HOUR: Final = {size: float(2**step) for step, size in enumerate(SIZES)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Warehouse:
    """A warehouse.

    Attributes:
        name: its exact name.
        size: as SHOW WAREHOUSES spells it.
        clusters: that run at least when it runs.
        auto_suspend_s: idle seconds after which it suspends; 0 if it never does by itself.
        monitor: its resource monitor, or empty.
        runs: whether it is started.
    """

    name: str
    size: str
    clusters: int = 1
    auto_suspend_s: float = 0.0
    monitor: str = ""
    runs: bool = False

    @property
    def credits_per_hour(self) -> float:
        """What it costs while it runs."""
        return CREDITS_PER_HOUR[self.size] * max(self.clusters, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """A resource monitor. ``quota`` and ``remaining`` are None without a quota."""

    name: str
    quota: float | None
    used: float
    remaining: float | None


def current_warehouse(session: Session) -> str | None:
    """Return the exact name of the session's warehouse."""
    [row] = session.sql("SELECT CURRENT_WAREHOUSE()").collect()
    return str(row[0]) if row[0] is not None else None


def current_role(session: Session) -> str:
    """Return the session's role."""
    [row] = session.sql("SELECT CURRENT_ROLE()").collect()
    return str(row[0])


def find_warehouse(session: Session, name: str) -> Warehouse | None:
    """Return a warehouse that the role can see.

    Raises:
        PlatformError: its size is not one whose price is known.
    """
    # LIKE knows wildcards and ignores case, so the rows are compared again.
    for row in session.sql(f"SHOW WAREHOUSES LIKE {quote_constant(name)}").collect():
        if row["name"] != name:
            continue
        if row["size"] not in CREDITS_PER_HOUR:
            raise PlatformError(
                f"the price of warehouse {name}, of size {row['size']!r}, is not known",
                hint=f"the guard knows standard warehouses: {', '.join(SIZES)}",
            )
        told = row.as_dict()  # accounts without multi-cluster warehouses tell no clusters
        return Warehouse(
            name=name,
            size=row["size"],
            clusters=max(int(told.get("min_cluster_count") or 1), int(told.get("started_clusters") or 0)),
            auto_suspend_s=float(row["auto_suspend"] or 0),
            monitor="" if row["resource_monitor"] in {None, "null"} else str(row["resource_monitor"]),
            runs=str(row["state"]).upper() in {"STARTED", "RESUMING", "RESIZING"},
        )
    return None


def find_monitor(session: Session, name: str) -> Monitor | None:
    """Return a resource monitor that the role can see."""
    for row in session.sql(f"SHOW RESOURCE MONITORS LIKE {quote_constant(name)}").collect():
        if row["name"] == name:
            return Monitor(
                name=name,
                quota=_number(row["credit_quota"]),
                used=_number(row["used_credits"]) or 0.0,
                remaining=_number(row["remaining_credits"]),
            )
    return None


def create_monitor(session: Session, name: str, cap: float) -> None:
    """Create a resource monitor that suspends its warehouse immediately at ``cap`` credits, from now on, once."""
    session.sql(
        f"CREATE RESOURCE MONITOR {quote_name(name)} WITH CREDIT_QUOTA = {_quota(cap)} FREQUENCY = NEVER "
        f"START_TIMESTAMP = IMMEDIATELY TRIGGERS {_trigger(cap)}"
    ).collect()


def adjust_monitor(session: Session, name: str, cap: float) -> None:
    """Give a resource monitor another cap."""
    session.sql(
        f"ALTER RESOURCE MONITOR {quote_name(name)} SET CREDIT_QUOTA = {_quota(cap)} TRIGGERS {_trigger(cap)}"
    ).collect()


def drop_monitor(session: Session, name: str) -> None:
    """Drop a resource monitor if it is there; its warehouses may run again."""
    session.sql(f"DROP RESOURCE MONITOR IF EXISTS {quote_name(name)}").collect()


def set_monitor(session: Session, warehouse: str, monitor: str) -> None:
    """Give a warehouse a resource monitor; an empty name takes it away."""
    change = f"SET RESOURCE_MONITOR = {quote_name(monitor)}" if monitor else "UNSET RESOURCE_MONITOR"
    session.sql(f"ALTER WAREHOUSE {quote_name(warehouse)} {change}").collect()


def _quota(cap: float) -> int:
    """Return the quota: whole credits, of which the trigger takes its share."""
    return math.ceil(cap)


def _trigger(cap: float) -> str:
    percent = max(math.floor(100 * cap / _quota(cap)), 1)
    return f"ON {percent} PERCENT DO SUSPEND_IMMEDIATE"


def _number(text: Any) -> float | None:
    return float(text) if text not in {None, "null", ""} else None
