"""``firnline sweep``: list, show and resume multiruns."""

from __future__ import annotations

import csv
import io
import json
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from firnline.cli.job import Job
from firnline.cli.runs import store_option
from firnline.errors import UsageError

if TYPE_CHECKING:
    from firnline.record.leaderboard import Entry, Leaderboard
    from firnline.sweep import SweepFolder

_FILTER: Final = re.compile(r"\s*([\w./@\[\]-]+)\s*(<=|>=|!=|=|<|>)\s*(.*?)\s*")
_COMPARISONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "!=": operator.ne,
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}


@click.group()
def sweep() -> None:
    """List, show and resume multiruns."""


@sweep.command("list")
@store_option
@click.option("--json", "as_json", is_flag=True, help="Write JSON Lines.")
def list_command(*, store: str, as_json: bool) -> None:
    """List sweeps, newest first."""
    from rich.console import Console

    from firnline.cli.render.sweeps import render_sweeps

    rows = [_summary(folder) for folder in _sweeps(store)]
    if as_json:
        for row in rows:
            click.echo(json.dumps(row))
    else:
        Console().print(render_sweeps(rows))


@sweep.command("show")
@store_option
@click.option("--sort", metavar="METRIC", help="Rank by STAGE.METRIC instead of sweep.metric.")
@click.option("--direction", type=click.Choice(["maximize", "minimize"]), help="Which end is best.")
@click.option(
    "--filter", "filters", multiple=True, metavar="TERM", help="Keep jobs for which NAME=VALUE (!= < <= > >=)."
)
@click.option("--csv", "as_csv", is_flag=True, help="Write CSV.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@click.argument("sweep_id", default="last")
def show_command(
    sweep_id: str,
    *,
    store: str,
    sort: str | None,
    direction: str | None,
    filters: tuple[str, ...],
    as_csv: bool,
    as_json: bool,
) -> None:
    """Show the leaderboard of one sweep: SWEEP_ID, the start of one, or `last`."""
    from rich.console import Console

    from firnline.cli.render.leaderboard import render_leaderboard
    from firnline.cli.sweep import leaderboard
    from firnline.sweep import find_sweep

    if as_csv and as_json:
        raise UsageError("--csv and --json exclude each other", hint="give one of them")
    folder = find_sweep(_root(store), sweep_id)
    board = leaderboard(folder, sort, direction)
    if sort is not None and board.metric is None:
        raise UsageError(f"--sort {sort}: {board.note}", hint=f"the metrics are {', '.join(board.metrics) or 'none'}")
    board = replace(board, entries=_kept(board, filters))
    if as_json:
        click.echo(json.dumps([_row(entry, board) for entry in board.entries], indent=2))
    elif as_csv:
        click.echo(_csv(board), nl=False)
    else:
        page = folder.path / "sweep.html"
        Console().print(render_leaderboard(board, report=page if page.exists() else None))


@sweep.command("resume")
@store_option
@click.option("-q", "--quiet", is_flag=True, help="Show failures only.")
@click.option("--json", "as_json", is_flag=True, help="Write events as JSON Lines.")
@click.argument("sweep_id", default="last")
def resume_command(sweep_id: str, *, store: str, quiet: bool, as_json: bool) -> int:
    """Go on with a sweep: jobs that finished stay as they are, all others run; finished stages are reused."""
    from firnline.cli.sweep import resume_sweep
    from firnline.sweep import find_sweep

    job = Job(mode="json" if as_json else "quiet" if quiet else "auto")
    return resume_sweep(Path.cwd(), find_sweep(_root(store), sweep_id), job)


def _root(store: str) -> Path:
    root = (Path.cwd() / store).resolve()
    if not root.is_dir():
        raise UsageError(f"{root} does not exist: nothing ran in this project yet", hint="go to the project's folder")
    return root


def _sweeps(store: str) -> list[SweepFolder]:
    from firnline.sweep import find_sweeps

    return find_sweeps(_root(store))


def _summary(folder: SweepFolder) -> dict[str, Any]:
    from firnline.cli.sweep import leaderboard
    from firnline.record import is_alive

    facts, board = folder.facts(), leaderboard(folder)
    statuses = [entry.record.status for entry in board.entries]
    asked = len(facts.jobs) if facts.jobs is not None else None
    finished = sum(status in {"finished", "pruned"} for status in statuses)  # what a search ends early is done too
    status = "running" if is_alive(folder.path) else "finished" if finished == (asked or len(statuses)) else "stopped"
    return {
        "sweep_id": facts.sweep_id,
        "started": facts.started,
        "status": status,
        "jobs": asked,
        "finished": finished,
        "failed": sum(entry.failed for entry in board.entries) + len(folder.not_started()),
        "metric": board.metric,
        "best": board.best.value if board.best is not None else None,
        "overrides": list(facts.overrides),
    }


def _row(entry: Entry, board: Leaderboard) -> dict[str, Any]:
    record = entry.record
    facts = {"rank": entry.rank, "job": record.job, "run_id": record.run_id, "status": record.status}
    choices = {path: entry.choices.get(path) for path in board.varied}
    metrics = {name: record.metrics.get(name) for name in board.metrics}
    return {**facts, "seconds": record.seconds, **choices, **metrics}


def _csv(board: Leaderboard) -> str:
    names = ["rank", "job", "run_id", "status", "seconds", *board.varied, *board.metrics]
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_row(entry, board) for entry in board.entries)
    return text.getvalue()


def _kept(board: Leaderboard, filters: tuple[str, ...]) -> tuple[Entry, ...]:
    rows = [(entry, _row(entry, board)) for entry in board.entries]
    for term in filters:
        found = _FILTER.fullmatch(term)
        known = ["rank", "job", "run_id", "status", "seconds", *board.varied, *board.metrics]
        if found is None or found[1] not in known:
            raise UsageError(
                f"--filter {term!r} is no comparison with something that the jobs have",
                hint=f"write NAME=VALUE, also with != < <= > >=; names are {', '.join(known)}",
            )
        name, sign, wanted = found.groups()
        rows = [(entry, row) for entry, row in rows if _matches(row[name], sign, wanted)]
    return tuple(entry for entry, _ in rows)


def _matches(value: Any, sign: str, wanted: str) -> bool:
    """Compare as numbers where both are, else as text; what a job does not have equals nothing."""
    if value is None:
        return sign == "!="
    try:
        return _COMPARISONS[sign](float(value), float(wanted))
    except ValueError:
        return _COMPARISONS[sign](str(value), wanted)
