"""INSERT with many rows of bound values: they become one Arrow table instead of one statement each."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from sqlglot import exp

from firnline_sandbox.errors import column_count, unsupported
from firnline_sandbox.result import arrow_type
from firnline_sandbox.statements.registry import rewrite_query
from firnline_sandbox.translate import Relation, parse_statement, translate_query
from firnline_sandbox.types import (
    BINARY,
    BOOLEAN,
    DATE,
    FLOAT,
    INTEGER,
    TEXT,
    TIME,
    TIMESTAMP_NTZ,
    TIMESTAMP_TZ,
    Column,
    SnowflakeType,
    number,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firnline_sandbox.catalog import TableColumn
    from firnline_sandbox.context import Context
    from firnline_sandbox.translate import Translated

_BINDS = "FIRNLINE$BINDS"


def batch_query(
    context: Context, query: str, columns: Sequence[TableColumn], rows: Sequence[Sequence[Any]]
) -> Translated:
    """Translate the VALUES or SELECT of an INSERT whose ``?`` stand for columns of ``rows``."""
    tree = parse_statement(rewrite_query(context, query))
    binds = list(tree.find_all(exp.Placeholder))
    if any(len(row) != len(binds) for row in rows):
        wrong = next(len(row) for row in rows if len(row) != len(binds))
        raise column_count(len(binds), wrong)
    wanted = _wanted_types(tree, columns, len(binds))
    arrays, described = [], []
    for index in range(len(binds)):
        array, type_ = _array([row[index] for row in rows], wanted.get(index))
        arrays.append(array)
        described.append(Column(f"C{index}", type_, True, f"C{index}"))
    table = pa.table(arrays, names=[column.name for column in described])
    surroundings = context.surroundings
    surroundings.add((_BINDS,), Relation(context.register(table), tuple(described)))
    return translate_query(_with_columns(tree), surroundings)


def _wanted_types(tree: exp.Expr, columns: Sequence[TableColumn], count: int) -> dict[int, SnowflakeType]:
    """Say what a bind becomes when it goes straight into a column."""
    cells = _cells(tree)
    found = {}
    for cell, column in zip(cells, columns, strict=False):
        if isinstance(cell, exp.Placeholder):
            index = cell.meta["index"]
            if index < count:
                found[index] = column.type
    return found


def _cells(tree: exp.Expr) -> list[exp.Expr]:
    if isinstance(tree, exp.Values):
        if len(tree.expressions) != 1:
            raise unsupported("several rows of binds in an INSERT for many rows")
        row = tree.expressions[0]
        return (
            list(row.expressions) if isinstance(row, exp.Tuple) else [row.this if isinstance(row, exp.Paren) else row]
        )
    if isinstance(tree, exp.Select) and tree.args.get("from_") is None:
        return list(tree.expressions)
    raise unsupported("this form of INSERT for many rows of binds")


def _with_columns(tree: exp.Expr) -> exp.Select:
    def replaced(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Placeholder):
            return exp.column(exp.to_identifier(f"C{node.meta['index']}", quoted=True))
        return node

    cells = [cell.copy() for cell in _cells(tree)]
    expressions = [
        exp.alias_(cell.transform(replaced), exp.to_identifier(f"V{number}", quoted=True))
        for number, cell in enumerate(cells)
    ]
    source = exp.Table(this=exp.to_identifier(_BINDS, quoted=True))
    return exp.Select(expressions=expressions, from_=exp.From(this=source))


def _array(values: list[Any], wanted: SnowflakeType | None) -> tuple[pa.Array, SnowflakeType]:
    """Give bound values as Arrow, in the wanted type if they convert, else in their own, else as texts."""
    values = [_plain(value, wanted) for value in values]
    if wanted is not None and not wanted.is_semi_structured:
        try:
            return pa.array(values, type=arrow_type(wanted)), wanted
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
            pass  # a text for a NUMBER column, for example: translated SQL casts it, with Snowflake's errors
    try:
        array = pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        array = pa.array([None if value is None else str(value) for value in values], type=pa.string())
    type_ = _snowflake_type(array.type)
    if type_ is None:
        return pa.array([None if value is None else str(value) for value in values], type=pa.string()), TEXT
    return array.cast(arrow_type(type_)), type_


def _plain(value: Any, wanted: SnowflakeType | None) -> Any:
    match value:
        case dict() | list():
            return json.dumps(value)
        case bytearray():
            return bytes(value)
        case dt.datetime() if wanted is not None and wanted.kind == "TIMESTAMP_NTZ":
            return value.replace(tzinfo=None)
        case tuple() if len(value) == 2 and isinstance(value[0], str):
            return _plain(value[1], wanted)
        case _:
            return value


def _snowflake_type(arrow: pa.DataType) -> SnowflakeType | None:
    if pa.types.is_boolean(arrow):
        return BOOLEAN
    if pa.types.is_integer(arrow):
        return INTEGER
    if pa.types.is_floating(arrow):
        return FLOAT
    if pa.types.is_decimal(arrow):
        return number(38, arrow.scale)
    if pa.types.is_date(arrow):
        return DATE
    if pa.types.is_time(arrow):
        return TIME
    if pa.types.is_timestamp(arrow):
        return TIMESTAMP_TZ if arrow.tz else TIMESTAMP_NTZ
    if pa.types.is_binary(arrow):
        return BINARY
    return TEXT if pa.types.is_string(arrow) or pa.types.is_null(arrow) else None
