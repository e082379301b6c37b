"""MERGE: each WHEN picks its rows from the state before the statement, then all of them are applied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from firnline_sandbox.errors import column_count, nondeterministic_merge, unsupported
from firnline_sandbox.result import Result
from firnline_sandbox.statements.columns import default_sql
from firnline_sandbox.statements.registry import rewrite_query, statement
from firnline_sandbox.statements.scanner import quote_identifier
from firnline_sandbox.statements.targets import (
    Target,
    aliased,
    assigned,
    column_named,
    count_rows,
    keep,
    pick,
    target_of,
    with_default,
)
from firnline_sandbox.streams import capture
from firnline_sandbox.translate import parse_statement
from firnline_sandbox.translate.parsing import identifier_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firnline_sandbox.catalog import TableColumn
    from firnline_sandbox.context import Context
    from firnline_sandbox.types import Column


@dataclass(frozen=True, slots=True)
class _Branch:
    """One WHEN, with the rows that it picked."""

    action: str
    columns: tuple[TableColumn, ...]
    rows: str
    made: tuple[Column, ...]

    @property
    def row(self) -> str:
        """Write the picked number of the target's row."""
        return quote_identifier(self.made[0].physical)


@statement("MERGE")
def merge(context: Context, sql: str) -> Result:
    """Carry out a MERGE."""
    tree = parse_statement(rewrite_query(context, sql))
    if not isinstance(tree, exp.Merge):
        raise unsupported("this form of MERGE")
    target = target_of(context, tree.this)
    whens = tree.args["whens"].expressions
    branches = []
    earlier: dict[bool, list[exp.Expr]] = {True: [], False: []}
    for when in whens:
        matched = bool(when.args.get("matched"))
        if when.args.get("source"):
            raise unsupported("WHEN NOT MATCHED BY SOURCE")
        branches.append(_pick(context, target, tree, when, earlier[matched]))
        earlier[matched].append(when.args.get("condition") or exp.true())
    _check_single_matches(context, branches)
    counts = {"INSERT": 0, "UPDATE": 0, "DELETE": 0}
    for branch in branches:
        counts[branch.action] += _apply(context, target, branch)
        context.duckdb.execute(f"DROP TABLE {branch.rows}")
    if any(counts.values()):
        context.transaction.touch(target.table)
    words = {"INSERT": "rows_inserted", "UPDATE": "rows_updated", "DELETE": "rows_deleted"}
    present = {branch.action for branch in branches}
    return Result.counts(**{word: counts[action] for action, word in words.items() if action in present})


def _pick(context: Context, target: Target, tree: exp.Merge, when: exp.When, earlier: Sequence[exp.Expr]) -> _Branch:
    """Pick the rows of one WHEN: those that no earlier WHEN of its kind takes."""
    action, columns, values = _action(target, when)
    conditions: list[exp.Expr] = [
        exp.not_(exp.Anonymous(this="COALESCE", expressions=[exp.paren(other.copy()), exp.false()]))
        for other in earlier
    ]
    if (condition := when.args.get("condition")) is not None:
        conditions.append(exp.paren(condition.copy()))
    source, on = tree.args["using"].copy(), tree.args["on"].copy()
    query = exp.Select()
    if when.args.get("matched"):
        query.set("expressions", [target.row, *aliased(values)])
        query.set("from_", exp.From(this=target.node.copy()))
        query.set("joins", [exp.Join(this=source, on=on)])
    else:
        query.set("expressions", [exp.alias_(exp.Null(), exp.to_identifier("R", quoted=True)), *aliased(values)])
        query.set("from_", exp.From(this=source))
        query.set("joins", [exp.Join(this=target.node.copy(), on=on, side="LEFT")])
        conditions.append(exp.Is(this=target.row, expression=exp.Null()))
    if conditions:
        query.set("where", exp.Where(this=exp.and_(*conditions)))
    picked = pick(context, target, query)
    return _Branch(action, columns, keep(context, picked), picked.columns)


