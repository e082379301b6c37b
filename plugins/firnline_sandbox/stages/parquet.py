"""Parquet files as rows: ``$1`` is an object of the row's fields, and each field also has a column of its own type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.parquet as pq

from firnline_sandbox import types as t
from firnline_sandbox.stages.rows import FILE, ROW_NUMBER, RowError, StagedRows
from firnline_sandbox.translate.casts import cast, common_type
from firnline_sandbox.translate.surroundings import Relation
from firnline_sandbox.translate.values import Value, quote_name, quote_text
from firnline_sandbox.types import Column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firnline_sandbox.context import Context
    from firnline_sandbox.stages.files import StagedFile
    from firnline_sandbox.stages.formats import Format

FIELD: Final = "$1:"  # starts the names of the typed columns
_EPOCH: Final = {"s": "epoch", "ms": "epoch_ms", "us": "epoch_us", "ns": "epoch_ns"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A top-level field: its type in Snowflake, and DuckDB SQL with ``{}`` for the column as DuckDB reads it."""

    name: str
    type: t.SnowflakeType
    sql: str = "{}"
    nullable: bool = True


def fields_of(path: str, format_: Format) -> list[Field]:
    """Read a file's fields from its footer.

    Raises:
        pyarrow.ArrowInvalid: the file is no Parquet file.
    """
    with pq.ParquetFile(path) as file:
        schema, arrow = file.schema, file.schema_arrow
        leaves = {
            column.path: column.converted_type
            for column in (schema.column(index) for index in range(len(schema.names)))
        }
        return [_field(part, leaves.get(part.name, "NONE"), format_) for part in arrow]


def _field(part: pa.Field, converted: str, format_: Format) -> Field:
    type_, sql = _typed(part.type, converted, format_)
    return Field(name=part.name, type=type_, sql=sql, nullable=part.nullable)


def _typed(arrow: pa.DataType, converted: str, format_: Format) -> tuple[t.SnowflakeType, str]:
    """Give a field's type and how it is read.

    Without USE_LOGICAL_TYPE, Snowflake looks at the older converted types alone: a timestamp that has none, such as
    those without a time zone, is a plain integer.
    """
    if isinstance(arrow, pa.DictionaryType):
        arrow = arrow.value_type
    if isinstance(arrow, pa.BaseExtensionType):
        arrow = arrow.storage_type
    if pa.types.is_duration(arrow):
        arrow = pa.int64()  # Parquet has no type for it
    if pa.types.is_timestamp(arrow):
        if format_["USE_LOGICAL_TYPE"]:
            return (t.TIMESTAMP_LTZ, "CAST({} AS TIMESTAMPTZ)") if arrow.tz else (t.TIMESTAMP_NTZ, _TO_TIMESTAMP)
        if converted.startswith("TIMESTAMP"):
            return t.TIMESTAMP_NTZ, _TO_TIMESTAMP
        return t.INTEGER, f"CAST({_EPOCH[arrow.unit]}({{}}) AS BIGINT)"
    if pa.types.is_binary(arrow) or pa.types.is_large_binary(arrow) or pa.types.is_fixed_size_binary(arrow):
        return (t.TEXT, "decode({})") if format_["BINARY_AS_TEXT"] else (t.BINARY, "CAST({} AS BLOB)")
    if pa.types.is_nested(arrow):
        return t.VARIANT, "CAST(to_json({}) AS JSON)"
    for test, type_ in _SIMPLE:
        if test(arrow):
            return type_, f"CAST({{}} AS {type_.duckdb})"
    if pa.types.is_decimal(arrow):
        type_ = t.number(arrow.precision, arrow.scale)
        return type_, f"CAST({{}} AS {type_.duckdb})"
    return t.TEXT, "CAST({} AS VARCHAR)"


_TO_TIMESTAMP: Final = "CAST({} AS TIMESTAMP)"
_SIMPLE: Final = (
    (pa.types.is_boolean, t.BOOLEAN),
    (pa.types.is_integer, t.INTEGER),
    (pa.types.is_floating, t.FLOAT),
    (pa.types.is_date, t.DATE),
    (pa.types.is_time, t.TIME),
)


def read(context: Context, files: Sequence[StagedFile], format_: Format) -> StagedRows:
    """Make Parquet files readable; DuckDB reads them itself, and only the fields that a statement names."""
    del context
    merged: dict[str, Field] = {}
    errors, readable = [], []
    for number, file in enumerate(files):
        try:
            found = fields_of(str(file.path), format_)
        except (pa.ArrowInvalid, OSError) as failure:
            errors.append(unreadable(file, failure))
            continue
        readable.append((number, str(file.path)))
        for item in found:
            merged[item.name] = _merge(merged.get(item.name), item)
    fields = list(merged.values())
    if not readable:
        return StagedRows(relation=_empty(), errors=tuple(errors))
    return StagedRows(relation=_relation(fields, readable), errors=tuple(errors))


def _merge(old: Field | None, new: Field) -> Field:
    if old is None or old == new:
        return new
    if old.type == new.type and old.sql == new.sql:
        return Field(name=new.name, type=new.type, sql=new.sql, nullable=old.nullable or new.nullable)
    common = common_type([old.type, new.type], f"Parquet field {new.name}")
    return Field(name=new.name, type=common, sql=f"CAST({{}} AS {common.duckdb})")


def _relation(fields: Sequence[Field], files: Sequence[tuple[int, str]]) -> Relation:
    inside = [f"c{index}" for index in range(len(fields))]
    columns = [Column("$1", t.VARIANT, False, "$1")]
    parts, members = [], []
    for index, (field, name) in enumerate(zip(fields, inside, strict=True)):
        physical = f"f{index}"
        sql = field.sql.format(name)
        parts.append(f"{sql} AS {physical}")
        members.append(f"{quote_text(field.name)}, {_as_variant(sql, field)}")
        columns.append(Column(FIELD + field.name, field.type, True, physical))
    paths = ", ".join(quote_text(path) for _, path in files)
    numbers = ", ".join(f"{quote_text(path)}: {number}" for number, path in files)
    union = ", union_by_name = true" if len(files) > 1 else ""
    source = f"read_parquet([{paths}], filename = 'sf path', file_row_number = true{union})"
    names = ", ".join([*inside, "place", "path"])
    sql = (
        f"(SELECT {', '.join([*parts, ''])}json_object({', '.join(members)}) AS {quote_name('$1')}, "  # noqa: S608
        f"CAST(MAP {{{numbers}}}[path] AS INTEGER) AS {FILE}, place + 1 AS {ROW_NUMBER} FROM {source} AS p({names}))"
    )
    return Relation(sql, tuple(columns))


def _as_variant(sql: str, field: Field) -> str:
    value = Value(sql, field.type)
    return sql if field.type.is_semi_structured else cast(value, t.VARIANT).sql


def _empty() -> Relation:
    column = Column("$1", t.VARIANT, True, "$1")
    sql = (
        f"(SELECT CAST(NULL AS JSON) AS {quote_name('$1')}, CAST(0 AS INTEGER) AS {FILE}, "
        f"CAST(0 AS BIGINT) AS {ROW_NUMBER} WHERE false)"
    )
    return Relation(sql, (column,))


def unreadable(file: StagedFile, failure: Exception) -> RowError:
    return RowError(
        message=f"Invalid Parquet file: {file.name}: {failure}", file=file.name, code=100152, sqlstate="22000"
    )
