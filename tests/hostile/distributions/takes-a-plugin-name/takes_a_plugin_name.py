"""Come in under the name of another distribution's plugin."""

from __future__ import annotations

from firnline.domain import Metrics, Params, StepContext, StepSpec, step
from firnline.hooks import hookimpl


@step("takes_a_plugin_name.count")
def count(context: StepContext, params: Params) -> Metrics:
    """Count to one."""
    return Metrics(values={"count": 1.0})


@hookimpl
def firnline_steps() -> list[StepSpec]:
    return [count]
