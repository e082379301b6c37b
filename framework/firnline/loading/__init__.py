"""Entry points → plugin manager → typed facade and registry.

What stands here is imported when it is first asked for: `firnline --help` wants no more than the metadata of commands.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
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

_ROOMS: Final = {
    "discovery": (
        "COMMAND_GROUP",
        "CONF_GROUP",
        "PLUGIN_GROUP",
        "FoundEntry",
        "Selection",
        "find_commands",
        "find_entries",
    ),
    "facade": ("HookFailure", "Hooks", "Refusal"),
    "plugins": ("LoadedPlugins", "PluginReport", "load_plugins"),
    "registry": ("Clash", "Offer", "Registry", "build_registry", "missing_modules"),
}


def __getattr__(name: str) -> Any:
    for room, names in _ROOMS.items():
        if name in names:
            value = getattr(importlib.import_module(f"{__name__}.{room}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
