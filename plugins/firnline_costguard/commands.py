"""``firnline cost`` and ``firnline advise``: what was used, and what would be cheaper."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final, cast

import click

from firnline.errors import PlatformError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from snowflake.snowpark import Session

    from firnline.domain import Workbench
    from firnline_costguard.usage import Dimension

_BY: Final = ("pipeline", "stage", "run", "team", "model", "day", "warehouse")
_days = click.option("--days", default=30, show_default=True, type=click.IntRange(1, 365), help="How far back to look.")
_json = click.option("--json", "as_json", is_flag=True, help="Write JSON Lines.")
_overrides = click.argument("overrides", nargs=-1, type=click.UNPROCESSED)
_EPILOG: Final = "OVERRIDES are as for `firnline run`: they choose the platform. The questions run on its warehouse."


@click.command(epilog=_EPILOG)
@click.option("--by", default="pipeline,stage", show_default=True, help=f"By what, with commas: {', '.join(_BY)}.")
@click.option("--run", "run_id", help="Only this run.")
@click.option("--pipeline", help="Only this pipeline.")
@_days
@_json
@_overrides
@click.pass_obj
def cost(
    workbench: Workbench,
    overrides: tuple[str, ...],
    *,
    by: str,
    run_id: str | None,
    pipeline: str | None,
    days: int,
    as_json: bool,
) -> None:
    """Show the credits that Firnline's statements used, by pipeline, stage, run, team, model, day or warehouse."""
    from rich.console import Console

    from firnline_costguard.rendering import render_spent
    from firnline_costguard.usage import spent_by, warehouse_use

    dimensions = tuple(cast("Dimension", name.strip()) for name in by.split(","))
    unknown = [name for name in dimensions if name not in _BY]
    if unknown:
        raise UsageError(f"--by {unknown[0]}: there is no such thing", hint=f"it takes {', '.join(_BY)}")
    with _asking(workbench, overrides, "cost") as session:
        spent = spent_by(session, dimensions, days, run=run_id, pipeline=pipeline)
        use = warehouse_use(session, days) if not as_json else []
    if as_json:
        for one in spent:
            line: dict[str, Any] = dict(zip(dimensions, one.group, strict=True))
            click.echo(json.dumps(line | {"credits": one.credits, "statements": one.statements}))
        return
    Console().print(render_spent(dimensions, spent, use, days))


@click.command(epilog=_EPILOG)
@click.option(
    "--deadline", "deadline_s", type=click.FloatRange(min=0, min_open=True), help="Seconds that a stage may take."
)
@click.option("--pipeline", help="Only this pipeline.")
@_days
@_json
@_overrides
@click.pass_obj
def advise(
    workbench: Workbench,
    overrides: tuple[str, ...],
    *,
    deadline_s: float | None,
    pipeline: str | None,
    days: int,
    as_json: bool,
) -> None:
    """Show which warehouse size is the cheapest for each stage, and which warehouses idle."""
    from rich.console import Console

    from firnline_costguard.advice import advise as advise_on
    from firnline_costguard.rendering import render_advice
    from firnline_costguard.usage import stage_runs, warehouse_use
    from firnline_costguard.warehouses import find_warehouse

    with _asking(workbench, overrides, "advise") as session:
        advices = advise_on(stage_runs(session, days, pipeline), deadline_s)
        use = warehouse_use(session, days)
        there = [found for one in use if (found := find_warehouse(session, one.name)) is not None]
    if as_json:
        for advice in advices:
            click.echo(json.dumps(asdict(advice)))
        return
    Console().print(render_advice(advices, use, there, deadline_s, days))


@contextmanager
def _asking(workbench: Workbench, overrides: tuple[str, ...], command: str) -> Iterator[Session]:
    """Open a session of the project's platform; its refusals come out as ours."""
    with workbench.open(overrides) as project:
        if not project.pipeline.uses_platform:
            raise UsageError("no stage of the pipeline uses a platform", hint="choose one that does: pipeline=NAME")
        session = project.open_platform().session(json.dumps({"tool": "firnline", "command": command}))
        from snowflake.snowpark.exceptions import SnowparkSQLException

        try:
            yield session
        except SnowparkSQLException as error:
            raise PlatformError(
                f"the platform refuses to tell: {error.message}",
                hint="the role needs the usage views of the database SNOWFLAKE: "
                "GRANT DATABASE ROLE SNOWFLAKE.USAGE_VIEWER, GOVERNANCE_VIEWER",
            ) from error
        finally:
            session.close()
