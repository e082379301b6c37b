"""The FROM clause: tables, sub-queries, VALUES, joins."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from sqlglot import exp

from firnline_sandbox import types as t
from firnline_sandbox.errors import invalid_argument, invalid_identifier, unsupported
from firnline_sandbox.translate.casts import coerce, common_type
from firnline_sandbox.translate.operators import compare, condition
from firnline_sandbox.translate.parsing import identifier_name, resolve_name
from firnline_sandbox.translate.scopes import Source
from firnline_sandbox.translate.surroundings import Relation
from firnline_sandbox.translate.values import Value, quote_name
from firnline_sandbox.types import Column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firnline_sandbox.translate.dispatch import Translation
    from firnline_sandbox.translate.scopes import Scope


def write_from(translation: Translation, node: exp.Select, scope: Scope) -> str:
    """Write a SELECT's FROM clause and enter its relations into the scope."""
    clause = node.args.get("from_")
    if clause is None:
        return ""
    if _is_dual(clause.this) and not node.args.get("joins"):
        return ""
    sql = write_source(translation, clause.this, scope)
    return " FROM " + _write_joins(translation, sql, node.args.get("joins") or (), scope)


def _is_dual(node: exp.Expr) -> bool:
    return isinstance(node, exp.Table) and node.name.upper() == "DUAL" and not node.args.get("db")


def write_source(translation: Translation, node: exp.Expr, scope: Scope, *, side: str = "") -> str:
    """Write one relation with its alias, joins in its parentheses, pivots and sample."""
    if isinstance(node, exp.Subquery) and not isinstance(node.this, exp.Query):
        inner = write_source(translation, node.this, scope)
        return f"({_write_joins(translation, inner, node.args.get('joins') or (), scope)})"
    if isinstance(node, exp.Subquery) and node.this.args.get("joins") and isinstance(node.this, exp.Subquery):
        inner = write_source(translation, node.this, scope)
        sql = f"({_write_joins(translation, inner, node.this.args['joins'], scope)})"
        return _write_joins(translation, sql, node.args.get("joins") or (), scope)
    relation = relation_of(translation, node, scope)
    sql = _enter(translation, node, relation, scope)
    return _write_joins(translation, sql, node.args.get("joins") or (), scope) if side != "bare" else sql


def _enter(translation: Translation, node: exp.Expr, relation: Relation, scope: Scope) -> str:
    """Give a relation its alias and put it into the scope."""
    alias = translation.alias()
    columns = relation.columns
    names = _names(node)
    table_alias = node.args.get("alias")
    if table_alias is not None and table_alias.args.get("columns"):
        columns = rename_columns(columns, [identifier_name(part) for part in table_alias.args["columns"]])
    scope.sources.append(Source(names, alias, columns))
    return f"{relation.sql} AS {alias}"


def rename_columns(columns: tuple[Column, ...], names: Sequence[str]) -> tuple[Column, ...]:
    """Apply an alias's column list.

    Raises:
        ProgrammingError: 1015, there are more names than columns.
    """
    if len(names) > len(columns):
        raise invalid_argument(f"alias has {len(names)} column names, the relation {len(columns)} columns")
    renamed = tuple(replace(column, name=name) for column, name in zip(columns, names, strict=False))
    return renamed + columns[len(names) :]


def _names(node: exp.Expr) -> tuple[str, ...]:
    alias = node.args.get("alias")
    if alias is not None and alias.this is not None:
        return (identifier_name(alias.this),)
    if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
        return table_parts(node)
    return ("",)


def table_parts(node: exp.Table) -> tuple[str, ...]:
    """Give a table's name parts as Snowflake stores them."""
    parts = [node.args.get("catalog"), node.args.get("db"), node.this]
    return tuple(identifier_name(part) for part in parts if part is not None)


def relation_of(translation: Translation, node: exp.Expr, scope: Scope) -> Relation:
    """Translate what stands in a FROM clause into a relation, without its alias.

    Raises:
        ProgrammingError: 2003 a table is absent, 2 the sandbox lacks this kind of relation.
    """
    writer = SOURCES.get(type(node))
    if writer is None:
        raise unsupported(f"FROM {node.sql('snowflake')[:200]}")
    relation: Relation = writer(translation, node, scope)
    return relation


def table(translation: Translation, node: exp.Table, scope: Scope) -> Relation:
    """A table or view by name, a CTE, IDENTIFIER('...'), or what stands for a table."""
    this = node.this
    if isinstance(this, exp.Identifier):
        if node.args.get("when") is not None:
            raise unsupported("time travel (AT, BEFORE)")
        parts = table_parts(node)
        if len(parts) == 1 and parts[0] in scope.ctes:
            return scope.ctes[parts[0]]
        return translation.around.relation(parts)
    if isinstance(this, exp.DynamicIdentifier):
        return dynamic_table(translation, this, scope)
    if isinstance(this, exp.Query):
        return relation_of(translation, this, scope)
    raise unsupported(f"FROM {node.sql('snowflake')[:200]}")


def dynamic_table(translation: Translation, node: exp.DynamicIdentifier, scope: Scope) -> Relation:
    """``IDENTIFIER('name')`` or ``IDENTIFIER(?)``."""
    name = translation.value(node.this, scope).constant
    if not isinstance(name, str):
        raise invalid_identifier(node.sql("snowflake"))
    parts = resolve_name(name)
    return scope.ctes[parts[0]] if len(parts) == 1 and parts[0] in scope.ctes else translation.around.relation(parts)


