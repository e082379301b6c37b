"""Rows in the forms in which the clients want them: Python values, Arrow as the connector gives it, pandas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from firnline_sandbox.result import Result


def python_rows(result: Result, zone: str = "UTC") -> Iterator[tuple[Any, ...]]:
    """Give rows as tuples of Python values, as the connector does: BINARY as bytearray, moments in a zone."""
    binary = [index for index, column in enumerate(result.columns) if column.type.kind == "BINARY"]
    for batch in result.batches():
        columns: list[list[Any]] = [_in_zone(column, zone).to_pylist() for column in batch.columns]
        for index in binary:
            columns[index] = [None if value is None else bytearray(value) for value in columns[index]]
        if columns:
            yield from zip(*columns, strict=True)


def _in_zone(column: Any, zone: str) -> Any:
    if pa.types.is_timestamp(column.type) and column.type.tz is not None and column.type.tz != zone:
        return column.cast(pa.timestamp(column.type.unit, tz=zone))
    return column


def arrow_for_client(table: pa.Table, *, decimals: bool, zone: str = "UTC") -> pa.Table:
    """Give Arrow data in the connector's types: nanoseconds, and floats for decimals unless asked otherwise."""
    columns = []
    for column in table.columns:
        if pa.types.is_decimal(column.type) and not decimals:
            columns.append(column.cast(pa.float64()))
        elif pa.types.is_timestamp(column.type):
            columns.append(_in_nanoseconds(column, pa.timestamp("ns", tz=column.type.tz and zone)))
        elif pa.types.is_time64(column.type):
            columns.append(column.cast(pa.time64("ns")))
        else:
            columns.append(column)
    return pa.table(columns, names=table.column_names)


def _in_nanoseconds(column: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray:
    try:
        return column.cast(wanted)
    except pa.ArrowInvalid:
        return column  # years before 1678 or after 2262 have no nanoseconds; the connector keeps microseconds, too


def pandas_for_client(table: pa.Table, options: dict[str, Any], *, decimals: bool, zone: str = "UTC") -> pd.DataFrame:
    """Give a pandas frame as the connector does."""
    shown = arrow_for_client(table, decimals=decimals, zone=zone)
    frame: pd.DataFrame = shown.to_pandas(**({"date_as_object": True} | options))
    return frame
