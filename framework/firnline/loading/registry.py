"""What the installed plugins offer, by name; clashes and failures are kept beside it."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Generic, TypeVar

from firnline.domain import GuardSpec, PlatformSpec, StepSpec, TrackerSpec

if TYPE_CHECKING:
    from firnline.loading.facade import HookFailure, Hooks
    from firnline.loading.plugins import LoadedPlugins, PluginReport

Spec = TypeVar("Spec", StepSpec, PlatformSpec, GuardSpec, TrackerSpec)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer(Generic[Spec]):
    """Something that a plugin offers, and the plugin."""

    spec: Spec
    plugin: PluginReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """A name that several plugins offer: none of them can be used until one is denied."""

    kind: str
    name: str
    plugins: tuple[PluginReport, ...]

    @property
    def message(self) -> str:
        """One sentence that names every distribution."""
        labels = " and ".join(f"{plugin.label} (plugin {plugin.name})" for plugin in self.plugins)
        return f"{self.kind} {self.name!r} is offered by {labels}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """Steps, platforms, guards and trackers by name.

    Attributes:
        steps: step id → offer.
        platforms: platform name → offer.
        guards: guard name → offer.
        trackers: tracker name → offer.
        clashes: names that are offered more than once, and therefore by nobody.
        failures: hooks that raised or returned nonsense.
        plugins: the reports of all installed plugins, updated by what their hooks did.
    """

    steps: Mapping[str, Offer[StepSpec]] = field(default_factory=dict)
    platforms: Mapping[str, Offer[PlatformSpec]] = field(default_factory=dict)
    guards: Mapping[str, Offer[GuardSpec]] = field(default_factory=dict)
    trackers: Mapping[str, Offer[TrackerSpec]] = field(default_factory=dict)
    clashes: tuple[Clash, ...] = ()
    failures: tuple[HookFailure, ...] = ()
    plugins: tuple[PluginReport, ...] = ()

    def clash(self, kind: str, name: str) -> Clash | None:
        """Return the clash about this name, if there is one."""
        return next((clash for clash in self.clashes if (clash.kind, clash.name) == (kind, name)), None)


def build_registry(loaded: LoadedPlugins, hooks: Hooks) -> Registry:
    """Ask all loaded plugins what they offer."""
    steps, step_failures = hooks.steps()
    platforms, platform_failures = hooks.platforms()
    guards, guard_failures = hooks.guards()
    trackers, tracker_failures = hooks.trackers()
    failures = (*step_failures, *platform_failures, *guard_failures, *tracker_failures)
    wrong: list[tuple[PluginReport, str]] = []
    steps_by_id, step_clashes = _by_name("step", steps, StepSpec, lambda spec: spec.id, wrong)
    platforms_by_name, platform_clashes = _by_name("platform", platforms, PlatformSpec, lambda spec: spec.name, wrong)
    guards_by_name, guard_clashes = _by_name("guard", guards, GuardSpec, lambda spec: spec.name, wrong)
    trackers_by_name, tracker_clashes = _by_name("tracker", trackers, TrackerSpec, lambda spec: spec.name, wrong)
    clashes = (*step_clashes, *platform_clashes, *guard_clashes, *tracker_clashes)
    return Registry(
        steps=steps_by_id,
        platforms=platforms_by_name,
        guards=guards_by_name,
        trackers=trackers_by_name,
        clashes=clashes,
        failures=failures,
        plugins=tuple(_after_hooks(report, failures, clashes, wrong) for report in loaded.reports),
    )


def missing_modules(modules: Sequence[str]) -> tuple[str, ...]:
    """Return those of the import names that are not installed; nothing is imported but parent packages."""
    return tuple(name for name in modules if not _is_installed(name))


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # a parent package is missing
        return False


def _by_name(
    kind: str,
    offered: Sequence[tuple[PluginReport, Spec]],
    expected: type,
    name_of: Callable[[Spec], str],
    wrong: list[tuple[PluginReport, str]],
) -> tuple[dict[str, Offer[Spec]], list[Clash]]:
    by_name: dict[str, list[Offer[Spec]]] = {}
    for plugin, spec in offered:
        if isinstance(spec, expected):
            by_name.setdefault(name_of(spec), []).append(Offer(spec=spec, plugin=plugin))
        else:
            wrong.append((plugin, f"it offers a {kind} of type {type(spec).__name__} instead of {expected.__name__}"))
    clashes = [
        Clash(kind=kind, name=name, plugins=tuple(offer.plugin for offer in offers))
        for name, offers in by_name.items()
        if len(offers) > 1
    ]
    return {name: offers[0] for name, offers in by_name.items() if len(offers) == 1}, clashes


def _after_hooks(
    report: PluginReport,
    failures: Sequence[HookFailure],
    clashes: Sequence[Clash],
    wrong: Sequence[tuple[PluginReport, str]],
) -> PluginReport:
    if not report.healthy:
        return report
    reasons = [f"{failure.hook} raised {failure.message}" for failure in failures if failure.plugin == report]
    reasons += [reason for plugin, reason in wrong if plugin == report]
    reasons += [clash.message for clash in clashes if report in clash.plugins]
    return replace(report, healthy=False, reason="; ".join(reasons)) if reasons else report
