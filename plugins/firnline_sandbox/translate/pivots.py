"""PIVOT and UNPIVOT."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from firnline_sandbox import types as t
from firnline_sandbox.errors import invalid_argument, invalid_identifier, unsupported
from firnline_sandbox.translate.casts import coerce, common_type
from firnline_sandbox.translate.functions import Call, call_function
from firnline_sandbox.translate.operators import compare
from firnline_sandbox.translate.parsing import identifier_name
from firnline_sandbox.translate.scopes import Scope, Source, physical_names
from firnline_sandbox.translate.surroundings import Relation
from firnline_sandbox.translate.values import Value, quote_name, quote_text, typed
from firnline_sandbox.types import Column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firnline_sandbox.translate.dispatch import Translation


def pivot(translation: Translation, node: exp.Pivot, relation: Relation) -> Relation:
    """Apply one PIVOT or UNPIVOT to a relation."""
    if node.args.get("unpivot"):
        return _unpivot(translation, node, relation)
    return _pivot(translation, node, relation)


def _pivot(translation: Translation, node: exp.Pivot, relation: Relation) -> Relation:
    """Turn values of one column into columns; the columns that are not mentioned are grouped by."""
    fields = node.args.get("fields") or []
    if len(fields) != 1 or len(node.expressions) != 1 or not isinstance(fields[0], exp.In):
        raise unsupported("PIVOT with several aggregates or columns")
    field = fields[0]
    alias = translation.alias()
    source = Source(("",), alias, relation.columns)
    scope = Scope(sources=[source])
    chosen = translation.value(field.this, scope)
    aggregate = node.expressions[0]
    call_node = aggregate.this if isinstance(aggregate, exp.Alias) else aggregate
    if not isinstance(call_node, exp.Anonymous):
        raise invalid_argument("PIVOT needs an aggregate function")
    argument = call_node.expressions[0]
    used = {identifier_name(field.this.this), *(identifier_name(part.this) for part in argument.find_all(exp.Column))}
    if unknown := used - {column.name for column in relation.columns}:
        raise invalid_identifier(min(unknown))
    kept = [column for column in relation.columns if column.name not in used]
    groups = [source.value(column) for column in kept]
    default = node.args.get("default_on_null")
    filler = translation.value(default, scope) if default else None
    outputs: list[tuple[str, Value]] = [(column.name, value) for column, value in zip(kept, groups, strict=True)]
    for option, name in _options(translation, field, chosen, f"{relation.sql} AS {alias}", scope):
        value = _aggregate(translation, call_node, scope, compare(chosen, "=", option))
        if filler is not None:
            common = common_type((value.type, filler.type), "PIVOT")
            value = Value(f"coalesce({typed(coerce(value, common))}, {typed(coerce(filler, common))})", common)
        outputs.append((name, value))
    return _relation(outputs, f"{relation.sql} AS {alias}", groups)


def _relation(outputs: Sequence[tuple[str, Value]], from_sql: str, groups: Sequence[Value]) -> Relation:
    columns = tuple(
        Column(name, value.type, value.nullable, physical)
        for (name, value), physical in zip(outputs, physical_names(name for name, _ in outputs), strict=True)
    )
    listed = ", ".join(
        f"{value.sql} AS {quote_name(column.physical)}" for (_, value), column in zip(outputs, columns, strict=True)
    )
    grouping = f" GROUP BY {', '.join(value.sql for value in groups)}" if groups else ""
    return Relation(f"(SELECT {listed} FROM {from_sql}{grouping})", columns)


def _options(
    translation: Translation, field: exp.In, chosen: Value, from_sql: str, scope: Scope
) -> list[tuple[Value, str]]:
    """Give the values that become columns, and the columns' names: an alias, or the constant as it is written."""
    if (query := _option_query(field)) is not None:
        asked = translation.query(query, Scope(ctes=scope.ctes))
        if len(asked.columns) != 1:
            raise invalid_argument("Pivot subquery must select single column")
        order = "" if asked.ordered else " ORDER BY 1"
        name = quote_name(asked.columns[0].physical)
        sql = f"SELECT {'' if asked.ordered else 'DISTINCT '}{name} FROM ({asked.sql}){order}"
        return _found_options(translation.around.found(sql), asked.columns[0].type)
    if any(isinstance(item, exp.PivotAny) for item in field.expressions):
        sql = f"SELECT DISTINCT {chosen.sql} FROM {from_sql} ORDER BY 1 NULLS LAST"
        return _found_options(translation.around.found(sql), chosen.type)
    options = []
    for item in field.expressions:
        inner = item.this if isinstance(item, exp.PivotAlias | exp.Alias) else item
        if isinstance(inner, exp.Identifier | exp.Column):  # IDENTIFY_PIVOT_STRINGS makes names of strings
            inner = exp.Literal.string(inner.name)
        value = translation.value(inner, scope)
        if isinstance(item, exp.PivotAlias | exp.Alias):
            options.append((value, identifier_name(item.args["alias"])))
        else:
            options.append((value, _shown(inner, value)))
    return options


