"""Small real things that stand in for what a test cannot have: a platform, the time."""

from __future__ import annotations

import threading
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from firnline.domain import Params, PlatformSpec
from firnline.errors import PlatformError

if TYPE_CHECKING:
    from snowflake.snowpark import Session

FAKE_SCHEMA: Final = "FAKE.PUBLIC"


class FakePlatform:
    """A platform that knows names of tables and their state, and nothing of rows. It has no session.

    Attributes:
        tables: fully qualified name → state.
        views: published name → the table behind it.
        closed: whether it was closed.
    """

    def __init__(self) -> None:
        self.tables: dict[str, str] = {}
        self.views: dict[str, str] = {}
        self.closed = False
        self._lock = threading.Lock()

    def session(self, query_tag: str) -> Session:
        """Refuse: there is nothing that could run a query."""
        raise PlatformError("the fake platform has no session", hint="use the sandbox for steps that run queries")

    def schema(self) -> str:
        """Return the one schema."""
        return FAKE_SCHEMA

    def missing(self, tables: Collection[str]) -> frozenset[str]:
        """Return the tables that were never added, or were discarded."""
        return frozenset(tables) - self.tables.keys()

    def table_state(self, table: str) -> str:
        """Return the state that a test gave to the table."""
        return self.tables[table]

    def publish(self, name: str, table: str) -> None:
        """Let a name show a table; KeyError if there is no such table."""
        with self._lock:
            self.tables[table]
            self.views[name] = table

    def discard(self, tables: Collection[str]) -> None:
        """Forget the tables."""
        with self._lock:
            for table in tables:
                self.tables.pop(table, None)

    def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True


def fake_platform_spec(platform: FakePlatform | None = None) -> PlatformSpec:
    """Return a platform to register in a test; all who open it get the same one."""
    opened = platform if platform is not None else FakePlatform()
    return PlatformSpec(
        name="fake",
        summary="Remember names of tables, for tests.",
        params=Params,
        open=lambda params, project: opened,
        identity=lambda params, project: "fake",
        lacks={"gpu": "it is a fake"},
    )


def unreachable_platform_spec() -> PlatformSpec:
    """Return a platform that can never be opened."""

    def refuse(params: Params, project: Path) -> NoReturn:
        raise PlatformError("the unreachable platform cannot be reached", hint="it is made like this, for tests")

    return PlatformSpec(
        name="unreachable",
        summary="Fail to open, for tests.",
        params=Params,
        open=refuse,
        identity=lambda params, project: "unreachable",
    )


class ManualClock:
    """A clock that stands still until somebody sleeps or moves it. Call it to read it, like ``time.time``."""

    def __init__(self, start: float = 1_800_000_000.0) -> None:
        self._now = start
        self._lock = threading.Lock()

    def __call__(self) -> float:
        """Return the time in seconds since the epoch."""
        with self._lock:
            return self._now

    def move(self, seconds: float) -> None:
        """Let time pass at once."""
        with self._lock:
            self._now += seconds

    def sleep(self, seconds: float) -> None:
        """Stand in for ``time.sleep``: move the clock instead of waiting."""
        self.move(seconds)
