"""When a task runs: ``n MINUTE`` and its like, or ``USING CRON expression zone``."""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from typing import Final

from cronsim import CronSim, CronSimError

from firnline_sandbox.errors import invalid_argument

_INTERVAL: Final = re.compile(r"(\d+)\s*(SECOND|MINUTE|HOUR|M|S|H)S?", re.IGNORECASE)
_CRON: Final = re.compile(r"USING\s+CRON\s+(\S+\s+\S+\s+\S+\s+\S+\s+\S+)\s+(\S+)", re.IGNORECASE)
_SECONDS: Final = {"S": 1, "M": 60, "H": 3_600}
_LONGEST_S: Final = 11_520 * 60
_SHORTEST_S: Final = 10


def interval_of(schedule: str) -> dt.timedelta | None:
    """Give the interval of ``n MINUTE``; None for a cron expression.

    Raises:
        ProgrammingError: 1015, it is neither.
    """
    if _CRON.fullmatch(schedule.strip()):
        return None
    found = _INTERVAL.fullmatch(schedule.strip())
    seconds = int(found[1]) * _SECONDS[found[2][0].upper()] if found else 0
    if not _SHORTEST_S <= seconds <= _LONGEST_S:
        raise invalid_argument(f"Invalid schedule '{schedule}'")
    return dt.timedelta(seconds=seconds)


def next_time(schedule: str, anchor: dt.datetime, after: dt.datetime) -> dt.datetime:
    """Give the first time of a schedule behind another time; intervals count from the anchor.

    Raises:
        ProgrammingError: 1015, the schedule cannot be read.
    """
    interval = interval_of(schedule)
    if interval is not None:
        return anchor + (max(after - anchor, dt.timedelta()) // interval + 1) * interval
    found = _CRON.fullmatch(schedule.strip())
    assert found is not None
    try:
        zone = zoneinfo.ZoneInfo(found[2])
        return next(CronSim(found[1], after.astimezone(zone))).astimezone(dt.UTC)
    except (CronSimError, zoneinfo.ZoneInfoNotFoundError, ValueError, StopIteration) as failure:
        raise invalid_argument(f"Invalid schedule '{schedule}'") from failure


def last_time(schedule: str, anchor: dt.datetime, after: dt.datetime, now: dt.datetime) -> dt.datetime | None:
    """Give the latest time of a schedule behind ``after`` that has come; those missed before it are not made up for."""
    found, due = None, next_time(schedule, anchor, after)
    while due <= now:
        found = due
        interval = interval_of(schedule)
        due = next_time(schedule, anchor, due if interval is None else max(due, now - interval))
    return found
