"""Models and their versions, as the catalog holds them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Final

from firnline_sandbox.catalog import Entry, changed
from firnline_sandbox.catalog.entries import register_entry
from firnline_sandbox.errors import already_exists, error, missing_object

SYSTEM_ALIASES: Final = ("DEFAULT", "FIRST", "LAST")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVersion:
    """One immutable packaged model. Only its comment, metadata and alias may change.

    ``id`` names its folder of files: so a rename moves no file, and a name that is used again meets no old file.
    ``sources`` are the objects that it was made from (see ``models.lineage``).
    """

    id: str
    name: str
    created: dt.datetime
    alias: str | None = None
    comment: str = ""
    metadata: str = ""
    sources: tuple[Mapping[str, str], ...] = ()

    @staticmethod
    def new(name: str) -> ModelVersion:
        """Make a version with a fresh id.

        Raises:
            ProgrammingError: 1008, the name is one of the system's aliases.
        """
        _refuse_system_alias(name)
        return ModelVersion(id=uuid.uuid4().hex, name=name, created=dt.datetime.now(dt.UTC))


@register_entry
@dataclass(frozen=True, slots=True, kw_only=True)
class Model(Entry):
    """A model. ``rows`` are its versions, oldest first, as JSON keeps them."""

    kind: ClassVar[str] = "MODEL"

    default_version: str
    rows: tuple[Mapping[str, Any], ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", tuple(self.rows))

    @property
    def versions(self) -> tuple[ModelVersion, ...]:
        """Give the versions, oldest first."""
        return tuple(_from_row(row) for row in self.rows)

    def find(self, name: str) -> ModelVersion | None:
        """Return the version of that resolved name, alias or system alias."""
        versions = self.versions
        match name:
            case "DEFAULT":
                name = self.default_version
            case "FIRST":
                return versions[0]
            case "LAST":
                return versions[-1]
        by_alias = {version.alias: version for version in versions if version.alias is not None}
        return {version.name: version for version in versions}.get(name) or by_alias.get(name)

    def version(self, name: str) -> ModelVersion:
        """Return the version of that resolved name or alias.

        Raises:
            ProgrammingError: 2003, there is none.
        """
        if (found := self.find(name)) is None:
            raise missing_object("version", f"{name}' of model '{self.full_name}")
        return found

    def aliases(self, version: ModelVersion) -> list[str]:
        """List all names of a version besides its own, the system's among them."""
        versions = self.versions
        system = {"DEFAULT": self.default_version, "FIRST": versions[0].name, "LAST": versions[-1].name}
        own = [] if version.alias is None else [version.alias]
        return own + [alias for alias, name in system.items() if name == version.name]

    # -- copies with a change

    def with_version(self, version: ModelVersion) -> Model:
        """Copy the model with one more version.

        Raises:
            ProgrammingError: 2002, a version or an alias has that name.
        """
        if self.find(version.name) is not None:
            raise already_exists(f"{self.full_name} version {version.name}")
        return changed(self, rows=(*self.rows, to_row(version)))

    def with_changed(self, version: ModelVersion) -> Model:
        """Copy the model with this version in place of the one of the same id."""
        return changed(self, rows=tuple(to_row(version) if row["id"] == version.id else row for row in self.rows))

    def with_alias(self, version: ModelVersion, alias: str) -> ModelVersion:
        """Copy a version with an alias, which replaces the one that it had.

        Raises:
            ProgrammingError: 2002, another version has that name or alias; 1008, the name is a system alias.
        """
        _refuse_system_alias(alias)
        if (taken := self.find(alias)) is not None and taken.id != version.id:
            raise already_exists(f"{self.full_name} version {alias}")
        return replace(version, alias=alias)

    def without_version(self, version: ModelVersion) -> Model:
        """Copy the model without a version.

        Raises:
            ProgrammingError: 391812, it is the default version, which a model must have.
        """
        if version.name == self.default_version:
            raise error(
                391812,
                "42601",
                f"SQL compilation error:\nCannot drop the default version {version.name} of model {self.full_name}; "
                "set another default version first, or drop the model.",
            )
        return changed(self, rows=tuple(row for row in self.rows if row["id"] != version.id))


def to_row(version: ModelVersion) -> dict[str, Any]:
    """Write a version as JSON keeps it."""
    return {**asdict(version), "created": version.created.isoformat()}


def _from_row(row: Mapping[str, Any]) -> ModelVersion:
    decoded = {"created": dt.datetime.fromisoformat(row["created"]), "sources": tuple(row["sources"])}
    return ModelVersion(**{**row, **decoded})


def _refuse_system_alias(name: str) -> None:
    if name in SYSTEM_ALIASES:
        raise error(1008, "22023", f"SQL compilation error:\ninvalid identifier '{name}': it is a system alias.")
