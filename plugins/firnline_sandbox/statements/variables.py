"""Session variables: SET, UNSET."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firnline_sandbox.errors import invalid_argument
from firnline_sandbox.result import Result
from firnline_sandbox.statements.registry import statement

if TYPE_CHECKING:
    from typing import Any

    from firnline_sandbox.context import Context


@statement("SET", writes=False)
def set_variables(context: Context, sql: str) -> Result:
    """``SET x = <expression>`` and ``SET (x, y) = (<expression>, <expression>)``, the second with a query too."""
    scanner = context.scanner(sql)
    scanner.expect("SET")
    several = scanner.sees("(")
    names = scanner.items(scanner.identifier) if several else [scanner.identifier()]
    scanner.expect("=")
    start = scanner.here.start
    given = sql[start:].rstrip().rstrip(";").rstrip()
    if several:
        given = given.removeprefix("(").removesuffix(")").strip()
    query = given if several and given[:6].upper() == "SELECT" else f"SELECT {given}"
    values = _values(context, query)
    if len(values) != len(names):
        raise invalid_argument(f"SET of {len(names)} variables needs as many values, got {len(values)}")
    context.connection.variables.update(zip(names, values, strict=True))
    return Result.status()


def _values(context: Context, query: str) -> list[Any]:
    rows = context.execute(query, context.params).table()
    if rows.num_rows != 1:
        raise invalid_argument(f"SET needs one row, got {rows.num_rows}")
    return [column[0].as_py() for column in rows.columns]


@statement("UNSET", writes=False)
def unset_variables(context: Context, sql: str) -> Result:
    """``UNSET x`` and ``UNSET (x, y)``; what is not set is no error."""
    scanner = context.scanner(sql)
    scanner.expect("UNSET")
    names = scanner.items(scanner.identifier) if scanner.sees("(") else [scanner.identifier()]
    scanner.expect_end()
    for name in names:
        context.connection.variables.pop(name, None)
    return Result.status()
