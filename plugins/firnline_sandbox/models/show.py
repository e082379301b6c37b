"""SHOW MODELS, SHOW VERSIONS IN MODEL and SHOW FUNCTIONS IN MODEL."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox.errors import missing_object, unsupported
from firnline_sandbox.models.lookup import model_for, room_of
from firnline_sandbox.models.objects import Model
from firnline_sandbox.result import Result
from firnline_sandbox.statements.registry import statement
from firnline_sandbox.types import INTEGER, TEXT, TIMESTAMP_LTZ

if TYPE_CHECKING:
    from firnline_sandbox.context import Context
    from firnline_sandbox.models.manifest import Method
    from firnline_sandbox.models.objects import ModelVersion
    from firnline_sandbox.statements.scanner import Scanner
    from firnline_sandbox.types import SnowflakeType

Columns = dict[str, "SnowflakeType"]

MODEL_COLUMNS: Final[Columns] = {
    "created_on": TIMESTAMP_LTZ,
    "name": TEXT,
    "model_type": TEXT,
    "database_name": TEXT,
    "schema_name": TEXT,
    "comment": TEXT,
    "owner": TEXT,
    "default_version_name": TEXT,
    "versions": TEXT,
    "aliases": TEXT,
}
VERSION_COLUMNS: Final[Columns] = {
    "created_on": TIMESTAMP_LTZ,
    "name": TEXT,
    "aliases": TEXT,
    "comment": TEXT,
    "database_name": TEXT,
    "schema_name": TEXT,
    "model_name": TEXT,
    "is_default_version": TEXT,
    "functions": TEXT,
    "metadata": TEXT,
    "user_data": TEXT,
    "model_attributes": TEXT,
    "size": INTEGER,
    "environment": TEXT,
    "runnable_in": TEXT,
    "inference_services": TEXT,
    "model_spec": TEXT,
}
FUNCTION_COLUMNS: Final[Columns] = {
    "created_on": TIMESTAMP_LTZ,
    "name": TEXT,
    "min_num_arguments": INTEGER,
    "max_num_arguments": INTEGER,
    "arguments": TEXT,
    "return_type": TEXT,
    "description": TEXT,
    "language": TEXT,
}


@statement("SHOW MODELS", writes=False)
def show_models(context: Context, sql: str) -> Result:
    """``SHOW MODELS [LIKE 'm'] [IN ACCOUNT | DATABASE [d] | [SCHEMA] [s]]``."""
    scanner = context.scanner(sql)
    scanner.expect("SHOW", "MODELS")
    pattern = _like(scanner)
    database, schema = _scope(context, scanner)
    models = context.catalog.entries(Model, database=database, schema=schema)
    return _answer(MODEL_COLUMNS, [_model_row(model) for model in models if _matches(pattern, model.name)])


def _model_row(model: Model) -> dict[str, Any]:
    aliases = {alias: version.name for version in model.versions for alias in model.aliases(version)}
    return {
        "created_on": model.created,
        "name": model.name,
        "model_type": "USER_MODEL",
        "database_name": model.database,
        "schema_name": model.schema,
        "comment": model.comment or None,
        "owner": model.owner,
        "default_version_name": model.default_version,
        "versions": json.dumps([version.name for version in model.versions]),
        "aliases": json.dumps(aliases),
    }


@statement("SHOW VERSIONS", writes=False)
def show_versions(context: Context, sql: str) -> Result:
    """``SHOW VERSIONS [LIKE 'v'] IN MODEL m``."""
    scanner = context.scanner(sql)
    scanner.expect("SHOW", "VERSIONS")
    pattern = _like(scanner)
    if not scanner.take("IN", "MODEL"):
        raise unsupported("SHOW VERSIONS of anything but a model")
    model = model_for(context, scanner.name())
    scanner.expect_end()
    rows = [_version_row(context, model, version) for version in model.versions if _matches(pattern, version.name)]
    return _answer(VERSION_COLUMNS, rows)


def _version_row(context: Context, model: Model, version: ModelVersion) -> dict[str, Any]:
    room = room_of(context)
    manifest = room.manifest(version)
    attributes = {"framework": manifest.framework, "task": manifest.task, "client": "snowflake-ml-python"}
    environment = {name: {"python_version": runtime.python} for name, runtime in manifest.runtimes.items()}
    return {
        "created_on": version.created,
        "name": version.name,
        "aliases": json.dumps(model.aliases(version)),
        "comment": version.comment or None,
        "database_name": model.database,
        "schema_name": model.schema,
        "model_name": model.name,
        "is_default_version": str(version.name == model.default_version).lower(),
        "functions": json.dumps([method.name for method in manifest.methods]),
        "metadata": version.metadata or "{}",
        "user_data": json.dumps(manifest.user_data, default=str),
        "model_attributes": json.dumps(attributes),
        "size": room.files.size(version.id),
        "environment": json.dumps(environment),
        "runnable_in": json.dumps(manifest.platforms),
        "inference_services": "[]",
        "model_spec": manifest.spec,
    }


@statement("SHOW FUNCTIONS IN MODEL", writes=False)
def show_functions(context: Context, sql: str) -> Result:
    """``SHOW FUNCTIONS IN MODEL m [VERSION v]``."""
    scanner = context.scanner(sql)
    scanner.expect("SHOW", "FUNCTIONS", "IN", "MODEL")
    model = model_for(context, scanner.name())
    version = model.version(scanner.identifier() if scanner.take("VERSION") else "DEFAULT")
    scanner.expect_end()
    manifest = room_of(context).manifest(version)
    return _answer(FUNCTION_COLUMNS, [_function_row(method, version) for method in manifest.methods])


def _function_row(method: Method, version: ModelVersion) -> dict[str, Any]:
    signature = ", ".join(argument.sql_type for argument in method.inputs)
    return {
        "created_on": version.created,
        "name": method.name,
        "min_num_arguments": method.required,
        "max_num_arguments": len(method.inputs),
        "arguments": f"{method.name}({signature}) RETURN {method.return_type}",
        "return_type": method.return_type,
        "description": "user-defined function",
        "language": "PYTHON",
    }


def _like(scanner: Scanner) -> str | None:
    return scanner.text() if scanner.take("LIKE") else None


def _matches(pattern: str | None, name: str) -> bool:
    """Compare a name with a LIKE pattern, ignoring case; a backslash takes a wildcard's meaning away."""
    if pattern is None:
        return True
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    wild = {"%": ".*", "_": "."}
    expression = "".join(wild.get(part) or re.escape(part.removeprefix("\\")) for part in parts)
    return re.fullmatch(expression, name, re.IGNORECASE | re.DOTALL) is not None


def _scope(context: Context, scanner: Scanner) -> tuple[str | None, str | None]:
    """Read ``IN ...``: the database and schema to look in, each None for all.

    Raises:
        ProgrammingError: 2003, the database or schema does not exist.
    """
    database, schema = context.home
    if not scanner.take("IN"):
        scanner.expect_end()
        return database, schema
    match scanner.take_any("ACCOUNT", "DATABASE", "SCHEMA"):
        case "ACCOUNT":
            found: tuple[str | None, str | None] = (None, None)
        case "DATABASE":
            found = (database if scanner.at_end else scanner.identifier(), None)
        case _:
            found = (database, schema) if scanner.at_end else context.qualify_schema(scanner.name())
    scanner.expect_end()
    if found[0] is not None and context.catalog.database(found[0]) is None:
        raise missing_object("database", found[0])
    if found[0] is not None and found[1] is not None and context.catalog.schema(found[0], found[1]) is None:
        raise missing_object("schema", f"{found[0]}.{found[1]}")
    return found


def _answer(columns: Columns, rows: list[dict[str, Any]]) -> Result:
    return Result.rows(list(columns.items()), [tuple(row[name] for name in columns) for row in rows])
