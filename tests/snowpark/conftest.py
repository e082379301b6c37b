"""A sandbox session for the tests of the Snowpark steps, and a small business that is generated once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.snowpark.churn_world import PORTS, World


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Return a session in memory with the means to run steps on it."""
    import firnline_sandbox

    session = firnline_sandbox.session(":memory:")
    yield World(session, Path(tmp_path_factory.mktemp("world")))
    session.close()


@pytest.fixture(scope="session")
def raw(world: World) -> Any:
    """Return the generated raw tables of some 20,000 events."""
    return world.run("ingest.generated", {"events": 20_000})


@pytest.fixture(scope="session")
def clean(world: World, raw: Any) -> Any:
    """Return the cleaned tables, cleaned as the option file says."""
    from tests.snowpark.churn_options import option_params

    outputs = world.run("prepare.clean", option_params("prepare/clean.yaml"), **raw)
    return {port: outputs[port] for port in PORTS}
