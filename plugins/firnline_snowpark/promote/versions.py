"""Models and versions as the registry lists them, and who holds an alias."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from snowflake.ml.registry import Registry
    from snowflake.snowpark import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedVersion:
    """A version as the registry lists it.

    Attributes:
        model: the model's name.
        name: the version's name.
        aliases: its other names, those that the platform gives (DEFAULT, FIRST, LAST) included.
        created: when it was logged.
        comment: what was written about it.
        metrics: everything that its metadata holds under metrics.
    """

    model: str
    name: str
    aliases: tuple[str, ...]
    created: datetime
    comment: str
    metrics: dict[str, Any]


def alias_holders(session: Session, schema: str, alias: str) -> dict[str, str]:
    """Return model → version for each model of a schema of which a version has the alias."""
    rows = [row.as_dict() for row in session.sql(f"SHOW MODELS IN SCHEMA {schema}").collect()]
    known = {str(row["name"]): json.loads(row["aliases"] or "{}") for row in rows}
    return {name: aliases[alias.upper()] for name, aliases in known.items() if alias.upper() in aliases}


def model_names(session: Session, schema: str) -> tuple[str, ...]:
    """Return the names of a schema's models, in order."""
    rows = session.sql(f"SHOW MODELS IN SCHEMA {schema}").collect()
    return tuple(sorted(str(row["name"]) for row in rows))


def listed_versions(registry: Registry, name: str) -> list[ListedVersion]:
    """Return a model's versions, oldest first."""
    rows = registry.get_model(name).show_versions().to_dict("records")
    found = [
        ListedVersion(
            model=name,
            name=str(row["name"]),
            aliases=tuple(json.loads(row["aliases"] or "[]")),
            created=row["created_on"].to_pydatetime(),
            comment=row["comment"] or "",
            metrics=json.loads(row["metadata"] or "{}").get("metrics", {}),
        )
        for row in rows
    ]
    return sorted(found, key=lambda version: version.created)


def holder_of(versions: list[ListedVersion], alias: str) -> str | None:
    """Return the version that has the alias."""
    return next((version.name for version in versions if alias.upper() in version.aliases), None)
