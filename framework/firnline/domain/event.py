"""Events: the facts of a run, in the order in which they happened. The record is a fold over them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias, get_args


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """A run begins. ``at`` is in seconds since the epoch, here and in every event.

    ``reason`` is why, if somebody said so; ``requested_by`` the run whose stage asked for this one.
    """

    at: float
    run_id: str
    pipeline: str
    plan_hash: str
    pid: int
    platform: str
    overrides: tuple[str, ...] = ()
    sweep_id: str | None = None
    job: int | None = None
    reason: str = ""
    requested_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageStarted:
    """An attempt at a stage begins."""

    at: float
    stage: str
    step: str
    attempt: int
    attempt_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StageProgress:
    """A stage tells how far it is."""

    at: float
    stage: str
    message: str
    rows: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageMeasured:
    """A stage tells how good it is so far: metrics after an epoch, a round, or another ``step`` that is counted."""

    at: float
    stage: str
    step: int
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRetried:
    """A transient error ended an attempt; another follows after ``delay_s`` seconds."""

    at: float
    stage: str
    attempt: int
    error: str
    delay_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFinished:
    """A stage's outputs became visible: ``outputs`` is port → artifact as JSON data.

    ``metrics`` are the numbers in them.
    """

    at: float
    stage: str
    key: str
    seconds: float
    outputs: Mapping[str, Any]
    attempt_id: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    rows: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageReused:
    """An earlier output was taken instead of running the stage."""

    at: float
    stage: str
    key: str
    from_run: str
    outputs: Mapping[str, Any]
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFailed:
    """A stage failed for good. ``kind`` is the error class's name; ``gate`` tells that a gate stopped it."""

    at: float
    stage: str
    seconds: float
    kind: str
    message: str
    hint: str | None = None
    plugin: str = ""
    gate: bool = False
    interrupted: bool = False


INTERRUPTION: Final = "the run was interrupted"
STOPPED_BY_GUARD: Final = "stopped by the guard: "  # and its reason
PRUNED: Final = "pruned: "  # and its reason


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSkipped:
    """A stage did not run: ``because`` of a failed stage, an :data:`INTERRUPTION`, a guard, or the plan (empty)."""

    at: float
    stage: str
    because: str = ""

    @property
    def reason(self) -> str:
        """Why, in words."""
        return skip_reason(self.because)


def skip_reason(because: str) -> str:
    """Return in words why a stage was skipped."""
    told = because == INTERRUPTION or because.startswith((STOPPED_BY_GUARD, PRUNED))
    return because if told else f"{because} failed" if because else "left out"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequested:
    """A stage asks for another run, which starts when this one has ended; ``overrides`` describe it."""

    at: float
    stage: str
    overrides: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ObserverFailed:
    """A plugin's observing hook, or the platform in a service beside the stages, raised; the run goes on."""

    at: float
    plugin: str
    hook: str
    message: str


RunStatus: TypeAlias = Literal["running", "finished", "failed", "stopped", "interrupted", "killed", "pruned"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """A run ends.

    ``status`` is finished, failed, stopped (by a gate or a guard), pruned (by a search) or interrupted.
    """

    at: float
    run_id: str
    status: RunStatus
    seconds: float


Event: TypeAlias = (
    RunStarted
    | StageStarted
    | StageProgress
    | StageMeasured
    | StageRetried
    | StageFinished
    | StageReused
    | StageFailed
    | StageSkipped
    | RunRequested
    | ObserverFailed
    | RunFinished
)

_EVENTS: Mapping[str, type] = {event.__name__: event for event in get_args(Event)}


def event_to_json(event: Event) -> dict[str, Any]:
    """Return plain data with the class's name under ``event``."""
    # Not asdict(): it copies deeply what is plain data already, which takes as long as all the rest of an event.
    return {"event": type(event).__name__} | {name: getattr(event, name) for name in event.__slots__}


def event_from_json(data: Mapping[str, Any]) -> Event:
    """Rebuild what :func:`event_to_json` wrote; KeyError for an unknown kind of event."""
    fields = {name: value for name, value in data.items() if name != "event"}
    if "overrides" in fields:
        fields["overrides"] = tuple(fields["overrides"])
    event: Event = _EVENTS[data["event"]](**fields)
    return event
