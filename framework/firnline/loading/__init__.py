"""Entry points → plugin manager → typed facade and registry."""

from firnline.loading.discovery import (
    COMMAND_GROUP,
    CONF_GROUP,
    PLUGIN_GROUP,
    FoundEntry,
    Selection,
    find_commands,
    find_entries,
)
from firnline.loading.facade import HookFailure, Hooks, Refusal
from firnline.loading.plugins import LoadedPlugins, PluginReport, load_plugins
from firnline.loading.registry import Clash, Offer, Registry, build_registry, missing_modules

__all__ = [
    "COMMAND_GROUP",
    "CONF_GROUP",
    "Clash",
    "FoundEntry",
    "HookFailure",
    "Hooks",
    "LoadedPlugins",
    "Offer",
    "PLUGIN_GROUP",
    "PluginReport",
    "Refusal",
    "Registry",
    "Selection",
    "build_registry",
    "find_commands",
    "find_entries",
    "load_plugins",
    "missing_modules",
]
