"""The state of a run as its events tell it, and the table that shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from firnline.cli.render.text import joined, marked, plain
from firnline.domain.event import (
    Event,
    RunFinished,
    RunStarted,
    StageFailed,
    StageFinished,
    StageMeasured,
    StageProgress,
    StageRetried,
    StageReused,
    StageSkipped,
    StageStarted,
)
from firnline.domain.plan import Plan, PlannedStage
from firnline.domain.wording import count_text, credits_text, duration_text, metrics_text, one_line

StageState: TypeAlias = Literal[
    "waiting", "running", "retrying", "finished", "reused", "failed", "stopped", "interrupted", "skipped"
]

_URGENCY: Sequence[StageState] = ("running", "retrying", "failed", "stopped", "interrupted")
_ORDER: Sequence[StageState] = (
    "finished",
    "reused",
    "running",
    "retrying",
    "failed",
    "stopped",
    "interrupted",
    "skipped",
    "waiting",
)
_FURNITURE_LINES = 5
_NOTE_LIMIT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class StageLine:
    """What is known of one stage so far."""

    plan: PlannedStage
    state: StageState = "waiting"
    since: float | None = None
    seconds: float | None = None
    rows: int | None = None
    note: str = ""
    changed: int = 0


class Progress:
    """Takes the events of one run in, in order, and knows the state of every stage."""

    def __init__(self, plan: Plan) -> None:
        self.run_id = ""
        self.started: float | None = None
        self.finished: RunFinished | None = None
        self.lines: dict[str, StageLine] = {stage.name: StageLine(plan=stage) for stage in plan.stages}
        self._count = 0

    def apply(self, event: Event) -> None:
        """Take one event in; events of stages that the plan does not have are ignored."""
        self._count += 1
        match event:
            case RunStarted():
                self.run_id, self.started = event.run_id, event.at
            case RunFinished():
                self.finished = event
            case _:
                stage = getattr(event, "stage", None)
                if stage in self.lines:
                    self.lines[stage] = replace(_after(self.lines[stage], event), changed=self._count)


def _after(line: StageLine, event: Event) -> StageLine:
    match event:
        case StageStarted():
            note = f"attempt {event.attempt}" if event.attempt > 1 else ""
            return replace(line, state="running", since=event.at, note=note)
        case StageProgress():
            return replace(line, rows=line.rows if event.rows is None else event.rows, note=event.message)
        case StageMeasured():
            return replace(line, note=f"step {event.step}: {metrics_text(event.metrics)}")
        case StageRetried():
            return replace(line, state="retrying", note=f"again in {duration_text(event.delay_s)}: {event.error}")
        case StageFinished():
            rows = line.rows if event.rows is None else event.rows
            return replace(line, state="finished", seconds=event.seconds, rows=rows, note="")
        case StageReused():
            return replace(line, state="reused", note=f"from {event.from_run}")
        case StageFailed():
            state: StageState = "interrupted" if event.interrupted else "stopped" if event.gate else "failed"
            return replace(line, state=state, seconds=event.seconds, note=f"{event.kind}: {event.message}")
        case StageSkipped():
            return replace(line, state="skipped", note=event.reason)
        case _:
            return line


def render_progress(progress: Progress, *, now: float, height: int = 0) -> RenderableType:
    """Return the table of stages and a closing line.

    Args:
        progress: the state so far.
        now: seconds since the epoch, for what still runs.
        height: lines of the screen; when the stages do not fit, the most urgent and the latest are shown (0: all).
    """
    shown = _chosen(list(progress.lines.values()), height - _FURNITURE_LINES if height else 0)
    with_credits = any(_credits(line) for line in progress.lines.values())
    with_rows = any(line.rows is not None for line in progress.lines.values())
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim", expand=False)
    # Fixed widths: otherwise a long note squeezes the figures, and the columns dance while the run goes on.
    widest = max((len(line.plan.name) for line in shown), default=5)
    table.add_column("stage", no_wrap=True, overflow="ellipsis", min_width=min(widest, 32), max_width=32)
    table.add_column("state", no_wrap=True, min_width=13)
    table.add_column("time", justify="right", no_wrap=True, min_width=8)
    if with_rows:
        table.add_column("rows", justify="right", no_wrap=True, min_width=10)
    if with_credits:
        table.add_column("~credits", justify="right", no_wrap=True, min_width=8)
    table.add_column("", no_wrap=True, overflow="ellipsis", style="dim")
    for line in shown:
        cells: list[RenderableType] = [plain(line.plan.name), marked(line.state), Text(_time(line, now))]
        if with_rows:
            cells.append(Text(f"{line.rows:,}" if line.rows is not None else ""))
        if with_credits:
            amount = _credits(line)
            cells.append(Text(credits_text(amount) if amount else ""))
        note = Text(one_line(line.note, _NOTE_LIMIT), overflow="ellipsis", no_wrap=True)
        table.add_row(*cells, note)
    parts: list[RenderableType] = [table]
    if hidden := len(progress.lines) - len(shown):
        parts.append(plain(f"… and {count_text(hidden, 'more stage')}", "dim"))
    return Group(*parts, _closing(progress, now))


def _credits(line: StageLine) -> float | None:
    return line.plan.credits if line.plan.action == "run" else None


def _chosen(lines: list[StageLine], room: int) -> list[StageLine]:
    if room <= 0 or len(lines) <= room:
        return lines
    ranked = sorted(lines, key=lambda line: (line.state not in _URGENCY, line.state == "waiting", -line.changed))
    kept = {line.plan.name for line in ranked[: max(room - 1, 1)]}
    return [line for line in lines if line.plan.name in kept]


def _time(line: StageLine, now: float) -> str:
    if line.state in {"running", "retrying"} and line.since is not None:
        return duration_text(max(now - line.since, 0.0))
    return duration_text(line.seconds) if line.seconds is not None else ""


def _closing(progress: Progress, now: float) -> Text:
    counts = Counter(line.state for line in progress.lines.values())
    told = ", ".join(f"{counts[state]:,} {state}" for state in _ORDER if counts[state])
    end = progress.finished.seconds if progress.finished else now - progress.started if progress.started else None
    return joined((progress.run_id, "bold"), (f"  {told}", ""), (f"  {duration_text(end)}", "dim"))
