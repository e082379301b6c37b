"""Whose credits they were: by hour, and by statement."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from firnline_sandbox.history import QueryRecord
    from firnline_sandbox.warehouses.ledger import Charge

    Hour = tuple[dt.datetime, str, str]

_HOUR = dt.timedelta(hours=1)
_SECONDS_PER_HOUR = 3_600


def hourly(charges: Iterable[Charge], now: dt.datetime) -> list[tuple[Hour, float]]:
    """Add up charges by hour and warehouse (its id and name), the oldest first."""
    found: dict[Hour, float] = defaultdict(float)
    for charge in charges:
        hour = charge.started.replace(minute=0, second=0, microsecond=0)
        last = charge.billed_until(now)
        while hour < last:
            used = charge.credits(now, hour, hour + _HOUR)
            if used > 0:
                found[hour, charge.warehouse, charge.name] += used
            hour += _HOUR
    return sorted(found.items())


def attributed(
    records: Iterable[QueryRecord],
    now: dt.datetime,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
) -> list[tuple[QueryRecord, float]]:
    """Share out what a warehouse costs while it computes among the statements that it computes at a time.

    Idle time is nobody's, as in Snowflake's QUERY_ATTRIBUTION_HISTORY.
    """
    by_warehouse: dict[str, list[QueryRecord]] = defaultdict(list)
    for record in records:
        if record.warehouse_id is not None:
            by_warehouse[record.warehouse_id].append(record)
    return [pair for queries in by_warehouse.values() for pair in _shares(queries, now, since, until)]


def _shares(
    queries: list[QueryRecord], now: dt.datetime, since: dt.datetime | None, until: dt.datetime | None
) -> list[tuple[QueryRecord, float]]:
    changes: list[tuple[dt.datetime, bool, int]] = []
    for index, query in enumerate(queries):
        start = query.started if since is None else max(query.started, since)
        end = (query.ended or now) if until is None else min(query.ended or now, until)
        if start <= end:
            changes += [(start, True, index), (end, False, index)]
    changes.sort(key=lambda change: change[0])
    used: dict[int, float] = {}
    active: set[int] = set()
    before: dt.datetime | None = None
    for at, begins, index in changes:
        if before is not None and active:
            seconds = (at - before).total_seconds()
            for each in active:
                share = queries[each].credits_per_hour * seconds / _SECONDS_PER_HOUR / len(active)
                used[each] += share
        if begins:
            active.add(index)
            used.setdefault(index, 0.0)
        else:
            active.discard(index)
        before = at
    return [(queries[index], amount) for index, amount in sorted(used.items())]
