"""The reference's counts, kept in the metadata of the model version that learned from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from firnline_evidently.profile import FORMAT, Profile

if TYPE_CHECKING:
    from firnline.domain import RegisteredModel, StepContext

METRIC: Final = "firnline_profile"


def find_kept(
    context: StepContext, model: RegisteredModel, what: str, identity: str, settings: dict[str, Any]
) -> Profile | None:
    """Return the counts of a reference if they are kept with the model, counted as the params say now."""
    metrics = _version(context, model).show_metrics()
    found = metrics.get(f"{METRIC}_{what}")
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        return None
    if found["identity"] != identity or found["profile"]["settings"] != settings:
        return None
    return Profile.from_json(found["profile"])


def keep(context: StepContext, model: RegisteredModel, what: str, identity: str, profile: Profile) -> None:
    """Keep the counts of a reference with the model; ``what`` is the port that it came in by."""
    document = {"format": FORMAT, "identity": identity, "profile": profile.to_json()}
    _version(context, model).set_metric(f"{METRIC}_{what}", document)


def _version(context: StepContext, model: RegisteredModel) -> Any:
    from snowflake.ml.registry import Registry

    database, schema, name = model.name.split(".") if model.name.count(".") == 2 else (None, None, model.name)
    session = context.session
    registry = Registry(
        session,
        database_name=database or session.get_current_database(),
        schema_name=schema or session.get_current_schema(),
    )
    return registry.get_model(name).version(model.version)
