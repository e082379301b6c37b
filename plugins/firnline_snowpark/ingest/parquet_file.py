"""Reading a Parquet file in batches whose size in bytes is bounded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from firnline.errors import DataError
from firnline_snowpark.ingest.file_columns import FileColumn, FileRows, checked_names

if TYPE_CHECKING:
    from firnline_snowpark.ingest.files_params import FilesParams

MAGIC: Final = b"PAR1"
BATCH_BYTES: Final = 32 * 2**20


def is_parquet(path: Path) -> bool:
    """Tell by the first bytes whether the file is, or was going to be, Parquet."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def open_parquet(path: Path, params: FilesParams) -> FileRows:
    """Read the file's footer and return how to read its rows.

    Raises:
        DataError: the file is cut off or damaged, has no rows, or no column that can be loaded.
    """
    try:
        with pq.ParquetFile(path) as file:
            metadata, schema = file.metadata, file.schema_arrow
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, error) from error
    if not metadata.num_rows:
        raise DataError(f"{path.name} has columns but no rows", hint="a model needs rows to learn from")
    names, notes = checked_names(schema.names, file=path.name, reserved=params.row_column)
    types = [snowflake_type(field.type) for field in schema]
    loaded = [index for index, type_ in enumerate(types) if type_ is not None]
    if not loaded:
        raise DataError(f"{path.name} has no column of a plain type", hint="numbers, text, flags and dates are loaded")
    columns = tuple(
        FileColumn(
            name=names[index],
            type=types[index] or "",
            arrow=_travel_type(schema.field(index).type),
            note=_note(schema, index),
        )
        for index in loaded
    )
    bytes_a_row = max(
        1, sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups)) // metadata.num_rows
    )
    batch_rows = max(1, min(params.batch_rows, BATCH_BYTES // bytes_a_row))
    return FileRows(
        columns=columns,
        batches=lambda: _batches(path, [schema.names[index] for index in loaded], batch_rows),
        facts=(("format", f"Parquet, {metadata.num_row_groups:,} row groups"), *(("name", text) for text in notes)),
        left_out=tuple(
            (names[index], f"values of type {schema.field(index).type} are not loaded")
            for index, type_ in enumerate(types)
            if type_ is None
        ),
    )


def _damaged(path: Path, error: Exception) -> DataError:
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - len(MAGIC)))
        ending = file.read()
    if not is_parquet(path):
        return DataError(f"{path.name} is not a Parquet file", hint="if it is CSV, say so with the param format=csv")
    if ending != MAGIC:
        return DataError(
            f"{path.name} is cut off: it begins as Parquet, but its closing bytes are missing (size {size:,} bytes)",
            hint="copy or download it again, or let the program that writes it finish",
        )
    return DataError(f"{path.name} is damaged: {str(error)[:300]}", hint="copy or download it again")


def _batches(path: Path, names: list[str], rows: int) -> Iterator[pa.RecordBatch]:
    numbered = [f"C{index}" for index in range(1, len(names) + 1)]
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=rows, columns=names, use_threads=False):
                columns = [_travel(batch.column(batch.schema.get_field_index(name))) for name in names]
                yield pa.record_batch(columns, names=numbered)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, error) from error


def snowflake_type(type_: pa.DataType) -> str | None:
    """Return the column type for an Arrow type; None if such values are not loaded."""
    types = pa.types
    if types.is_dictionary(type_):
        return snowflake_type(type_.value_type)
    if types.is_boolean(type_):
        return "BOOLEAN"
    if types.is_integer(type_):
        return "NUMBER(38,0)"
    if types.is_floating(type_):
        return "FLOAT"
    if types.is_decimal(type_) and type_.precision <= 38 and type_.scale >= 0:
        return f"NUMBER({type_.precision},{type_.scale})"
    if types.is_date(type_):
        return "DATE"
    if types.is_timestamp(type_):
        return "TIMESTAMP_NTZ"
    if types.is_time(type_) or types.is_string(type_) or types.is_large_string(type_) or types.is_null(type_):
        return "TEXT"
    return None


def _travel_type(type_: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(type_):
        return _travel_type(type_.value_type)
    if pa.types.is_decimal(type_):
        return pa.string()  # exact in every digit
    match snowflake_type(type_):
        case "BOOLEAN":
            return pa.bool_()
        case "FLOAT":
            return pa.float64()
        case "NUMBER(38,0)":
            return pa.decimal128(20, 0) if pa.types.is_uint64(type_) else pa.int64()
        case _:
            return pa.string()


def _travel(column: pa.Array) -> pa.Array:
    type_ = column.type
    if pa.types.is_timestamp(type_) and type_.tz is not None:
        column = pc.cast(pc.cast(column, pa.timestamp(type_.unit, tz="UTC")), pa.timestamp(type_.unit))
    if pa.types.is_timestamp(type_):
        column = pc.cast(column, pa.timestamp("us"), safe=False)
    if pa.types.is_floating(type_):
        column = pc.cast(column, pa.float64())
        return pc.if_else(pc.is_finite(column), column, pa.scalar(None, pa.float64()))
    return pc.cast(column, _travel_type(type_))


def _note(schema: pa.Schema, index: int) -> str:
    type_ = schema.field(index).type
    if pa.types.is_timestamp(type_) and type_.tz not in {None, "UTC"}:
        return f"times were moved from {type_.tz} to UTC"
    if pa.types.is_time(type_):
        return "a time of day is kept as text"
    return ""
