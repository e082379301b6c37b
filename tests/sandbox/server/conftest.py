"""A sandbox in a folder that this process holds, and how clients connect to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import snowflake.connector

from firnline_sandbox import SandboxEngine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from snowflake.connector import SnowflakeConnection


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxEngine]:
    """Give an engine that others can reach."""
    with SandboxEngine.open(tmp_path_factory.mktemp("served") / "sandbox") as engine:
        yield engine


def options(engine: SandboxEngine) -> dict[str, Any]:
    """Say how a client of Snowflake's connects to an engine."""
    assert engine.listener is not None
    endpoint = engine.listener.endpoint
    return {
        "user": "tester",
        "password": endpoint.token,
        "account": "sandbox",
        "host": "127.0.0.1",
        "port": endpoint.port,
        "protocol": "http",
    }


@pytest.fixture
def log_in(served: SandboxEngine) -> Iterator[Callable[..., SnowflakeConnection]]:
    """Log in with the real connector; connections are closed after the test."""
    made = []

    def connect(**more: Any) -> SnowflakeConnection:
        made.append(snowflake.connector.connect(**(options(served) | more)))
        return made[-1]

    yield connect
    for connection in made:
        connection.close()
