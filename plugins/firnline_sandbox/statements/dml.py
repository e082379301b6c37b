"""INSERT, UPDATE, DELETE and TRUNCATE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlglot import exp

from firnline_sandbox.binds import BatchBinds
from firnline_sandbox.errors import column_count, missing_table, nondeterministic_merge, unsupported
from firnline_sandbox.result import Result
from firnline_sandbox.statements.batch import batch_query
from firnline_sandbox.statements.columns import default_sql
from firnline_sandbox.statements.load_history import LoadHistory
from firnline_sandbox.statements.registry import rewrite_query, statement
from firnline_sandbox.statements.scanner import quote_identifier
from firnline_sandbox.statements.targets import (
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
from firnline_sandbox.translate import parse_statement, translate_query

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firnline_sandbox.catalog import Table, TableColumn
    from firnline_sandbox.context import Context
    from firnline_sandbox.translate import Translated


@statement("INSERT")
def insert(context: Context, sql: str) -> Result:
    """Insert the rows of VALUES or of a query."""
    scanner = context.scanner(sql)
    scanner.expect("INSERT")
    overwrite = scanner.take("OVERWRITE")
    if scanner.sees("ALL") or scanner.sees("FIRST"):
        raise unsupported("INSERT into several tables")
    scanner.expect("INTO")
    scanner.take("TABLE")
    table = context.table(scanner.name())
    names = None
    if scanner.sees("(") and not scanner.starts_query:
        names = scanner.items(scanner.identifier)
    columns = table.columns if names is None else tuple(column_named(table, name) for name in names)
    first_bind = scanner.binds_so_far
    query = scanner.rest()
    params: list[Any]
    if isinstance(context.params, BatchBinds):
        translated, params = batch_query(context, query, columns, context.params), []
    else:
        params = list(context.params[first_bind:])
        translated = _translate_source(context, query, columns, params)
    if len(translated.columns) != len(columns):
        raise column_count(len(columns), len(translated.columns))
    if overwrite:
        return Result.counts(rows_inserted=overwrite_rows(context, table, columns, translated, params))
    count = insert_rows(context, table, columns, translated, params)
    return Result.counts(rows_inserted=count)


def _translate_source(
    context: Context, query: str, columns: Sequence[TableColumn], params: Sequence[Any]
) -> Translated:
    tree = parse_statement(rewrite_query(context, query))
    if isinstance(tree, exp.Values):
        for row in tree.expressions:
            cells = row.expressions if isinstance(row, exp.Tuple) else []
            for cell, column in zip(list(cells), columns, strict=False):
                if isinstance(cell, exp.Var):
                    cell.replace(with_default(cell, column))
    return translate_query(tree, context.surroundings, params)


def insert_rows(
    context: Context, table: Table, columns: Sequence[TableColumn], source: Translated, params: Sequence[Any]
) -> int:
    """Insert a translated query's rows, the columns left out getting their defaults; mark the table as changed."""
    given = {column.name for column in columns}
    rest = [column for column in table.columns if column.name not in given]
    rest = [column for column in rest if column.default is not None or column.sequence is not None]
    names = ", ".join(quote_identifier(column.physical) for column in (*columns, *rest))
    values = ", ".join(
        [assigned("q", made, wanted) for made, wanted in zip(source.columns, columns, strict=True)]
        + [default_sql(context, column) for column in rest]
    )
    with capture.inserting(context, table):
        count = count_rows(
            context,
            f"INSERT INTO {table.physical} ({names}) SELECT {values} FROM ({source.sql}) AS q",  # noqa: S608
            params,
        )
    if count:
        context.transaction.touch(table)
    return count


def overwrite_rows(
    context: Context, table: Table, columns: Sequence[TableColumn], source: Translated, params: Sequence[Any]
) -> int:
    """Put a query's rows in the place of all rows; the query may read the table itself."""
    from dataclasses import replace

    bound = context.with_params(params)
    kept = replace(source, sql=f"SELECT * FROM {keep(bound, source)}")  # noqa: S608
    capture.deleting(context, table)
    context.duckdb.execute(f"DELETE FROM {table.physical}")  # noqa: S608
    count = insert_rows(context, table, columns, kept, [])
    context.transaction.touch(table)
    return count


