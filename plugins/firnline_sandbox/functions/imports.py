"""IMPORTS of functions: files of stages, found again when a worker starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firnline_sandbox.errors import error
from firnline_sandbox.stages.locations import list_files, resolve
from firnline_sandbox.statements.scanner import quote_identifier

if TYPE_CHECKING:
    from pathlib import Path

    from firnline_sandbox.context import Context


def qualified_import(context: Context, text: str) -> str:
    """Write a location so that it means the same in every schema; the file must be there.

    Raises:
        ProgrammingError: 2003, there is no such stage; 391517, there is no such file in it.
    """
    location = resolve(context, text)
    import_file(context, text)
    if location.stage is None:
        return text
    owner = location.stage
    name = ".".join(quote_identifier(part) for part in (owner.database, owner.schema, owner.name))
    return f"@{name}/{location.prefix}"


def import_file(context: Context, text: str) -> Path:
    """Find the local file (or folder, for a prefix) of an import.

    Raises:
        ProgrammingError: 391517, it is not there (any more).
    """
    location = resolve(context, text)
    if location.folder.is_file():
        return location.folder
    if list_files(location):
        return location.folder
    raise error(391517, "22023", f"SQL compilation error:\nCannot find the file '{text}' that IMPORTS names.")
