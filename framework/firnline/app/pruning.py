"""Let a search end a job whose intermediate metrics promise nothing: it leaves a note in the multirun's folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path
from typing import Any, Final, TypeAlias

from firnline.domain import Event, StageMeasured, load_callable
from firnline.run import StopAsked
from firnline.run.attempt import Mailbox

NOTE: Final = "pruning.json"
Prune: TypeAlias = Callable[[int, float], str]


def open_pruning(store: Path, sweep_id: str | None, job: int | None) -> Callable[[StageMeasured], str] | None:
    """Return what says of each measurement why the job shall end, or nothing; None if no search prunes the job.

    The sweeper's note ``sweeps/SWEEP/pruning.json`` names the ``metric`` (``stage.metric``), and what ``opens`` the
    judge (``module:function``, given the note and the job's number); the judge takes a step and the metric's value.
    """
    if sweep_id is None or job is None:
        return None
    try:
        note: dict[str, Any] = json.loads((store / "sweeps" / sweep_id / NOTE).read_text("utf-8"))
    except FileNotFoundError:
        return None
    judge: Prune = load_callable(note["opens"])(note, job)
    stage, _, metric = note["metric"].partition(".")

    def prune(event: StageMeasured) -> str:
        if event.stage != stage or metric not in event.metrics:
            return ""
        return judge(event.step, event.metrics[metric])

    return prune


def pruned_by(prune: Callable[[StageMeasured], str], events: Generator[Event], mailbox: Mailbox) -> Generator[Event]:
    """Yield the events of a run, which is asked to stop when what it measures says so."""
    asked = False
    with closing(events):
        for event in events:
            yield event
            if not asked and isinstance(event, StageMeasured) and (reason := prune(event)):
                asked = True
                mailbox.put(StopAsked(reason, pruned=True))
