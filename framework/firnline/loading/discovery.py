"""Entry points of installed distributions, read from metadata alone: nothing is imported here."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Final

PLUGIN_GROUP: Final = "firnline.plugins"
CONF_GROUP: Final = "firnline.conf"
COMMAND_GROUP: Final = "firnline.commands"
ALLOW_VARIABLE: Final = "FIRNLINE_PLUGINS_ALLOW"
DENY_VARIABLE: Final = "FIRNLINE_PLUGINS_DENY"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundEntry:
    """One entry point of one installed distribution.

    Attributes:
        name: the entry point's name, which is the plugin's name.
        value: what it points at: a module, or ``module:object``.
        distribution: the distribution that declares it.
        version: that distribution's version.
    """

    name: str
    value: str
    distribution: str
    version: str

    @property
    def label(self) -> str:
        """The distribution with its version, for messages."""
        return f"{self.distribution} {self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which plugins may be loaded: shell patterns over plugin and distribution names.

    Attributes:
        allow: when not empty, only plugins that match one of these.
        deny: never plugins that match one of these.
    """

    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Selection:
        """Read ``FIRNLINE_PLUGINS_ALLOW`` and ``FIRNLINE_PLUGINS_DENY`` (comma-separated patterns)."""
        return cls(
            allow=_patterns(environment.get(ALLOW_VARIABLE, "")), deny=_patterns(environment.get(DENY_VARIABLE, ""))
        )

    def refusal(self, entry: FoundEntry) -> str | None:
        """Say why this plugin is not loaded; None if it may be."""
        names = (entry.name, entry.distribution)
        if self.allow and not _matches(names, self.allow):
            return f"not in {ALLOW_VARIABLE}"
        if _matches(names, self.deny):
            return f"denied by {DENY_VARIABLE}"
        return None


def find_entries(group: str) -> tuple[FoundEntry, ...]:
    """Return the entry points of a group, sorted by name and distribution, each once."""
    found: dict[tuple[str, str, str], FoundEntry] = {}
    for point in metadata.entry_points(group=group):
        distribution = point.dist.name if point.dist is not None else "unknown"
        version = point.dist.version if point.dist is not None else "unknown"
        # The same distribution may stand twice on sys.path; the first one found is the one that is imported.
        found.setdefault(
            (point.name, distribution, point.value),
            FoundEntry(name=point.name, value=point.value, distribution=distribution, version=version),
        )
    return tuple(found[key] for key in sorted(found))


def find_commands(selection: Selection | None = None) -> dict[str, tuple[FoundEntry, ...]]:
    """Return verb → the installed distributions that bring a sub-command of this name; more than one is a clash.

    A command is an entry point of group ``firnline.commands``: its name is the verb, its value ``module:object`` of a
    click command, which is imported when the verb is called.
    """
    selection = selection if selection is not None else Selection.from_environment()
    found: dict[str, tuple[FoundEntry, ...]] = {}
    for entry in find_entries(COMMAND_GROUP):
        if selection.refusal(entry) is None:
            found[entry.name] = (*found.get(entry.name, ()), entry)
    return found


def _patterns(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _matches(names: Iterable[str], patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for name in names for pattern in patterns)
