"""Python values as the JSON in which the sandbox keeps VARIANT, OBJECT and ARRAY."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


def encode_all(values: Iterable[Any]) -> list[str]:
    """Write values as JSON texts, each as Snowflake's VARIANT would hold it."""
    values = list(values)
    encode = json.JSONEncoder(allow_nan=False, default=_plain, check_circular=False, ensure_ascii=False).encode
    try:
        return [encode(row) for row in values]
    except ValueError:  # a NaN or an infinity, which JSON lacks
        return [encode(_without_nan(row)) for row in values]


def _plain(value: Any) -> object:
    """Turn a value that JSON lacks into the one that Snowflake's VARIANT would hold."""
    if hasattr(value, "tolist"):  # numpy's scalars and arrays
        return _without_nan(value.tolist())
    if type(value).__name__ in {"NAType", "NaTType"}:  # pandas' two
        return None
    match value:
        case bytes():
            return value.hex().upper()
        case dt.datetime():
            return value.isoformat(sep=" ", timespec="milliseconds")
        case dt.date() | dt.time():
            return value.isoformat()
        case decimal.Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case set() | tuple():
            return list(value)
    message = f"a value of type {type(value).__name__} has no place in a VARIANT"
    raise TypeError(message)


def _without_nan(value: Any) -> Any:
    if hasattr(value, "tolist"):
        value = value.tolist()
    match value:
        case float():
            return value if math.isfinite(value) else None if math.isnan(value) else "inf" if value > 0 else "-inf"
        case dict():
            return {key: _without_nan(item) for key, item in value.items()}
        case list() | tuple():
            return [_without_nan(item) for item in value]
    return value
