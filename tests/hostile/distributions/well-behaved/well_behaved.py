"""Do everything right: the plugin that the others must not harm."""

from __future__ import annotations

from collections.abc import Mapping

from firnline.domain import Event, Metrics, Params, Plan, StepContext, StepSpec, step
from firnline.hooks import CommandSpec, hookimpl

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
def firnline_commands() -> list[CommandSpec]:
    return [CommandSpec(name="well-behaved", summary="Say hello.", command="well_behaved:hello")]


@hookimpl
def firnline_check_plan(plan: Plan) -> list[str]:
    return []


@hookimpl
def firnline_on_event(run_id: str, event: Event) -> None:
    return None


@hookimpl
def firnline_environment() -> Mapping[str, str]:
    return {"well-behaved": "0.3.1"}
