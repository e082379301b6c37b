"""The identical work of every peer, as steps. ``work`` is the harness's module; it imports pandas."""

from __future__ import annotations

from firnline.domain import Params, StepContext, StepSpec, Value, step
from firnline.hooks import hookimpl


class StageParams(Params):
    """Which stage it is."""

    number: int
    sleep: float = 0.0


class ScaleParams(Params):
    """What to multiply by."""

    alpha: float


@step("bench.stage")
def stage(context: StepContext, params: StageParams, frame: Value | None) -> Value:
    """Hand the frame on, or make it."""
    import work

    return context.save(work.stage(params.number, None if frame is None else frame.load(), params.sleep))


@step("bench.join")
def join(context: StepContext, params: Params, frames: list[Value]) -> Value:
    """Take all frames, hand on the first."""
    import work

    return context.save(work.join(*(frame.load() for frame in frames)))


@step("bench.scale")
def scale(context: StepContext, params: ScaleParams, frame: Value) -> Value:
    """Multiply the frame."""
    import work

    return context.save(work.scale(frame.load(), params.alpha))


@hookimpl
def firnline_steps() -> tuple[StepSpec, ...]:
    """Offer the three."""
    return (stage, join, scale)
