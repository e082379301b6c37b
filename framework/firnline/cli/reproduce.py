"""``firnline run --from-run``: make a run again from its record, say what is not as it was, and compare the results."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from firnline.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from firnline.cli.job import Job
    from firnline.domain import Plan, RunRecord
    from firnline.record import Store
    from firnline.record.reproduction import Change


def reproduce(project: Path, reference: str, typed: Sequence[str], job: Job, tolerance: float) -> int:
    """Make a run again; returns its exit code, or 1 if it gives other results.

    Raises:
        UsageError: there is no such run, it is not over, or overrides are given.
    """
    from rich.console import Console

    from firnline.cli.job import shown_path
    from firnline.cli.render.reproduction import render_changes, render_results
    from firnline.cli.render.summary import render_summary
    from firnline.config import read_composed
    from firnline.record import Store, load_run
    from firnline.record import reproduction as again

    if typed:
        raise UsageError(
            f"--from-run takes the configuration as it was, so it goes with no {' '.join(typed)}",
            hint=f"save it first: firnline runs save {reference} NAME, then firnline run +experiment=NAME {typed[0]}",
        )
    root, run_id = _find(project, reference)
    store = Store(root)
    try:
        then, made = load_run(store, run_id), _plan(store, run_id)
        before, folder = _environment(root / "runs" / run_id), store.folder(run_id)
    finally:
        store.close()
    if then.status == "running":
        raise UsageError(f"run {run_id} is running (process {then.pid})", hint="wait for it, or stop it")
    console = Console(quiet=job.mode != "auto")
    changes: list[Change] = []

    def announce(plan: Plan) -> None:
        if made is None:
            console.print("The plan of the run was written by another version: what has changed cannot be told.")
            return
        changes.extend(again.changes_of_plan(made, plan))
        console.print(
            render_changes(
                changes,
                nothing=f"code, params and sources of all stages are as they were in run {run_id}",
                heading=f"not as it was in run {run_id}",
            )
        )

    only = job.only if job.only or job.start else _only(folder)
    job = replace(job, only=only, reason=job.reason or f"reproduces {run_id}", announce=announce)
    outcome = job.execute(read_composed(project, folder))
    if job.mode == "auto":
        console.print(render_summary(outcome.record, report=shown_path(outcome.report, project)))
    after = again.changes_of_environment(before, _environment(outcome.folder))
    console.print(render_changes(after, nothing="the environment is as it was", heading="the environment differs"))
    compared = again.results(then, outcome.record, tolerance)
    agrees, said = again.verdict(then, outcome.record, compared)
    if job.mode == "json":
        click.echo(json.dumps(again.as_json(run_id, (*changes, *after), compared, (agrees, said))))
    else:
        shown = Console(stderr=True) if job.mode == "quiet" and not agrees else console
        shown.print(render_results(run_id, compared, agrees=agrees, verdict=said))
    _tell_requests(outcome.record, console.print)
    return outcome.exit_code or int(not agrees)


def _find(project: Path, reference: str) -> tuple[Path, str]:
    """Return the store and the id of the run that is meant by its folder, its id, the start of its id, or ``last``."""
    from firnline.cli.runs import DEFAULT_STORE
    from firnline.config import compose
    from firnline.record import Store, find_run

    folder = (project / reference).resolve()
    if (folder / "overrides.json").is_file():
        return folder.parents[1], folder.name
    try:
        root = project / str((compose(project, []).data.get("store") or {}).get("path") or DEFAULT_STORE)
    except ConfigError:  # a record does not need the files that are there now
        root = project / DEFAULT_STORE
    if not root.is_dir():
        raise UsageError(f"{root} does not exist: nothing ran in this project yet", hint="go to the project's folder")
    store = Store(root)
    try:
        return root, find_run(store, reference)
    finally:
        store.close()


def _plan(store: Store, run_id: str) -> Plan | None:
    from firnline.record import load_plan

    try:
        return load_plan(store, run_id)
    except UsageError:
        return None


def _environment(folder: Path) -> dict[str, str]:
    path = folder / "environment.json"
    return dict(json.loads(path.read_text("utf-8"))) if path.exists() else {}


def _only(folder: Path) -> str | None:
    """Return the stage that the run was limited to with ``--only``."""
    options = json.loads((folder / "overrides.json").read_text("utf-8")).get("options", {})
    only: str | None = options.get("only")
    return only


def _tell_requests(record: RunRecord, tell: Callable[[str], None]) -> None:
    for request in record.requests:
        tell(f"{request.stage} asks for a run, which a reproduction does not start")
