"""Queries: SELECT with its clauses, WITH, set operations, VALUES; and the entry points of translation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlglot import exp

from firnline_sandbox.errors import invalid_argument, unsupported
from firnline_sandbox.translate.casts import coerce, common_type
from firnline_sandbox.translate.clauses import write_group, write_limit, write_order
from firnline_sandbox.translate.dispatch import Translation, query
from firnline_sandbox.translate.operators import as_condition, condition
from firnline_sandbox.translate.parsing import identifier_name
from firnline_sandbox.translate.projections import Projections, write_outputs
from firnline_sandbox.translate.scopes import Scope, Source
from firnline_sandbox.translate.sources import refuse_other, rename_columns, values, write_from
from firnline_sandbox.translate.surroundings import Relation, Surroundings, Translated
from firnline_sandbox.translate.values import Value, quote_name
from firnline_sandbox.types import Column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from firnline_sandbox.types import SnowflakeType


def translate_query(tree: exp.Expr, around: Surroundings, params: Sequence[Any] = ()) -> Translated:
    """Translate a query: SELECT, WITH, a set operation or VALUES.

    Raises:
        ProgrammingError: with Snowflake's number, for what Snowflake or the sandbox refuses.
    """
    translation = Translation(around, params)
    return _with_all_binds(translation, translation.query(tree, Scope()))


def _with_all_binds(translation: Translation, translated: Translated) -> Translated:
    """Mention the binds that translation consumed, such as IDENTIFIER(?): DuckDB wants a place for each value."""
    unused = [index for index in range(len(translation.params)) if f"CAST(${index + 1} AS " not in translated.sql]
    if not unused:
        return translated
    tests = "".join(f" OR CAST(${index + 1} AS VARCHAR) IS NULL" for index in unused)
    return Translated(f"SELECT * FROM ({translated.sql}) WHERE true{tests}", translated.columns, translated.ordered)


def translate_expression(
    tree: exp.Expr, around: Surroundings, relations: Mapping[str, Relation], params: Sequence[Any] = ()
) -> tuple[str, SnowflakeType]:
    """Translate an expression over relations that the caller has put into its own FROM clause.

    ``relations`` maps each alias, as Snowflake knows it, to its relation; columns are written ``"alias"."physical"``.
    """
    value = Translation(around, params).value(tree, _scope_of(relations))
    return value.sql, value.type


def translate_condition(
    tree: exp.Expr, around: Surroundings, relations: Mapping[str, Relation], params: Sequence[Any] = ()
) -> str:
    """Translate an expression that must be BOOLEAN, such as a WHERE of DELETE."""
    return as_condition(Translation(around, params).value(tree, _scope_of(relations))).sql


def _scope_of(relations: Mapping[str, Relation]) -> Scope:
    scope = Scope()
    for alias, relation in relations.items():
        scope.sources.append(Source((alias,), quote_name(alias), relation.columns))
    return scope


@query(exp.Subquery)
def parenthesised(translation: Translation, node: exp.Subquery, scope: Scope) -> Translated:
    """A query in parentheses, which may have an ORDER BY and LIMIT of its own after them."""
    if any(node.args.get(part) for part in ("order", "limit", "offset", "with_")):
        return _modified(translation, node, translation.query(node.this, scope), scope)
    return translation.query(node.this, scope)


@query(exp.Values)
def values_query(translation: Translation, node: exp.Values, scope: Scope) -> Translated:
    """VALUES as a whole query."""
    relation = values(translation, node, scope)
    return Translated(f"SELECT * FROM {relation.sql}", relation.columns)


_SELECT_PARTS: Final = frozenset(
    {
        "with_", "kind", "expressions", "hint", "distinct", "from_", "joins", "where", "group", "having", "qualify",
        "windows", "order", "limit", "offset",
    }
)  # fmt: skip


@query(exp.Select)
def select(translation: Translation, node: exp.Select, outer: Scope) -> Translated:
    """SELECT with its clauses."""
    args = node.args
    scope = outer.child()
    with_clause = write_with(translation, node, scope)
    refuse_other(node, _SELECT_PARTS)
    from_clause = write_from(translation, node, scope)
    scope.windows = {identifier_name(window.this): window for window in args.get("windows") or ()}
    projections = Projections(translation, node.expressions, scope)
    outputs = projections.outputs()
    listed, columns = write_outputs(outputs)
    distinct = args.get("distinct")
    if distinct is not None and distinct.args.get("on") is not None:
        raise unsupported("DISTINCT ON")
    parts = [with_clause, "SELECT DISTINCT " if distinct is not None else "SELECT ", listed, from_clause]
    if (where := args.get("where")) is not None:
        parts.append(f" WHERE {condition(translation, where.this, scope).sql}")
    if (group := args.get("group")) is not None:
        parts.append(write_group(translation, group, outputs, scope))
    if (having := args.get("having")) is not None:
        parts.append(f" HAVING {condition(translation, having.this, scope).sql}")
    if (qualify := args.get("qualify")) is not None:
        parts.append(f" QUALIFY {condition(translation, qualify.this, scope).sql}")
    if (order := args.get("order")) is not None:
        scope.aliases_first = True
        parts.append(write_order(translation, order, outputs, scope))
    parts.append(write_limit(translation, node, scope))
    parts[3] = scope.number_rows(from_clause)
    return Translated("".join(parts), columns, ordered=order is not None)


def write_with(translation: Translation, node: exp.Expr, scope: Scope) -> str:
    """Translate the common table expressions and enter them into the scope."""
    clause = node.args.get("with_")
    if clause is None:
        return ""
    scope.ctes = dict(scope.ctes)
    parts = [_write_cte(translation, cte, scope, recursive=_is_recursive(cte)) for cte in clause.expressions]
    word = "WITH RECURSIVE " if any(_is_recursive(cte) for cte in clause.expressions) else "WITH "
    return word + ", ".join(parts) + " "


def _is_recursive(cte: exp.CTE) -> bool:
    if not isinstance(cte.this, exp.Union):
        return False
    name = cte.args["alias"].this.name.upper()
    right = cte.this.expression
    return any(table.name.upper() == name and not table.args.get("db") for table in right.find_all(exp.Table))


def _write_cte(translation: Translation, cte: exp.CTE, scope: Scope, *, recursive: bool) -> str:
    alias = cte.args["alias"]
    name = identifier_name(alias.this)
    given = [identifier_name(part) for part in alias.args.get("columns") or ()]
    physical = translation.alias()
    if not recursive:
        inner = translation.query(cte.this, scope)
        sql = inner.sql
    else:
        anchor = translation.query(cte.this.this, scope)
        columns = rename_columns(anchor.columns, given) if given else anchor.columns
        scope.ctes[name] = Relation(physical, columns)
        inner, step = anchor, translation.query(cte.this.expression, scope)
        word = "UNION" if cte.this.args.get("distinct") else "UNION ALL"
        sql = f"{anchor.sql} {word} {_cast_columns(step, anchor.columns, translation.alias())}"
    columns = rename_columns(inner.columns, given) if given else inner.columns
    scope.ctes[name] = Relation(physical, columns)
    return f"{physical} AS ({sql})"


@query(exp.Union, exp.Except, exp.Intersect)
def set_operation(translation: Translation, node: exp.SetOperation, outer: Scope) -> Translated:
    """UNION [ALL] [BY NAME], EXCEPT (MINUS) and INTERSECT; the first query names the columns."""
    scope = outer.child()
    scope.parent = outer.parent if not outer.sources else outer
    with_clause = write_with(translation, node, scope)
    branches = _flatten(node)
    word = _set_word(node)
    inner = [translation.query(branch, scope) for branch in branches]
    first = inner[0]
    if node.args.get("by_name"):
        inner, first = _by_name(inner, translation)
    for other in inner[1:]:
        if len(other.columns) != len(first.columns):
            raise invalid_argument("invalid number of result columns for set operator input branches")
    columns = tuple(
        Column(
            column.name,
            common_type((other.columns[index].type for other in inner), word.strip()),
            _nullable(node, [other.columns[index].nullable for other in inner]),
            column.physical,
        )
        for index, column in enumerate(first.columns)
    )
    parts = [_cast_columns(other, columns, translation.alias()) for other in inner]
    combined = Translated(word.join(f"({part})" for part in parts), columns)
    if any(node.args.get(part) for part in ("order", "limit", "offset")):
        combined = _modified(translation, node, combined, scope)
    return Translated(with_clause + combined.sql, combined.columns, combined.ordered)


def _nullable(node: exp.Expr, branches: list[bool]) -> bool:
    """Rows of INTERSECT and EXCEPT come from the first branch."""
    return any(branches) if isinstance(node, exp.Union) else branches[0]


def _set_word(node: exp.Expr) -> str:
    word = type(node).__name__.upper()
    if isinstance(node, exp.Union):
        return " UNION " if node.args.get("distinct") else " UNION ALL "
    if not node.args.get("distinct", True):
        raise unsupported(f"{word} ALL")
    return f" {word} "


def _flatten(node: exp.SetOperation) -> list[exp.Expr]:
    """Give the branches of a left-deep chain of one operation."""
    branches = [node.expression]
    left = node.this
    while (
        type(left) is type(node)
        and left.args.get("distinct") == node.args.get("distinct")
        and left.args.get("by_name") == node.args.get("by_name")
        and not any(left.args.get(part) for part in ("order", "limit", "offset", "with_"))
    ):
        branches.append(left.expression)
        left = left.this
    branches.append(left)
    return branches[::-1]


def _by_name(inner: list[Translated], translation: Translation) -> tuple[list[Translated], Translated]:
    names = list(dict.fromkeys(column.name for branch in inner for column in branch.columns))
    known = {column.name: column for branch in reversed(inner) for column in branch.columns}
    aligned = []
    for branch in inner:
        mine = {column.name: column for column in branch.columns}
        alias = translation.alias()
        parts = [
            f"{alias}.{quote_name(mine[name].physical)} AS {quote_name(known[name].physical)}"
            if name in mine
            else f"CAST(NULL AS {known[name].type.duckdb}) AS {quote_name(known[name].physical)}"
            for name in names
        ]
        sql = f"SELECT {', '.join(parts)} FROM ({branch.sql}) AS {alias}"
        aligned.append(Translated(sql, tuple(mine.get(name, known[name]) for name in names)))
    return aligned, aligned[0]


def _cast_columns(inner: Translated, columns: Sequence[Column], alias: str) -> str:
    """Bring a branch's columns to the set operation's types."""
    if all(mine.type.duckdb == wanted.type.duckdb for mine, wanted in zip(inner.columns, columns, strict=True)):
        return inner.sql
    parts = [
        coerce(Value(f"{alias}.{quote_name(mine.physical)}", mine.type), wanted.type).sql
        + f" AS {quote_name(wanted.physical)}"
        for mine, wanted in zip(inner.columns, columns, strict=True)
    ]
    return f"SELECT {', '.join(parts)} FROM ({inner.sql}) AS {alias}"


def _modified(translation: Translation, node: exp.Expr, inner: Translated, outer: Scope) -> Translated:
    """Put ORDER BY and LIMIT around a query whose own clauses are done."""
    scope = outer.child()
    with_clause = write_with(translation, node, scope) if isinstance(node, exp.Subquery) else ""
    alias = translation.alias()
    source = Source(("",), alias, inner.columns)
    scope.sources.append(source)
    order = node.args.get("order")
    order_clause = write_order(translation, order, [], scope, columns=len(inner.columns)) if order is not None else ""
    limit = write_limit(translation, node, scope)
    sql = f"{with_clause}SELECT * FROM ({inner.sql}) AS {alias}{order_clause}{limit}"
    return Translated(sql, inner.columns, ordered=order is not None)
