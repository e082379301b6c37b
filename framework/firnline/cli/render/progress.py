"""A run while it runs: every event goes to one of four listeners, and each shows it in its own way."""

from __future__ import annotations

import json
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from firnline.cli.render.progress_state import Progress, render_progress
from firnline.cli.render.text import joined, marked, plain
from firnline.domain.event import (
    Event,
    ObserverFailed,
    RunFinished,
    RunRequested,
    RunStarted,
    StageFailed,
    StageFinished,
    StageMeasured,
    StageProgress,
    StageRetried,
    StageReused,
    StageSkipped,
    StageStarted,
    event_to_json,
)
from firnline.domain.plan import Plan
from firnline.domain.wording import count_text, duration_text, metrics_text

ProgressMode: TypeAlias = Literal["auto", "live", "lines", "quiet", "json"]

REFRESH_PER_SECOND = 8
LINE_INTERVAL_S = 5.0


class Listener(ABC):
    """Shows the events of one run; used as a context manager around it. Called from one thread at a time."""

    @abstractmethod
    def __call__(self, event: Event) -> None:
        """Show one event."""

    def __enter__(self) -> Self:
        """Begin to show."""
        return self

    def __exit__(  # noqa: B027 (most listeners have nothing to tidy up)
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """End showing, whatever happened."""


def progress_listener(
    plan: Plan, console: Console, mode: ProgressMode = "auto", *, clock: Callable[[], float] = time.time
) -> Listener:
    """Return the listener for this console: live on a terminal, plain lines elsewhere, unless ``mode`` says so.

    Args:
        plan: what the run will do.
        console: where to write; for ``json`` events go to ``console.file`` as JSON Lines, unwrapped.
        mode: ``quiet`` shows failures only.
        clock: seconds since the epoch, for the time of stages that still run.
    """
    if mode == "auto":
        mode = "live" if console.is_terminal and not console.is_dumb_terminal else "lines"
    match mode:
        case "live":
            return LiveProgress(plan, console, clock)
        case "lines":
            return LineProgress(plan, console)
        case "quiet":
            return QuietProgress(console)
        case "json":
            return JsonProgress(console)


class LiveProgress(Listener):
    """Keeps a table of the stages on the screen and redraws it several times a second."""

    def __init__(self, plan: Plan, console: Console, clock: Callable[[], float]) -> None:
        self._progress = Progress(plan)
        self._console = console
        self._clock = clock
        self._live = Live(
            console=console,
            get_renderable=self._render,
            refresh_per_second=REFRESH_PER_SECOND,
            vertical_overflow="crop",
        )

    def __call__(self, event: Event) -> None:
        """Take one event in; what must not be missed goes above the table and stays there."""
        self._progress.apply(event)
        if isinstance(event, StageRetried | StageFailed | RunRequested | ObserverFailed):
            self._live.console.print(_line(event))
        if isinstance(event, RunFinished):
            self._live.refresh()

    def __enter__(self) -> Self:
        """Start drawing."""
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Draw for the last time, all stages if they fit on the screen."""
        self._live.stop()

    def _render(self) -> RenderableType:
        return render_progress(self._progress, now=self._clock(), height=self._console.height)


class LineProgress(Listener):
    """Writes one line an event, for logs and pipes."""

    def __init__(self, plan: Plan, console: Console) -> None:
        self._console = console
        self._started: float | None = None
        self._total = len(plan.stages)
        self._done = 0
        self._width = min(max((len(stage.name) for stage in plan.stages), default=0), 32)
        self._told: dict[str, float] = {}

    def __call__(self, event: Event) -> None:
        """Write the event; a stage's progress at most every five seconds."""
        if self._started is None:
            self._started = event.at
        if isinstance(event, StageProgress):
            if event.at - self._told.get(event.stage, -math.inf) < LINE_INTERVAL_S:
                return
            self._told[event.stage] = event.at
        if isinstance(event, StageFinished | StageReused | StageFailed | StageSkipped):
            self._done += 1
        share = f"{self._done:>{len(str(self._total))}}/{self._total}"
        head = (f"{event.at - self._started:>8.1f} s  {share}  ", "dim")
        line = joined(head, _line(event, self._width))
        if self._console.is_terminal:
            self._console.print(line, soft_wrap=True, highlight=False)
        else:  # the same text at a tenth of the cost
            self._console.file.write(line.plain + "\n")
            self._console.file.flush()


class QuietProgress(Listener):
    """Writes failures only."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def __call__(self, event: Event) -> None:
        """Write the event if something went wrong for good."""
        if isinstance(event, StageFailed | ObserverFailed):
            self._console.print(_line(event), soft_wrap=True, highlight=False)


class JsonProgress(Listener):
    """Writes every event as one line of JSON."""

    def __init__(self, console: Console) -> None:
        self._file = console.file

    def __call__(self, event: Event) -> None:
        """Write the event; numbers that JSON does not have (NaN, infinity) become null."""
        self._file.write(json.dumps(finite_json(event), allow_nan=False) + "\n")
        self._file.flush()


def finite_json(event: Event) -> dict[str, Any]:
    """Return an event as JSON data; numbers that JSON does not have (NaN, infinity) become null."""
    data: dict[str, Any] = _finite(event_to_json(event))
    return data


def _finite(value: Any) -> Any:
    match value:
        case float() if not math.isfinite(value):
            return None
        case dict():
            return {str(name): _finite(item) for name, item in value.items()}
        case list() | tuple():
            return [_finite(item) for item in value]
        case _:
            return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def _line(event: Event, width: int = 0) -> Text:
    def about(stage: str, state: str, *parts: object, label: str | None = None) -> Text:
        words = "".join(f"  {part}" for part in parts if part)
        return joined((f"{stage:<{width}}  ", "bold"), marked(state, label), words.replace("\n", "\n    "))

    match event:
        case RunStarted():
            job = f", job {event.job}" if event.job is not None else ""
            return joined(("run started", "bold"), f"  {event.run_id} ({event.pipeline} on {event.platform}{job})")
        case StageStarted():
            again = f"attempt {event.attempt}" if event.attempt > 1 else ""
            return about(event.stage, "running", event.step, again, label="started")
        case StageProgress():
            return about(event.stage, "running", event.message, _rows(event.rows))
        case StageMeasured():
            return about(event.stage, "running", f"step {event.step}", metrics_text(event.metrics), label="measured")
        case StageRetried():
            delay = f"again in {duration_text(event.delay_s)}"
            return about(event.stage, "retrying", f"attempt {event.attempt} ended: {event.error}; {delay}")
        case StageFinished():
            return about(event.stage, "finished", duration_text(event.seconds), _rows(event.rows))
        case StageReused():
            return about(event.stage, "reused", f"from {event.from_run}")
        case StageFailed():
            state = "interrupted" if event.interrupted else "stopped" if event.gate else "failed"
            hint = f"\nhint: {event.hint}" if event.hint else ""
            return about(event.stage, state, duration_text(event.seconds), f"{event.kind}: {event.message}{hint}")
        case StageSkipped():
            return about(event.stage, "skipped", f"because {event.reason}" if event.because else event.reason)
        case RunRequested():
            return about(event.stage, "running", f"{' '.join(event.overrides)}: {event.reason}", label="asks for a run")
        case ObserverFailed():
            again = ", it is not called again" if event.hook.startswith("firnline_") else ""
            return plain(f"{event.plugin}: {event.hook} failed{again}: {event.message}", "yellow")
        case RunFinished():
            return joined(("run ", "bold"), marked(event.status), f"  {duration_text(event.seconds)}")


def _rows(rows: int | None) -> str:
    return count_text(rows, "row") if rows is not None else ""
