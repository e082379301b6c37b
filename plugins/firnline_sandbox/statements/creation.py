"""What every CREATE statement begins with, and the options that many of them share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from firnline_sandbox.catalog.snapshot import new_fields
from firnline_sandbox.errors import missing_object, unsupported

if TYPE_CHECKING:
    from firnline_sandbox.catalog import Entry
    from firnline_sandbox.context import Context
    from firnline_sandbox.statements.scanner import Scanner


@dataclass(frozen=True, slots=True, kw_only=True)
class Creation:
    """``CREATE [OR REPLACE] [TEMPORARY …] <kind> [IF NOT EXISTS] <name>``."""

    parts: tuple[str, ...]
    replace: bool = False
    temporary: bool = False
    transient: bool = False
    secure: bool = False
    recursive: bool = False
    if_not_exists: bool = False


def read_creation(scanner: Scanner, *kind: str) -> Creation:
    """Read a CREATE statement up to the object's name."""
    scanner.expect("CREATE")
    replace = scanner.take("OR", "REPLACE")
    if scanner.sees("OR", "ALTER"):
        raise unsupported("CREATE OR ALTER")
    found: set[str] = set()
    modifiers = ("LOCAL", "GLOBAL", "SCOPED", "TEMP", "TEMPORARY", "VOLATILE", "TRANSIENT", "SECURE", "RECURSIVE")
    while (word := scanner.take_any(*modifiers)) is not None:
        found.add(word)
    scanner.expect(*kind)
    if_not_exists = scanner.take("IF", "NOT", "EXISTS")
    parts = scanner.name()
    if_not_exists = scanner.take("IF", "NOT", "EXISTS") or if_not_exists
    return Creation(
        parts=parts,
        replace=replace,
        temporary=bool(found & {"TEMP", "TEMPORARY", "VOLATILE", "LOCAL", "SCOPED"}),
        transient="TRANSIENT" in found,
        secure="SECURE" in found,
        recursive="RECURSIVE" in found,
        if_not_exists=if_not_exists,
    )


def entry_fields(context: Context, creation: Creation, names: tuple[str, str, str]) -> dict[str, Any]:
    """Give the fields that a new entry of a schema starts with."""
    database, schema, name = names
    return new_fields(
        database=database,
        schema=schema,
        name=name,
        owner=context.connection.role or "",
        session=context.session_id if creation.temporary else None,
    )


def require_schema(context: Context, names: tuple[str, str, str]) -> None:
    """Raise 2003 unless the database and schema of a name exist."""
    if context.catalog.database(names[0]) is None:
        raise missing_object("database", names[0])
    if context.catalog.schema(names[0], names[1]) is None:
        raise missing_object("schema", f"{names[0]}.{names[1]}")


def replaced(context: Context, kind: type[Entry], creation: Creation, names: tuple[str, str, str]) -> Entry | None:
    """Find what CREATE OR REPLACE replaces: a temporary object of this session, or else a permanent one."""
    namespace = kind.namespace or kind.kind
    session = context.session_id if creation.temporary else None
    for entry in context.catalog:
        if entry.key == (namespace, *names, session):
            return entry
    return None


def read_tags(context: Context, scanner: Scanner) -> dict[str, str]:
    """Read ``TAG (name = 'value', …)``, with or without WITH before it; keys are full names.

    Raises:
        ProgrammingError: 2003, there is no such tag.
    """
    from firnline_sandbox.statements.tags import checked_tag

    found: dict[str, str] = {}

    def read() -> None:
        parts = scanner.name()
        scanner.expect("=")
        name, value = checked_tag(context, parts, scanner.text())
        found[name] = value

    scanner.items(read)
    return found
