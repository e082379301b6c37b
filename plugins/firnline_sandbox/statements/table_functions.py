"""Table functions with constant arguments: finding them, and RESULT_SCAN."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from firnline_sandbox import types as t
from firnline_sandbox.errors import invalid_argument, unknown_query
from firnline_sandbox.statements.registry import find_table_function, table_function
from firnline_sandbox.translate.scopes import physical_names
from firnline_sandbox.translate.surroundings import Relation
from firnline_sandbox.translate.values import quote_name
from firnline_sandbox.types import Column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from firnline_sandbox.context import Context
    from firnline_sandbox.result import Result

_SCHEMA = "INFORMATION_SCHEMA"


def call_table_function(
    context: Context, name: str, arguments: Sequence[Any], named: Mapping[str, Any]
) -> Relation | None:
    """Call a registered table function; None for a name that nobody registered."""
    *schema, last = name.split(".")
    if schema and schema[-1] != _SCHEMA:
        return None
    function = find_table_function(last)
    return None if function is None else function(context, arguments, named)


@table_function("RESULT_SCAN")
def result_scan(context: Context, arguments: Sequence[Any], named: Mapping[str, Any]) -> Relation:
    """Read the result of an earlier statement again.

    Raises:
        ProgrammingError: 709, it is not kept (any more); or the error with which that statement failed.
    """
    if named or len(arguments) != 1:
        raise invalid_argument("function RESULT_SCAN takes one argument, the id of a query")
    query_id = str(arguments[0])
    found = context.engine.history.result(query_id)
    if found is None:
        raise unknown_query(query_id)
    if isinstance(found, Exception):
        raise found
    return relation_of_result(context, found)


def relation_of_result(context: Context, result: Result) -> Relation:
    """Make the rows of a result readable in this statement."""
    physical = physical_names(column.name for column in result.columns)
    name = context.register(result.table().rename_columns(physical))
    columns, parts = [], []
    for column, inside in zip(result.columns, physical, strict=True):
        type_ = t.TEXT if column.type == t.NULL else column.type
        quoted = quote_name(inside)
        parts.append(f"json({quoted}) AS {quoted}" if type_.is_semi_structured else quoted)
        columns.append(Column(column.name, type_, column.nullable, inside))
    return Relation(f"(SELECT {', '.join(parts)} FROM {name})", tuple(columns))  # noqa: S608 (names of our own making)
