"""How Firnline's own processes talk: JSON with marked types, and Arrow data behind it."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import struct
from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox.binds import BatchBinds
from firnline_sandbox.result import Result
from firnline_sandbox.types import Column, SnowflakeType

if TYPE_CHECKING:
    from collections.abc import Sequence

_MARK: Final = "$"
_LENGTH: Final = struct.Struct(">I")


def dumps(document: Any, data: bytes = b"") -> bytes:
    """Write a document, and bytes that go with it, as one message."""
    text = json.dumps(document, default=_marked).encode()
    return _LENGTH.pack(len(text)) + text + data


def loads(message: bytes) -> tuple[Any, memoryview]:
    """Read what :func:`dumps` wrote.

    Raises:
        ValueError: it is no such message.
    """
    if len(message) < _LENGTH.size:
        raise ValueError("a message that is too short")
    (length,) = _LENGTH.unpack_from(message)
    end = _LENGTH.size + length
    if end > len(message):
        raise ValueError("a message that was cut off")
    return json.loads(message[_LENGTH.size : end], object_hook=_unmarked), memoryview(message)[end:]


def _marked(value: Any) -> Any:
    match value:
        case bytes() | bytearray():
            return {_MARK: "bytes", "value": bytes(value).hex()}
        case decimal.Decimal():
            return {_MARK: "decimal", "value": str(value)}
        case dt.datetime():
            return {_MARK: "datetime", "value": value.isoformat()}
        case dt.date():
            return {_MARK: "date", "value": value.isoformat()}
        case dt.time():
            return {_MARK: "time", "value": value.isoformat()}
        case dt.timedelta():
            return {_MARK: "timedelta", "value": [value.days, value.seconds, value.microseconds]}
        case _:
            raise TypeError(f"values of type {type(value).__name__} cannot be sent")


def _unmarked(fields: dict[str, Any]) -> Any:
    value = fields.get("value")
    match fields.get(_MARK):
        case "bytes":
            return bytes.fromhex(str(value))
        case "decimal":
            return decimal.Decimal(str(value))
        case "datetime":
            return dt.datetime.fromisoformat(str(value))
        case "date":
            return dt.date.fromisoformat(str(value))
        case "time":
            return dt.time.fromisoformat(str(value))
        case "timedelta":
            return dt.timedelta(*value) if isinstance(value, list) else fields
        case _:
            return fields


def binds_to_json(params: Sequence[Any]) -> dict[str, Any]:
    """Describe the values bound to a statement."""
    return {"batch": isinstance(params, BatchBinds), "values": list(params)}


def binds_from_json(fields: dict[str, Any]) -> list[Any]:
    """Read back what :func:`binds_to_json` gave."""
    return BatchBinds(fields["values"]) if fields["batch"] else list(fields["values"])


def columns_to_json(columns: Sequence[Column]) -> list[list[Any]]:
    """Describe a result's columns."""
    return [[column.name, column.type.to_dict(), column.nullable, column.physical] for column in columns]


def columns_from_json(described: list[list[Any]]) -> list[Column]:
    """Read back what :func:`columns_to_json` gave."""
    return [
        Column(name, SnowflakeType.from_dict(kind), nullable, physical) for name, kind, nullable, physical in described
    ]


def result_to_json(result: Result) -> dict[str, Any]:
    """Describe a result without its rows."""
    return {
        "columns": columns_to_json(result.columns),
        "rows_affected": result.rows_affected,
        "is_query": result.is_query,
    }


def result_from_json(fields: dict[str, Any], result: Result) -> Result:
    """Give a result (made with the columns of ``fields``) the rest of what :func:`result_to_json` described."""
    result.rows_affected = fields["rows_affected"]
    result.is_query = fields["is_query"]
    return result
