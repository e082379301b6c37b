"""One sandbox for each module of tests: starting workers takes a while."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import firnline_sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from snowflake.snowpark import Session


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    """A Snowpark session in memory."""
    made = firnline_sandbox.session()
    yield made
    made.close()


@pytest.fixture(scope="module")
def run(session: Session) -> Callable[[str], list[tuple[Any, ...]]]:
    """Run a statement and give its rows as tuples."""

    def rows(sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in session.sql(sql).collect()]

    return rows
