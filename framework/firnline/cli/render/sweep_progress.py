"""A multirun while it runs: one view of all its jobs, live on a terminal, plain lines elsewhere."""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Self

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from firnline.cli.render.progress import REFRESH_PER_SECOND, finite_json
from firnline.cli.render.text import joined, marked
from firnline.config import Composed
from firnline.domain import Event, Plan, StageFailed, StageFinished, StageReused, StageStarted
from firnline.domain.wording import count_text, credits_text, duration_text, number_text, one_line
from firnline.sweep import JobEnd, JobStatus, SweepPlan

_FURNITURE_LINES = 6
_FINE = frozenset({"finished", "pruned", "skipped", "not started"})
_MARKS: dict[JobStatus, str] = {
    "finished": "finished",
    "failed": "failed",
    "stopped": "stopped",
    "pruned": "skipped",
    "refused": "stopped",
    "invalid": "failed",
    "interrupted": "interrupted",
    "lost": "killed",
    "skipped": "reused",
    "not started": "skipped",
}


@dataclass(slots=True)
class RunningJob:
    """A job that a worker is at: since when, and its stages that run now, newest last."""

    composed: Composed
    since: float
    plan: Plan | None = None
    stages: list[str] = field(default_factory=list)


@dataclass(slots=True)
class SweepProgress:
    """What is known of a multirun so far.

    Attributes:
        plan: the union of its jobs' plans; None if the sweeper decides on them as it goes.
        workers: how many jobs run at once.
        metric: what the best job is told by.
        direction: which end is best.
    """

    plan: SweepPlan | None
    workers: int
    metric: str | None = None
    direction: str = "maximize"
    expected: int = 0
    running: dict[int, RunningJob] = field(default_factory=dict)
    ended: Counter[str] = field(default_factory=Counter)
    best: tuple[float, Composed] | None = None
    seconds: list[float] = field(default_factory=list)
    credits: float = 0.0
    _done_keys: set[str] = field(default_factory=set)

    def apply(self, job: int, event: Event) -> None:
        """Take in an event of a job."""
        running = self.running.get(job)
        if running is None or running.plan is None:
            return
        planned = {stage.name: stage for stage in running.plan.stages}
        match event:
            case StageStarted():
                running.stages.append(event.stage)
            case StageFinished() | StageReused() | StageFailed():
                if event.stage in running.stages:
                    running.stages.remove(event.stage)
                if isinstance(event, StageFinished):
                    self.credits += planned[event.stage].credits or 0.0
                if event.stage in planned:
                    self._done_keys.add(planned[event.stage].key)

    def end(self, composed: Composed, end: JobEnd, now: float) -> None:
        """Take in the end of a job."""
        running = self.running.pop(composed.job or 0, None)
        self.ended[end.status] += 1
        if running is not None and end.status == "finished":
            self.seconds.append(now - running.since)
        value = end.value[0] if isinstance(end.value, tuple) and end.value else end.value
        if not isinstance(value, int | float) or value != value:
            return
        sign = 1 if self.direction == "maximize" else -1
        if self.best is None or sign * value > sign * self.best[0]:
            self.best = (float(value), composed)

    @property
    def done(self) -> int:
        """How many jobs have a result, or had one before."""
        return self.ended["finished"] + self.ended["skipped"]

    @property
    def left(self) -> int:
        """How many jobs have not come to an end."""
        return self.expected - sum(self.ended.values())

    def seconds_left(self) -> float | None:
        """Return the time that is left, from the history of stages, else from the jobs that have finished."""
        if self.left == 0:
            return 0.0
        if self.plan is not None and not self.plan.unknown:
            open_stages = [stage for stage in self.plan.stages if stage.stage.key not in self._done_keys]
            work = sum(stage.seconds[0] for stage in open_stages if stage.seconds is not None)
        elif self.seconds:
            work = self.left * sum(self.seconds) / len(self.seconds)
        else:
            return None
        return work / max(min(self.workers, self.left), 1)


