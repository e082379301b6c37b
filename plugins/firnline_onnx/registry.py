"""What the Model Registry knows of a version, and what it is told about its export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from firnline.domain import RegisteredModel, StepContext

FACTS: Final = "firnline"
"""The metric under which a version's origin is kept."""
EXPORT: Final = "firnline_onnx"


def registered_facts(context: StepContext, registered: RegisteredModel) -> dict[str, Any]:
    """Return data version, feature version and metrics of a version, as far as the registry knows them."""
    found = _version(context, registered).show_metrics().get(FACTS)
    return dict(found) if isinstance(found, dict) else {}


def note_export(context: StepContext, registered: RegisteredModel, facts: dict[str, Any]) -> None:
    """Keep the file's digest and parity beside the version."""
    _version(context, registered).set_metric(EXPORT, facts)


def _version(context: StepContext, registered: RegisteredModel) -> Any:
    from snowflake.ml.registry import Registry

    named = registered.name.count(".") == 2
    database, schema, name = registered.name.split(".") if named else (None, None, registered.name)
    session = context.session
    registry = Registry(
        session,
        database_name=database or session.get_current_database(),
        schema_name=schema or session.get_current_schema(),
    )
    return registry.get_model(name).version(registered.version)
