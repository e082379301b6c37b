"""The values that the connector binds to a statement: texts, each with the name of its type."""

from __future__ import annotations

import datetime as dt
import decimal
from typing import Any

from firnline_sandbox.binds import BatchBinds
from firnline_sandbox.errors import invalid_argument

_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 (TIMESTAMP_NTZ has no zone)


def bound_values(bindings: dict[str, dict[str, Any]] | None) -> list[Any]:
    """Give the values in order; columns of an ``executemany`` become its rows.

    Raises:
        ProgrammingError: 1015, a value is not of its type.
    """
    if not bindings:
        return []
    try:
        ordered = [bindings[str(number)] for number in range(1, len(bindings) + 1)]
        if any(isinstance(bind["value"], list) for bind in ordered):
            columns = [[_value(bind["type"], text) for text in bind["value"]] for bind in ordered]
            return BatchBinds([list(row) for row in zip(*columns, strict=True)])
        return [_value(bind["type"], bind["value"]) for bind in ordered]
    except (KeyError, TypeError, ValueError, ArithmeticError) as failure:
        raise invalid_argument(f"bindings that cannot be read: {failure}") from failure


def _value(kind: str, text: str | None) -> Any:
    if text is None:
        return None
    match kind.upper():
        case "FIXED":
            number = decimal.Decimal(text)
            return int(number) if number == number.to_integral_value() and "." not in text else number
        case "REAL":
            return float(text)
        case "BOOLEAN":
            return text.lower() in {"true", "1"}
        case "DATE":
            return (_EPOCH + dt.timedelta(milliseconds=int(text))).date()
        case "TIME":
            return (_EPOCH + dt.timedelta(microseconds=int(text) // 1000)).time()
        case "TIMESTAMP_NTZ":
            return _instant(text)
        case "TIMESTAMP_LTZ":
            return _instant(text).replace(tzinfo=dt.UTC)
        case "TIMESTAMP_TZ":
            nanoseconds, _, offset = text.partition(" ")
            zone = dt.timezone(dt.timedelta(minutes=int(offset or "1440") - 1440))
            return _instant(nanoseconds).replace(tzinfo=dt.UTC).astimezone(zone)
        case "BINARY":
            return bytes.fromhex(text)
        case _:
            return text


def _instant(text: str) -> dt.datetime:
    return _EPOCH + dt.timedelta(microseconds=int(text) // 1000)
