"""The typed door to the hooks: callers never touch ``pm.hook``.

Each hook is called plugin by plugin, so that one that raises is known by name and stops none of the others.
"""

from __future__ import annotations

import contextlib
import io
import traceback
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from firnline.errors import PluginError

if TYPE_CHECKING:
    from firnline.domain import Event, GuardSpec, Plan, PlatformSpec, StepSpec, TrackerSpec
    from firnline.loading.plugins import LoadedPlugins, PluginReport


_REGISTERING: Final = frozenset({"firnline_guards", "firnline_platforms", "firnline_steps", "firnline_trackers"})


@dataclass(frozen=True, slots=True, kw_only=True)
class HookFailure:
    """A plugin's hook raised.

    Attributes:
        plugin: the report of the plugin.
        hook: the hook's name.
        error: what it raised.
        details: the traceback.
    """

    plugin: PluginReport
    hook: str
    error: Exception = field(compare=False)
    details: str = field(default="", repr=False)

    @property
    def message(self) -> str:
        """One line for reports and events."""
        return f"{type(self.error).__name__}: {self.error}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A guard's reason to refuse a plan."""

    plugin: PluginReport
    reason: str


class Hooks:
    """Calls hooks of the loaded plugins. Registering hooks are called once, when the registry is built."""

    def __init__(self, loaded: LoadedPlugins) -> None:
        self._loaded = loaded
        self._silenced: set[str] = set()

    def steps(self) -> tuple[list[tuple[PluginReport, StepSpec]], list[HookFailure]]:
        """Return the steps of all plugins with the plugin that offers each, and what failed."""
        return self._register("firnline_steps")

    def platforms(self) -> tuple[list[tuple[PluginReport, PlatformSpec]], list[HookFailure]]:
        """Return the platforms of all plugins with the plugin that offers each, and what failed."""
        return self._register("firnline_platforms")

    def guards(self) -> tuple[list[tuple[PluginReport, GuardSpec]], list[HookFailure]]:
        """Return the guards of all plugins with the plugin that offers each, and what failed."""
        return self._register("firnline_guards")

    def trackers(self) -> tuple[list[tuple[PluginReport, TrackerSpec]], list[HookFailure]]:
        """Return the trackers of all plugins with the plugin that offers each, and what failed."""
        return self._register("firnline_trackers")

    def check_plan(self, plan: Plan) -> tuple[Refusal, ...]:
        """Ask every guard about a plan.

        Raises:
            PluginError: a guard raised; a guard that cannot decide does not let through.
        """
        refusals: list[Refusal] = []
        for report, outcome in self._each("firnline_check_plan", plan=plan):
            if isinstance(outcome, HookFailure):
                raise PluginError(
                    f"the guard {report.name} ({report.label}) could not check the plan: {outcome.message}",
                    hint=f"deny the plugin with FIRNLINE_PLUGINS_DENY={report.name}, or report the error to its author",
                ) from outcome.error
            refusals += [Refusal(plugin=report, reason=str(reason)) for reason in outcome or ()]
        return tuple(refusals)

    def on_event(self, run_id: str, event: Event) -> tuple[HookFailure, ...]:
        """Tell every observer about an event; one that raises is not called again by this object."""
        failures = []
        for report, outcome in self._each("firnline_on_event", run_id=run_id, event=event):
            if isinstance(outcome, HookFailure):
                self._silenced.add(report.name)
                failures.append(outcome)
        return tuple(failures)

    def environment(self) -> tuple[dict[str, str], tuple[HookFailure, ...]]:
        """Return the facts that all plugins tell about the environment, and what failed."""
        facts: dict[str, str] = {}
        failures = []
        for report, outcome in self._each("firnline_environment"):
            if isinstance(outcome, HookFailure):
                failures.append(outcome)
            elif isinstance(outcome, Mapping):
                facts.update({str(name): str(value) for name, value in outcome.items()})
            else:
                wrong = TypeError(f"returned {type(outcome).__name__} instead of a mapping")
                failures.append(HookFailure(plugin=report, hook="firnline_environment", error=wrong))
        return facts, tuple(failures)

    def _register(self, hook: str) -> tuple[list[tuple[PluginReport, Any]], list[HookFailure]]:
        offered: list[tuple[PluginReport, Any]] = []
        failures: list[HookFailure] = []
        for report, outcome in self._each(hook):
            if isinstance(outcome, HookFailure):
                failures.append(outcome)
            elif isinstance(outcome, Iterable) and not isinstance(outcome, str):
                offered += [(report, item) for item in outcome]
            else:
                wrong = TypeError(f"returned {type(outcome).__name__} instead of a sequence")
                failures.append(HookFailure(plugin=report, hook=hook, error=wrong))
        return offered, failures

    def _each(self, hook: str, **arguments: Any) -> Iterator[tuple[PluginReport, Any]]:
        manager = self._loaded.manager
        implementations = getattr(manager.hook, hook).get_hookimpls()
        if not implementations:
            return
        everybody = {implementation.plugin_name: implementation.plugin for implementation in implementations}
        for name in sorted(everybody):
            if hook == "firnline_on_event" and name in self._silenced:
                continue
            others = [plugin for other, plugin in everybody.items() if other != name]
            caller = manager.subset_hook_caller(hook, others) if others else getattr(manager.hook, hook)
            report = self._loaded.report(name)
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    [outcome] = caller(**arguments) or [None]
                    if hook in _REGISTERING and outcome is not None:
                        outcome = tuple(outcome)
            except Exception as error:  # noqa: BLE001 (the boundary around plugins: the caller is told)
                outcome = HookFailure(plugin=report, hook=hook, error=error, details=traceback.format_exc())
            yield report, outcome
