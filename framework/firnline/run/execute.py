"""Walk the plan and yield events: a stage starts as soon as its inputs are there; a failed one stops only its users."""

from __future__ import annotations

import heapq
import queue
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol, assert_never

from firnline.domain import (
    Artifact,
    EarlierOutput,
    Event,
    Pipeline,
    Plan,
    PlannedStage,
    RunFinished,
    RunRequested,
    RunStarted,
    Stage,
    StageFailed,
    StageFinished,
    StageMeasured,
    StageProgress,
    StageRetried,
    StageReused,
    StageSkipped,
    StageStarted,
    artifact_from_json,
    artifact_to_json,
    new_attempt_id,
)
from firnline.domain.event import INTERRUPTION, PRUNED, STOPPED_BY_GUARD, RunStatus
from firnline.errors import InterruptedRunError, StageTimeoutError, StoppedByGateError
from firnline.run.attempt import (
    Ended,
    Measured,
    Progressed,
    Requested,
    StopAsked,
    ThreadAttempt,
    Workshop,
    discard_files,
    hint_of,
)
from firnline.run.boundary import is_transient
from firnline.run.outputs import collect_metrics, count_rows
from firnline.run.schedule import Schedule

if TYPE_CHECKING:
    from firnline.run.process import ProcessAttempt

MAX_BACKOFF_S: Final = 60.0
GRACE_S: Final = 10.0  # how long a cancelled attempt may take to end before it is left behind


CLAIM_POLL_S: Final = 0.1  # how often to look whether a key that another run computes is free


class Claims(Protocol):
    """Sees to it that of several runs one computes a key."""

    def take(self, key: str) -> bool:
        """Claim a key; False if it is being computed."""

    def holder(self, key: str) -> str:
        """Return the run that computes a key."""

    def release(self, key: str) -> None:
        """Let others have the key; does nothing if it is not claimed."""

    def release_all(self) -> None:
        """The run has ended."""