@statement("UPDATE")
def update(context: Context, sql: str) -> Result:
    """Update rows, perhaps from another table."""
    tree = parse_statement(rewrite_query(context, sql))
    if not isinstance(tree, exp.Update):
        raise unsupported("this form of UPDATE")
    target = target_of(context, tree.this)
    assignments = [(target.column(item.this), item.expression) for item in tree.expressions]
    values = [with_default(value, column) for column, value in assignments]
    query = exp.Select(expressions=[target.row, *aliased(values)], from_=exp.From(this=target.node))
    if (source := tree.args.get("from_")) is not None:
        query.set("joins", [exp.Join(this=source.this)])
    query.set("where", tree.args.get("where"))
    picked = pick(context, target, query)
    name = keep(context, picked)
    matched, rows = context.duckdb.execute(
        f"SELECT count(*), count(DISTINCT {quote_identifier(picked.columns[0].physical)}) FROM {name}"  # noqa: S608
    ).fetchall()[0]
    changes = ", ".join(
        f"{quote_identifier(column.physical)} = {assigned('q', made, column)}"
        for (column, _), made in zip(assignments, picked.columns[1:], strict=True)
    )
    physical = target.table.physical
    row = quote_identifier(picked.columns[0].physical)
    with capture.updating(context, target.table, f"SELECT {row} FROM {name}"):  # noqa: S608
        count_rows(
            context,
            f"UPDATE {physical} SET {changes} FROM {name} AS q WHERE {physical}.rowid = q.{row}",  # noqa: S608
        )
    context.duckdb.execute(f"DROP TABLE {name}")
    if rows:
        context.transaction.touch(target.table)
    if context.connection.parameter("ERROR_ON_NONDETERMINISTIC_UPDATE"):
        if matched > rows:
            raise nondeterministic_merge()
        return Result.counts(rows_updated=rows)
    return Result.counts(rows_updated=rows, multi_joined_rows_updated=matched - rows)


@statement("DELETE")
def delete(context: Context, sql: str) -> Result:
    """Delete rows, perhaps those that another table names."""
    tree = parse_statement(rewrite_query(context, sql))
    if not isinstance(tree, exp.Delete):
        raise unsupported("this form of DELETE")
    target = target_of(context, tree.this)
    physical = target.table.physical
    using = tree.args.get("using") or []
    where = tree.args.get("where")
    if where is None and not using:
        capture.deleting(context, target.table)
        count = count_rows(context, f"DELETE FROM {physical}")  # noqa: S608
    else:
        query = exp.Select(expressions=[target.row], from_=exp.From(this=target.node), where=where)
        query.set("joins", [exp.Join(this=source) for source in using])
        picked = pick(context, target, query)
        rows, params = capture.kept_rows(context, target.table, picked.sql, context.params)
        capture.deleting(context, target.table, f"rowid IN ({rows})")
        count = count_rows(context, f"DELETE FROM {physical} WHERE rowid IN ({rows})", params)  # noqa: S608
    if count:
        context.transaction.touch(target.table)
    return Result.counts(rows_deleted=count)


@statement("TRUNCATE")
def truncate(context: Context, sql: str) -> Result:
    """Delete all rows."""
    scanner = context.scanner(sql)
    scanner.expect("TRUNCATE")
    scanner.take("TABLE")
    if_exists = scanner.take("IF", "EXISTS")
    parts = scanner.name()
    scanner.expect_end()
    names = context.qualify(parts)
    if context.catalog.find_relation(names, context.session_id) is None:
        if if_exists:
            return Result.status()
        raise missing_table(".".join(names))
    table = context.table(parts)
    capture.deleting(context, table)
    if count_rows(context, f"DELETE FROM {table.physical}"):  # noqa: S608
        context.transaction.touch(table)
    LoadHistory(context.duckdb, table.id).forget()
    return Result.status()
