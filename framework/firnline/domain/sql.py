"""Names and constants as Snowflake SQL wants them: quoted, never pasted."""

from __future__ import annotations


def quote_name(name: str) -> str:
    """Return a column's, table's or schema's exact name as an identifier."""
    return '"' + name.replace('"', '""') + '"'


def quote_constant(value: str | float | bool | None) -> str:
    """Return a constant. Floats are written with all their digits."""
    match value:
        case None:
            return "NULL"
        case bool():
            return "TRUE" if value else "FALSE"
        case str():
            return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
        case _:
            return repr(value)
