"""SYSTEM$ functions about functions, and what GET_DDL says of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox.functions.create import find_exact, missing_routine, read_types
from firnline_sandbox.functions.objects import AGGREGATE, Function, Procedure, Routine
from firnline_sandbox.statements.registry import system_function
from firnline_sandbox.statements.scanner import Scanner, shown_identifier

if TYPE_CHECKING:
    from firnline_sandbox.context import Context

_REPOSITORY: Final = "snowflake.snowpark.anaconda_shared_repository"


@system_function("SYSTEM$GET_DEFAULT_PYTHON_ARTIFACT_REPOSITORY")
def default_repository(context: Context, arguments: list[Any]) -> str:
    """Name where packages come from: what the sandbox has stands in INFORMATION_SCHEMA.PACKAGES."""
    del context, arguments
    return _REPOSITORY


def routine_ddl(context: Context, kind: str, name: str) -> str:
    """Give the statement that makes a function or procedure anew; its name has the types of its arguments."""
    scanner = Scanner(name)
    parts = scanner.name()
    routine: type[Function | Procedure] = Function if kind == "FUNCTION" else Procedure
    types = read_types(scanner)
    found = find_exact(context, routine, parts, types)
    if found is None:
        raise missing_routine(context, routine, parts, types)
    return _ddl(found)


def _ddl(routine: Routine) -> str:
    arguments = ", ".join(
        f"{shown_identifier(one.name)} {one.sql_type}" + (f" DEFAULT {one.default}" if one.default else "")
        for one in routine.arguments
    )
    words = [*["SECURE"] * routine.secure, *["AGGREGATE"] * (routine.variety == AGGREGATE), routine.kind]
    lines = [
        f'CREATE OR REPLACE {" ".join(words)} "{routine.name}"({arguments})',
        f"RETURNS {routine.returns_shown}",
        f"LANGUAGE {routine.language}",
    ]
    if routine.strict:
        lines.append("STRICT")
    if not routine.volatile:
        lines.append("IMMUTABLE")
    lines += [
        f"{name} = {value}"
        for name, value in (
            ("RUNTIME_VERSION", _quoted(routine.runtime_version)),
            ("PACKAGES", _listed(routine.packages)),
            ("IMPORTS", _listed(routine.imports)),
            ("HANDLER", _quoted(routine.handler)),
        )
        if value
    ]
    if routine.comment:
        lines.append(f"COMMENT={_quoted(routine.comment)}")
    if isinstance(routine, Procedure):
        lines.append(f"EXECUTE AS {routine.execute_as}")
    if routine.body is not None:
        lines.append(f"AS {_quoted(routine.body)}")
    return "\n".join(lines) + ";"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'" if text else ""


def _listed(texts: tuple[str, ...]) -> str:
    return f"({','.join(_quoted(text) for text in texts)})" if texts else ""
