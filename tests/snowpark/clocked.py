"""A world of its own, on a clock that the test moves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from firnline_sandbox import SandboxEngine
from firnline_sandbox.clock import MovableClock
from firnline_sandbox.sessions import snowpark_session
from tests.snowpark.churn_world import World

NOON = dt.datetime(2026, 3, 28, 12, 0, tzinfo=dt.UTC)


@contextmanager
def clocked_world(folder: Path) -> Iterator[tuple[World, MovableClock]]:
    """Open a sandbox in memory whose clock stands at noon."""
    clock = MovableClock(NOON, stands_still=True)
    with SandboxEngine.open(clock=clock) as engine, engine.connect(paramstyle="qmark") as connection:
        yield World(snowpark_session(connection), folder), clock