@dataclass(slots=True)
class _Running:
    attempt: ThreadAttempt | ProcessAttempt
    number: int
    began: float
    deadline: float
    cancelled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to execute.

    Attributes:
        plan: the plan.
        pipeline: the checked pipeline that it was made of (its functions and params).
        shop: what attempts share.
        reused: key → earlier output, of the stages that are reused.
        clock: seconds since the epoch.
        started: the event that begins the run.
        discard: throws away what a failed attempt left on the platform: takes its attempt id.
        keep: keeps what an attempt left there that a gate stopped: takes its attempt id.
        claims: which keys are being computed, by any run.
        made_since: returns the output of a key that was made since the plan was.
    """

    plan: Plan
    pipeline: Pipeline
    shop: Workshop
    reused: Mapping[str, EarlierOutput]
    clock: Callable[[], float]
    started: RunStarted
    discard: Callable[[str], None]
    keep: Callable[[str], None]
    claims: Claims
    made_since: Callable[[str], EarlierOutput | None]


def execute(order: Order) -> Generator[Event]:
    """Execute a plan. Every event is yielded before what follows from it begins, so that it can be recorded first.

    The iterator must be exhausted, or closed: closing it cancels what runs.
    """
    walk = _Walk(order)
    yield order.started
    with order.shop.capture.installed():
        try:
            yield from walk.reuse()
            yield from walk.walk()
        finally:
            walk.cancel_all()
            order.claims.release_all()
    yield RunFinished(
        at=order.clock(),
        run_id=order.shop.run_id,
        status=walk.status,
        seconds=order.clock() - order.started.at,
    )


@dataclass(slots=True)
class _Walk:
    """The state of one execution."""

    order: Order
    planned: dict[str, PlannedStage] = field(init=False)
    stages: dict[str, Stage] = field(init=False)
    schedule: Schedule = field(init=False)
    outputs: dict[str, Mapping[str, Artifact]] = field(default_factory=dict)
    running: dict[str, _Running] = field(default_factory=dict)
    retries: list[tuple[float, str, int]] = field(default_factory=list)
    blocked: dict[str, float] = field(default_factory=dict)
    stopping: bool = False
    stop_reason: str = INTERRUPTION
    failures: set[str] = field(default_factory=set)
    status: RunStatus = "finished"

    def __post_init__(self) -> None:
        self.planned = {stage.name: stage for stage in self.order.plan.stages}
        self.stages = {stage.name: stage for stage in self.order.pipeline.stages}
        self.schedule = Schedule(self.order.plan)

    def reuse(self) -> Iterator[Event]:
        """Take over earlier outputs, and say what the plan leaves out."""
        for stage in self.order.plan.stages:
            if stage.action == "reuse":
                yield self._reused(stage, self.order.reused[stage.key])
            elif stage.action == "skip":
                yield StageSkipped(at=self.order.clock(), stage=stage.name)

    def _reused(self, stage: PlannedStage, earlier: EarlierOutput) -> Event:
        root = self.order.shop.artifacts.parent
        self.outputs[stage.name] = {p: artifact_from_json(a, root) for p, a in earlier.outputs.items()}
        return StageReused(
            at=self.order.clock(),
            stage=stage.name,
            key=stage.key,
            from_run=earlier.run_id,
            outputs=earlier.outputs,
            metrics=earlier.metrics,
        )

    def walk(self) -> Iterator[Event]:
        """Run stages until none is left or the user wants to stop."""
        while True:
            yield from self._start_ready()
            if not self.running and not self.retries and not self.blocked:
                return
            try:
                message = self.order.shop.mailbox.get(timeout=self._patience())
            except queue.Empty:
                yield from self._check_deadlines()
                continue
            match message:
                case Progressed():
                    yield StageProgress(
                        at=self.order.clock(), stage=message.stage, message=message.message, rows=message.rows
                    )
                case Requested():
                    yield RunRequested(
                        at=self.order.clock(), stage=message.stage, overrides=message.overrides, reason=message.reason
                    )
                case Ended():
                    yield from self._ended(message)
                case Measured():
                    yield StageMeasured(
                        at=self.order.clock(), stage=message.stage, step=message.step, metrics=message.metrics
                    )
                case StopAsked():
                    yield from self._stop(message)
                case _:
                    assert_never(message)

    def cancel_all(self) -> None:
        """Cancel what runs; does nothing when all attempts have ended."""
        for running in self.running.values():
            if not running.cancelled:
                running.cancelled = True
                running.attempt.cancel()

    def _start_ready(self) -> Iterator[Event]:
        now = self.order.clock()
        while len(self.running) < self.order.plan.workers and not self.stopping:
            if self.retries and self.retries[0][0] <= now:
                _, name, number = heapq.heappop(self.retries)
                yield from self._start(name, number)
            elif (ready := self._next(now)) is not None:
                yield from self._begin(ready)
            else:
                return

    def _next(self, now: float) -> str | None:
        due = next((name for name, at in self.blocked.items() if at <= now), None)
        return due if due is not None else self.schedule.take()

    def _begin(self, name: str) -> Iterator[Event]:
        """Start a stage, unless another run computes its key now, or has done so since this run was planned."""
        planned = self.planned[name]
        if not self.order.claims.take(planned.key):
            if name not in self.blocked:
                told = f"waits for run {self.order.claims.holder(planned.key)}, which computes it"
                yield StageProgress(at=self.order.clock(), stage=name, message=told)
            self.blocked[name] = self.order.clock() + CLAIM_POLL_S
            return
        self.blocked.pop(name, None)
        made = self.order.made_since(planned.key)
        if made is None:
            yield from self._start(name, 1)
            return
        self.order.claims.release(planned.key)
        yield self._reused(planned, made)
        self.schedule.done(name)

    def _start(self, name: str, number: int) -> Iterator[Event]:
        """Say that an attempt starts, then start it: a kill in between leaves nothing that the record does not know."""
        planned, stage = self.planned[name], self.stages[name]
        attempt_id = new_attempt_id()
        kind = _kind_of_attempt(planned)
        attempt = kind(self.order.shop, stage, planned, self._inputs(stage), attempt_id)
        now = self.order.clock()
        yield StageStarted(at=now, stage=name, step=planned.step, attempt=number, attempt_id=attempt_id)
        deadline = now + planned.timeout_s if planned.timeout_s is not None else float("inf")
        self.running[name] = _Running(attempt, number, now, deadline)
        attempt.start()

    def _inputs(self, stage: Stage) -> dict[str, Any]:
        inputs: dict[str, Any] = {}
        for name, port in stage.spec.inputs.items():
            artifacts = [self.outputs[link.stage][link.port] for link in stage.inputs.get(name, ())]
            if port.many:
                inputs[name] = artifacts
            else:
                inputs[name] = artifacts[0] if artifacts else None
        return inputs

    def _patience(self) -> float | None:
        """Return how long to wait for news before a deadline or a retry is due; None for as long as it takes."""
        due = [running.deadline for running in self.running.values()]
        if len(self.running) < self.order.plan.workers:
            due += [at for at, _, _ in self.retries[:1]]
            due += self.blocked.values()
        nearest = min(due, default=float("inf"))
        return None if nearest == float("inf") else max(0.0, nearest - self.order.clock())

    def _check_deadlines(self) -> Iterator[Event]:
        now = self.order.clock()
        for name, running in list(self.running.items()):
            if now < running.deadline:
                continue
            if not running.cancelled:
                running.cancelled = True
                running.attempt.cancel()
                running.deadline = now + GRACE_S
            else:  # it does not react: go on without it
                yield from self._failed(name, self._gone_reason(name), left_behind=True)

    def _gone_reason(self, name: str) -> BaseException:
        planned = self.planned[name]
        if self.stopping:
            return InterruptedRunError(self.stop_reason)
        return StageTimeoutError(
            f"it ran longer than its timeout of {planned.timeout_s:g} s",
            stage=name,
            step=planned.step,
            plugin=planned.plugin,
            hint=f"raise {name}.timeout_s, or see its log for where it was",
        )

    def _ended(self, message: Ended) -> Iterator[Event]:
        running = self.running.get(message.stage)
        if running is None or running.attempt.attempt_id != message.attempt_id:
            return  # an attempt that was left behind
        if message.outputs is not None and (self.stopping or not running.cancelled):
            yield self._finished(message.stage, message.outputs)
            self.order.claims.release(self.planned[message.stage].key)
            self.schedule.done(message.stage)
            return
        # Outputs that come after the timeout do not count: else it would depend on chance whether it holds.
        error = message.error if message.error is not None else RuntimeError("the attempt ended without a reason")
        if running.cancelled:
            error = self._gone_reason(message.stage)
        retry = self.planned[message.stage].retry
        if is_transient(error) and running.number < retry.attempts and not self.stopping:
            yield self._retry(message.stage, running, error, retry.backoff_s)
        else:
            yield from self._failed(message.stage, error)

    def _finished(self, name: str, outputs: Mapping[str, Artifact]) -> Event:
        running = self.running.pop(name)
        self.outputs[name] = outputs
        now = self.order.clock()
        root = self.order.shop.artifacts.parent
        return StageFinished(
            at=now,
            stage=name,
            key=self.planned[name].key,
            seconds=now - running.began,
            outputs={port: artifact_to_json(artifact, root) for port, artifact in outputs.items()},
            attempt_id=running.attempt.attempt_id,
            metrics=collect_metrics(outputs),
            rows=count_rows(outputs),
        )

    def _retry(self, name: str, running: _Running, error: BaseException, backoff_s: float) -> Event:
        del self.running[name]
        self._discard(running)
        delay = min(backoff_s * 2 ** (running.number - 1), MAX_BACKOFF_S)
        now = self.order.clock()
        heapq.heappush(self.retries, (now + delay, name, running.number + 1))
        return StageRetried(at=now, stage=name, attempt=running.number, error=str(error), delay_s=delay)

    def _failed(self, name: str, error: BaseException, *, left_behind: bool = False) -> Iterator[Event]:
        running = self.running.pop(name)
        gate = isinstance(error, StoppedByGateError)
        interrupted = isinstance(error, InterruptedRunError)
        if gate:  # the rows that it refused are for the user to look at
            self.order.keep(running.attempt.attempt_id)
        elif not left_behind:
            self._discard(running)
        if not self.stopping:
            self.status = "stopped" if gate and self.status in {"finished", "stopped"} else "failed"
        now = self.order.clock()
        yield StageFailed(
            at=now,
            stage=name,
            seconds=now - running.began,
            kind=type(error).__name__,
            message=getattr(error, "message", None) or str(error),
            hint=hint_of(error),
            plugin=self.planned[name].plugin,
            gate=gate,
            interrupted=interrupted,
        )
        if not left_behind:  # else it may still be computing
            self.order.claims.release(self.planned[name].key)
        for lost in self.schedule.failed(name):
            yield StageSkipped(at=now, stage=lost, because=name)

    def _stop(self, asked: StopAsked) -> Iterator[Event]:
        """Cancel what runs and start nothing more; the attempts' ends are awaited for a while."""
        if self.stopping:
            return
        self.stopping = True
        self.status = "pruned" if asked.pruned else "stopped" if asked.reason else "interrupted"
        if asked.reason:
            self.stop_reason = (PRUNED if asked.pruned else STOPPED_BY_GUARD) + asked.reason
        self.cancel_all()
        now = self.order.clock()
        for running in self.running.values():
            running.deadline = now + GRACE_S
        waiting = [name for _, name, _ in self.retries]
        self.retries.clear()
        self.blocked.clear()
        for name in [*waiting, *(n for n in self.schedule.abandon(self.running) if n not in waiting)]:
            yield StageSkipped(at=now, stage=name, because=self.stop_reason)

    def _discard(self, running: _Running) -> None:
        discard_files(running.attempt.directory)
        self.order.discard(running.attempt.attempt_id)


def _kind_of_attempt(planned: PlannedStage) -> type[ThreadAttempt | ProcessAttempt]:
    if planned.runs_in == "thread":
        return ThreadAttempt
    from firnline.run.process import ProcessAttempt  # multiprocessing takes a while to import

    return ProcessAttempt
