"""Calls of user-defined functions: those that a worker runs, and those in SQL, which are written out in place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlglot import exp

from firnline_sandbox.errors import invalid_argument
from firnline_sandbox.translate.casts import coerce
from firnline_sandbox.translate.parsing import parse_statement
from firnline_sandbox.translate.scopes import Scope, Source
from firnline_sandbox.translate.values import Value, quote_name, quote_text, typed
from firnline_sandbox.types import Column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firnline_sandbox.translate.dispatch import Translation
    from firnline_sandbox.translate.functions import Call
    from firnline_sandbox.translate.surroundings import Translated, UserFunction
    from firnline_sandbox.types import SnowflakeType


def call_user_function(call: Call, parts: tuple[str, ...]) -> Value | None:
    """Call a function of the catalog; None if there is none of this name."""
    found, values = find(call, parts, table=False)
    if found is None:
        return None
    assert found.returns is not None
    if found.body is not None:
        return _written_out(call.translation, found, values)
    if found.aggregate:
        distinct = "DISTINCT " if call.distinct else ""
        rows = f"list({distinct}{struct([typed(value) for value in values])}){call.over}"
        return from_wire(f"{found.physical}({quote_text(found.groups)}, {rows})", found.returns)
    if call.over or call.distinct:
        raise invalid_argument(f"function {found.name} is neither an aggregate nor a window function")
    arguments = "".join(f", {typed(value)}" for value in values)
    result = from_wire(f"{found.physical}({quote_text(found.rows)}{arguments})", found.returns)
    volatile = found.volatile or any(value.volatile for value in values)
    return Value(result.sql, result.type, volatile=volatile)


def find(call: Call, parts: tuple[str, ...], *, table: bool) -> tuple[UserFunction | None, list[Value]]:
    """Find the function that a call means, and bring the arguments to its parameters' types."""
    around = call.translation.around
    if not around.knows_function(parts, table=table):
        return None, []
    given = call.values()
    named = {name: call.translation.value(node, call.scope) for name, node in call.named.items()}
    types = {name: value.type for name, value in named.items()}
    found = around.find_function(parts, tuple(value.type for value in given), types, table=table)
    if found is None:
        return None, []
    values = []
    for position, (name, type_, default) in enumerate(found.parameters):
        if position < len(given):
            value = given[position]
        elif name in named:
            value = named[name]
        else:
            value = call.translation.value(parse_statement(default or "NULL"), Scope())
        values.append(coerce(value, type_))
    return found, values


def from_wire(sql: str, type_: SnowflakeType) -> Value:
    """Give what a worker returned: JSON comes as text."""
    return Value(f"CAST({sql} AS JSON)" if type_.is_semi_structured else sql, type_)


def struct(values: Sequence[str]) -> str:
    """Write a row of arguments; one without arguments is still a row."""
    return "{" + ", ".join(f"'a{position}': {value}" for position, value in enumerate(values or ["true"])) + "}"


def body_query(
    translation: Translation, found: UserFunction, values: Sequence[Value]
) -> tuple[Translated | Value, str]:
    """Translate the body of a function in SQL for these arguments.

    Returns:
        The query or expression, and the relation that it needs in its FROM clause: arguments that must not be
        computed more than once. It is empty if there is none.
    """
    assert found.around is not None
    inner = translation.inside(found.around)
    tree = parse_statement(found.body or "")
    columns = tuple(
        Column(name, value.type, value.nullable, name)
        for (name, _, _), value in zip(found.parameters, values, strict=True)
    )
    alias = translation.alias()
    scope = Scope()
    relation = ""
    if any(value.volatile for value in values):
        listed = ", ".join(
            f"{typed(value)} AS {quote_name(column.name)}" for column, value in zip(columns, values, strict=True)
        )
        scope.sources.append(Source((found.name,), alias, columns))
        relation = f"(SELECT {listed}) AS {alias}"
    elif columns:
        given = {column.name: value for column, value in zip(columns, values, strict=True)}
        scope.sources.append(_Parameters((found.name,), alias, columns, given=given))
    if isinstance(tree, exp.Query):
        return inner.query(tree, scope), relation
    return inner.value(tree, scope), relation


@dataclass(slots=True)
class _Parameters(Source):
    """A function's parameters: a reference to one is its argument."""

    given: dict[str, Value] = field(default_factory=dict)

    def value(self, column: Column) -> Value:
        """Give the argument."""
        return self.given[column.name]


def _written_out(translation: Translation, found: UserFunction, values: Sequence[Value]) -> Value:
    body, relation = body_query(translation, found, values)
    assert found.returns is not None
    if isinstance(body, Value):
        value = coerce(Value(f"({body.sql})", body.type, body.nullable, volatile=body.volatile), found.returns)
        sql = f"(SELECT {value.sql} FROM {relation})" if relation else value.sql
        return Value(sql, found.returns, volatile=value.volatile or bool(relation))
    if len(body.columns) != 1:
        raise invalid_argument(f"function {found.name} gives {len(body.columns)} columns, expected 1")
    query = f"({body.sql})"
    if relation:
        query = f"(SELECT ({body.sql}) FROM {relation})"
    return coerce(Value(query, body.columns[0].type), found.returns)