def _option_query(field: exp.In) -> exp.Expr | None:
    """Give the query in the list, if it is one."""
    query = field.args.get("query")
    if query is None and len(field.expressions) == 1 and isinstance(field.expressions[0], exp.Query):
        query = field.expressions[0]
    return query.unnest() if query is not None else None


def _found_options(found: Sequence[Any], type_: t.SnowflakeType) -> list[tuple[Value, str]]:
    """Make columns of values that a query found."""
    from firnline_sandbox.translate.literals import constant_value

    options = []
    for constant in found:
        if constant is None:
            options.append((Value(f"CAST(NULL AS {type_.duckdb})", type_), "NULL"))
            continue
        plain = constant if isinstance(constant, str | int | float | bool | Decimal) else str(constant)
        value = constant_value(plain)
        shown = quote_text(constant) if isinstance(constant, str) else str(plain)
        options.append((coerce(value, type_), shown))
    return options


def _shown(node: exp.Expr, value: Value) -> str:
    """Name the column of a value as Snowflake writes the value."""
    if isinstance(node, exp.Cast) and value.type.kind == "DATE" and isinstance(node.this, exp.Literal):
        return f"TO_DATE({quote_text(node.this.name)})"
    if isinstance(node, exp.Cast) and value.type.kind == "NUMBER":
        return f"CAST({value.sql} AS {value.type.sql})"
    return quote_text(value.constant) if isinstance(value.constant, str) else value.sql


def _aggregate(translation: Translation, node: exp.Anonymous, scope: Scope, test: Value) -> Value:
    """Write the aggregate over the rows for which a test holds."""
    argument = translation.value(node.expressions[0], scope)
    call = Call(translation=translation, scope=scope, name=str(node.this).upper(), nodes=node.expressions)
    filtered = Value(f"CASE WHEN {test.sql} THEN {typed(argument)} END", argument.type)
    call.replace(0, filtered)
    return call_function(call)


def _unpivot(translation: Translation, node: exp.Pivot, relation: Relation) -> Relation:
    """Turn columns into rows of a name and a value; NULL values are left out unless asked for."""
    field = (node.args.get("fields") or [None])[0]
    if not isinstance(field, exp.In) or len(node.expressions) != 1:
        raise unsupported("this form of UNPIVOT")
    alias = translation.alias()
    source = Source(("",), alias, relation.columns)
    value_name, name_name = _bare(node.expressions[0]), _bare(field.this)
    listed: list[tuple[str, str]] = []
    for item in field.expressions:
        label = None
        if isinstance(item, exp.PivotAlias | exp.Alias):
            label = item.args["alias"].name
            item = item.this
        name = _bare(item)
        listed.append((name, label if label is not None else name))
    by_name = {column.name: column for column in relation.columns}
    if unknown := [name for name, _ in listed if name not in by_name]:
        raise invalid_identifier(unknown[0])
    values = [source.value(by_name[name]) for name, _ in listed]
    common = common_type((value.type for value in values), "UNPIVOT")
    kept = [column for column in relation.columns if column.name not in dict(listed)]
    entries = ", ".join(
        f"{{'n': {quote_text(label)}, 'v': {typed(coerce(value, common))}}}"
        for (_, label), value in zip(listed, values, strict=True)
    )
    names = [column.name for column in kept] + [name_name, value_name]
    physical = physical_names(names)
    inner = ", ".join(
        f"{source.value(column).sql} AS {quote_name(own)}" for column, own in zip(kept, physical, strict=False)
    )
    rows = f"SELECT {inner + ', ' if inner else ''}unnest([{entries}]) AS e FROM {relation.sql} AS {alias}"
    shown = ", ".join(
        [quote_name(own) for own in physical[:-2]]
        + [f"e.n AS {quote_name(physical[-2])}", f"e.v AS {quote_name(physical[-1])}"]
    )
    keep = "" if node.args.get("include_nulls") else " WHERE e.v IS NOT NULL"
    columns = (
        *(Column(column.name, column.type, column.nullable, own) for column, own in zip(kept, physical, strict=False)),
        Column(name_name, t.TEXT, nullable=False, physical=physical[-2]),
        Column(value_name, common, physical=physical[-1]),
    )
    return Relation(f"(SELECT {shown} FROM ({rows}){keep})", columns)


def _bare(node: exp.Expr) -> str:
    return identifier_name(node.this if isinstance(node, exp.Column) else node)
