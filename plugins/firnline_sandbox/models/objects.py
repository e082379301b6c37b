"""Models and their versions, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from firnline_sandbox.errors import missing_object

if TYPE_CHECKING:
    import datetime as dt

SYSTEM_ALIASES = ("DEFAULT", "FIRST", "LAST")


@dataclass(frozen=True, slots=True)
class ModelKey:
    """Where a model stands: three resolved names."""

    database: str
    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.database}.{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVersion:
    """One immutable packaged model. Only its comment, metadata and alias may change."""

    id: str
    """Names its folder of files: so a rename moves no file, and a name that is used again meets no old file."""
    name: str
    alias: str | None
    comment: str | None
    metadata: str
    created_on: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model with its versions, oldest first."""

    id: str
    key: ModelKey
    comment: str | None
    owner: str
    default_version: str
    created_on: dt.datetime
    versions: tuple[ModelVersion, ...]

    def find(self, name: str) -> ModelVersion | None:
        """Return the version of that resolved name, alias or system alias."""
        match name:
            case "DEFAULT":
                name = self.default_version
            case "FIRST":
                return self.versions[0]
            case "LAST":
                return self.versions[-1]
        by_name = {version.name: version for version in self.versions}
        by_alias = {version.alias: version for version in self.versions if version.alias is not None}
        return by_name.get(name) or by_alias.get(name)

    def version(self, name: str) -> ModelVersion:
        """Return the version of that resolved name or alias.

        Raises:
            ProgrammingError: 2003, there is none.
        """
        if (found := self.find(name)) is None:
            raise missing_object("version", f"{name} of model {self.key}")
        return found

    def aliases(self, version: ModelVersion) -> list[str]:
        """List all names of a version besides its own, the system's among them."""
        system = {"DEFAULT": self.default_version, "FIRST": self.versions[0].name, "LAST": self.versions[-1].name}
        own = [] if version.alias is None else [version.alias]
        return own + [alias for alias, name in system.items() if name == version.name]
