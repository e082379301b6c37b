"""INTERVAL constants and what they are added to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from sqlglot import exp

from firnline_sandbox import types as t
from firnline_sandbox.errors import invalid_argument
from firnline_sandbox.translate.casts import cast
from firnline_sandbox.translate.dispatch import Translation, expression
from firnline_sandbox.translate.values import Value

if TYPE_CHECKING:
    from firnline_sandbox.translate.scopes import Scope

_PARTS: Final = re.compile(r"\s*,?\s*([-+]?\d+)\s*([A-Za-z]*)")
_UNITS: Final = {
    "YEAR": ("year", "y", "yy", "yyy", "yyyy", "yr", "years", "yrs"),
    "QUARTER": ("quarter", "q", "qtr", "qtrs", "quarters"),
    "MONTH": ("month", "mm", "mon", "mons", "months"),
    "WEEK": ("week", "w", "wk", "weekofyear", "woy", "wy", "weeks"),
    "DAY": ("day", "d", "dd", "days", "dayofmonth"),
    "HOUR": ("hour", "h", "hh", "hr", "hours", "hrs"),
    "MINUTE": ("minute", "m", "mi", "min", "minutes", "mins"),
    "SECOND": ("second", "s", "sec", "seconds", "secs"),
    "MILLISECOND": ("millisecond", "ms", "msec", "milliseconds"),
    "MICROSECOND": ("microsecond", "us", "usec", "microseconds"),
    "NANOSECOND": ("nanosecond", "ns", "nsec", "nanosec", "nsecond", "nanoseconds", "nanosecs", "nseconds"),
}
_UNIT_OF: Final = {name: unit for unit, names in _UNITS.items() for name in names}
DAY_UNITS: Final = frozenset({"YEAR", "QUARTER", "MONTH", "WEEK", "DAY"})


def interval_unit(name: str) -> str:
    """Give the full name of a unit of time.

    Raises:
        ProgrammingError: 1015, there is no such unit.
    """
    unit = _UNIT_OF.get(name.lower())
    if unit is None:
        raise invalid_argument(f"'{name}' is not a valid date/time component.")
    return unit


def is_unit(name: str) -> bool:
    """Tell whether there is a unit of this name."""
    return name.lower() in _UNIT_OF


def is_interval(value: Value) -> bool:
    """True for an interval."""
    return value.type.kind == "INTERVAL"


@expression(exp.Interval)
def interval(_translation: Translation, node: exp.Interval, _scope: Scope) -> Value:
    """``INTERVAL '1 year, 2 days'``."""
    text = node.this.name
    if (unit := node.args.get("unit")) is not None:
        text = f"{text} {unit.name}"
    found = [(int(count), interval_unit(name or "second")) for count, name in _PARTS.findall(text)]
    if not found:
        raise invalid_argument(f"Interval '{text}' is not recognized.")
    sql = " + ".join(interval_sql(str(count), unit) for count, unit in found)
    whole_days = all(unit in DAY_UNITS for _, unit in found)
    return Value(f"({sql})", t.INTERVAL, nullable=False, constant="DAYS" if whole_days else "TIME")


def interval_sql(count: str, unit: str) -> str:
    """Write ``count`` units as a DuckDB interval."""
    match unit:
        case "QUARTER":
            return f"to_months(CAST(3 * ({count}) AS INTEGER))"
        case "YEAR" | "MONTH" | "WEEK" | "DAY":
            return f"to_{unit.lower()}s(CAST({count} AS INTEGER))"
        case "NANOSECOND":
            return f"to_microseconds(CAST(({count}) // 1000 AS BIGINT))"
        case "SECOND":
            return f"to_microseconds(CAST(({count}) * 1000000 AS BIGINT))"
        case _:
            return f"to_{unit.lower()}s(CAST({count} AS BIGINT))"


def add_interval(moment: Value, sign: str, interval_value: Value) -> Value:
    """Add an interval to a date, time or timestamp; a DATE stays one unless the interval has a time of day."""
    if moment.type.kind in {"TEXT", "VARIANT", "NULL"}:
        moment = cast(moment, t.TIMESTAMP_NTZ)
    sql = f"({moment.sql} {sign} {interval_value.sql})"
    if moment.type.kind != "DATE":
        return Value(sql, moment.type, moment.nullable)
    if interval_value.constant == "DAYS":
        return Value(f"CAST({sql} AS DATE)", t.DATE, moment.nullable)
    return Value(sql, t.TIMESTAMP_NTZ, moment.nullable)
