"""What UPDATE, DELETE and MERGE have in common: a target whose rows are told apart, and a query that picks them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlglot import exp

from firnline_sandbox.catalog import Table, TableColumn
from firnline_sandbox.errors import invalid_identifier, syntax_error
from firnline_sandbox.statements.scanner import quote_identifier, split_name
from firnline_sandbox.translate import Relation, translate_query
from firnline_sandbox.translate.casts import cast
from firnline_sandbox.translate.parsing import identifier_name
from firnline_sandbox.translate.sources import table_parts
from firnline_sandbox.translate.values import Value
from firnline_sandbox.types import INTEGER, Column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firnline_sandbox.context import Context
    from firnline_sandbox.translate import Translated

_TARGET: Final = "FIRNLINE$TARGET"
_ROW: Final = "FIRNLINE$ROW"


@dataclass(frozen=True, slots=True)
class Target:
    """The table that a statement changes, and the node that stands for it in queries."""

    table: Table
    node: exp.Table
    alias: str

    @property
    def row(self) -> exp.Column:
        """Write the number that tells a target's rows apart."""
        return exp.column(exp.to_identifier(_ROW, quoted=True), table=exp.to_identifier(self.alias, quoted=True))

    def column(self, node: exp.Expr) -> TableColumn:
        """Find the column that the left side of an assignment names.

        Raises:
            ProgrammingError: 904, the table has no such column.
        """
        name = identifier_name(node.this) if isinstance(node, exp.Column) else node.name
        return column_named(self.table, name)


def column_named(table: Table, name: str) -> TableColumn:
    """Find a column.

    Raises:
        ProgrammingError: 904, the table has no such column.
    """
    for column in table.columns:
        if column.name == name:
            return column
    raise invalid_identifier(name)


def name_parts(context: Context, node: exp.Table) -> tuple[str, ...]:
    """Give the parts of a table's name, ``IDENTIFIER(...)`` looked up."""
    if isinstance(node.this, exp.Identifier):
        return table_parts(node)
    call = node.this
    arguments = call.expressions if isinstance(call, exp.Anonymous) else [call.this]
    if len(arguments) != 1:
        raise syntax_error(f"unexpected '{node.sql('snowflake')}'.")
    (argument,) = arguments
    if isinstance(argument, exp.Placeholder):
        return split_name(str(context.params[argument.meta["index"]]))
    return split_name(argument.name)


def target_of(context: Context, node: exp.Table) -> Target:
    """Find the table that a statement changes."""
    parts = name_parts(context, node)
    table = context.table(parts)
    alias_node = node.args.get("alias")
    alias = identifier_name(alias_node.this) if alias_node is not None else parts[-1]
    target = exp.Table(
        this=exp.to_identifier(_TARGET, quoted=True),
        alias=exp.TableAlias(this=exp.to_identifier(alias, quoted=True)),
    )
    return Target(table, target, alias)


def pick(context: Context, target: Target, query: exp.Select) -> Translated:
    """Translate a query over the target (and other relations)."""
    surroundings = context.surroundings
    row = Column(_ROW, INTEGER, False, "firnline_row")
    columns = (*(column.column for column in target.table.columns), row)
    sql = f"(SELECT *, rowid AS firnline_row FROM {target.table.physical})"  # noqa: S608 (a name of our own making)
    surroundings.add((_TARGET,), Relation(sql, columns))
    return translate_query(query, surroundings, context.params)


def keep(context: Context, translated: Translated) -> str:
    """Compute a query now, and return the name of the temporary DuckDB table that has its rows."""
    name = f'temp."picked_{uuid.uuid4().hex}"'
    context.duckdb.execute(f"CREATE TEMP TABLE {name[5:]} AS {translated.sql}", list(context.params) or None)
    return name


def assigned(source: str, column: Column, wanted: TableColumn) -> str:
    """Write a computed column, converted to the type of the column that it is put into."""
    return cast(Value(f"{source}.{quote_identifier(column.physical)}", column.type), wanted.type).sql


def with_default(node: exp.Expr, column: TableColumn) -> exp.Expr:
    """Put a column's default in the place of the word DEFAULT."""
    if not (isinstance(node, exp.Var) and node.name.upper() == "DEFAULT"):
        return node
    if column.sequence is not None:
        from firnline_sandbox.errors import unsupported

        raise unsupported("DEFAULT of an AUTOINCREMENT column in VALUES")
    if column.default is None:
        return exp.Null()
    from firnline_sandbox.translate import parse_statement

    default: exp.Expr = parse_statement(f"SELECT {column.default}").expressions[0]
    return default


def aliased(expressions: Sequence[exp.Expr]) -> list[exp.Expr]:
    """Name computed expressions by their position."""
    return [
        exp.alias_(expression.copy(), exp.to_identifier(f"C{number}", quoted=True))
        for number, expression in enumerate(expressions)
    ]


def count_rows(context: Context, sql: str, params: Sequence[Any] | None = None) -> int:
    """Run a DML statement of DuckDB's and return how many rows it changed."""
    rows = context.duckdb.execute(sql, list(params) if params else None).fetchall()
    return int(rows[0][0]) if rows else 0
