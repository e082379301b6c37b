"""``firnline runs``: list, show, compare, resume and save."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from firnline.errors import UsageError

if TYPE_CHECKING:
    from firnline.domain import Plan, RunRecord
    from firnline.record import Store

DEFAULT_STORE: Final = ".firnline"
_EXPERIMENT: Final = re.compile(r"[A-Za-z0-9][\w-]{0,99}")
_TITLE_LIMIT: Final = 200
store_option = click.option(
    "--store", default=DEFAULT_STORE, show_default=True, help="The folder of records, as in store.path."
)


@click.group()
def runs() -> None:
    """List, show, compare, resume and save runs."""


@runs.command("list")
@store_option
@click.option("-n", "--limit", default=20, show_default=True, help="How many, newest first.")
@click.option("--pipeline", help="Only runs of this pipeline.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON Lines.")
def list_command(*, store: str, limit: int, pipeline: str | None, as_json: bool) -> None:
    """List runs, newest first."""
    from rich.console import Console

    from firnline.cli.render.runs import render_runs
    from firnline.record import list_runs

    with opened_store(store) as opened:
        records = list_runs(opened, limit=limit, pipeline=pipeline)
    if as_json:
        for record in records:
            click.echo(json.dumps(asdict(record)))
    else:
        Console().print(render_runs(records))


@runs.command("show")
@store_option
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@click.argument("run_id", default="last")
def show_command(run_id: str, *, store: str, as_json: bool) -> None:
    """Show one run: RUN_ID, the start of one, or `last`."""
    from rich.console import Console

    from firnline.cli.render.runs import render_run
    from firnline.record import find_run, load_run

    with opened_store(store) as opened:
        found = find_run(opened, run_id)
        record, made = load_run(opened, found), _plan(opened, found)
        report = opened.folder(found) / "report.html"
    if as_json:
        click.echo(json.dumps(asdict(record), indent=2))
    else:
        Console().print(render_run(record, made, report=str(report) if report.exists() else ""))


@runs.command("compare")
@store_option
@click.option("--only-differences", is_flag=True, help="Leave out what all runs agree in.")
@click.argument("run_ids", nargs=-1, required=True)
def compare_command(run_ids: tuple[str, ...], *, store: str, only_differences: bool) -> None:
    """Show params, metrics, time and credits of runs side by side."""
    from rich.console import Console

    from firnline.cli.render.runs import ComparedRun, render_comparison
    from firnline.record import find_run, load_environment, load_run

    if len(run_ids) < 2:
        raise UsageError("compare takes two or more runs", hint="`firnline runs list` shows their ids")
    with opened_store(store) as opened:
        found = [find_run(opened, run_id) for run_id in run_ids]
        compared = [
            ComparedRun(
                record=load_run(opened, one), plan=_plan(opened, one), environment=load_environment(opened, one)
            )
            for one in found
        ]
    Console().print(render_comparison(compared, only_differences=only_differences))


@runs.command("resume")
@store_option
@click.option("-q", "--quiet", is_flag=True, help="Show failures only.")
@click.option("--json", "as_json", is_flag=True, help="Write events as JSON Lines.")
@click.argument("run_id", default="last")
def resume_command(run_id: str, *, store: str, quiet: bool, as_json: bool) -> int:
    """Go on with a run: the same configuration and options again, finished stages reused."""
    from firnline.cli.job import Job
    from firnline.config import read_composed
    from firnline.record import find_run, load_run

    with opened_store(store) as opened:
        found = find_run(opened, run_id)
        record, folder, made = load_run(opened, found), opened.folder(found), _plan(opened, found)
    if record.status == "running":
        raise UsageError(f"run {found} is running (process {record.pid})", hint="stop it first, or wait for it")
    composed = read_composed(Path.cwd(), folder)
    only, anew = _left_to_do(folder, record, made)
    return Job(
        mode="json" if as_json else "quiet" if quiet else "auto",
        only=only,
        anew=anew,
        reason=record.reason,
        requested_by=record.requested_by,
    ).run(composed)


@runs.command("save")
@store_option
@click.option("--force", is_flag=True, help="Overwrite an experiment of this name.")
@click.argument("run_id")
@click.argument("name")
def save_command(run_id: str, name: str, *, store: str, force: bool) -> None:
    """Write the choices of a run as conf/experiment/NAME.yaml, for +experiment=NAME."""
    from firnline.config import experiment_of, read_composed
    from firnline.domain.wording import one_line
    from firnline.record import find_run, load_run

    project = Path.cwd()
    if not _EXPERIMENT.fullmatch(name):
        raise UsageError(f"{name!r} is no name of an experiment", hint="take letters, digits, _ and -")
    target = project / "conf" / "experiment" / f"{name}.yaml"
    if target.exists() and not force:
        raise UsageError(f"{_shown(target)} exists already", hint="choose another name, or overwrite it with --force")
    with opened_store(store) as opened:
        found = find_run(opened, run_id)
        record, folder = load_run(opened, found), opened.folder(found)
    asked = one_line(" ".join(record.overrides), _TITLE_LIMIT)
    title = f"What run {found} of {one_line(record.pipeline)} was asked for" + (f": {asked}" if asked else "")
    made = experiment_of(project, read_composed(project, folder), title)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{name}.{os.getpid()}")
    part.write_text(made.text, "utf-8")
    part.replace(target)
    click.echo(f"{_shown(target)} is written. Try: firnline plan {made.override}{name}")
    if not made.follows:
        click.echo(
            "The files in conf/ have changed since the run; where it matters, what they said then is written out."
        )


def _shown(path: Path) -> Path:
    return path.relative_to(Path.cwd())


def _left_to_do(folder: Path, record: RunRecord, made: Plan | None) -> tuple[str | None, frozenset[str]]:
    """Return what ``--only``, ``--from`` and ``--no-cache`` of a run still ask for: (only, stages to run anew)."""
    options = json.loads((folder / "overrides.json").read_text("utf-8")).get("options", {})
    asked = set(options.get("anew", ()))
    if made is not None and (options.get("start") or options.get("no_cache")):
        asked |= {stage.name for stage in made.stages if stage.action == "run"}
    done = {stage.name for stage in record.stages.values() if stage.status == "finished"}
    return options.get("only"), frozenset(asked - done)


@contextmanager
def opened_store(path: str) -> Iterator[Store]:
    """Open a store that exists.

    Raises:
        UsageError: there is none: nothing ran here yet, or this is another folder.
    """
    from firnline.record import Store

    root = (Path.cwd() / path).resolve()
    if not root.is_dir():
        raise UsageError(f"{root} does not exist: nothing ran in this project yet", hint="go to the project's folder")
    store = Store(root)
    try:
        yield store
    finally:
        store.close()


def _plan(store: Store, run_id: str) -> Plan | None:
    from firnline.record import load_plan

    try:
        return load_plan(store, run_id)
    except UsageError:
        return None  # another version wrote it: the record itself can still be shown
