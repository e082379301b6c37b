"""SHOW FUNCTIONS, SHOW PROCEDURES, and DESCRIBE of one of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox.functions.create import find_exact, missing_routine, read_types
from firnline_sandbox.functions.objects import AGGREGATE, TABLE, Function, Procedure, short_type, signature
from firnline_sandbox.result import Result
from firnline_sandbox.statements.registry import statement
from firnline_sandbox.statements.showing import read_show
from firnline_sandbox.types import INTEGER, TEXT, TIMESTAMP_LTZ

if TYPE_CHECKING:
    from firnline_sandbox.context import Context
    from firnline_sandbox.functions.objects import Routine
    from firnline_sandbox.statements.listing import Columns

_SHARED: Final[Columns] = {
    "created_on": TIMESTAMP_LTZ,
    "name": TEXT,
    "schema_name": TEXT,
    "is_builtin": TEXT,
    "is_aggregate": TEXT,
    "is_ansi": TEXT,
    "min_num_arguments": INTEGER,
    "max_num_arguments": INTEGER,
    "arguments": TEXT,
    "description": TEXT,
    "catalog_name": TEXT,
    "is_table_function": TEXT,
    "valid_for_clustering": TEXT,
    "is_secure": TEXT,
    "secrets": TEXT,
    "external_access_integrations": TEXT,
}
FUNCTION_COLUMNS: Final[Columns] = _SHARED | {
    "is_external_function": TEXT,
    "language": TEXT,
    "is_memoizable": TEXT,
    "is_data_metric": TEXT,
}
PROCEDURE_COLUMNS: Final[Columns] = _SHARED
_DESCRIBED: Final = (("property", TEXT), ("value", TEXT))


@statement("SHOW FUNCTIONS", "SHOW USER FUNCTIONS", writes=False)
def show_functions(context: Context, sql: str) -> Result:
    """``SHOW [USER] FUNCTIONS [LIKE 'f'] [IN ...]``: the user's own; Snowflake's are in its documentation."""
    words = ("USER", "FUNCTIONS") if "USER" in sql.upper().split()[:3] else ("FUNCTIONS",)
    return _show(context, sql, Function, FUNCTION_COLUMNS, *words)


@statement("SHOW PROCEDURES", "SHOW USER PROCEDURES", writes=False)
def show_procedures(context: Context, sql: str) -> Result:
    """``SHOW [USER] PROCEDURES [LIKE 'p'] [IN ...]``."""
    words = ("USER", "PROCEDURES") if "USER" in sql.upper().split()[:3] else ("PROCEDURES",)
    return _show(context, sql, Procedure, PROCEDURE_COLUMNS, *words)


def _show(context: Context, sql: str, kind: type[Function | Procedure], columns: Columns, *words: str) -> Result:
    show = read_show(context, context.scanner(sql), *words)
    found = context.catalog.entries(kind, database=show.database, schema=show.schema, session=context.session_id)
    return show.answer(columns, [_row(routine) for routine in found])


def _row(routine: Routine) -> dict[str, Any]:
    needed = sum(argument.default is None for argument in routine.arguments)
    types = [argument.type for argument in routine.arguments]
    returns = "TABLE" if routine.output is not None else routine.returns.split("(")[0]
    return {
        "created_on": routine.created,
        "name": routine.name,
        "schema_name": routine.schema,
        "is_builtin": "N",
        "is_aggregate": "Y" if routine.variety == AGGREGATE else "N",
        "is_ansi": "N",
        "min_num_arguments": needed,
        "max_num_arguments": len(types),
        "arguments": f"{signature(routine.name, types)} RETURN {returns}",
        "description": routine.comment or f"user-defined {routine.kind.lower()}",
        "catalog_name": routine.database,
        "is_table_function": "Y" if routine.variety == TABLE else "N",
        "valid_for_clustering": "N",
        "is_secure": "Y" if routine.secure else "N",
        "secrets": None,
        "external_access_integrations": None,
        "is_external_function": "N",
        "language": routine.language,
        "is_memoizable": "N",
        "is_data_metric": "N",
    }


@statement("DESCRIBE FUNCTION", "DESC FUNCTION", "DESCRIBE PROCEDURE", "DESC PROCEDURE", writes=False)
def describe(context: Context, sql: str) -> Result:
    """``DESCRIBE FUNCTION f(NUMBER, ...)``."""
    scanner = context.scanner(sql)
    scanner.take_any("DESCRIBE", "DESC")
    kind: type[Function | Procedure] = Function if scanner.take("FUNCTION") else Procedure
    if kind is Procedure:
        scanner.expect("PROCEDURE")
    parts = scanner.name()
    types = read_types(scanner)
    scanner.expect_end()
    found = find_exact(context, kind, parts, types)
    if found is None:
        raise missing_routine(context, kind, parts, types)
    return Result.rows(_DESCRIBED, list(_properties(found).items()))


def _properties(routine: Routine) -> dict[str, str | None]:
    shown = ", ".join(f"{argument.name} {short_type(argument.type)}" for argument in routine.arguments)
    properties: dict[str, str | None] = {
        "signature": f"({shown})",
        "returns": routine.returns_shown,
        "language": routine.language,
    }
    if routine.language == "SQL":
        return properties | {"body": routine.body}
    properties |= {
        "null handling": "RETURNS NULL ON NULL INPUT" if routine.strict else "CALLED ON NULL INPUT",
        "volatility": "VOLATILE" if routine.volatile else "IMMUTABLE",
    }
    if isinstance(routine, Procedure):
        properties["execute as"] = routine.execute_as
    else:
        properties["is_aggregate"] = str(routine.variety == AGGREGATE).lower()
    return properties | {
        "body": routine.body,
        "imports": json.dumps(routine.imports).replace('"', "'") if routine.imports else "[]",
        "handler": routine.handler,
        "runtime_version": routine.runtime_version or None,
        "packages": str(list(routine.packages)),
        "installed_packages": str(list(routine.packages)),
    }
