"""What the Snowflake ML client asks of the account besides models: its capabilities and its package repository."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox.errors import missing_object, unsupported
from firnline_sandbox.result import Result
from firnline_sandbox.statements.registry import refused_statement, statement, system_function
from firnline_sandbox.types import TEXT

if TYPE_CHECKING:
    from collections.abc import Callable

    from firnline_sandbox.context import Context

SHARED_REPOSITORY: Final = ("SNOWFLAKE", "SNOWPARK", "PYPI_SHARED_REPOSITORY")


@system_function("SYSTEM$ML_PLATFORM_CAPABILITIES")
def capabilities(_context: Context, _arguments: list[Any]) -> str:
    """Offer none of the optional server features: the client then takes the ways that every account has."""
    return "{}"


@statement("DESC ARTIFACT REPOSITORY", "DESCRIBE ARTIFACT REPOSITORY", writes=False)
def describe_artifact_repository(context: Context, sql: str) -> Result:
    """Say that the shared repository of PyPI's packages is there: models are packaged with pip requirements."""
    scanner = context.scanner(sql)
    scanner.take_any("DESC", "DESCRIBE")
    scanner.expect("ARTIFACT", "REPOSITORY")
    name = context.qualify(scanner.name())
    scanner.expect_end()
    if name != SHARED_REPOSITORY:
        raise missing_object("artifact repository", ".".join(name))
    columns = [("property", TEXT), ("value", TEXT)]
    return Result.rows(columns, [("name", name[2]), ("type", "PIP"), ("api_integration", None)])


REFUSED_FUNCTIONS: Final = {
    "SYSTEM$DEPLOY_MODEL": "inference services of models (SYSTEM$DEPLOY_MODEL)",
    "SYSTEM$IMPORT_MODEL": "import of models by a compute pool (SYSTEM$IMPORT_MODEL)",
}
REFUSED_STATEMENTS: Final = {
    "CREATE MODEL MONITOR": "MODEL MONITOR",
    "ALTER MODEL MONITOR": "MODEL MONITOR",
    "DROP MODEL MONITOR": "MODEL MONITOR",
    "SHOW MODEL MONITORS": "MODEL MONITOR",
    "EXECUTE INFERENCE JOB SERVICE": "EXECUTE INFERENCE JOB SERVICE (run_batch); ModelVersion.run does the same here",
}


def _refuse(feature: str) -> Callable[[object, object], None]:
    def refuse(_context: object, _arguments: object) -> None:
        raise unsupported(feature)

    return refuse


for _name, _feature in REFUSED_FUNCTIONS.items():
    system_function(_name)(_refuse(_feature))
for _name, _feature in REFUSED_STATEMENTS.items():
    refused_statement(_feature, _name)
