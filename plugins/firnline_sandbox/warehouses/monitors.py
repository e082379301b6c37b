"""Resource monitors: their quotas, their periods, and which of their triggers have been reached."""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from firnline_sandbox.catalog.entries import Entry, register_entry
from firnline_sandbox.errors import error

if TYPE_CHECKING:
    from snowflake.connector.errors import ProgrammingError

NOTIFY: Final = "NOTIFY"
SUSPEND: Final = "SUSPEND"
SUSPEND_IMMEDIATE: Final = "SUSPEND_IMMEDIATE"
FREQUENCIES: Final = ("MONTHLY", "DAILY", "WEEKLY", "YEARLY", "NEVER")


@register_entry
@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceMonitor(Entry):
    """A resource monitor. ``triggers`` are pairs of a percentage of the quota and an action.

    ``frequency`` is empty for the default: from now on, anew with each calendar month.
    """

    kind: ClassVar[str] = "RESOURCE MONITOR"

    quota: float | None = None
    frequency: str = ""
    start: str = ""
    end: str = ""
    triggers: tuple[tuple[int, str], ...] = ()
    notify_users: tuple[str, ...] = ()
    is_for_account: bool = False

    def __post_init__(self) -> None:
        # JSON has lists alone.
        object.__setattr__(self, "triggers", tuple((int(percent), str(action)) for percent, action in self.triggers))
        object.__setattr__(self, "notify_users", tuple(self.notify_users))

    @property
    def began(self) -> dt.datetime:
        """Say since when it counts credits."""
        return dt.datetime.fromisoformat(self.start) if self.start else self.created

    @property
    def ends(self) -> dt.datetime | None:
        """Say when it suspends its warehouses whatever they have used."""
        return dt.datetime.fromisoformat(self.end) if self.end else None

    def period_start(self, now: dt.datetime) -> dt.datetime:
        """Give the start of the period that is running: since then it counts credits."""
        if not self.frequency:
            return max(self.began, now.replace(day=1, hour=0, minute=0, second=0, microsecond=0))
        start = self.began
        if self.frequency == "NEVER" or now < start:
            return start
        if self.frequency in {"DAILY", "WEEKLY"}:
            length = dt.timedelta(days=1 if self.frequency == "DAILY" else 7)
            return start + (now - start) // length * length
        months = 1 if self.frequency == "MONTHLY" else 12
        passed = (now.year - start.year) * 12 + now.month - start.month
        passed -= passed % months
        found = _months_later(start, passed)
        return found if found <= now else _months_later(start, passed - months)

    def thresholds(self, *actions: str) -> list[tuple[float, int, str]]:
        """Give the credits, percentage and action of its triggers, the lowest first."""
        if self.quota is None:
            return []
        wanted = [(percent, action) for percent, action in self.triggers if not actions or action in actions]
        return sorted((self.quota * percent / 100, percent, action) for percent, action in wanted)


def _months_later(start: dt.datetime, months: int) -> dt.datetime:
    years, month = divmod(start.month - 1 + months, 12)
    year = start.year + years
    day = min(start.day, calendar.monthrange(year, month + 1)[1])
    return start.replace(year=year, month=month + 1, day=day)


@dataclass(frozen=True, slots=True)
class Notification:
    """What a resource monitor's trigger would have told its users."""

    at: dt.datetime
    monitor: str
    percent: int
    action: str
    used: float


def quota_exceeded(warehouse: str, monitor: str) -> ProgrammingError:
    """A warehouse may not start because of a resource monitor."""
    return error(
        90073,
        "22000",
        f"Warehouse '{warehouse}' cannot be resumed because resource monitor '{monitor}' has exceeded its quota.",
    )


def suspended_immediately(warehouse: str, monitor: str) -> ProgrammingError:
    """A running statement is cancelled because of a resource monitor."""
    return error(
        604,
        "57014",
        f"SQL execution canceled. Warehouse '{warehouse}' was suspended because resource monitor '{monitor}' has "
        "exceeded its quota.",
    )


def no_active_warehouse(named: str | None = None) -> ProgrammingError:
    """The statement computes, and the session has no warehouse that runs or may resume; ``named`` does not exist."""
    hint = "" if named is None else f" (The session names warehouse '{named}', which does not exist.)"
    return error(
        606,
        "57P03",
        "No active warehouse selected in the current session. Select an active warehouse with the 'use warehouse' "
        f"command.{hint}",
    )
