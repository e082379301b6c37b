"""Names and literals as SQL wants them. Nothing is pasted into a statement without passing here."""

from __future__ import annotations


def quoted(name: str) -> str:
    """Return an identifier that stands for exactly this name."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str | float | bool | None) -> str:
    """Return a constant."""
    match value:
        case None:
            return "NULL"
        case bool():
            return "TRUE" if value else "FALSE"
        case str():
            return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
        case _:
            return repr(value)
