"""Snowflake's format models for dates, times and numbers, as DuckDB writes them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from firnline_sandbox.errors import runtime_error_call, unsupported
from firnline_sandbox.translate.values import Value, quote_text, typed

if TYPE_CHECKING:
    from firnline_sandbox.types import SnowflakeType

_TIME_PARTS: Final = {
    "YYYY": "%Y", "YY": "%y", "MMMM": "%B", "MON": "%b", "MM": "%m", "DD": "%d", "DY": "%a", "HH24": "%H", "HH12": "%I",
    "HH": "%H", "AM": "%p", "PM": "%p", "MI": "%M", "SS": "%S", "FF0": "", "FF3": "%g", "FF6": "%f",
    "FF9": "%n", "FF": "%n",
    "TZH:TZM": "%z", "TZHTZM": "%z", "TZH": "%z", "TZD": "%Z", "UUUU": "%Y",
}  # fmt: skip
_TIME_PATTERN: Final = re.compile(
    "|".join([*sorted(map(re.escape, _TIME_PARTS), key=len, reverse=True), '"[^"]*"', r"FF\d", "."]),
    re.IGNORECASE | re.DOTALL,
)


def time_model(format_: str) -> str:
    """Turn a Snowflake date and time format into strftime's.

    Raises:
        ProgrammingError: 2, the sandbox lacks a part of it.
    """
    parts = []
    for found in _TIME_PATTERN.finditer(format_):
        text = found[0]
        if (part := _TIME_PARTS.get(text.upper())) is not None:
            parts.append(part)
        elif text.startswith('"'):
            parts.append(text.strip('"').replace("%", "%%"))
        elif re.fullmatch(r"FF\d", text, re.IGNORECASE):
            raise unsupported(f"time format part {text} (FF0, FF3, FF6 and FF9 are there)")
        else:
            parts.append(text.replace("%", "%%"))
    return "".join(parts)


def format_time(value: Value, format_: str) -> str:
    """Write a date, time or timestamp by a format."""
    sql = f"(DATE '2000-01-01' + {value.sql})" if value.type.kind == "TIME" else value.sql
    if value.type.kind == "TEXT":
        sql = f"sf_text_to_timestamp({value.sql})"
    return f"strftime({sql}, {quote_text(time_model(format_))})"


_ANY_FRACTION: Final = re.compile(r"FF\d", re.IGNORECASE)
_WITHOUT_ZONE: Final = frozenset({"DATE", "TIME", "TIMESTAMP_NTZ"})
_ERRORS: Final = {"DATE": 100040, "TIME": 100108}


def parse_time(value: Value, format_: str, target: SnowflakeType, *, safe: bool) -> str:
    """Read a date, time or timestamp by a format; text that does not fit raises, or gives NULL."""
    model = time_model(_ANY_FRACTION.sub("FF6", format_)).replace("%g", "%f").replace("%n", "%f")
    text = value.sql
    if target.kind in _WITHOUT_ZONE and model.endswith("%z"):  # they are what the clock shows, wherever it hangs
        text = f"regexp_replace({text}, '[+-]\\d\\d:?\\d\\d$', '')"
        model = model.removesuffix("%z")
    # A text may leave the fraction of a second out.
    models = f"[{quote_text(model)}, {quote_text(model.replace('.%f', ''))}]" if ".%f" in model else quote_text(model)
    parsed = f"try_strptime({text}, {models})"
    return _required(value, f"CAST({parsed} AS {target.duckdb})", target, safe=safe)


def parse_time_by(value: Value, format_: Value, target: SnowflakeType, *, safe: bool) -> str:
    """The same with a format that each row brings; AUTO is not among them."""
    sql = f"CAST(sf_time_by({value.sql}, {format_.sql}) AS {target.duckdb})"
    return _required(value, sql, target, safe=safe)


def _required(value: Value, sql: str, target: SnowflakeType, *, safe: bool) -> str:
    if safe:
        return sql
    failure = runtime_error_call(_ERRORS.get(target.kind, 100035), value.sql)
    return f"CASE WHEN {value.sql} IS NULL THEN NULL ELSE coalesce({sql}, {failure}) END"


_NUMBER_MODEL: Final = re.compile(r"(FM)?([$]?)([09,]*)(?:[.D]([09]*))?", re.IGNORECASE)


def format_number(value: Value, format_: str) -> str:
    """Write a number by a format of digits, group marks, a point and a dollar sign.

    Raises:
        ProgrammingError: 2, the sandbox lacks a part of it.
    """
    found = _NUMBER_MODEL.fullmatch(format_)
    if found is None or not (found[3] or found[4]):
        raise unsupported(f"number format '{format_}'")
    fill, dollar, whole, decimals = found[1], found[2], found[3] or "", found[4] or ""
    places = len(decimals)
    grouped = "," if "," in whole else ""
    body = f"format('{{:{grouped}.{places}f}}', CAST(round({typed(value)}, {places}) AS DOUBLE))"
    zeros = len(whole[whole.index("0") :].replace(",", "")) if "0" in whole else 0
    width = len(whole) + (places + 1 if decimals else 0)
    if zeros and not grouped:
        sign = f"CASE WHEN {value.sql} < 0 THEN '-' ELSE '' END"
        width_of_digits = zeros + (places + 1 if decimals else 0)
        rounded = f"abs(CAST(round({typed(value)}, {places}) AS DOUBLE))"
        digits = f"lpad(format('{{:.{places}f}}', {rounded}), {width_of_digits}, '0')"
        body = f"({sign} || {digits})"
    if dollar:
        body = f"('$' || {body})"
    return body if fill else f"lpad({body}, {width + len(dollar) + 1}, ' ')"
