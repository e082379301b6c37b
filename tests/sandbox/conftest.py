"""A sandbox in memory for each module, and a shorthand that runs one statement through the connector's cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from firnline_sandbox import SandboxEngine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from firnline_sandbox.connection import SandboxConnection

    Run = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def engine() -> Iterator[SandboxEngine]:
    """One sandbox for all tests of a module."""
    opened = SandboxEngine.open()
    yield opened
    opened.close()


@pytest.fixture
def connection(engine: SandboxEngine, request: pytest.FixtureRequest) -> Iterator[SandboxConnection]:
    """A session in a schema of its own, named after the test."""
    with engine.connect() as opened:
        name = f"S_{abs(hash(request.node.nodeid))}"
        opened.cursor().execute(f"CREATE SCHEMA {name}")
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
