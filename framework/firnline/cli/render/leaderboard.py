"""The jobs of a multirun, best first, in the terminal."""

from __future__ import annotations

from pathlib import Path

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from firnline.cli.render.text import joined, marked, plain
from firnline.domain.wording import count_text, duration_text, number_text, one_line, short_names
from firnline.record.leaderboard import Entry, Leaderboard

METRIC_LIMIT = 4
ERROR_LIMIT = 300


def render_leaderboard(board: Leaderboard, *, report: Path | None = None) -> RenderableType:
    """Return the table of jobs, the jobs that failed with their errors, and where ``sweep.html`` lies.

    Args:
        board: the ranked jobs.
        report: the page of the sweep, as its path should be shown.
    """
    metrics = board.metrics[:METRIC_LIMIT]
    labels = short_names((*board.varied, *metrics))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    table.add_column("#" if board.metric else "", justify="right", no_wrap=True)
    table.add_column("job", justify="right", no_wrap=True)
    for path in board.varied:
        table.add_column(plain(labels[path]), overflow="fold")
    for name in metrics:
        arrow = (" ↑" if board.direction == "maximize" else " ↓") if name == board.metric else ""
        table.add_column(joined((labels[name] + arrow, "bold cyan" if arrow else "")), justify="right", overflow="fold")
    table.add_column("time", justify="right", no_wrap=True)
    table.add_column("status", no_wrap=True)
    for entry in board.entries:
        table.add_row(*_cells(entry, board, metrics), style="bold green" if entry is board.best else "")
    parts: list[RenderableType] = [_heading(board), Text(), table]
    if failures := [entry for entry in board.entries if entry.failed]:
        parts += [Text(), plain(f"{count_text(len(failures), 'job')} did not finish", "bold red")]
        parts += [_failure(entry) for entry in failures]
    if report is not None:
        parts += [Text(), joined(("report  ", "dim"), (str(report), "bold"))]
    return Group(*parts)


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
