"""Dates, times and timestamps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firnline_sandbox import types as t
from firnline_sandbox.errors import invalid_argument
from firnline_sandbox.translate.casts import cast
from firnline_sandbox.translate.formats import parse_time, parse_time_by
from firnline_sandbox.translate.functions import Call, declare, function
from firnline_sandbox.translate.intervals import DAY_UNITS, interval_sql, interval_unit, is_unit
from firnline_sandbox.translate.operators import as_text, numeric
from firnline_sandbox.translate.values import Value, quote_text

if TYPE_CHECKING:
    from firnline_sandbox.types import SnowflakeType

_MOMENTS: Final = frozenset({"DATE", "TIME", *t.TIMESTAMPS})


def moment(value: Value) -> Value:
    """Bring an argument to a date, time or timestamp."""
    return value if value.type.kind in _MOMENTS else cast(value, t.TIMESTAMP_NTZ)


# --- parts -----------------------------------------------------------------------------------------------------------

_PARTS: Final = {
    "year": "year", "y": "year", "yy": "year", "yyy": "year", "yyyy": "year", "yr": "year", "years": "year",
    "yrs": "year",
    "month": "month", "mm": "month", "mon": "month", "mons": "month", "months": "month",
    "day": "day", "d": "day", "dd": "day", "days": "day", "dayofmonth": "day",
    "dayofweek": "dayofweek", "weekday": "dayofweek", "dow": "dayofweek", "dw": "dayofweek",
    "dayofweekiso": "isodow", "dayofweek_iso": "isodow", "weekday_iso": "isodow", "dow_iso": "isodow",
    "dw_iso": "isodow",
    "dayofyear": "dayofyear", "yearday": "dayofyear", "doy": "dayofyear", "dy": "dayofyear",
    "week": "week", "w": "week", "wk": "week", "weekofyear": "week", "woy": "week", "wy": "week",
    "weekiso": "week", "week_iso": "week", "weekofyeariso": "week", "weekofyear_iso": "week",
    "yearofweek": "isoyear", "yearofweekiso": "isoyear",
    "quarter": "quarter", "q": "quarter", "qtr": "quarter", "qtrs": "quarter", "quarters": "quarter",
    "hour": "hour", "h": "hour", "hh": "hour", "hr": "hour", "hours": "hour", "hrs": "hour",
    "minute": "minute", "m": "minute", "mi": "minute", "min": "minute", "minutes": "minute", "mins": "minute",
    "second": "second", "s": "second", "sec": "second", "seconds": "second", "secs": "second",
    "nanosecond": "nanosecond", "ns": "nanosecond", "nsec": "nanosecond", "nanosec": "nanosecond",
    "nsecond": "nanosecond", "nanoseconds": "nanosecond", "nanosecs": "nanosecond", "nseconds": "nanosecond",
    "epoch_second": "epoch", "epoch": "epoch", "epoch_seconds": "epoch",
    "epoch_millisecond": "epoch_ms", "epoch_milliseconds": "epoch_ms",
    "epoch_microsecond": "epoch_us", "epoch_microseconds": "epoch_us",
    "epoch_nanosecond": "epoch_ns", "epoch_nanoseconds": "epoch_ns",
    "timezone_hour": "timezone_hour", "tzh": "timezone_hour", "timezone_minute": "timezone_minute",
    "tzm": "timezone_minute",
}  # fmt: skip


def part_of(name: str, value: Value) -> str:
    """Write one part of a date or time as an integer.

    Raises:
        ProgrammingError: 1015, there is no such part.
    """
    part = _PARTS.get(name.lower())
    if part is None:
        raise invalid_argument(f"'{name}' is not a valid date/time component.")
    match part:
        case "nanosecond":
            return f"(date_part('microsecond', {value.sql}) % 1000000 * 1000)"
        case "epoch":
            return f"CAST(floor(epoch({value.sql})) AS BIGINT)"
        case "epoch_ms" | "epoch_us" | "epoch_ns":
            return f"CAST({part}({value.sql}) AS BIGINT)"
        case _:
            return f"date_part('{part}', {value.sql})"


@function("DATE_PART")
def date_part(call: Call) -> Value:
    """``DATE_PART(part, x)`` and ``EXTRACT(part FROM x)``."""
    value = moment(call.value(1))
    return Value(part_of(call.word(0), value), t.number(9), value.nullable, volatile=value.volatile)


_PART_FUNCTIONS: Final = {
    "YEAR": "year", "MONTH": "month", "DAY": "day", "DAYOFMONTH": "day", "DAYOFWEEK": "dayofweek",
    "DAYOFWEEKISO": "dayofweekiso", "DAYOFYEAR": "dayofyear", "WEEK": "week", "WEEKOFYEAR": "week", "WEEKISO": "week",
    "YEAROFWEEK": "yearofweek", "YEAROFWEEKISO": "yearofweek", "QUARTER": "quarter", "HOUR": "hour", "MINUTE": "minute",
    "SECOND": "second",
}  # fmt: skip


@function(*_PART_FUNCTIONS)
def part_function(call: Call) -> Value:
    """YEAR, MONTH and the like."""
    value = moment(call.value(0))
    return call.build(part_of(_PART_FUNCTIONS[call.name], value), t.number(4 if "YEAR" in call.name else 2))


declare("DAYNAME", (t.DATE,), t.text(3), "strftime({0}, '%a')")
declare("MONTHNAME", (t.DATE,), t.text(3), "strftime({0}, '%b')")

# --- arithmetic ------------------------------------------------------------------------------------------------------


@function("DATEADD", "TIMEADD", "TIMESTAMPADD")
def date_add(call: Call) -> Value:
    """``DATEADD(unit, count, x)``: a DATE stays one unless the unit is shorter than a day."""
    unit = interval_unit(call.word(0))
    count, value = numeric(call.value(1)), moment(call.value(2))
    return shift(call, value, cast(count, t.INTEGER), unit)


def shift(call: Call, value: Value, count: Value, unit: str) -> Value:
    """Add ``count`` units."""
    sql = f"({value.sql} + {interval_sql(count.sql, unit)})"
    if value.type.kind != "DATE":
        return call.build(sql, value.type)
    if unit in DAY_UNITS:
        return call.build(f"CAST({sql} AS DATE)", t.DATE)
    return call.build(sql, t.TIMESTAMP_NTZ)


@function("ADD_MONTHS")
def add_months(call: Call) -> Value:
    """Add months; the last day of a month stays the last day."""
    value = moment(call.value(0))
    count = cast(numeric(call.value(1)), t.INTEGER)
    shifted = f"({value.sql} + to_months(CAST({count.sql} AS INTEGER)))"
    day = f"CAST({value.sql} AS DATE)"
    time_of_day = "" if value.type.kind == "DATE" else f" + ({value.sql} - date_trunc('day', {value.sql}))"
    sql = f"CASE WHEN {day} = last_day({day}) THEN last_day({shifted}){time_of_day} ELSE {shifted} END"
    return call.build(f"CAST({sql} AS {value.type.duckdb})", value.type)


@function("DATEDIFF", "TIMEDIFF", "TIMESTAMPDIFF")
def date_diff(call: Call) -> Value:
    """Count the boundaries of a unit between two moments."""
    unit = interval_unit(call.word(0))
    start, end = moment(call.value(1)), moment(call.value(2))
    if start.type.kind != end.type.kind and "TIME" not in {start.type.kind, end.type.kind}:
        wider = (
            t.TIMESTAMP_TZ
            if any(value.type.kind in {"TIMESTAMP_LTZ", "TIMESTAMP_TZ"} for value in (start, end))
            else t.TIMESTAMP_NTZ
        )
        start, end = cast(start, wider), cast(end, wider)
    if unit == "NANOSECOND":
        return call.build(f"(date_diff('microsecond', {start.sql}, {end.sql}) * 1000)", t.number(18))
    if start.type.kind == "DATE" and unit not in DAY_UNITS:
        start, end = cast(start, t.TIMESTAMP_NTZ), cast(end, t.TIMESTAMP_NTZ)
    return call.build(f"date_diff('{unit.lower()}', {start.sql}, {end.sql})", t.number(9))


@function("MONTHS_BETWEEN")
def months_between(call: Call) -> Value:
    """Count months with a fraction of days over 31; equal days or two last days give a whole number."""
    later, earlier = moment(call.value(0)), moment(call.value(1))
    return call.build(f"CAST(sf_months_between({later.sql}, {earlier.sql}) AS DOUBLE)", t.FLOAT)


# --- truncation ------------------------------------------------------------------------------------------------------


def truncate_to(part: str, value: Value) -> Value:
    """Cut a date, time or timestamp down to a part, keeping its type."""
    value = moment(value)
    unit = "WEEK" if part in {"weekiso", "week_iso", "isoweek"} else interval_unit(part)
    if unit == "NANOSECOND":
        return value
    if value.type.kind == "TIME":
        sql = f"CAST(date_trunc('{unit.lower()}', DATE '2000-01-01' + {value.sql}) AS TIME)"
    else:
        sql = f"CAST(date_trunc('{unit.lower()}', {value.sql}) AS {value.type.duckdb})"
    return Value(sql, value.type, value.nullable, volatile=value.volatile)


@function("DATE_TRUNC")
def date_trunc(call: Call) -> Value:
    """``DATE_TRUNC('month', x)``."""
    first = call.nodes[0]
    try:
        part = call.word(0)
        if part not in _PARTS and not is_unit(part):
            raise invalid_argument(f"'{part}' is not a valid date/time component.")
    except AttributeError:
        raise invalid_argument(f"'{first.sql('snowflake')}' is not a valid date/time component.") from None
    return truncate_to(part, call.value(1))


@function("TIME_SLICE")
def time_slice(call: Call) -> Value:
    """Give the start or end of the slice of time, counted from 1970, that a moment falls into."""
    value, count = moment(call.value(0)), int(call.constant(1))
    unit = interval_unit(str(call.constant(2)))
    end = str(call.constant(3, "START")).upper() == "END"
    width = interval_sql(str(count), unit)
    # Weeks are counted from a Monday, the other units from the epoch.
    origin = "TIMESTAMP '1969-12-29'" if unit == "WEEK" else "TIMESTAMP '1970-01-01'"
    sql = f"time_bucket({width}, CAST({value.sql} AS TIMESTAMP), {origin})"
    sql = f"({sql} + {width})" if end else sql
    return call.build(f"CAST({sql} AS {value.type.duckdb})", value.type)


@function("LAST_DAY")
def last_day(call: Call) -> Value:
    """Give the last day of the month, or of another part."""
    value = cast(moment(call.value(0)), t.DATE)
    unit = interval_unit(call.word(1)) if len(call) > 1 else "MONTH"
    if unit == "MONTH":
        return call.build(f"last_day({value.sql})", t.DATE)
    sql = f"date_trunc('{unit.lower()}', {value.sql}) + {interval_sql('1', unit)} - to_days(1)"
    return call.build(f"CAST({sql} AS DATE)", t.DATE)


@function("NEXT_DAY", "PREVIOUS_DAY")
def neighbouring_day(call: Call) -> Value:
    """Give the next or previous day of a name such as 'fr'."""
    value, name = cast(moment(call.value(0)), t.DATE), as_text(call.value(1))
    wanted = f"(list_position(['mo', 'tu', 'we', 'th', 'fr', 'sa', 'su'], lower(left({name.sql}, 2))))"
    if call.name == "NEXT_DAY":
        step = f"((({wanted} - isodow({value.sql}) + 6) % 7) + 1)"
        return call.build(f"({value.sql} + CAST({step} AS INTEGER))", t.DATE)
    step = f"(((isodow({value.sql}) - {wanted} + 6) % 7) + 1)"
    return call.build(f"({value.sql} - CAST({step} AS INTEGER))", t.DATE)


# --- construction and conversion -------------------------------------------------------------------------------------

declare(
    "DATE_FROM_PARTS DATEFROMPARTS", (t.INTEGER, t.INTEGER, t.INTEGER), t.DATE,
    "CAST(make_date({0}, 1, 1) + to_months(CAST({1} - 1 AS INTEGER)) + to_days(CAST({2} - 1 AS INTEGER)) AS DATE)",
)  # fmt: skip
declare(
    "TIME_FROM_PARTS TIMEFROMPARTS", (t.INTEGER, t.INTEGER, t.INTEGER, t.INTEGER), t.TIME,
    "make_time({0}, {1}, CAST({2} AS DOUBLE))", "make_time({0}, {1}, {2} + {3} / 1e9)",
)  # fmt: skip
_STAMP: Final = (
    "(make_date({0}, 1, 1) + to_months(CAST({1} - 1 AS INTEGER)) + to_days(CAST({2} - 1 AS INTEGER))"
    " + to_hours({3}) + to_minutes({4}) + to_microseconds({5} * 1000000"
)
for _names, _type in (
    ("TIMESTAMP_FROM_PARTS TIMESTAMPFROMPARTS TIMESTAMP_NTZ_FROM_PARTS TIMESTAMPNTZFROMPARTS", t.TIMESTAMP_NTZ),
    ("TIMESTAMP_LTZ_FROM_PARTS TIMESTAMPLTZFROMPARTS", t.TIMESTAMP_LTZ),
    ("TIMESTAMP_TZ_FROM_PARTS TIMESTAMPTZFROMPARTS", t.TIMESTAMP_TZ),
):
    declare(
        _names, (t.INTEGER,) * 7, _type,
        f"CAST({_STAMP})) AS {_type.duckdb})", f"CAST({_STAMP} + {{6}} // 1000)) AS {_type.duckdb})",
    )  # fmt: skip

_TARGETS: Final[dict[str, SnowflakeType]] = {
    "TO_DATE": t.DATE, "DATE": t.DATE, "TO_TIME": t.TIME, "TIME": t.TIME,
    "TO_TIMESTAMP": t.TIMESTAMP_NTZ, "TO_TIMESTAMP_NTZ": t.TIMESTAMP_NTZ, "TO_TIMESTAMP_LTZ": t.TIMESTAMP_LTZ,
    "TO_TIMESTAMP_TZ": t.TIMESTAMP_TZ,
}  # fmt: skip


@function(*_TARGETS, *(f"TRY_{name}" for name in _TARGETS if name.startswith("TO_")))
def to_moment(call: Call) -> Value:
    """Convert text by a format, numbers of seconds by a scale, and other values as a cast does."""
    safe = call.name.startswith("TRY_")
    target = _TARGETS[call.name.removeprefix("TRY_")]
    value = call.value(0)
    if len(call) == 1:
        return cast(value, target, safe=safe)
    if value.type.is_numeric:
        scale = int(call.constant(1))
        micros = f"CAST({value.sql} * 1000000 // CAST(pow(10, {scale}) AS BIGINT) AS BIGINT)"
        sql = f"make_timestamp({micros})"
        if target in (t.TIMESTAMP_LTZ, t.TIMESTAMP_TZ):
            return call.build(f"timezone('UTC', {sql})", target)
        return cast(call.build(sql, t.TIMESTAMP_NTZ), target)
    if not call.value(1).is_constant:
        return _by_format_of_row(call, target, safe=safe)
    format_ = str(call.constant(1))
    if format_.upper() == "AUTO" or value.type.kind != "TEXT":
        return cast(value, target, safe=safe)
    return cast(
        call.build(parse_time(value, format_, target, safe=safe), target, nullable=value.nullable or safe), target
    )


def _by_format_of_row(call: Call, target: SnowflakeType, *, safe: bool) -> Value:
    text, format_ = as_text(call.value(0)), as_text(call.value(1))
    automatic = cast(text, target, safe=safe).sql
    given = parse_time_by(text, format_, target, safe=safe)
    return call.build(
        f"CASE WHEN upper({format_.sql}) = 'AUTO' THEN {automatic} ELSE {given} END", target, nullable=True
    )


@function("CONVERT_TIMEZONE")
def convert_timezone(call: Call) -> Value:
    """Give the wall clock of another time zone; with two arguments, the same moment."""
    if len(call) == 3:
        source, target, value = (
            call.as_type(0, t.TEXT),
            call.as_type(1, t.TEXT),
            cast(moment(call.value(2)), t.TIMESTAMP_NTZ),
        )
        if call.value(2).type.kind in {"TIMESTAMP_LTZ", "TIMESTAMP_TZ"}:
            raise invalid_argument(
                "function CONVERT_TIMEZONE with a source time zone needs a TIMESTAMP_NTZ,"
                f" not {call.value(2).type.kind}"
            )
        return call.build(f"timezone({target.sql}, timezone({source.sql}, {value.sql}))", t.TIMESTAMP_NTZ)
    target, value = call.as_type(0, t.TEXT), cast(moment(call.value(1)), t.TIMESTAMP_TZ)
    return call.build(f"CAST(timezone({target.sql}, {value.sql}) AS TIMESTAMPTZ)", t.TIMESTAMP_TZ)


# --- now -------------------------------------------------------------------------------------------------------------


@function("CURRENT_DATE", "TODAY")
def current_date(call: Call) -> Value:
    """Today."""
    return Value(f"CAST({_now(call)} AS DATE)", t.DATE, nullable=False)


def _now(call: Call) -> str:
    """Write the moment at which the statement's transaction began, or what a clock says that a test has moved."""
    moved = call.translation.around.session_value("CURRENT_TIMESTAMP")
    return "now()" if moved is None else f"CAST({quote_text(moved)} AS TIMESTAMPTZ)"


@function("CURRENT_TIME", "LOCALTIME")
def current_time(call: Call) -> Value:
    """The time of day."""
    return Value(f"CAST(CAST({_now(call)} AS TIMESTAMP) AS TIME)", t.TIME, nullable=False)


@function("CURRENT_TIMESTAMP", "LOCALTIMESTAMP", "GETDATE", "SYSTIMESTAMP")
def current_timestamp(call: Call) -> Value:
    """The moment at which the statement's transaction began."""
    return Value(_now(call), t.TIMESTAMP_LTZ, nullable=False)


@function("SYSDATE")
def sysdate(call: Call) -> Value:
    """The moment, in UTC."""
    return Value(f"timezone('UTC', {_now(call)})", t.TIMESTAMP_NTZ, nullable=False)
