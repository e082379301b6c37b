"""The jobs of a multirun, best first, in the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from firnline.cli.render.text import Fitted, joined, marked, plain
from firnline.domain.wording import count_text, duration_text, number_text, one_line, short_names
from firnline.record.leaderboard import Entry, Leaderboard

NUMBER_WIDTH = 7
CHOICE_WIDTH = 20
FIXED_WIDTH = 36  # rank, job, time and status
METRIC_LIMIT = 4
ERROR_LIMIT = 300


def render_leaderboard(board: Leaderboard, *, report: Path | None = None) -> RenderableType:
    """Return the table of jobs, the jobs that failed with their errors, and where ``sweep.html`` lies.

    Args:
        board: the ranked jobs.
        report: the page of the sweep, as its path should be shown.
    """
    parts: list[RenderableType] = [_heading(board), Text(), Fitted(lambda width: _table(board, width))]
    if failures := [entry for entry in board.entries if entry.failed]:
        parts += [Text(), plain(f"{count_text(len(failures), 'job')} did not finish", "bold red")]
        parts += [_failure(entry) for entry in failures]
    if report is not None:
        parts += [Text(), joined(("report  ", "dim"), (str(report), "bold"))]
    return Group(*parts)


def _table(board: Leaderboard, width: int) -> RenderableType:
    labels = short_names((*board.varied, *board.metrics[:METRIC_LIMIT]))
    metrics = _fitting(board, labels, width)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    table.add_column("#" if board.metric else "", justify="right", no_wrap=True)
    table.add_column("job", justify="right", no_wrap=True)
    for path in board.varied:
        table.add_column(plain(labels[path]), overflow="fold")
    for name in metrics:
        arrow = (" ↑" if board.direction == "maximize" else " ↓") if name == board.metric else ""
        head = joined((labels[name] + arrow, "bold cyan" if arrow else ""))
        table.add_column(head, justify="right", overflow="fold", min_width=NUMBER_WIDTH)
    table.add_column("time", justify="right", no_wrap=True)
    table.add_column("status", no_wrap=True)
    for entry in board.entries:
        table.add_row(*_cells(entry, board, metrics), style="bold green" if entry is board.best else "")
    hidden = len(board.metrics) - len(metrics)
    return Group(table, plain(f"… and {count_text(hidden, 'more metric')} in the report", "dim")) if hidden else table


def _fitting(board: Leaderboard, labels: Mapping[str, str], width: int) -> tuple[str, ...]:
    """Return as many metrics as the terminal has room for; the first, by which jobs are ranked, in any case."""
    room = width - FIXED_WIDTH
    for path in board.varied:
        longest = max((len(entry.choices.get(path, "–")) for entry in board.entries), default=1)
        room -= min(max(longest, len(labels[path])), CHOICE_WIDTH) + 3
    shown: list[str] = []
    for name in board.metrics[:METRIC_LIMIT]:
        room -= max(NUMBER_WIDTH, min(len(labels[name]) + 2, CHOICE_WIDTH)) + 3
        if shown and room < 0:
            break
        shown.append(name)
    return tuple(shown)


def _heading(board: Leaderboard) -> Text:
    text = joined((count_text(len(board.entries), "job"), "bold"))
    if board.metric:
        better = "higher" if board.direction == "maximize" else "lower"
        text.append_text(joined((f" ranked by {board.metric} ({better} is better)", "")))
    elif board.note:
        text.append_text(joined((f", not ranked: {board.note}", "dim")))
    if board.shared:
        text.append_text(joined((f"\nall with {' '.join(board.shared)}", "dim")))
    return text


def _cells(entry: Entry, board: Leaderboard, metrics: tuple[str, ...]) -> list[RenderableType]:
    record = entry.record
    cells: list[RenderableType] = [
        Text(str(entry.rank) if entry.rank is not None else "–" if board.metric else ""),
        Text(str(record.job) if record.job is not None else "–"),
    ]
    cells += [plain(entry.choices.get(path, "–")) for path in board.varied]
    cells += [Text(number_text(record.metrics[name]) if name in record.metrics else "–") for name in metrics]
    return [*cells, Text(duration_text(record.seconds)), marked(record.status)]


def _failure(entry: Entry) -> RenderableType:
    record = entry.record
    failed = [stage for stage in record.stages.values() if stage.status == "failed"]
    job = f"job {record.job}" if record.job is not None else record.run_id
    lines: list[RenderableType] = [joined(marked(record.status, job), (f"  {record.run_id}", "dim"))]
    lines += [
        Padding(joined((f"{stage.name}: ", "bold"), one_line(stage.error or "no message", ERROR_LIMIT)), (0, 0, 0, 2))
        for stage in failed
    ]
    return Group(*lines)
