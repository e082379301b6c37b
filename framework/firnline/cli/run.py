"""``firnline run``: a Hydra application whose job is to run a pipeline."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import click

from firnline.errors import ConfigError, FirnlineError, UsageError

if TYPE_CHECKING:
    from firnline.app import Installed, Outcome
    from firnline.config import Composed

Mode = Literal["auto", "quiet", "json"]


_FLAGS: Final = ("--json", "--quiet", "--only", "--from", "--no-cache")


def reuse_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say what to reuse; shared by ``run`` and ``plan``."""
    for option in (
        click.option("--only", metavar="STAGE", help="Run this stage alone, on outputs that are there."),
        click.option("--from", "start", metavar="STAGE", help="Run this stage and all after it anew."),
        click.option("--no-cache", is_flag=True, help="Run every stage, although outputs could be reused."),
    ):
        command = option(command)
    return command


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": True},
    epilog="All else goes to Hydra: overrides (train=logistic train.params.seed=7), -m, --cfg job, --info, -sc.",
)
@reuse_options
@click.option("-q", "--quiet", is_flag=True, help="Show failures only.")
@click.option("--json", "as_json", is_flag=True, help="Write events as JSON Lines.")
@click.argument("overrides", nargs=-1, type=click.UNPROCESSED)
def run(
    overrides: tuple[str, ...], *, only: str | None, start: str | None, no_cache: bool, quiet: bool, as_json: bool
) -> int:
    """Run the pipeline that conf/ and OVERRIDES describe."""
    from firnline.app import all_problems
    from firnline.config import launch, split_arguments

    if only and start:
        raise UsageError("--only and --from exclude each other", hint="give one of them")
    mode: Mode = "json" if as_json else "quiet" if quiet else "auto"
    project, typed = Path.cwd(), split_arguments(overrides, _FLAGS)
    sweep_id = f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}" if typed.is_multirun else None
    job = Job(mode=mode, only=only, start=start, no_cache=no_cache, sweep_id=sweep_id)
    single = _Single(job)
    if typed.is_multirun and not (typed.asks or typed.looks_elsewhere):
        from firnline.cli.sweep import plan_multirun
        from firnline.plan import PlanOptions

        plan_multirun(project, typed.overrides, installed(), PlanOptions(no_cache=no_cache, start=start, only=only))
    try:
        launch(project, typed, job if typed.is_multirun else single)
    except ConfigError as error:
        if typed.asks or typed.looks_elsewhere:
            raise
        raise all_problems(project, typed.overrides, installed(), error) from error
    if sweep_id is not None and not typed.asks:
        from firnline.cli.sweep import finish_sweep

        return finish_sweep(project, typed.overrides, sweep_id, mode)
    if single.error is not None:
        raise single.error
    return single.exit_code


class _Single:
    """Runs one job and keeps what came of it: Hydra would drop the exit code, and print a line about an error."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.exit_code = 0
        self.error: FirnlineError | None = None

    def __call__(self, composed: Composed) -> None:
        try:
            self.exit_code = self.job.run(composed)
        except FirnlineError as error:
            self.error = error


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job: run a composed configuration and show it. Picklable, for launchers that use processes."""

    mode: Mode
    only: str | None = None
    start: str | None = None
    no_cache: bool = False
    anew: frozenset[str] = frozenset()
    sweep_id: str | None = None

    def __call__(self, composed: Composed) -> float | None:
        """Run as a job of a multirun; returns what the sweeper optimises."""
        from rich.console import Console

        from firnline.cli.render.problems import render_error
        from firnline.cli.render.text import joined
        from firnline.cli.sweep import note_not_started

        console = Console(file=sys.stdout if self.mode == "json" else None)
        if self.mode == "auto":
            console.print(joined((f"job {composed.job}", "bold"), f" {' '.join(composed.overrides)}"), highlight=False)
        try:
            outcome = self.execute(composed)
        except FirnlineError as error:
            # Other jobs go on; the sweep's end reports that this one never became a run.
            Console(stderr=True).print(render_error(error))
            if self.sweep_id is not None:
                note_not_started(composed, self.sweep_id, error)
            return None
        metric = composed.data.get("sweep") or {}
        name = metric.get("metric") if isinstance(metric, dict) else None
        return outcome.record.metrics.get(name) if name else None

    def run(self, composed: Composed) -> int:
        """Run alone; returns the exit code."""
        from rich.console import Console

        from firnline.cli.render.summary import render_next_steps, render_summary

        outcome = self.execute(composed)
        if self.mode == "auto":
            Console().print(render_summary(outcome.record, report=_shown(outcome.report, composed.project)))
        elif self.mode == "quiet" and outcome.exit_code:  # what failed was shown when it did
            Console(stderr=True).print(render_next_steps(outcome.record, _shown(outcome.report, composed.project)))
        return outcome.exit_code

    def execute(self, composed: Composed) -> Outcome:
        """Run a composed configuration."""
        from rich.console import Console

        from firnline.app import RunOptions, run_pipeline
        from firnline.cli.render.progress import progress_listener
        from firnline.plan import PlanOptions

        options = RunOptions(
            plan=PlanOptions(no_cache=self.no_cache, start=self.start, only=self.only, anew=self.anew),
            sweep_id=self.sweep_id,
            listen=lambda plan: progress_listener(plan, Console(), self.mode),
        )
        return run_pipeline(composed, installed(), options)


def installed() -> Installed:
    """Load the plugins; ``FIRNLINE_TRACE_HOOKS=1`` writes each hook call to standard error."""
    from firnline.app import load_installed

    trace = (lambda line: click.echo(line, err=True, nl=False)) if os.environ.get("FIRNLINE_TRACE_HOOKS") else None
    return load_installed(trace)


def _shown(path: Path, project: Path) -> Path:
    return path.relative_to(project) if path.is_relative_to(project) else path
