"""Trackers that write down what they hear, and fail as their params say."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from firnline.domain import Event, Params, TrackedRun, TrackerSpec
from firnline.hooks import hookimpl


class ToyTrackerParams(Params):
    """Params of the toy tracker."""

    how: Literal["listen", "fail_to_open", "fail_to_listen"] = Field("listen", description="what it does")


class ToyTracker:
    """Writes the names of events into a file of the records."""

    def __init__(self, params: ToyTrackerParams, run: TrackedRun) -> None:
        if params.how == "fail_to_open":
            raise ConnectionError("nobody answers")
        self.how, self.run = params.how, run

    def on_event(self, event: Event) -> None:
        print("a loud tracker")
        with (self.run.store / "heard.txt").open("a") as file:
            file.write(f"{type(event).__name__}\n")
        if self.how == "fail_to_listen":
            raise ConnectionError("the line went dead")


@hookimpl
def firnline_trackers() -> list[TrackerSpec]:
    return [
        TrackerSpec(name="toy", summary="Writes down.", params=ToyTrackerParams, open=ToyTracker),
        TrackerSpec(name="other", summary="Writes down, too.", params=ToyTrackerParams, open=ToyTracker),
        TrackerSpec(
            name="bare",
            summary="Lacks its SDK.",
            params=ToyTrackerParams,
            open=ToyTracker,
            modules=("no_such_sdk",),
            extra="nothing",
        ),
    ]
