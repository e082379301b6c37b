"""Return things that no hook may return."""

from __future__ import annotations

from firnline.hooks import hookimpl


@hookimpl
def firnline_steps() -> list[str]:
    return ["not a step"]


@hookimpl
def firnline_guards() -> list[int]:
    return [3]


@hookimpl
def firnline_environment() -> int:
    return 7
