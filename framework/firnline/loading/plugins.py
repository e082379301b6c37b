"""Load plugins one by one: a broken one is reported with its distribution, and the others work.

pluggy's own loader stops at the first entry point that fails, so this one walks the entry points itself.
"""

from __future__ import annotations

import contextlib
import io
import os
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

import pluggy
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from firnline.hooks import API_VERSION, specs
from firnline.hooks.markers import PROJECT
from firnline.loading.discovery import PLUGIN_GROUP, FoundEntry, Selection, find_entries

LOAD_TIMEOUT_VARIABLE: Final = "FIRNLINE_PLUGIN_TIMEOUT_S"
TRACE_VARIABLE: Final = "FIRNLINE_TRACE_HOOKS"
DEFAULT_LOAD_TIMEOUT_S: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginReport:
    """What became of one installed plugin.

    Attributes:
        name: the entry point's name.
        distribution: the distribution that brings it.
        version: that distribution's version.
        location: the module it points at.
        healthy: whether its hooks are in use.
        reason: why not, in one sentence; empty when healthy.
        denied: left out on purpose by the allow or deny list.
        output: what it printed while it was loaded.
        details: the traceback, if it raised.
    """

    name: str
    distribution: str
    version: str
    location: str
    healthy: bool
    reason: str = ""
    denied: bool = False
    output: str = ""
    details: str = ""

    @property
    def label(self) -> str:
        """The distribution with its version, for messages."""
        return f"{self.distribution} {self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedPlugins:
    """A plugin manager with the healthy plugins, and a report of each installed one."""

    manager: pluggy.PluginManager
    reports: tuple[PluginReport, ...]

    def report(self, name: str) -> PluginReport:
        """Return the report of the plugin that is registered under this name."""
        return next(report for report in self.reports if report.name == name and report.healthy)


def load_plugins(
    *,
    entries: Sequence[FoundEntry] | None = None,
    selection: Selection | None = None,
    timeout_s: float | None = None,
    trace: Callable[[str], None] | None = None,
) -> LoadedPlugins:
    """Load every installed plugin that the selection lets in, in the order of their names.

    Args:
        entries: what to load; by default the entry points of group ``firnline.plugins``.
        selection: allow and deny lists; by default from the environment.
        timeout_s: how long one plugin may take to import; by default ``FIRNLINE_PLUGIN_TIMEOUT_S`` or 10.
        trace: gets one line for each hook call, for ``FIRNLINE_TRACE_HOOKS=1``.
    """
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(specs)
    if trace is not None:
        manager.trace.root.setwriter(trace)
        manager.enable_tracing()
    selection = selection if selection is not None else Selection.from_environment()
    limit = timeout_s if timeout_s is not None else float(os.environ.get(LOAD_TIMEOUT_VARIABLE, DEFAULT_LOAD_TIMEOUT_S))
    found = entries if entries is not None else find_entries(PLUGIN_GROUP)
    return LoadedPlugins(manager=manager, reports=tuple(_load_one(manager, entry, selection, limit) for entry in found))


def _load_one(manager: pluggy.PluginManager, entry: FoundEntry, selection: Selection, timeout_s: float) -> PluginReport:
    # A name that another distribution has taken is made longer: otherwise either of the two could switch the other off.
    name = entry.name if not manager.has_plugin(entry.name) else f"{entry.name}@{entry.distribution}"

    def report(reason: str = "", **more: Any) -> PluginReport:
        return PluginReport(
            name=name,
            distribution=entry.distribution,
            version=entry.version,
            location=entry.value,
            healthy=not reason,
            reason=reason,
            **more,
        )

    if refusal := selection.refusal(entry):
        return report(refusal, denied=True)
    if manager.has_plugin(name):
        return report(f"another plugin of this distribution has the name {entry.name!r} already")
    printed = io.StringIO()
    loaded = _import_with_timeout(entry.value, printed, timeout_s)
    if isinstance(loaded, _Failure):
        return report(loaded.reason, details=loaded.details, output=printed.getvalue())
    if reason := _api_mismatch(loaded):
        return report(reason, output=printed.getvalue())
    if other := manager.get_name(loaded):
        return report(f"it is the same module as the plugin {other!r}", output=printed.getvalue())
    try:
        manager.register(loaded, name)
        manager.check_pending()
    except (pluggy.PluginValidationError, ValueError) as error:
        if manager.has_plugin(name):
            manager.unregister(name=name)
        return report(_one_line(f"a hook does not fit: {error}"), output=printed.getvalue())
    return report(output=printed.getvalue())


@dataclass(frozen=True, slots=True)
class _Failure:
    reason: str
    details: str = ""


def _import_with_timeout(value: str, printed: io.StringIO, timeout_s: float) -> Any:
    """Import in a thread of its own, since a plugin that hangs cannot be stopped, only left behind."""
    outcome: list[Any] = []

    def work() -> None:
        try:
            outcome.append(_import(value))
        except BaseException as error:  # noqa: BLE001 (whatever a plugin raises, SystemExit too, is its report)
            outcome.append(_Failure(_one_line(f"{type(error).__name__}: {error}"), traceback.format_exc()))

    thread = threading.Thread(target=work, name=f"load {value}", daemon=True)
    with _captured(printed):
        thread.start()
        thread.join(timeout_s)
    if not outcome:
        return _Failure(f"importing {value} did not end within {timeout_s:g} s")
    return outcome[0]


def _import(value: str) -> Any:
    module_name, _, attribute = value.partition(":")
    target: Any = import_module(module_name)
    for part in attribute.split(".") if attribute else ():
        target = getattr(target, part)
    return target


def _api_mismatch(plugin: Any) -> str | None:
    wanted = getattr(plugin, "FIRNLINE_API", None)
    if wanted is None:
        return None
    try:
        fits = SpecifierSet(str(wanted)).contains(API_VERSION)
    except InvalidSpecifier:
        return f"FIRNLINE_API = {wanted!r} is no version specifier"
    return None if fits else f"it needs plugin API {wanted}, this Firnline has {API_VERSION}"


@contextlib.contextmanager
def _captured(printed: io.StringIO) -> Iterator[None]:
    """Keep what a plugin prints out of our output, which others may parse."""
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        yield


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 300 else line[:299] + "…"
