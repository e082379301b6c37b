"""GROUP BY, ORDER BY, LIMIT: positions and aliases of the SELECT list, Snowflake's order of NULLs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from firnline_sandbox.errors import invalid_argument, syntax_error
from firnline_sandbox.translate.parsing import identifier_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firnline_sandbox.translate.dispatch import Translation
    from firnline_sandbox.translate.projections import Output
    from firnline_sandbox.translate.scopes import Scope
    from firnline_sandbox.translate.values import Value


def write_group(translation: Translation, node: exp.Group, outputs: Sequence[Output], scope: Scope) -> str:
    """Write GROUP BY: expressions, positions, ALL, CUBE, ROLLUP, GROUPING SETS."""
    if node.args.get("all"):
        return " GROUP BY ALL"
    parts = [_group_item(translation, item, outputs, scope) for item in node.expressions]
    for kind in ("grouping_sets", "cube", "rollup"):
        parts += [_group_item(translation, item, outputs, scope) for item in node.args.get(kind) or ()]
    return " GROUP BY " + ", ".join(parts) if parts else ""


def _group_item(translation: Translation, node: exp.Expr, outputs: Sequence[Output], scope: Scope) -> str:
    match node:
        case exp.Cube() | exp.Rollup() | exp.GroupingSets():
            word = {exp.Cube: "CUBE", exp.Rollup: "ROLLUP", exp.GroupingSets: "GROUPING SETS"}[type(node)]
            inner = [_group_item(translation, item, outputs, scope) for item in node.expressions]
            return f"{word} ({', '.join(inner)})"
        case exp.Tuple():
            inner = [_group_item(translation, item, outputs, scope) for item in node.expressions]
            return f"({', '.join(inner)})"
        case exp.Literal() if not node.is_string:
            return _grouped(_output(node, outputs, "GROUP BY").value)
        case exp.Paren():
            return f"({_group_item(translation, node.this, outputs, scope)})"
        case _:
            return _grouped(translation.value(node, scope))


def _grouped(value: Value) -> str:
    """Write a constant so that DuckDB takes it for no position."""
    return f"CAST({value.sql} AS {value.type.duckdb})" if value.is_constant else value.sql


def _output(node: exp.Literal, outputs: Sequence[Output], where: str) -> Output:
    position = int(node.name) if node.name.isdigit() else 0
    if not 0 < position <= len(outputs):
        raise invalid_argument(f"{where} position {node.name} is not in the select list")
    return outputs[position - 1]


def write_order(
    translation: Translation, node: exp.Order, outputs: Sequence[Output], scope: Scope, *, columns: int | None = None
) -> str:
    """Write ORDER BY; aliases and columns of the SELECT list are written as positions."""
    count = len(outputs) if columns is None else columns
    names = [output.name for output in outputs]
    parts = []
    for item in node.expressions:
        target = item.this
        if _is_all(target) and names:
            parts += [f"{index + 1}{direction(item)}" for index in range(count)]
            continue
        position = _position(target, count) or _alias_position(target, names)
        sql = str(position) if position is not None else _sort_key(translation, target, scope)
        parts.append(sql + direction(item))
    return " ORDER BY " + ", ".join(parts) if parts else ""


def _is_all(node: exp.Expr) -> bool:
    return isinstance(node, exp.Column) and node.name.upper() == "ALL" and not node.this.args.get("quoted")


def _position(node: exp.Expr, count: int) -> int | None:
    if not isinstance(node, exp.Literal) or node.is_string:
        return None
    position = int(node.name) if node.name.isdigit() else 0
    if not 0 < position <= count:
        raise invalid_argument(f"ORDER BY position {node.name} is not in the select list")
    return position


def _alias_position(node: exp.Expr, names: Sequence[str]) -> int | None:
    if isinstance(node, exp.Column) and isinstance(node.this, exp.Identifier) and node.args.get("table") is None:
        name = identifier_name(node.this)
        if names.count(name) == 1:
            return names.index(name) + 1
    return None


def _sort_key(translation: Translation, node: exp.Expr, scope: Scope) -> str:
    value = translation.value(node, scope)
    return f"({value.sql})" if value.is_constant else value.sql


def direction(item: exp.Ordered) -> str:
    """Write ASC or DESC with Snowflake's place of NULLs: they count as the largest."""
    descending = bool(item.args.get("desc"))
    nulls_first = item.args.get("nulls_first")
    if nulls_first is None:
        nulls_first = descending
    return f"{' DESC' if descending else ''} NULLS {'FIRST' if nulls_first else 'LAST'}"


def write_limit(translation: Translation, node: exp.Expr, scope: Scope) -> str:
    """Write LIMIT, FETCH, TOP and OFFSET."""
    sql = ""
    limit = node.args.get("limit")
    if limit is not None:
        count = limit.expression if isinstance(limit, exp.Limit) else limit.args.get("count")
        refuse_limit_options(limit)
        value = translation.value(count, scope)
        if not (value.is_constant and value.constant is None) and value.constant != "":
            sql += f" LIMIT {value.sql}"
    if (offset := node.args.get("offset")) is not None:
        value = translation.value(offset.expression, scope)
        if value.constant is not None:
            sql += f" OFFSET {value.sql}"
    return sql


def refuse_limit_options(limit: exp.Expr) -> None:
    """Refuse a share of the rows, rows that tie and a count that is a query: Snowflake has none of them."""
    options = limit.args.get("limit_options")
    if options is not None and (options.args.get("percent") or options.args.get("with_ties")):
        raise syntax_error("unexpected PERCENT or WITH TIES after a row count.")
    if isinstance(limit, exp.Limit) and isinstance(limit.expression, exp.Query):
        raise syntax_error("unexpected '(' after LIMIT: a constant was expected.")
