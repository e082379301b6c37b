"""The installed plugins, loaded once for a command."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from firnline.loading import Hooks, Registry, build_registry, load_plugins


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """The installed plugins, ready to be asked."""

    hooks: Hooks
    registry: Registry


def load_installed(trace: Callable[[str], None] | None = None) -> Installed:
    """Load the installed plugins and ask what they offer."""
    loaded = load_plugins(trace=trace)
    hooks = Hooks(loaded)
    return Installed(hooks=hooks, registry=build_registry(loaded, hooks))
