"""Constants as SQL wants them."""

from __future__ import annotations


def literal(value: str | float | bool | None) -> str:
    """Return a constant as SQL text."""
    match value:
        case None:
            return "NULL"
        case bool():
            return "TRUE" if value else "FALSE"
        case str():
            return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
        case _:
            return repr(value)
