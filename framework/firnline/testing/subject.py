"""The plugin under test, loaded by the door that Firnline itself uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from firnline.config import ConfFolder, find_conf_folders
from firnline.domain import StepSpec
from firnline.loading import (
    CONF_GROUP,
    PLUGIN_GROUP,
    FoundEntry,
    Hooks,
    PluginReport,
    Selection,
    build_registry,
    find_entries,
    load_plugins,
)
from firnline.testing.cases import Case


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What the checks look at.

    Attributes:
        plugin: the plugin's name.
        module: what its entry point names.
        report: whether it could be loaded.
        steps: the steps that it offers, by id.
        cases: step id → example.
        conf: folders of config options: those of the `firnline.conf` entry point of the same name.
    """

    plugin: str
    module: str
    report: PluginReport
    steps: Mapping[str, StepSpec]
    cases: Mapping[str, Case]
    conf: tuple[Path, ...]


def load_subject(plugin: str, module: str | None, conf: str | None, cases: Mapping[str, Case]) -> Subject:
    """Load one plugin alone.

    Args:
        plugin: the entry point's name.
        module: what to load where no entry point of this name is installed.
        conf: the package of its config options, where the entry point is not installed.
        cases: step id → example.
    """
    entry = _entry(plugin, module)
    loaded = load_plugins(entries=[entry], selection=Selection())
    registry = build_registry(loaded, Hooks(loaded))
    return Subject(
        plugin=plugin,
        module=entry.value,
        report=registry.plugins[0],
        steps={step_id: offer.spec for step_id, offer in registry.steps.items()},
        cases=cases,
        conf=tuple(folder.path for folder in _conf_folders(entry, conf)),
    )


def _entry(plugin: str, module: str | None) -> FoundEntry:
    installed = [entry for entry in find_entries(PLUGIN_GROUP) if entry.name == plugin]
    if installed:
        return installed[0]
    # A plugin that is not installed fails the first check, with the reason that the loader gives.
    return FoundEntry(name=plugin, value=module or plugin, distribution="not installed", version="0")


def _conf_folders(entry: FoundEntry, conf: str | None) -> tuple[ConfFolder, ...]:
    mine = (entry.distribution, entry.name)
    entries = [found for found in find_entries(CONF_GROUP) if (found.distribution, found.name) == mine]
    if not entries and conf is not None:
        entries = [FoundEntry(name=entry.name, value=conf, distribution=entry.distribution, version=entry.version)]
    label = entry.label
    return tuple(folder for folder in find_conf_folders(entries=entries) if folder.provider == label)
