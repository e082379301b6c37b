"""``firnline sandbox tasks run``: holding a sandbox to run its tasks."""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
from typing import TYPE_CHECKING

from firnline_sandbox.clock import MovableClock, SystemClock
from firnline_sandbox.engine import SandboxEngine
from firnline_sandbox.statements.registry import load_builtin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from firnline_sandbox.tasks.runs import TaskRun

_LOOK_S = 0.5


def run(folder: Path, until: dt.datetime | None) -> Iterator[str]:
    """Run tasks until a time, to which the clock is moved, or as time goes by until interrupted; tell of each run.

    Raises:
        SandboxBusyError: another process has the sandbox open, and runs its tasks.
        ValueError: the time is past.
    """
    clock = SystemClock() if until is None else MovableClock(stands_still=True)
    load_builtin()
    with SandboxEngine.open(folder, timeout_s=0, clock=clock) as engine:
        scheduler = engine.part("tasks")
        told = len(scheduler.history.runs())
        if until is not None and isinstance(clock, MovableClock):
            clock.advance((until - clock.now()).total_seconds())
            yield from (_told(each) for each in scheduler.history.runs()[told:])
            return
        scheduler.start()
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                ended = [each for each in scheduler.history.runs()[told:] if each.ended is not None]
                told += len(ended)
                yield from (_told(each) for each in ended)
                threading.Event().wait(_LOOK_S)


def _told(run: TaskRun) -> str:
    text = f"{run.scheduled:%Y-%m-%d %H:%M:%S} {run.database}.{run.schema}.{run.name} {run.state}"
    return text if run.error_message is None else f"{text}: {run.error_message}"
