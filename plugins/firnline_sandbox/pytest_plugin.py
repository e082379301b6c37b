"""Fixtures for any project's tests: a Snowpark session and a connection, each on a fresh sandbox in memory.

pytest finds them by itself where ``firnline[sandbox]`` is installed; nothing is imported until a test asks for one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from snowflake.snowpark import Session

    from firnline_sandbox.connection import SandboxConnection


@pytest.fixture
def snowflake_connection() -> Iterator[SandboxConnection]:
    """Give a connection like the Snowflake connector's, on a sandbox that is gone after the test."""
    from firnline_sandbox.sessions import connect

    with connect() as connection:
        yield connection


@pytest.fixture
def snowpark_session() -> Iterator[Session]:
    """Give a Snowpark session on a sandbox that is gone after the test."""
    from firnline_sandbox.sessions import session

    opened = session()
    yield opened
    opened.close()
