"""What the SHOW statements of the sandbox's rooms share: LIKE, IN, and rows in the order of columns."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from firnline_sandbox.errors import missing_object
from firnline_sandbox.result import Result

if TYPE_CHECKING:
    from firnline_sandbox.context import Context
    from firnline_sandbox.statements.scanner import Scanner
    from firnline_sandbox.types import SnowflakeType

    Columns = dict[str, SnowflakeType]


def read_like(scanner: Scanner) -> str | None:
    """Read ``LIKE 'pattern'`` if it comes next."""
    return scanner.text() if scanner.take("LIKE") else None


def matches(pattern: str | None, name: str) -> bool:
    """Compare a name with a LIKE pattern, ignoring case; a backslash takes a wildcard's meaning away."""
    if pattern is None:
        return True
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    wild = {"%": ".*", "_": "."}
    expression = "".join(wild.get(part) or re.escape(part.removeprefix("\\")) for part in parts)
    return re.fullmatch(expression, name, re.IGNORECASE | re.DOTALL) is not None


def read_scope(context: Context, scanner: Scanner) -> tuple[str | None, str | None]:
    """Read ``IN ...``: the database and schema to look in, each None for all.

    Raises:
        ProgrammingError: 2003, the database or schema does not exist.
    """
    database, schema = context.home
    if not scanner.take("IN"):
        scanner.expect_end()
        return database, schema
    match scanner.take_any("ACCOUNT", "DATABASE", "SCHEMA"):
        case "ACCOUNT":
            found: tuple[str | None, str | None] = (None, None)
        case "DATABASE":
            found = (database if scanner.at_end else scanner.identifier(), None)
        case _:
            found = (database, schema) if scanner.at_end else context.qualify_schema(scanner.name())
    scanner.expect_end()
    if found[0] is not None and context.catalog.database(found[0]) is None:
        raise missing_object("database", found[0])
    if found[0] is not None and found[1] is not None and context.catalog.schema(found[0], found[1]) is None:
        raise missing_object("schema", f"{found[0]}.{found[1]}")
    return found


def answer(columns: Columns, rows: list[dict[str, Any]]) -> Result:
    """Give rows, each a dictionary, in the order of the columns."""
    return Result.rows(list(columns.items()), [tuple(row[name] for name in columns) for row in rows])
