"""SELECT, WITH, VALUES, and EXPLAIN."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firnline_sandbox.result import Result
from firnline_sandbox.statements.fetching import fetch, translate
from firnline_sandbox.statements.registry import statement
from firnline_sandbox.types import INTEGER, TEXT

if TYPE_CHECKING:
    from firnline_sandbox.context import Context


@statement("SELECT", "WITH", "VALUES", writes=False)
def select(context: Context, sql: str) -> Result:
    """Run a query, or a procedure that the statement itself defines."""
    from firnline_sandbox.functions.call import call_anonymous, is_anonymous

    if is_anonymous(sql):
        return call_anonymous(context, sql)
    translated = translate(context, sql)
    result = fetch(context, translated)
    result.is_query = True
    return result


@statement("EXPLAIN", writes=False)
def explain(context: Context, sql: str) -> Result:
    """Show DuckDB's plan of a query, in the columns of EXPLAIN USING TABULAR."""
    scanner = context.scanner(sql)
    scanner.expect("EXPLAIN")
    if scanner.take("USING"):
        form = scanner.identifier()
        if form == "JSON":
            from firnline_sandbox.errors import unsupported

            raise unsupported("EXPLAIN USING JSON")
    translated = translate(context, scanner.rest())
    plan = context.duckdb.execute(f"EXPLAIN {translated.sql}", list(context.params)).fetchall()
    lines = [line.strip() for _, text in plan for line in text.splitlines() if line.strip()]
    columns = [("step", INTEGER), ("id", INTEGER), ("parent", INTEGER), ("operation", TEXT)]
    return Result.rows(columns, [(1, number, None, line) for number, line in enumerate(lines)])
