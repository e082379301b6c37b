"""A multirun around its jobs: checked and planned before, gone on with; leaderboard, page and exit code after."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from firnline.cli.job import Job, installed
from firnline.domain.wording import count_text, names_text
from firnline.errors import ConfigError, RefusedError, UsageError

if TYPE_CHECKING:
    from firnline.app import Installed
    from firnline.config import Arguments
    from firnline.domain import RunRecord
    from firnline.plan import PlanOptions
    from firnline.record.leaderboard import Leaderboard
    from firnline.sweep import NotStarted, PlannedJob, SweepFacts, SweepFolder

_TOGETHER: Final = 5
OVER_BUDGET: Final = "nothing was spent; leave choices out, or raise the budget"


def plan_multirun(
    project: Path,
    overrides: Sequence[str],
    plugins: Installed,
    options: PlanOptions,
    sweep_id: str | None = None,
) -> tuple[PlannedJob, ...] | None:
    """Check and plan all jobs of a multirun; None if its sweeper decides on them as it goes.

    Raises:
        ConfigError: with all problems of all jobs.
        RefusedError: a guard refuses jobs.
    """
    from firnline.app import all_problems
    from firnline.sweep import plan_jobs

    try:
        return plan_jobs(project, overrides, plugins, options, sweep_id)
    except ConfigError as error:
        if any(problem.jobs for problem in error.problems):
            raise
        # What all jobs have in common may not even compose; the rest is looked at all the same.
        raise all_problems(project, overrides, plugins, error) from error


def start_sweep(project: Path, typed: Arguments, job: Job) -> tuple[SweepFolder, int]:
    """Check all jobs, give the multirun an identity, and run them; returns its folder and the exit code."""
    from firnline.config import compose, first_choices
    from firnline.sweep import SweepFacts

    jobs = _checked(project, typed, job)
    data = compose(project, first_choices(typed.overrides)).data
    facts = SweepFacts(
        sweep_id="",
        started=time.time(),
        overrides=typed.overrides,
        flags=typed.flags,
        jobs=tuple(planned.overrides for planned in jobs) if jobs is not None else None,
        options={"only": job.only, "start": job.start, "no_cache": job.no_cache},
        sweep=data.get("sweep") or {},
    )
    folder = _new_folder(project, data, facts)
    return folder, _run(project, typed, replace(job, sweep_id=folder.path.name), folder, jobs)


def _new_folder(project: Path, data: Mapping[str, Any], facts: SweepFacts) -> SweepFolder:
    """Make the folder of a new multirun; one process may start several in a second."""
    from firnline.sweep import SweepFolder

    stamp = f"{time.strftime('%Y%m%d-%H%M%S', time.localtime(facts.started))}-{os.getpid()}"
    name, count = stamp, 1
    while True:
        folder = SweepFolder.of(project, data, name)
        try:
            folder.create(replace(facts, sweep_id=name))
        except FileExistsError:
            count += 1
            name = f"{stamp}-{count}"
        else:
            return folder


def resume_sweep(project: Path, folder: SweepFolder, job: Job) -> int:
    """Go on with a multirun: the same jobs, of which the finished ones are not run again; returns the exit code.

    Raises:
        UsageError: it is running, or the project's files make other jobs of its overrides now.
    """
    from firnline.config import Arguments
    from firnline.record import is_alive

    if is_alive(folder.path):
        raise UsageError(f"the sweep {folder.path.name} is running", hint="stop it first, or wait for it")
    facts = folder.facts()
    typed = Arguments(overrides=facts.overrides, flags=facts.flags)
    job = replace(job, **facts.options, sweep_id=facts.sweep_id, resumed=True)
    jobs = _checked(project, typed, job)
    if jobs is not None and facts.jobs is not None and tuple(planned.overrides for planned in jobs) != facts.jobs:
        raise UsageError(
            f"the overrides of the sweep {facts.sweep_id} make other jobs now than when it was started",
            hint="start a new sweep; stages that are the same are reused",
        )
    folder.go_on()
    return _run(project, typed, job, folder, jobs)


def _checked(project: Path, typed: Arguments, job: Job) -> tuple[PlannedJob, ...] | None:
    from firnline.plan import PlanOptions
    from firnline.sweep import unite

    if typed.looks_elsewhere:
        return None  # the flag changes where the configuration is found: Hydra alone knows the jobs
    options = PlanOptions(no_cache=job.no_cache, start=job.start, only=job.only)
    jobs = plan_multirun(project, typed.overrides, installed(), options, job.sweep_id)
    refusal = unite(jobs).refusal if jobs is not None else ""
    if refusal:
        raise RefusedError(f"the multirun is refused: {refusal}", hint=OVER_BUDGET)
    return jobs


def _run(project: Path, typed: Arguments, job: Job, folder: SweepFolder, jobs: tuple[PlannedJob, ...] | None) -> int:
    from firnline.app import all_problems
    from firnline.cli.launcher import LocalLaunch
    from firnline.config import launch
    from firnline.record import RunLock
    from firnline.sweep.folder import INTERRUPTED

    if not any(override.startswith("hydra.sweep.dir=") for override in typed.overrides):
        # What Hydra and its sweepers write stays with the sweep, also when it is gone on with.
        own = f"hydra.sweep.dir=${{store.path}}/sweeps/{folder.path.name}/hydra"
        typed = replace(typed, overrides=(*typed.overrides, own))
    lock = RunLock(folder.path)
    try:
        with LocalLaunch(job, folder, jobs, installed(), project) as local:
            launch(project, typed, job, here=local, checked=jobs is not None)
    except ConfigError as error:
        if typed.looks_elsewhere:
            raise
        raise all_problems(project, typed.overrides, installed(), error) from error
    except KeyboardInterrupt:  # between two jobs, or in a launcher that waits for its processes
        folder.stop(INTERRUPTED)
    finally:
        lock.release()
    return _finish(project, folder, job.mode)


def leaderboard(folder: SweepFolder, metric: str | None = None, direction: str | None = None) -> Leaderboard:
    """Return the latest run of each job of a multirun, ranked as its configuration says unless asked otherwise."""
    from firnline.record import Store
    from firnline.record.leaderboard import rank
    from firnline.sweep.runs import latest_runs, without_lost

    facts = folder.facts()
    store = Store(folder.store)
    try:
        records = latest_runs(store, facts.sweep_id)
        if facts.jobs is None:
            records = without_lost(records)
    finally:
        store.close()
    better: Any = direction or _first(facts.sweep.get("direction", "maximize"))
    return rank(records, metric=metric or _first(facts.sweep.get("metric")), direction=better)


def _first(value: Any) -> Any:
    """Return the first of several objectives: a table has one order."""
    return value[0] if isinstance(value, list) else value


def _finish(project: Path, folder: SweepFolder, mode: str) -> int:
    """Show the leaderboard, write the page; 0 if every job finished, 130 if the user stopped it, else 1."""
    from rich.console import Console

    from firnline.cli.render.leaderboard import render_leaderboard
    from firnline.cli.render.text import joined
    from firnline.record.sweep_report import render_sweep
    from firnline.sweep.folder import INTERRUPTED, OUT_OF_BUDGET

    board, not_started, stopped = leaderboard(folder), folder.not_started(), folder.stopped
    if not board.entries and not stopped and not not_started:
        raise UsageError("no job of the multirun could start", hint="the problems are listed above")
    page = folder.path / "sweep.html"
    page.write_text(render_sweep(board, cache=folder.store / "cache"), "utf-8")
    if mode == "auto":
        shown = page.relative_to(project) if page.is_relative_to(project) else page
        Console().print(render_leaderboard(board, report=shown))
    console = Console(stderr=mode != "auto")
    if not_started and mode != "json":
        console.print(joined((f"{count_text(len(not_started), 'job')} without a result", "bold red")))
        for line in _told_together(not_started):
            console.print(joined(line))
    done = (
        not not_started
        and not stopped
        and all(entry.record.status in {"finished", "pruned"} for entry in board.entries)
    )
    if not done and mode != "json":
        if stopped:
            console.print(joined(("stopped: ", "bold"), stopped))
        console.print(joined(("go on with  ", "dim"), (f"firnline sweep resume {folder.path.name}", "bold")))
    guarded = stopped.startswith(OUT_OF_BUDGET) or any(_is_guarded(entry.record) for entry in board.entries)
    return 0 if done else 130 if stopped == INTERRUPTED else 3 if guarded else 1


def _is_guarded(record: RunRecord) -> bool:
    """Whether a guard stopped the run, and no gate."""
    return record.status == "stopped" and not any(stage.gate for stage in record.stages.values())


def _told_together(notes: Sequence[NotStarted]) -> Iterator[str]:
    """Say why jobs have no result; many jobs with one reason are named together."""
    by_message: dict[str, list[NotStarted]] = {}
    for note in notes:
        by_message.setdefault(note.message, []).append(note)
    for message, having in by_message.items():
        if len(having) > _TOGETHER:
            yield f"  {message}\n    jobs {names_text([str(note.job) for note in having], 10)}"
        else:
            yield from (f"  job {note.job}  {' '.join(note.overrides)}\n    {message}" for note in having)
