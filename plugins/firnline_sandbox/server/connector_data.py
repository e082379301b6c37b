"""Results in the forms of the connector's protocol: column descriptions, Arrow batches, texts."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from firnline_sandbox.types import MAX_TEXT, Column

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from firnline_sandbox.result import Result

_WIRE_NAMES: Final = {"NUMBER": "FIXED", "FLOAT": "REAL", "NULL": "TEXT"}
_EPOCH: Final = dt.date(1970, 1, 1)


def row_type(columns: Sequence[Column]) -> list[dict[str, Any]]:
    """Describe columns as a response's ``rowtype`` does."""
    return [_column_type(column) for column in columns]


def _wire_name(column: Column) -> str:
    return _WIRE_NAMES.get(column.type.kind, column.type.kind)


def _column_type(column: Column) -> dict[str, Any]:
    name = _wire_name(column)
    length = (column.type.length or MAX_TEXT) if name == "TEXT" else column.type.length
    return {
        "name": column.name,
        "database": "",
        "schema": "",
        "table": "",
        "nullable": column.nullable,
        "type": name.lower(),
        "byteLength": length,
        "length": length,
        "precision": column.type.precision,
        "scale": column.type.scale,
        "collation": None,
    }


def wire_batches(result: Result) -> Iterator[pa.RecordBatch]:
    """Give a result's rows as the record batches that the connector's own decoder reads."""
    fields = [_field(column) for column in result.columns]
    for batch in result.batches():
        arrays = [_wire_array(array, column) for array, column in zip(batch.columns, result.columns, strict=True)]
        schema = pa.schema([field.with_type(array.type) for field, array in zip(fields, arrays, strict=True)])
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _field(column: Column) -> pa.Field:
    kind = column.type
    described = {
        "logicalType": _wire_name(column),
        "precision": str(kind.precision if kind.precision is not None else 38),
        "scale": str(kind.scale or 0),
        "charLength": str(kind.length or 0),
    }
    return pa.field(column.name, pa.null(), nullable=True, metadata=described)


def _wire_array(array: pa.Array, column: Column) -> pa.Array:
    match column.type.kind:
        case "TIMESTAMP_NTZ" | "TIMESTAMP_LTZ":
            return _timestamps(array, with_zone=False)
        case "TIMESTAMP_TZ":
            return _timestamps(array, with_zone=True)
        case "TIME":
            return array.cast(pa.time64("ns")).cast(pa.int64())
        case _:
            return array


def _timestamps(array: pa.Array, *, with_zone: bool) -> pa.Array:
    """Write instants as seconds, nanoseconds, and minutes east of UTC (plus a day)."""
    unit = array.type.unit
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    ticks = array.cast(pa.timestamp(unit)).cast(pa.int64())
    # Arrow's division goes towards zero; instants before 1970 need the second below.
    seconds = pc.divide(ticks, per_second)
    left = pc.subtract(ticks, pc.multiply(seconds, per_second))
    is_below = pc.less(left, 0)
    seconds = pc.if_else(is_below, pc.subtract(seconds, 1), seconds)
    left = pc.if_else(is_below, pc.add(left, per_second), left)
    nanoseconds = pc.multiply(left, 10**9 // per_second).cast(pa.int32())
    arrays = [_filled(seconds), _filled(nanoseconds)]
    names = ["epoch", "fraction"]
    if with_zone:
        arrays.append(pa.array([1440] * len(array), type=pa.int32()))
        names.append("timezone")
    return pa.StructArray.from_arrays(arrays, names=names, mask=array.is_null())


def _filled(array: pa.Array) -> pa.Array:
    return array.fill_null(0)


def text_rows(result: Result) -> list[list[str | None]]:
    """Give a result's rows as texts, as a response's ``rowset`` has them."""
    columns = [
        [_text(value, column) for value in values.to_pylist()]
        for values, column in zip(result.table().columns, result.columns, strict=True)
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def _text(value: Any, column: Column) -> str | None:
    match value:
        case None:
            return None
        case bool():
            return "1" if value else "0"
        case dt.datetime():
            instant = value if value.tzinfo is not None else value.replace(tzinfo=dt.UTC)
            since = instant - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
            text = f"{since.days * 86_400 + since.seconds}.{since.microseconds:06d}000"
            return f"{text} 1440" if column.type.kind == "TIMESTAMP_TZ" else text
        case dt.date():
            return str((value - _EPOCH).days)
        case dt.time():
            return f"{value.hour * 3600 + value.minute * 60 + value.second}.{value.microsecond:06d}000"
        case bytes():
            return value.hex().upper()
        case _:
            return str(value)
