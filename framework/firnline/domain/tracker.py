"""A tracker listens to a run and tells of it elsewhere; what goes wrong with it never stops the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from firnline.domain.event import Event
from firnline.domain.params import Params
from firnline.domain.plan import Plan
from firnline.domain.platform import Platform


class Tracker(Protocol):
    """A tracker of one run, opened at its first event."""

    def on_event(self, event: Event) -> None:
        """Hear of an event, in order, in the parent process; the run waits for it.

        If it raises, an ``ObserverFailed`` event is added, and it hears only of the run's end from then on.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedRun:
    """The run that a tracker listens to.

    Attributes:
        run_id: the run.
        plan: what it executes.
        project: the project folder; relative paths in params are relative to it.
        store: the folder of records, where a tracker may keep its own; paths in the outputs of events are relative
            to it, as ``artifact_from_json`` wants them.
        folder: the run's folder: ``config.yaml``, ``plan.json``, ``environment.json``, ``events.jsonl``.
        open_platform: returns the opened platform; None if no stage uses one.
    """

    run_id: str
    plan: Plan
    project: Path
    store: Path
    folder: Path
    open_platform: Callable[[], Platform] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackerSpec:
    """What a plugin registers for a tracker.

    Attributes:
        name: its key in the ``tracker`` node.
        summary: one sentence.
        params: the pydantic model of what stands under that key.
        open: takes (params, :class:`TrackedRun`) and returns a tracker; imports its SDK only then.
        modules: import names that must be installed.
        extra: the extra of Firnline that installs them.
    """

    name: str
    summary: str
    params: type[Params]
    open: Callable[[Any, TrackedRun], Tracker]
    modules: tuple[str, ...] = ()
    extra: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenTracker:
    """A tracker that the configuration chooses.

    Attributes:
        spec: the tracker.
        params: its validated params.
        plugin: the distribution that offers it, with its version.
    """

    spec: TrackerSpec
    params: Params
    plugin: str


def plan_params(plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield ``STAGE.uses`` and ``STAGE.PARAM`` with their values as text, nested ones by their path."""
    for stage in plan.stages:
        if stage.action != "skip":
            yield f"{stage.name}.uses", stage.step
            yield from _flat(stage.name, stage.params)


def _flat(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _flat(f"{path}.{name}", inner)
    else:
        yield path, str(value)