class SweepListener(ABC):
    """Shows a multirun; used as a context manager around it."""

    def __init__(self, progress: SweepProgress, console: Console, clock: Callable[[], float]) -> None:
        self.progress, self.console, self.clock = progress, console, clock

    def __enter__(self) -> Self:
        """Begin to show."""
        return self

    def __exit__(  # noqa: B027 (most listeners have nothing to tidy up)
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """End showing, whatever happened."""

    def expects(self, jobs: Sequence[Composed]) -> None:
        """A batch of jobs begins."""
        self.progress.expected += len(jobs)

    def started(self, composed: Composed) -> None:
        """A worker has begun with a job, perhaps again."""
        self.progress.running[composed.job or 0] = RunningJob(composed=composed, since=self.clock())

    def told(self, job: int, content: Any) -> None:
        """A job tells its plan, or an event."""
        if isinstance(content, Plan):
            self.progress.running[job].plan = content
        else:
            self.progress.apply(job, content)

    def lost(self, job: int, how: str, *, again: bool) -> None:
        """The worker of a job is gone."""
        self.progress.running.pop(job, None)
        if again:
            self.say(
                joined(("job ", "bold"), (job, "bold"), "  ", marked("killed", "lost"), f"  its worker {how}; again")
            )

    def ended(self, composed: Composed, end: JobEnd) -> None:
        """A job has come to its end."""
        self.progress.end(composed, end, self.clock())
        if self.tells(end):
            self.say(_end_line(composed, end))

    def tells(self, end: JobEnd) -> bool:
        """Whether the end of a job is worth a line that stays."""
        return end.status not in _FINE

    @abstractmethod
    def say(self, line: Text) -> None:
        """Write a line that stays."""


class LiveSweep(SweepListener):
    """Keeps the view on the screen; failures go above it and stay."""

    def __init__(self, progress: SweepProgress, console: Console, clock: Callable[[], float]) -> None:
        super().__init__(progress, console, clock)
        self._live = Live(
            console=console,
            get_renderable=lambda: render_sweep_progress(progress, now=clock(), height=console.height),
            refresh_per_second=REFRESH_PER_SECOND,
            vertical_overflow="crop",
        )

    def __enter__(self) -> Self:
        """Start drawing."""
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Draw for the last time."""
        self._live.stop()

    def say(self, line: Text) -> None:
        """Write a line above the view."""
        self._live.console.print(line, soft_wrap=True, highlight=False)


class LineSweep(SweepListener):
    """Writes one line a job, with how many have ended."""

    def tells(self, end: JobEnd) -> bool:
        """Every job is told."""
        return end.status != "not started"

    def say(self, line: Text) -> None:
        """Write the line, with the state of the whole before it."""
        ended = sum(self.progress.ended.values())
        best = f"  best {number_text(self.progress.best[0])}" if self.progress.best else ""
        total = f"{self.progress.expected:,}"
        self.console.file.write(f"{ended:>{len(total)},}/{total}  {line.plain}{best}\n")
        self.console.file.flush()


class QuietSweep(SweepListener):
    """Writes failures only."""

    def say(self, line: Text) -> None:
        """Write the line."""
        self.console.print(line, soft_wrap=True, highlight=False)


class JsonSweep(SweepListener):
    """Writes every event of every job as one line of JSON, with the job's number."""

    def told(self, job: int, content: Any) -> None:
        """Write an event."""
        super().told(job, content)
        if not isinstance(content, Plan):
            self._write({"job": job, **finite_json(content)})

    def lost(self, job: int, how: str, *, again: bool) -> None:
        """Write that a job's worker is gone."""
        super().lost(job, how, again=again)
        self._write({"job": job, "event": "WorkerLost", "how": how, "again": again})

    def say(self, line: Text) -> None:
        """All that it says are events."""

    def _write(self, data: dict[str, Any]) -> None:
        self.console.file.write(json.dumps(data, allow_nan=False) + "\n")
        self.console.file.flush()


def sweep_listener(
    progress: SweepProgress,
    console: Console,
    mode: Literal["auto", "quiet", "json"],
    *,
    clock: Callable[[], float] = time.monotonic,
) -> SweepListener:
    """Return the listener for this console: live on a terminal, plain lines elsewhere, unless ``mode`` says so."""
    if mode == "quiet":
        return QuietSweep(progress, console, clock)
    if mode == "json":
        return JsonSweep(progress, console, clock)
    is_live = console.is_terminal and not console.is_dumb_terminal
    return (LiveSweep if is_live else LineSweep)(progress, console, clock)


def render_sweep_progress(progress: SweepProgress, *, now: float, height: int = 0) -> RenderableType:
    """Return what is best, the jobs that run with their stages, and the counts."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim")
    table.add_column("job", justify="right", no_wrap=True, min_width=4)
    table.add_column("stage", no_wrap=True, overflow="ellipsis", min_width=16, max_width=40)
    table.add_column("time", justify="right", no_wrap=True, min_width=8)
    table.add_column("", no_wrap=True, overflow="ellipsis", style="dim")
    room = max(height - _FURNITURE_LINES, 1) if height else len(progress.running)
    for number, job in sorted(progress.running.items())[:room]:
        stage = ", ".join(job.stages) if job.stages else "planning" if job.plan is None else "…"
        table.add_row(
            str(number), stage, duration_text(now - job.since), one_line(" ".join(job.composed.overrides), 200)
        )
    parts: list[RenderableType] = [table] if progress.running else []
    return Group(*parts, *_best(progress), _counts(progress))


def _best(progress: SweepProgress) -> list[Text]:
    if progress.best is None:
        return []
    value, composed = progress.best
    text = joined(("best  ", "bold"), (f"{progress.metric} = {number_text(value)}", "green"))
    text.append_text(joined((f"  job {composed.job}  {one_line(' '.join(composed.overrides), 200)}", "dim")))
    text.no_wrap, text.overflow = True, "ellipsis"
    return [text]


def _counts(progress: SweepProgress) -> Text:
    failed = sum(number for status, number in progress.ended.items() if status not in _FINE)
    parts = [f"{progress.done:,} of {count_text(progress.expected, 'job')} done", f"{len(progress.running):,} running"]
    text = joined(("; ".join(parts), "bold"))
    if failed:
        text.append_text(joined((f"; {failed:,} failed", "bold red")))
    left = progress.seconds_left()
    if left is not None and progress.left:
        text.append_text(joined(f"; about {duration_text(left)} left"))
    expected = progress.plan.credits if progress.plan is not None else None
    if expected is not None:
        text.append_text(joined(f"; about {credits_text(progress.credits)} of {credits_text(expected[0])} credits"))
    return text


def _end_line(composed: Composed, end: JobEnd) -> Text:
    value = end.value if isinstance(end.value, int | float) else None
    result = f"  {number_text(value)}" if value is not None else ""
    why = f"  {one_line(end.message, 300)}" if end.message else ""
    head = joined(("job ", "bold"), (composed.job, "bold"), "  ", marked(_MARKS[end.status], end.status))
    return joined(head, result, (f"  {' '.join(composed.overrides)}", "dim"), why)
