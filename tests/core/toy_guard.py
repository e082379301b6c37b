"""A guard that does what its params say, for tests of the engine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from pydantic import Field

from firnline.domain import Assessment, CreditEstimate, GuardContext, GuardedRun, GuardSpec, Params, Plan
from firnline.errors import PlatformError
from firnline.hooks import hookimpl


class ToyGuardParams(Params):
    """Params of the toy guard."""

    how: Literal["watch", "refuse", "stop", "fail_to_open", "fail_to_judge", "fail_to_begin", "fail_to_end"] = Field(
        "watch", description="what it does"
    )


class ToyGuard:
    """Notes in the project's folder of records when a run begins and ends."""

    def __init__(self, how: str, context: GuardContext) -> None:
        self.how, self.context = how, context
        if how == "fail_to_open":
            raise ZeroDivisionError("a bug in opening")

    def assess(self, plan: Plan) -> Assessment:
        if self.how == "fail_to_judge":
            raise ZeroDivisionError("a bug in judging")
        stages = {stage.name: CreditEstimate(p50=0.5, p90=1.5, basis="made up") for stage in plan.stages}
        refusals = ("it is Sunday", "it is late") if self.how == "refuse" else ()
        return Assessment(stages=stages, overhead=CreditEstimate(p50=0.25, p90=0.25), budget=9.0, refusals=refusals)

    def prepare(self, session: object, stage: str) -> None:
        raise AssertionError("the toy platform has no sessions")

    @contextmanager
    def around(self, run: GuardedRun) -> Iterator[None]:
        if self.how == "fail_to_begin":
            raise ZeroDivisionError("a bug in the beginning")
        self.context.folder.mkdir(parents=True, exist_ok=True)
        note = self.context.folder / "note.txt"
        note.write_text(f"{run.plan.pipeline} begins")
        if self.how == "stop":
            threading.Timer(0.3, run.stop, ["enough is enough"]).start()
        yield
        note.write_text(f"{run.plan.pipeline} ended")
        if self.how == "fail_to_end":
            raise PlatformError("it cannot be undone", hint="try later")


@hookimpl
def firnline_guards() -> list[GuardSpec]:
    return [
        GuardSpec(
            name="toy",
            summary="Do as told.",
            params=ToyGuardParams,
            open=lambda params, context: ToyGuard(params.how, context),
        )
    ]
