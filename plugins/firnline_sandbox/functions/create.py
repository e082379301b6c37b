"""CREATE and DROP of functions and procedures."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from firnline_sandbox.errors import already_exists, missing_object
from firnline_sandbox.functions.declaration import read_declaration
from firnline_sandbox.functions.lookup import room_of
from firnline_sandbox.functions.objects import AGGREGATE, Function, Procedure, signature
from firnline_sandbox.functions.overloads import named_routines
from firnline_sandbox.result import Result
from firnline_sandbox.statements.creation import entry_fields, read_creation, require_schema
from firnline_sandbox.statements.registry import statement
from firnline_sandbox.translate.parsing import parse_type

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snowflake.connector.errors import ProgrammingError

    from firnline_sandbox.context import Context
    from firnline_sandbox.statements.scanner import Scanner
    from firnline_sandbox.types import SnowflakeType

AnyRoutine = TypeVar("AnyRoutine", Function, Procedure)


@statement("CREATE FUNCTION")
def create_function(context: Context, sql: str) -> Result:
    """``CREATE [OR REPLACE] [TEMPORARY] [SECURE] FUNCTION [IF NOT EXISTS] f(...) RETURNS ...``."""
    return _create(context, sql, Function, "FUNCTION")


@statement("CREATE AGGREGATE FUNCTION")
def create_aggregate_function(context: Context, sql: str) -> Result:
    """The same for a function of groups."""
    return _create(context, sql, Function, "AGGREGATE", "FUNCTION")


@statement("CREATE PROCEDURE")
def create_procedure(context: Context, sql: str) -> Result:
    """``CREATE [OR REPLACE] [TEMPORARY] PROCEDURE [IF NOT EXISTS] p(...) RETURNS ...``."""
    return _create(context, sql, Procedure, "PROCEDURE")


def _create(context: Context, sql: str, kind: type[AnyRoutine], *words: str) -> Result:
    scanner = context.scanner(sql)
    creation = read_creation(scanner, *words)
    names = context.qualify(creation.parts)
    require_schema(context, names)
    fields = read_declaration(context, scanner, aggregate=AGGREGATE in words)
    scanner.expect_end()
    if kind is Procedure and fields["language"] == "SQL":
        from firnline_sandbox.errors import unsupported

        raise unsupported("procedures in SQL (Snowflake Scripting)")
    fields = entry_fields(context, creation, names) | fields
    if kind is Function:
        fields.pop("execute_as", None)
    routine = kind(**fields, text=sql, secure=creation.secure)
    what = f"{kind.kind.capitalize()} {routine.name}"
    old = next((one for one in named_routines(context, kind, creation.parts) if one.key == routine.key), None)
    if old is not None:
        if creation.if_not_exists:
            return Result.status(f"{routine.name} already exists, statement succeeded.")
        if not creation.replace:
            raise already_exists(routine.full_name)
        forget(context, old)
    context.catalog.add(routine)
    return Result.status(f"{what} successfully created.")


def forget(context: Context, routine: Function | Procedure) -> None:
    """Take a routine out of the catalog, and end its workers once that is committed."""
    room = room_of(context)
    context.catalog.remove(routine)
    context.transaction.after_commit(lambda: room.forget(routine.id))


@statement("DROP FUNCTION", "DROP PROCEDURE")
def drop_routine(context: Context, sql: str) -> Result:
    """``DROP FUNCTION [IF EXISTS] f(NUMBER, ...)``."""
    scanner = context.scanner(sql)
    scanner.expect("DROP")
    kind: type[Function | Procedure] = Function if scanner.take("FUNCTION") else Procedure
    if kind is Procedure:
        scanner.expect("PROCEDURE")
    if_exists = scanner.take("IF", "EXISTS")
    parts = scanner.name()
    types = read_types(scanner)
    scanner.expect_end()
    found = find_exact(context, kind, parts, types)
    if found is None:
        if if_exists:
            return Result.status(f"Drop statement executed successfully ({parts[-1]} already dropped).")
        raise missing_routine(context, kind, parts, types)
    forget(context, found)
    return Result.status(f"{found.name} successfully dropped.")


def read_types(scanner: Scanner) -> list[SnowflakeType]:
    """Read ``(NUMBER, VARCHAR)`` after a name; argument names may stand before the types."""
    types: list[SnowflakeType] = []
    scanner.expect("(")
    while not scanner.take(")"):
        types.append(parse_type(scanner.type_text()))
        scanner.take(",")
    return types


def find_exact(
    context: Context, kind: type[Function | Procedure], parts: Sequence[str], types: list[SnowflakeType]
) -> Function | Procedure | None:
    """Find the routine with exactly these kinds of arguments; None if there is none."""
    wanted = signature(parts[-1], types)
    found = named_routines(context, Function, parts) if kind is Function else named_routines(context, Procedure, parts)
    return next((one for one in found if one.signature == wanted), None)


def missing_routine(
    context: Context, kind: type[Function | Procedure], parts: Sequence[str], types: list[SnowflakeType]
) -> ProgrammingError:
    """Say that there is no such routine."""
    database, schema, name = context.qualify(parts)
    return missing_object(kind.kind, f"{database}.{schema}.{signature(name, types)}")
