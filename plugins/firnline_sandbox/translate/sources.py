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
from firnline_sandbox.translate.pivots import pivot
from firnline_sandbox.translate.sampling import sample
from firnline_sandbox.translate.scopes import Source
from firnline_sandbox.translate.surroundings import Relation
from firnline_sandbox.translate.table_functions import (
    Lateral,
    StagedFiles,
    is_element_call,
    lateral,
    staged_files,
    table_function,
)
from firnline_sandbox.translate.user_tables import beside, find_call
from firnline_sandbox.translate.values import Value, quote_name
from firnline_sandbox.types import Column

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from collections.abc import Set as AbstractSet

    from firnline_sandbox.translate.dispatch import Translation
    from firnline_sandbox.translate.scopes import Scope
    from firnline_sandbox.translate.user_tables import TableCall


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


def write_source(translation: Translation, node: exp.Expr, scope: Scope) -> str:
    """Write one relation with its alias, joins in its parentheses, pivots and sample."""
    if (
        isinstance(node, exp.Subquery)
        and isinstance(node.this, exp.Table | exp.Subquery)
        and not node.args.get("alias")
    ):
        refuse_other(node, {"this", "joins"})
        sql = f"({write_source(translation, node.this, scope)})"
        return _write_joins(translation, sql, node.args.get("joins") or (), scope)
    relation = relation_of(translation, node, scope)
    sql = _enter(translation, node, relation, scope)
    return _write_joins(translation, sql, node.args.get("joins") or (), scope)


def _enter(translation: Translation, node: exp.Expr, relation: Relation, scope: Scope) -> str:
    """Give a relation its alias and put it into the scope."""
    alias = translation.alias()
    columns = relation.columns
    names = _names(node)
    table_alias = _table_alias(node)
    if table_alias is not None and table_alias.args.get("columns"):
        columns = rename_columns(columns, [identifier_name(part) for part in table_alias.args["columns"]])
    source = Source(names, alias, columns, relation=relation.sql, base=relation.sql)
    if isinstance(relation, Lateral):
        source.relation, source.row = "", relation.row.format(alias)
    source.open_ended = isinstance(relation, StagedFiles)
    scope.sources.append(source)
    return f"{relation.sql} AS {alias}"


def _table_alias(node: exp.Expr) -> exp.TableAlias | None:
    """Give a relation's alias; one after PIVOT belongs to the pivot."""
    pivots = node.args.get("pivots")
    alias: exp.TableAlias | None = (pivots[-1].args.get("alias") if pivots else None) or node.args.get("alias")
    return alias


def refuse_other(node: exp.Expr, known: AbstractSet[str]) -> None:
    """Refuse a clause that would otherwise be left out unnoticed.

    Raises:
        ProgrammingError: 2, the node has other parts than the known ones.
    """
    for name, part in node.args.items():
        if part and name not in known:
            clause = _CLAUSES.get(name) or name.upper().replace("_", " ")
            raise unsupported(f"{clause} in {node.sql('snowflake')[:200]}")


# What sqlglot calls by a name that no user would know it by.
_CLAUSES: Final = {
    "match": "MATCH_RECOGNIZE",
    "connect": "CONNECT BY",
    "locks": "FOR UPDATE",
    "laterals": "LATERAL VIEW",
}
_TABLE_PARTS: Final = frozenset({"this", "db", "catalog", "alias", "joins", "sample", "pivots", "format", "pattern"})
_SUBQUERY_PARTS: Final = frozenset({"this", "alias", "joins", "sample", "pivots", "order", "limit", "offset", "with_"})
_JOIN_PARTS: Final = frozenset({"this", "on", "using", "side", "kind", "method", "match_condition", "directed"})


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
    alias = _table_alias(node)
    if alias is not None and alias.this is not None:
        return (identifier_name(alias.this),)
    if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
        return table_parts(node)
    return ("",)


def table_parts(node: exp.Table) -> tuple[str, ...]:
    """Give a table's name parts as Snowflake stores them."""
    parts = [node.args.get("catalog"), node.args.get("db"), node.this]
    # In `db..table`, which means the schema PUBLIC, the part in the middle is an empty text.
    return tuple("PUBLIC" if part == "" else identifier_name(part) for part in parts if part is not None)


def relation_of(translation: Translation, node: exp.Expr, scope: Scope) -> Relation:
    """Translate what stands in a FROM clause into a relation, without its alias.

    Raises:
        ProgrammingError: 2003 a table is absent, 2 the sandbox lacks this kind of relation.
    """
    writer = SOURCES.get(type(node))
    if writer is None:
        raise unsupported(f"FROM {node.sql('snowflake')[:200]}")
    relation = writer(translation, node, scope)
    if (part := node.args.get("sample")) is not None:
        relation = sample(translation, part, relation)
    for part in node.args.get("pivots") or ():
        relation = pivot(translation, part, relation)
    return relation


def table(translation: Translation, node: exp.Table, scope: Scope) -> Relation:
    """A table or view by name, a CTE, IDENTIFIER('...'), or what stands for a table."""
    this = node.this
    if node.args.get("when") is not None:
        raise unsupported("time travel (AT, BEFORE)")
    refuse_other(node, _TABLE_PARTS)
    if isinstance(this, exp.Identifier):
        parts = table_parts(node)
        if len(parts) == 1 and parts[0] in scope.ctes:
            return scope.ctes[parts[0]]
        return translation.around.relation(parts)
    if isinstance(this, exp.DynamicIdentifier):
        return dynamic_table(translation, this, scope)
    if isinstance(this, exp.Query):
        return relation_of(translation, this, scope)
    if isinstance(this, exp.Anonymous | exp.Dot | exp.Window):
        return table_function(translation, this, scope)
    if isinstance(this, exp.Var | exp.Literal):
        return staged_files(translation, node)
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
    if isinstance(node, exp.Subquery):
        refuse_other(node, _SUBQUERY_PARTS)
        if isinstance(node.this, exp.Table | exp.Values):
            return relation_of(translation, node.this, scope)
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


