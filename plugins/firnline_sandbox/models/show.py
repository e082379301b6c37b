"""SHOW MODELS, SHOW VERSIONS IN MODEL and SHOW FUNCTIONS IN MODEL."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox.errors import unsupported
from firnline_sandbox.models.lookup import model_for, room_of
from firnline_sandbox.models.objects import Model
from firnline_sandbox.result import Result
from firnline_sandbox.statements.listing import answer, matches, read_like, read_scope
from firnline_sandbox.statements.registry import statement
from firnline_sandbox.types import INTEGER, TEXT, TIMESTAMP_LTZ

if TYPE_CHECKING:
    from firnline_sandbox.context import Context
    from firnline_sandbox.models.manifest import Method
    from firnline_sandbox.models.objects import ModelVersion
    from firnline_sandbox.statements.listing import Columns

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
    pattern = read_like(scanner)
    database, schema = read_scope(context, scanner)
    models = context.catalog.entries(Model, database=database, schema=schema)
    return answer(MODEL_COLUMNS, [_model_row(model) for model in models if matches(pattern, model.name)])


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
    pattern = read_like(scanner)
    if not scanner.take("IN", "MODEL"):
        raise unsupported("SHOW VERSIONS of anything but a model")
    model = model_for(context, scanner.name())
    scanner.expect_end()
    rows = [_version_row(context, model, version) for version in model.versions if matches(pattern, version.name)]
    return answer(VERSION_COLUMNS, rows)


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
    return answer(FUNCTION_COLUMNS, [_function_row(method, version) for method in manifest.methods])


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
