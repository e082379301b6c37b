"""Rows of Python's that a query selects from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from firnline_sandbox.result import arrow_type
from firnline_sandbox.statements.scanner import quote_identifier
from firnline_sandbox.translate.surroundings import Relation
from firnline_sandbox.types import Column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firnline_sandbox.context import Context
    from firnline_sandbox.statements.listing import Columns


def rows_relation(context: Context, columns: Columns, rows: Sequence[dict[str, Any]]) -> Relation:
    """Make rows, each a dictionary, readable by the statement's query; a name that a row lacks is NULL there."""
    arrays = [pa.array([row.get(name) for row in rows], type=arrow_type(type_)) for name, type_ in columns.items()]
    name = context.register(pa.Table.from_arrays(arrays, names=list(columns)))
    parts = ", ".join(
        f"CAST({quote_identifier(column)} AS {type_.duckdb}) AS {quote_identifier(column)}"
        for column, type_ in columns.items()
    )
    described = tuple(Column(column, type_, physical=column) for column, type_ in columns.items())
    return Relation(f"(SELECT {parts} FROM {name})", described)  # noqa: S608 (a name of our own making)
