"""What is remembered of a run: a pure fold over its events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from firnline.domain.event import (
    Event,
    RunFinished,
    RunRequested,
    RunStarted,
    RunStatus,
    StageFailed,
    StageFinished,
    StageProgress,
    StageReused,
    StageSkipped,
    StageStarted,
)

StageStatus: TypeAlias = Literal["running", "finished", "reused", "failed", "skipped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRecord:
    """What is remembered of one stage of a run; ``started`` is when its last attempt began, since the epoch."""

    name: str
    step: str = ""
    status: StageStatus = "running"
    key: str = ""
    attempts: int = 0
    started: float | None = None
    seconds: float | None = None
    rows: int | None = None
    from_run: str | None = None
    outputs: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    error: str | None = None
    hint: str | None = None
    gate: bool = False
    interrupted: bool = False
    because: str = ""

    @property
    def state(self) -> str:
        """The status, with failures told apart: ``stopped`` by a gate, ``interrupted`` by the user, or ``failed``."""
        return "stopped" if self.gate else "interrupted" if self.interrupted else self.status


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """What is remembered of a run."""

    run_id: str
    pipeline: str
    status: RunStatus
    started: float
    platform: str = ""
    plan_hash: str = ""
    pid: int = 0
    seconds: float | None = None
    overrides: tuple[str, ...] = ()
    sweep_id: str | None = None
    job: int | None = None
    reason: str = ""
    requested_by: str | None = None
    requests: tuple[RunRequested, ...] = ()
    stages: Mapping[str, StageRecord] = field(default_factory=dict)

    @property
    def metrics(self) -> dict[str, float]:
        """All metrics as ``stage.name`` → number."""
        return {f"{s.name}.{name}": value for s in self.stages.values() for name, value in s.metrics.items()}


def fold(events: Iterable[Event]) -> RunRecord | None:
    """Return the record that the events amount to; None if the run never started."""
    record: RunRecord | None = None
    stages: dict[str, StageRecord] = {}
    for event in events:
        match event:
            case RunStarted():
                record = RunRecord(
                    run_id=event.run_id,
                    pipeline=event.pipeline,
                    status="running",
                    started=event.at,
                    platform=event.platform,
                    plan_hash=event.plan_hash,
                    pid=event.pid,
                    overrides=event.overrides,
                    sweep_id=event.sweep_id,
                    job=event.job,
                    reason=event.reason,
                    requested_by=event.requested_by,
                )
            case RunRequested() if record is not None:
                record = replace(record, requests=(*record.requests, event))
            case RunFinished() if record is not None:
                record = replace(record, status=event.status, seconds=event.seconds)
            case _:
                _fold_stage(stages, event)
    return replace(record, stages=stages) if record is not None else None


def _fold_stage(stages: dict[str, StageRecord], event: Event) -> None:
    match event:
        case StageStarted():
            earlier = stages.get(event.stage, StageRecord(name=event.stage))
            stages[event.stage] = replace(
                earlier, step=event.step, attempts=event.attempt, started=event.at, status="running"
            )
        case StageProgress():
            stages[event.stage] = replace(stages.get(event.stage, StageRecord(name=event.stage)), rows=event.rows)
        case StageFinished():
            stages[event.stage] = replace(
                stages.get(event.stage, StageRecord(name=event.stage)),
                status="finished",
                key=event.key,
                seconds=event.seconds,
                rows=event.rows,
                outputs=event.outputs,
                metrics=event.metrics,
            )
        case StageReused():
            stages[event.stage] = StageRecord(
                name=event.stage,
                status="reused",
                key=event.key,
                from_run=event.from_run,
                outputs=event.outputs,
                metrics=event.metrics,
            )
        case StageFailed():
            stages[event.stage] = replace(
                stages.get(event.stage, StageRecord(name=event.stage)),
                status="failed",
                seconds=event.seconds,
                error=f"{event.kind}: {event.message}",
                hint=event.hint,
                gate=event.gate,
                interrupted=event.interrupted,
            )
        case StageSkipped():
            stages[event.stage] = StageRecord(name=event.stage, status="skipped", because=event.because)
        case _:
            pass
