"""``firnline run``: a Hydra application whose job is to run a pipeline."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from firnline.cli.job import Job, Mode, installed
from firnline.errors import ConfigError, FirnlineError, UsageError

if TYPE_CHECKING:
    from firnline.config import Composed

_FLAGS: Final = ("--json", "--quiet", "--only", "--from", "--no-cache", "--because", "--from-run", "--tolerance")
TOLERANCE: Final = 1e-6  # of numbers that a reproduction compares: more than the order of additions makes


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
@click.option("--because", metavar="TEXT", default="", help="Why the run is made; its record keeps it.")
@click.option("--from-run", metavar="RUN", help="Make this run again as it is recorded; with --no-cache, all of it.")
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    help="With --from-run: by how much numbers may differ; 1e-6 if left out.",
)
@click.option("--requested-by", metavar="RUN", hidden=True, help="The run whose stage asks for this one.")
@click.argument("overrides", nargs=-1, type=click.UNPROCESSED)
def run(
    overrides: tuple[str, ...],
    *,
    only: str | None,
    start: str | None,
    no_cache: bool,
    quiet: bool,
    as_json: bool,
    because: str,
    requested_by: str | None,
    from_run: str | None,
    tolerance: float | None,
) -> int:
    """Run the pipeline that conf/ and OVERRIDES describe."""
    from firnline.app import all_problems
    from firnline.config import launch, split_arguments

    if only and start:
        raise UsageError("--only and --from exclude each other", hint="give one of them")
    mode: Mode = "json" if as_json else "quiet" if quiet else "auto"
    project, typed = Path.cwd(), split_arguments(overrides, _FLAGS)
    job = Job(mode=mode, only=only, start=start, no_cache=no_cache, reason=because, requested_by=requested_by)
    if from_run is not None:
        from firnline.cli.reproduce import reproduce

        within = TOLERANCE if tolerance is None else tolerance
        return reproduce(project, from_run, (*typed.flags, *typed.overrides), job, within)
    if tolerance is not None:
        raise UsageError("--tolerance goes with --from-run", hint="say which run the numbers are compared with")
    if typed.is_multirun and not typed.asks:
        from firnline.cli.sweep import start_sweep

        _, code = start_sweep(project, typed, job)
        return code
    single = _Single(job)
    try:
        launch(project, typed, single)
    except ConfigError as error:
        if typed.asks or typed.looks_elsewhere:
            raise
        raise all_problems(project, typed.overrides, installed(), error) from error
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
