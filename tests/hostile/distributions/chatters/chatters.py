"""Write to standard output on import and in a hook."""

from __future__ import annotations

from collections.abc import Mapping

from firnline.domain import Metrics, Params, StepContext, StepSpec, step
from firnline.hooks import hookimpl

print("Thank you for using chatters! Now with even more output.")


@step("chatters.count")
def count(context: StepContext, params: Params) -> Metrics:
    """Count to one, loudly."""
    return Metrics(values={"count": 1.0})


@hookimpl
def firnline_steps() -> list[StepSpec]:
    print("about to tell my steps")
    return [count]


@hookimpl
def firnline_environment() -> Mapping[str, str]:
    print("about to tell my environment")
    return {"chatters": "loud"}
