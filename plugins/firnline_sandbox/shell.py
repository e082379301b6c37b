"""Statements from the shell, and tables for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from firnline_sandbox.sessions import connect
from firnline_sandbox.translate import split_statements

if TYPE_CHECKING:
    from rich.console import Console

    from firnline_sandbox.cursor import SandboxCursor


def run_statements(text: str, path: str, limit: int, console: Console) -> None:
    """Run statements one after the other; show each one's first rows.

    Raises:
        ProgrammingError: the first statement that fails; those before it have been carried out.
        SandboxBusyError: another process has the sandbox open.
    """
    with connect(path) as connection:
        for statement in split_statements(text):
            _show(connection.cursor().execute(statement), limit, console)


def _show(cursor: SandboxCursor, limit: int, console: Console) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in cursor.description or ():
        table.add_column(Text(column.name), overflow="fold")
    rows = cursor.fetchmany(limit + 1)
    for row in rows[:limit]:
        table.add_row(*(_cell(value) for value in row))
    console.print(table)
    if len(rows) > limit:
        console.print(Text(f"… more than {limit} rows; raise --limit to see them", style="dim"))


def _cell(value: Any) -> Text:
    return Text("NULL", style="dim") if value is None else Text(str(value))