def subquery(translation: Translation, node: exp.Query, scope: Scope) -> Relation:
    """A query in parentheses."""
    inner = translation.query(node.this if isinstance(node, exp.Subquery) else node, outside(scope))
    return Relation(f"({inner.sql})", inner.columns)


def outside(scope: Scope) -> Scope:
    """Give the scope around a sub-query in FROM: it sees what the whole SELECT sees, but not its neighbours."""
    holder = scope.child()
    holder.parent = scope.parent
    return holder


def values(translation: Translation, node: exp.Values, scope: Scope) -> Relation:
    """``VALUES (...), (...)``; its columns are COLUMN1, COLUMN2 and so on."""
    rows = [[translation.value(cell, scope) for cell in row_cells(row)] for row in node.expressions]
    if len({len(row) for row in rows}) != 1:
        raise invalid_argument("VALUES rows of different lengths")
    columns = []
    for index in range(len(rows[0])):
        cells = [row[index] for row in rows]
        type_ = common_type((cell.type for cell in cells), "VALUES clause")
        stored = t.TEXT if type_ == t.NULL else type_
        columns.append(Column(f"COLUMN{index + 1}", stored, any(cell.nullable for cell in cells), f"COLUMN{index + 1}"))
        for row in rows:
            row[index] = row[index] if row[index].type.kind == "NULL" else coerce(row[index], stored)
    head = ", ".join(
        f"CAST({quote_name(column.physical)} AS {column.type.duckdb}) AS {quote_name(column.physical)}"
        for column in columns
    )
    body = ", ".join(f"({', '.join(cell.sql for cell in row)})" for row in rows)
    names = ", ".join(quote_name(column.physical) for column in columns)
    return Relation(f"(SELECT {head} FROM (VALUES {body}) AS _v({names}))", tuple(columns))


def row_cells(row: exp.Expr) -> list[exp.Expr]:
    """Give the cells of one VALUES row; a row of one cell may parse as a parenthesis or a bare value."""
    if isinstance(row, exp.Tuple):
        return row.expressions
    return [row.this] if isinstance(row, exp.Paren) else [row]


SOURCES: Final = {
    exp.Table: table,
    exp.Subquery: subquery,
    exp.Select: subquery,
    exp.Union: subquery,
    exp.Except: subquery,
    exp.Intersect: subquery,
    exp.Values: values,
}


def _write_joins(translation: Translation, sql: str, joins: Sequence[exp.Join], scope: Scope) -> str:
    for join in joins:
        sql = _write_join(translation, sql, join, scope)
    return sql


def _write_join(translation: Translation, left: str, join: exp.Join, scope: Scope) -> str:
    args = join.args
    side, kind = (args.get("side") or "").upper(), (args.get("kind") or "").upper()
    method = (args.get("method") or "").upper()
    before = len(scope.sources)
    right = write_source(translation, join.this, scope)
    if kind == "CROSS" or not (side or kind or method or args.get("on") or args.get("using")):
        return f"{left} CROSS JOIN {right}"
    using = _using_names(join, method, scope, before)
    if using:
        on = _merge(using, side, scope, before)
    else:
        on = condition(translation, args["on"], scope).sql if args.get("on") is not None else "true"
    if side in {"LEFT", "FULL"}:
        _mark_outer(scope.sources[before:])
    if side in {"RIGHT", "FULL"}:
        _mark_outer(scope.sources[:before])
    word = " ".join(part for part in (side, "JOIN") if part)
    return f"{left} {word} {right} ON {on}"


def _using_names(join: exp.Join, method: str, scope: Scope, before: int) -> list[str]:
    if using := join.args.get("using"):
        return [identifier_name(part.this if isinstance(part, exp.Column) else part) for part in using]
    if method != "NATURAL":
        return []
    right = {column.name for source in scope.sources[before:] for column in source.columns}
    left = dict.fromkeys(column.name for source in scope.sources[:before] for column in source.columns)
    return [name for name in left if name in right]


def _merge(names: Sequence[str], side: str, scope: Scope, before: int) -> str:
    """Join on columns of one name, which then count as one column."""
    tests = []
    for name in names:
        left = scope.merged.get(name) or _only(name, scope.sources[:before])
        right = _only(name, scope.sources[before:])
        tests.append(compare(left, "=", right).sql)
        scope.merged[name] = _merged_value(left, right, side)
        for source in scope.sources:
            if any(column.name == name for column in source.columns):
                source.hidden |= {name}
    return " AND ".join(tests)


def _merged_value(left: Value, right: Value, side: str) -> Value:
    match side:
        case "RIGHT":
            return right
        case "FULL":
            common = common_type((left.type, right.type), "USING")
            return Value(f"coalesce({coerce(left, common).sql}, {coerce(right, common).sql})", common)
        case _:
            return left


def _only(name: str, sources: Sequence[Source]) -> Value:
    found = [
        (source, column)
        for source in sources
        for column in source.columns
        if column.name == name and name not in source.hidden
    ]
    if not found:
        raise invalid_identifier(name)
    source, column = found[0]
    return source.value(column)


def _mark_outer(sources: Sequence[Source]) -> None:
    for source in sources:
        source.outer = True