def _action(target: Target, when: exp.When) -> tuple[str, tuple[TableColumn, ...], list[exp.Expr]]:
    then = when.args["then"]
    if isinstance(then, exp.Var) and then.name.upper() == "DELETE":
        return "DELETE", (), []
    if isinstance(then, exp.Update):
        if any(isinstance(item, exp.Star) for item in then.expressions):
            raise unsupported("UPDATE ALL BY NAME")
        columns = tuple(target.column(item.this) for item in then.expressions)
        values = [item.expression for item in then.expressions]
        return "UPDATE", columns, [with_default(v, c) for v, c in zip(values, columns, strict=True)]
    if isinstance(then, exp.Insert) and isinstance(then.expression, exp.Tuple | exp.Paren):
        listed = then.this
        cells = then.expression.expressions if isinstance(then.expression, exp.Tuple) else [then.expression.this]
        columns = target.table.columns if listed is None else tuple(_insert_column(target, n) for n in _names(listed))
        if len(cells) != len(columns):
            raise column_count(len(columns), len(cells))
        return "INSERT", columns, [with_default(v, c) for v, c in zip(cells, columns, strict=True)]
    raise unsupported(f"MERGE action {then.sql('snowflake')}")


def _names(listed: exp.Expr) -> list[exp.Expr]:
    return list(listed.expressions) if isinstance(listed, exp.Tuple) else [listed.this]


def _insert_column(target: Target, node: exp.Expr) -> TableColumn:
    name = identifier_name(node.this if isinstance(node, exp.Column) else node)
    return column_named(target.table, name)


def _check_single_matches(context: Context, branches: Sequence[_Branch]) -> None:
    """Refuse a target row that several source rows want to change, as ERROR_ON_NONDETERMINISTIC_MERGE does."""
    changing = [branch for branch in branches if branch.action != "INSERT"]
    if all(branch.action == "DELETE" for branch in changing):
        return
    union = " UNION ALL ".join(f"SELECT {branch.row} AS r FROM {branch.rows}" for branch in changing)  # noqa: S608
    rows, distinct = context.duckdb.execute(f"SELECT count(*), count(DISTINCT r) FROM ({union})").fetchone()  # noqa: S608
    if rows != distinct:
        raise nondeterministic_merge()


def _apply(context: Context, target: Target, branch: _Branch) -> int:
    physical = target.table.physical
    match branch.action:
        case "DELETE":
            rows = f"rowid IN (SELECT {branch.row} FROM {branch.rows})"  # noqa: S608
            capture.deleting(context, target.table, rows)
            return count_rows(context, f"DELETE FROM {physical} WHERE {rows}")  # noqa: S608
        case "UPDATE":
            changes = ", ".join(
                f"{quote_identifier(column.physical)} = {assigned('q', made, column)}"
                for column, made in zip(branch.columns, branch.made[1:], strict=True)
            )
            with capture.updating(context, target.table, f"SELECT {branch.row} FROM {branch.rows}"):  # noqa: S608
                return count_rows(
                    context,
                    f"UPDATE {physical} SET {changes} FROM {branch.rows} AS q WHERE {physical}.rowid = q.{branch.row}",  # noqa: S608
                )
        case _:
            return _insert(context, target, branch)


def _insert(context: Context, target: Target, branch: _Branch) -> int:
    given = {column.name for column in branch.columns}
    rest = [
        column
        for column in target.table.columns
        if column.name not in given and (column.default is not None or column.sequence is not None)
    ]
    names = ", ".join(quote_identifier(column.physical) for column in (*branch.columns, *rest))
    values = [assigned("q", made, column) for column, made in zip(branch.columns, branch.made[1:], strict=True)]
    values += [default_sql(context, column) for column in rest]
    with capture.inserting(context, target.table):
        return count_rows(
            context,
            f"INSERT INTO {target.table.physical} ({names}) SELECT {', '.join(values)} FROM {branch.rows} AS q",  # noqa: S608
        )
