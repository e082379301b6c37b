"""What was charged: one entry for each time that a warehouse ran at some rate, kept in a file beside the data."""

from __future__ import annotations

import datetime as dt
import json
import threading
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox.warehouses.rates import LEAST_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_LEAST: Final = dt.timedelta(seconds=LEAST_SECONDS)
_KEPT: Final = dt.timedelta(days=365)
_SECONDS_PER_HOUR: Final = 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """A warehouse's running at a rate (in credits an hour) from its start to its end, or still.

    ``seen`` is the last time at which it was surely in use: what is known after a crash.
    """

    key: str
    warehouse: str
    name: str
    rate: float
    started: dt.datetime
    ended: dt.datetime | None = None
    seen: dt.datetime

    def billed_until(self, now: dt.datetime) -> dt.datetime:
        """Say until when it is billed: a minute at least."""
        return max(min(self.ended or now, now), self.started + _LEAST)

    def credits(self, now: dt.datetime, since: dt.datetime | None = None, until: dt.datetime | None = None) -> float:
        """Give the credits that fall into a span of time; the first minute is due at once."""
        first = self.started if since is None else max(since, self.started)
        last = self.billed_until(now) if until is None else min(until, self.billed_until(now))
        return max((last - first).total_seconds(), 0.0) * self.rate / _SECONDS_PER_HOUR


class Ledger:
    """The charges of all warehouses, the oldest first. Safe to use from several threads."""

    def __init__(self, path: Path, now: dt.datetime) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._charges: dict[str, Charge] = {}
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                self._read(line)
            self._charges = {
                key: charge for key, charge in self._charges.items() if charge.billed_until(now) > now - _KEPT
            }
            unfinished = path.with_suffix(".new")
            unfinished.write_text("".join(_line(charge) for charge in self._charges.values()), encoding="utf-8")
            unfinished.replace(path)
        self._file = path.open("a", encoding="utf-8", buffering=1)

    def _read(self, line: str) -> None:
        try:
            fields: dict[str, Any] = json.loads(line)
        except ValueError:
            return  # the last line of a process that was killed while it wrote
        for name in ("started", "ended", "seen"):
            if fields[name] is not None:
                fields[name] = dt.datetime.fromisoformat(fields[name])
        charge = Charge(**fields)
        self._charges[charge.key] = charge

    def start(self, warehouse: str, name: str, rate: float, at: dt.datetime) -> Charge:
        """Begin to charge."""
        charge = Charge(key=uuid.uuid4().hex[:12], warehouse=warehouse, name=name, rate=rate, started=at, seen=at)
        self._put(charge)
        return charge

    def end(self, charge: Charge, at: dt.datetime) -> None:
        """End a charge."""
        self._put(replace(charge, ended=max(at, charge.started), seen=max(at, charge.seen)))

    def see(self, charge: Charge, at: dt.datetime) -> Charge:
        """Note that a warehouse was in use."""
        seen = replace(charge, seen=at)
        self._put(seen)
        return seen

    def _put(self, charge: Charge) -> None:
        with self._lock:
            self._charges[charge.key] = charge
            self._file.write(_line(charge))

    def charges(self) -> list[Charge]:
        """List all charges."""
        with self._lock:
            return list(self._charges.values())

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _line(charge: Charge) -> str:
    fields = {
        "key": charge.key,
        "warehouse": charge.warehouse,
        "name": charge.name,
        "rate": charge.rate,
        "started": charge.started.isoformat(),
        "ended": None if charge.ended is None else charge.ended.isoformat(),
        "seen": charge.seen.isoformat(),
    }
    return json.dumps(fields, ensure_ascii=False) + "\n"


def total(charges: Iterable[Charge], now: dt.datetime, since: dt.datetime | None = None) -> float:
    """Add up credits."""
    return sum(charge.credits(now, since) for charge in charges)
