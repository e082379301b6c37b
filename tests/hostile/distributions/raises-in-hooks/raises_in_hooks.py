"""Raise in every hook."""

from __future__ import annotations

from typing import Any, NoReturn

from firnline.hooks import hookimpl


@hookimpl
def firnline_steps() -> NoReturn:
    raise RuntimeError("steps are off today")


@hookimpl
def firnline_platforms() -> NoReturn:
    raise RuntimeError("platforms are off today")


@hookimpl
def firnline_guards() -> NoReturn:
    raise RuntimeError("guards are off today")


@hookimpl
def firnline_check_plan(plan: Any) -> NoReturn:
    raise RuntimeError("checking is off today")


@hookimpl
def firnline_on_event(run_id: str, event: Any) -> NoReturn:
    raise RuntimeError("events are off today")


@hookimpl
def firnline_environment() -> NoReturn:
    raise RuntimeError("the environment is off today")
