"""ALTER and COMMENT ON functions and procedures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from firnline_sandbox.catalog import changed
from firnline_sandbox.errors import already_exists, unsupported
from firnline_sandbox.functions.create import find_exact, missing_routine, read_types
from firnline_sandbox.functions.objects import Function, Procedure
from firnline_sandbox.result import Result
from firnline_sandbox.statements.creation import require_schema
from firnline_sandbox.statements.registry import statement

if TYPE_CHECKING:
    from firnline_sandbox.context import Context
    from firnline_sandbox.statements.scanner import Scanner


@statement("ALTER FUNCTION", "ALTER PROCEDURE")
def alter_routine(context: Context, sql: str) -> Result:
    """``ALTER FUNCTION [IF EXISTS] f(NUMBER) RENAME TO g | SET ... | UNSET ... | EXECUTE AS CALLER``."""
    scanner = context.scanner(sql)
    scanner.expect("ALTER")
    routine = _find(context, scanner)
    if routine is None:
        return Result.status()
    if scanner.take("RENAME", "TO"):
        parts = context.qualify(scanner.name())
        scanner.expect_end()
        require_schema(context, parts)
        renamed = changed(routine, database=parts[0], schema=parts[1], name=parts[2])
        if any(entry.key == renamed.key for entry in context.catalog):
            raise already_exists(renamed.full_name)
        context.catalog.remove(routine)
        context.catalog.add(renamed)
        return Result.status()
    if isinstance(routine, Procedure) and scanner.take("EXECUTE", "AS"):
        context.catalog.put(changed(routine, execute_as=scanner.identifier()))
        scanner.expect_end()
        return Result.status()
    context.catalog.put(changed(routine, **_read_changes(scanner)))
    return Result.status()


def _find(context: Context, scanner: Scanner) -> Function | Procedure | None:
    """Read ``FUNCTION [IF EXISTS] f(NUMBER)`` and find it; None if it may be absent and is."""
    kind: type[Function | Procedure] = Function if scanner.take("FUNCTION") else Procedure
    if kind is Procedure:
        scanner.expect("PROCEDURE")
    if_exists = scanner.take("IF", "EXISTS")
    parts = scanner.name()
    types = read_types(scanner)
    found = find_exact(context, kind, parts, types)
    if found is None and not if_exists:
        raise missing_routine(context, kind, parts, types)
    return found


def _read_changes(scanner: Scanner) -> dict[str, Any]:
    verb = scanner.take_any("SET", "UNSET")
    if verb is None:
        raise scanner.unexpected()
    changes: dict[str, Any] = {}
    while not scanner.at_end:
        name = scanner.identifier()
        if name == "COMMENT":
            changes["comment"] = _text_after_equals(scanner) if verb == "SET" else ""
        elif name == "SECURE":
            changes["secure"] = verb == "SET"
        else:
            raise unsupported(f"{name} in ALTER of a function or procedure")
        scanner.take(",")
    return changes


def _text_after_equals(scanner: Scanner) -> str:
    scanner.expect("=")
    return scanner.text()


@statement("COMMENT ON FUNCTION", "COMMENT ON PROCEDURE", "COMMENT IF EXISTS ON FUNCTION")
def comment(context: Context, sql: str) -> Result:
    """``COMMENT [IF EXISTS] ON FUNCTION f(NUMBER) IS '...'``."""
    scanner = context.scanner(sql)
    scanner.expect("COMMENT")
    if_exists = scanner.take("IF", "EXISTS")
    scanner.expect("ON")
    kind: type[Function | Procedure] = Function if scanner.take("FUNCTION") else Procedure
    if kind is Procedure:
        scanner.expect("PROCEDURE")
    parts = scanner.name()
    types = read_types(scanner)
    scanner.expect("IS")
    text = scanner.text()
    scanner.expect_end()
    found = find_exact(context, kind, parts, types)
    if found is None and not if_exists:
        raise missing_routine(context, kind, parts, types)
    if found is not None:
        context.catalog.put(changed(found, comment=text))
    return Result.status()
