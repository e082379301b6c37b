"""Claim a step id that another distribution has."""

from __future__ import annotations

from firnline.domain import Metrics, Params, StepContext, StepSpec, step
from firnline.hooks import hookimpl


@step("well_behaved.taken")
def taken(context: StepContext, params: Params) -> Metrics:
    """Have an id that another plugin claims as well."""
    return Metrics(values={"count": 3.0})


@hookimpl
def firnline_steps() -> list[StepSpec]:
    return [taken]
