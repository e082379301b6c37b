"""A sandbox whose clock stands still until a test moves it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from firnline_sandbox import SandboxEngine
from firnline_sandbox.clock import MovableClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from firnline_sandbox.connection import SandboxConnection

    Run = Callable[..., list[dict[str, Any]]]

NOON = dt.datetime(2026, 3, 10, 12, 0, tzinfo=dt.UTC)


@pytest.fixture
def clock() -> MovableClock:
    """Noon of the tenth of March."""
    return MovableClock(NOON, stands_still=True)


@pytest.fixture
def engine(clock: MovableClock) -> Iterator[SandboxEngine]:
    """A sandbox of its own for each test."""
    opened = SandboxEngine.open(clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def connection(engine: SandboxEngine) -> Iterator[SandboxConnection]:
    """A session with a table."""
    with engine.connect() as opened:
        opened.cursor().execute("CREATE TABLE t (a INT)")
        yield opened


@pytest.fixture
def run(connection: SandboxConnection) -> Run:
    """Run one statement, and give its rows as dictionaries."""

    def run(sql: str, *params: Any, on: SandboxConnection | None = None) -> list[dict[str, Any]]:
        cursor = (on or connection).cursor()
        cursor.execute(sql, params or None)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    return run