SOURCES: Final[dict[type, Callable[..., Relation]]] = {
    exp.Table: table,
    exp.Subquery: subquery,
    exp.Select: subquery,
    exp.Union: subquery,
    exp.Except: subquery,
    exp.Intersect: subquery,
    exp.Values: values,
    exp.Lateral: lateral,
}


def _write_joins(translation: Translation, sql: str, joins: Sequence[exp.Join], scope: Scope) -> str:
    for join in joins:
        sql = _write_join(translation, sql, join, scope)
    return sql


def _write_join(translation: Translation, left: str, join: exp.Join, scope: Scope) -> str:
    args = join.args
    refuse_other(join, _JOIN_PARTS)
    side, kind = (args.get("side") or "").upper(), (args.get("kind") or "").upper()
    method = (args.get("method") or "").upper()
    before = len(scope.sources)
    if (embedded := _embed(translation, left, join, scope)) is not None:
        return embedded
    if (user_call := find_call(translation, join.this, scope)) is not None:
        return _join_user_table(translation, left, join, user_call, scope)
    right = write_source(translation, join.this, scope)
    if kind not in {"", "INNER", "OUTER", "CROSS"} or method not in {"", "NATURAL", "ASOF"}:
        raise unsupported(f"{method} {kind} JOIN".strip())
    if kind == "CROSS" or not (side or kind or method or args.get("on") or args.get("using")):
        return f"{left} CROSS JOIN {right}"
    using = _using_names(join, method, scope, before)
    if using:
        on = _merge(using, side, scope, before)
    else:
        on = condition(translation, args["on"], scope).sql if args.get("on") is not None else ""
    if method == "ASOF":
        return _asof(translation, f"{left} ASOF LEFT JOIN {right} ON ", on, join, scope, before)
    on = on or "true"
    if side in {"LEFT", "FULL"}:
        _mark_outer(scope.sources[before:])
    if side in {"RIGHT", "FULL"}:
        _mark_outer(scope.sources[:before])
    word = " ".join(part for part in (side, "JOIN") if part)
    return f"{left} {word} {right} ON {on}"


def _join_user_table(translation: Translation, left: str, join: exp.Join, call: TableCall, scope: Scope) -> str:
    """Join a user-defined table function with the relations before it, which become one with it."""
    side = (join.args.get("side") or "").upper()
    if side not in {"", "LEFT"} or join.args.get("using") or join.args.get("method"):
        raise unsupported(f"{join.args.get('method') or side} JOIN with a table function")
    sql, alias = beside(translation, left, call, scope, keep=side == "LEFT")
    columns = call.columns()
    if (table_alias := _table_alias(join.this)) is not None and table_alias.args.get("columns"):
        columns = rename_columns(columns, [identifier_name(part) for part in table_alias.args["columns"]])
    scope.sources.append(Source(_names(join.this), alias, columns, outer=side == "LEFT"))
    on = join.args.get("on")
    if on is None or (isinstance(on, exp.Boolean) and on.this):
        return f"{sql} AS {alias}"
    if side:
        raise unsupported("LEFT JOIN with a table function and a condition")
    return f"(SELECT * FROM {sql} AS {alias} WHERE {condition(translation, on, scope).sql}) AS {alias}"


def _embed(translation: Translation, left: str, join: exp.Join, scope: Scope) -> str | None:
    """Put a FLATTEN into the only relation before it: a lateral join would lose the order of rows, and time.

    The elements become one more column of that relation, and the FLATTEN's columns are fields of it.
    """
    side, on = (join.args.get("side") or "").upper(), join.args.get("on")
    host = scope.sources[0]
    alone = host.relation and all(source is host or source.host is host for source in scope.sources)
    trivial = on is None or (isinstance(on, exp.Boolean) and on.this)
    if not (alone and trivial and side in {"", "LEFT"} and is_element_call(join.this)):
        return None
    scope.numbering = False
    relation = relation_of(translation, join.this, scope)
    scope.numbering = True
    if not isinstance(relation, Lateral) or not relation.entries:
        raise unsupported(f"FROM {join.this.sql('snowflake')[:200]}")
    entries = f"sf_or_nothing({relation.entries})" if side == "LEFT" else relation.entries
    name = translation.alias()
    plain = f"{host.relation} AS {host.alias}"
    host.relation = f"(SELECT {host.alias}.*, unnest({entries}) AS {name} FROM {plain})"
    columns = relation.columns
    if (alias := _table_alias(join.this)) is not None and alias.args.get("columns"):
        raise unsupported("column names in the alias of FLATTEN")
    element = f"{host.alias}.{name}"
    scope.sources.append(Source(_names(join.this), element, columns, host=host, row=f"hash({element}.p, {element}.i)"))
    return left.replace(plain, f"{host.relation} AS {host.alias}")


def _asof(translation: Translation, head: str, on: str, join: exp.Join, scope: Scope, before: int) -> str:
    """Join each row with the nearest of the other side; a row without one is kept."""
    match = join.args.get("match_condition")
    while isinstance(match, exp.Paren):
        match = match.this
    if not isinstance(match, exp.GTE | exp.GT | exp.LTE | exp.LT):
        raise invalid_argument("MATCH_CONDITION needs a comparison by >=, >, <= or <")
    nearest = condition(translation, match, scope).sql
    _mark_outer(scope.sources[before:])
    return head + (f"{on} AND {nearest}" if on else nearest)


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
