"""``firnline plan``: show what a run would do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from firnline.cli.job import installed
from firnline.cli.run import reuse_options
from firnline.errors import ConfigError, RefusedError, UsageError

if TYPE_CHECKING:
    from firnline.plan import PlanOptions


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": True},
    epilog="OVERRIDES are as for `firnline run`.",
)
@reuse_options
@click.option(
    "-m", "--multirun", is_flag=True, help="Plan all jobs of a multirun; a stage that they share is there once."
)
@click.option("--json", "as_json", is_flag=True, help="Write the plan as JSON.")
@click.option("--mermaid", is_flag=True, help="Write the graph as a Mermaid flowchart.")
@click.argument("overrides", nargs=-1, type=click.UNPROCESSED)
def plan(
    overrides: tuple[str, ...],
    *,
    only: str | None,
    start: str | None,
    no_cache: bool,
    multirun: bool,
    as_json: bool,
    mermaid: bool,
) -> None:
    """Show which stages would run or be reused and why, how long it would take, and the graph."""
    from rich.console import Console

    from firnline.app import all_problems, make_plan
    from firnline.cli.render.graph import plan_mermaid
    from firnline.cli.render.plan import render_plan
    from firnline.config import compose
    from firnline.plan import PlanOptions

    for override in overrides:
        if override.startswith("-"):
            raise UsageError(f"plan knows no option {override}", hint="it takes overrides, such as train=logistic")
    options = PlanOptions(no_cache=no_cache, start=start, only=only)
    if multirun:
        if mermaid:
            raise UsageError("plan -m draws no graph", hint="leave --mermaid out, or plan one job without -m")
        _plan_multirun(overrides, options, as_json=as_json)
        return
    project, plugins = Path.cwd(), installed()
    try:
        composed = compose(project, overrides)
    except ConfigError as error:
        raise all_problems(project, overrides, plugins, error) from error
    made = make_plan(composed, plugins, options)
    if as_json:
        click.echo(json.dumps(made.to_json() | {"hash": made.hash}, indent=2))
    elif mermaid:
        click.echo(plan_mermaid(made))
    else:
        Console().print(render_plan(made))


def _plan_multirun(overrides: tuple[str, ...], options: PlanOptions, *, as_json: bool) -> None:
    from rich.console import Console

    from firnline.cli.render.sweep_plan import render_sweep_plan
    from firnline.cli.sweep import OVER_BUDGET, plan_multirun
    from firnline.sweep import unite

    jobs = plan_multirun(Path.cwd(), overrides, installed(), options)
    if jobs is None:
        raise UsageError(
            "the sweeper decides on the jobs as it goes, so they cannot be planned",
            hint="plan one of them: the same overrides with one value each, without -m",
        )
    union = unite(jobs)
    if as_json:
        click.echo(json.dumps(union.to_json(), indent=2))
    else:
        Console().print(render_sweep_plan(union))
    if union.refusal:
        raise RefusedError(f"the plan is refused: {union.refusal}", hint=OVER_BUDGET)
