"""Do everything right: the plugin that the others must not harm."""

from __future__ import annotations

from collections.abc import Mapping

import click

from firnline.domain import Event, Metrics, Params, Plan, PlatformSpec, StepContext, StepSpec, step
from firnline.hooks import hookimpl

FIRNLINE_API = ">=1,<2"


@step("well_behaved.count")
def count(context: StepContext, params: Params) -> Metrics:
    """Count to one."""
    return Metrics(values={"count": 1.0})


@step("well_behaved.taken")
def taken(context: StepContext, params: Params) -> Metrics:
    """Have an id that another plugin claims as well."""
    return Metrics(values={"count": 2.0})


@hookimpl
def firnline_steps() -> list[StepSpec]:
    return [count, taken]


@hookimpl
def firnline_platforms() -> list[PlatformSpec]:
    return [
        PlatformSpec(
            name="nowhere",
            summary="Keep nothing anywhere.",
            params=Params,
            open=lambda params, project: None,
            identity=lambda params, project: "nowhere",
        )
    ]


@click.command()
def hello() -> None:
    """Say hello."""
    click.echo("hello from well-behaved")


@hookimpl
def firnline_check_plan(plan: Plan) -> list[str]:
    return []


@hookimpl
def firnline_on_event(run_id: str, event: Event) -> None:
    return None


@hookimpl
def firnline_environment() -> Mapping[str, str]:
    return {"well-behaved": "0.3.1"}
