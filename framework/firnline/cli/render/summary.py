"""The last lines of a run: what came out, what failed, what was skipped because of it, and how to go on."""

from __future__ import annotations

import shlex
from collections import Counter
from pathlib import Path

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from firnline.cli.render.text import joined, marked, plain
from firnline.domain.record import RunRecord, StageRecord
from firnline.domain.wording import count_text, duration_text, names_text, number_text

METRIC_LIMIT = 16
_ORDER = ("finished", "reused", "failed", "stopped", "interrupted", "skipped", "running")


def render_summary(record: RunRecord, *, report: Path | None = None, more_metrics: bool = False) -> RenderableType:
    """Return the end of a run.

    Args:
        record: the run's record.
        report: where ``report.html`` lies, as it should be shown.
        more_metrics: show all metrics, not only the first :data:`METRIC_LIMIT`.
    """
    counts = Counter(stage.state for stage in record.stages.values())
    told = ", ".join(f"{counts[status]:,} {status}" for status in _ORDER if counts[status])
    head = joined(marked(record.status), (f"  {record.pipeline}", "bold"), f"  {record.run_id}")
    head.append_text(joined((f"  {duration_text(record.seconds)}", "dim")))
    stages = count_text(len(record.stages), "stage")
    parts: list[RenderableType] = [head, plain(f"{stages}: {told}." if told else f"{stages}.", "dim")]
    for stage in record.stages.values():
        if stage.status == "failed" and not stage.interrupted:
            parts += [Text(), _failure(record, stage)]
    if record.metrics:
        parts += [Text(), _metrics(record, len(record.metrics) if more_metrics else METRIC_LIMIT)]
    if follow := render_next_steps(record, report):
        parts += [Text(), follow]
    return Group(*parts)


def resume_command(record: RunRecord) -> str | None:
    """Return the command that goes on with an unfinished run; None if there is nothing to go on with."""
    if record.status in {"finished", "running"}:
        return None
    return f"firnline runs resume {shlex.quote(record.run_id)}"


def _failure(record: RunRecord, stage: StageRecord) -> RenderableType:
    lines: list[RenderableType] = [
        joined(
            marked(stage.state, stage.name),
            (f"  {stage.step}" if stage.step else "", "dim"),
            (f"  after {duration_text(stage.seconds)}" if stage.seconds is not None else "", "dim"),
            (f", attempt {stage.attempts}" if stage.attempts > 1 else "", "dim"),
        ),
        Padding(plain(stage.error or "no message"), (0, 0, 0, 2)),
    ]
    if stage.hint:
        lines.append(Padding(joined(("hint: ", "bold cyan"), stage.hint), (0, 0, 0, 2)))
    if skipped := [other.name for other in record.stages.values() if other.because == stage.name]:
        lines.append(Padding(plain(f"skipped because of it: {names_text(skipped, limit=12)}", "dim"), (0, 0, 0, 2)))
    return Group(*lines)


def _metrics(record: RunRecord, limit: int) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(overflow="fold")
    grid.add_column(justify="right", no_wrap=True)
    for name, value in _latest_first(record)[:limit]:
        grid.add_row(plain(name), Text(number_text(value), style="bold"))
    hidden = len(record.metrics) - limit
    rest = [plain(f"… and {count_text(hidden, 'more metric')} in the report", "dim")] if hidden > 0 else []
    return Group(grid, *rest)


def _latest_first(record: RunRecord) -> list[tuple[str, float]]:
    """Return the metrics, those of the last stages on top: there stands how good the model is."""
    place = {stage: number for number, stage in enumerate(record.stages)}
    return sorted(record.metrics.items(), key=lambda item: -place.get(item[0].partition(".")[0], 0))


def render_next_steps(record: RunRecord, report: Path | None) -> RenderableType | None:
    """Return the command to go on with and where the report is; None if there is neither."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, style="dim")
    grid.add_column(overflow="fold")
    if command := resume_command(record):
        grid.add_row("go on", plain(command, "bold cyan"))
    if report is not None:
        grid.add_row("report", plain(report, "bold"))
    return grid if grid.row_count else None
