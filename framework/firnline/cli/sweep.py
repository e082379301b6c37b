"""A multirun around its jobs: checked and planned before; the leaderboard, the page and the exit code after."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from firnline.domain.wording import count_text
from firnline.errors import ConfigError, FirnlineError, UsageError

if TYPE_CHECKING:
    from firnline.app import Installed
    from firnline.config import Composed
    from firnline.plan import PlanOptions
    from firnline.sweep import PlannedJob


@dataclass(frozen=True, slots=True, kw_only=True)
class NotStarted:
    """A job of a multirun that never became a run: its configuration was wrong, or a guard refused it.

    Attributes:
        job: the job's number.
        overrides: what it was asked to do.
        message: why it did not start.
    """

    job: int
    overrides: tuple[str, ...]
    message: str


def plan_multirun(
    project: Path, overrides: Sequence[str], plugins: Installed, options: PlanOptions
) -> tuple[PlannedJob, ...] | None:
    """Check and plan all jobs of a multirun; None if its sweeper decides on them as it goes.

    Raises:
        ConfigError: with all problems of all jobs.
        RefusedError: a guard refuses jobs.
    """
    from firnline.app import all_problems
    from firnline.sweep import plan_jobs

    try:
        return plan_jobs(project, overrides, plugins, options)
    except ConfigError as error:
        if any(problem.jobs for problem in error.problems):
            raise
        # What all jobs have in common may not even compose; the rest is looked at all the same.
        raise all_problems(project, overrides, plugins, error) from error


def note_not_started(composed: Composed, sweep_id: str, error: FirnlineError) -> None:
    """Leave a note for the end of the sweep, which runs in another process than the job may."""
    told = [f"{p.path}: {p.message}" for p in error.problems] if isinstance(error, ConfigError) else [error.message]
    note = NotStarted(job=composed.job or 0, overrides=composed.overrides, message="; ".join(told))
    folder = _folder(composed.project, composed.data, sweep_id) / "not_started"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{note.job}.json").write_text(json.dumps(asdict(note), indent=1), "utf-8")


def finish_sweep(project: Path, overrides: Sequence[str], sweep_id: str, mode: str) -> int:
    """Show the leaderboard of a sweep and write its page; 0 if every job finished, else 1."""
    from rich.console import Console

    from firnline.cli.render.leaderboard import render_leaderboard
    from firnline.cli.render.text import joined
    from firnline.config import compose, first_choices
    from firnline.record import Store, list_runs
    from firnline.record.leaderboard import rank
    from firnline.record.sweep_report import render_sweep

    data = compose(project, first_choices(overrides)).data
    sweep, folder = data.get("sweep") or {}, _folder(project, data, sweep_id)
    store = Store(folder.parents[1])
    try:
        records = sorted(list_runs(store, limit=100_000, sweep_id=sweep_id), key=lambda record: record.job or 0)
        if not records:
            raise UsageError("no job of the multirun could start", hint="the problems are listed above")
        board = rank(records, metric=sweep.get("metric"), direction=sweep.get("direction", "maximize"))
        folder.mkdir(parents=True, exist_ok=True)
        page = folder / "sweep.html"
        page.write_text(render_sweep(board, cache=store.root / "cache"), "utf-8")
    finally:
        store.close()
    not_started = _not_started(folder)
    if mode == "auto":
        shown = page.relative_to(project) if page.is_relative_to(project) else page
        Console().print(render_leaderboard(board, report=shown))
    if not_started and mode != "json":
        console = Console(stderr=mode != "auto")
        console.print(joined((f"{count_text(len(not_started), 'job')} could not start", "bold red")))
        for note in not_started:
            console.print(joined(f"  job {note.job}  {' '.join(note.overrides)}\n    {note.message}"))
    return 0 if not not_started and all(record.status == "finished" for record in records) else 1


def _folder(project: Path, data: Mapping[str, Any], sweep_id: str) -> Path:
    """Return the sweep's folder in the store, wherever the configuration has that."""
    node = data.get("store")
    path = node.get("path") if isinstance(node, Mapping) else None
    return project / str(path or ".firnline") / "sweeps" / sweep_id


def _not_started(folder: Path) -> list[NotStarted]:
    notes = [json.loads(file.read_text("utf-8")) for file in (folder / "not_started").glob("*.json")]
    found = [NotStarted(job=n["job"], overrides=tuple(n["overrides"]), message=n["message"]) for n in notes]
    return sorted(found, key=lambda note: note.job)
