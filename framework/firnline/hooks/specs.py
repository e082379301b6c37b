"""Every hook of Firnline. Each one registers, decides, observes or describes; its docstring says which.

A registering hook hands over frozen data. A deciding hook's error stops the run. An observing hook's error becomes an
event and the run goes on. Sub-commands need no hook: they are entry points of group ``firnline.commands``. Hooks run in
the parent process, in the order in which plugins were loaded (sorted by name).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from firnline.hooks.markers import hookspec

if TYPE_CHECKING:
    from firnline.domain.event import Event
    from firnline.domain.guard import GuardSpec
    from firnline.domain.plan import Plan
    from firnline.domain.platform import PlatformSpec
    from firnline.domain.step import StepSpec
    from firnline.domain.tracker import TrackerSpec


@hookspec
def firnline_steps() -> Iterable[StepSpec]:  # type: ignore[empty-body]
    """Registering: return the steps that the plugin offers.

    Called once, when the registry is first needed. An id that another plugin has taken already is reported with both
    distributions, and neither is usable until one is denied. If the hook raises, the plugin is reported as broken.
    """


@hookspec
def firnline_platforms() -> Iterable[PlatformSpec]:  # type: ignore[empty-body]
    """Registering: return the platforms that the plugin offers. Rules as for ``firnline_steps``."""


@hookspec
def firnline_guards() -> Iterable[GuardSpec]:  # type: ignore[empty-body]
    """Registering: return the guards that the plugin offers. Rules as for ``firnline_steps``.

    The one that ``guard.name`` chooses is opened for each plan: it estimates the stages' credits, may refuse the plan,
    and watches over the run. Without a ``guard`` node none is opened.
    """


@hookspec
def firnline_trackers() -> Iterable[TrackerSpec]:  # type: ignore[empty-body]
    """Registering: return the trackers that the plugin offers. Rules as for ``firnline_steps``.

    Each one that is a key of the ``tracker`` node is opened when a run begins and hears of all its events.
    """


@hookspec
def firnline_check_plan(plan: Plan) -> Iterable[str] | None:
    """Deciding: look at the finished plan before anything runs; return reasons to refuse it, or nothing.

    Called for ``plan`` and ``run``. Any reason refuses the plan with exit code 3, all reasons together. If the hook
    raises, the run stops as well: a guard that cannot decide does not let through.
    """


@hookspec
def firnline_on_event(run_id: str, event: Event) -> None:
    """Observing: called with every event of a run, in order, in the parent process.

    What it returns is ignored. If it raises, an ``ObserverFailed`` event is added and the plugin is not called again
    in this run. Keep it quick: the run waits for it.
    """


@hookspec
def firnline_environment() -> Mapping[str, str]:  # type: ignore[empty-body]
    """Describing: return facts for the run's record (versions of clients, …) as name → text.

    Called once at the start of a run. If it raises, the error is recorded as ``ObserverFailed``.
    """
