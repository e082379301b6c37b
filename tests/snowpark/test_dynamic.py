"""features.dynamic: the platform refreshes a query's rows; the same config keeps the table, another one replaces it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from firnline.domain import Table
from firnline.errors import DataError
from firnline_sandbox.clock import MovableClock
from firnline_snowpark.features.dynamic_params import DynamicParams
from tests.snowpark.churn_world import World
from tests.snowpark.clocked import clocked_world

SUMS = "SELECT C, SUM(AMOUNT) AS TOTAL FROM {{ table }} WHERE AMOUNT > {{ least }} GROUP BY C"
PARAMS = {"query": SUMS, "values": {"least": 1}, "name": "sums_live", "target_lag": "10 Minutes"}


@pytest.fixture
def given(tmp_path: Path) -> Iterator[tuple[World, MovableClock, Table]]:
    with clocked_world(tmp_path) as (world, clock):
        yield world, clock, world.table("C INT, AMOUNT FLOAT", "1, 5.0", "1, 7.5", "2, 0.5")


def shown(world: World) -> Any:
    (row,) = world.session.sql("SHOW DYNAMIC TABLES").collect()
    return row


def test_rows_follow_their_source_and_the_same_config_keeps_the_table(given: tuple[World, MovableClock, Table]) -> None:
    world, clock, orders = given
    made = world.run("features.dynamic", PARAMS, tables=[orders])["table"]
    assert made == Table(name=f"{world.schema}.SUMS_LIVE", rows=1, columns=("C", "TOTAL"))
    first = shown(world)
    assert (first["target_lag"], first["warehouse"]) == ("10 minutes", "COMPUTE_WH")
    world.session.sql(f"INSERT INTO {orders.name} VALUES (2, 3.0)").collect()
    clock.advance(minutes=9)
    assert world.rows(made) == [(1, 12.5)]
    clock.advance(minutes=2)
    assert world.rows(made) == [(1, 12.5), (2, 3.0)]
    again = world.run("features.dynamic", PARAMS, tables=[orders])
    assert again["table"].rows == 2
    assert any("kept as it was" in section.body for section in again["report"].sections if hasattr(section, "body"))
    assert shown(world)["created_on"] == first["created_on"]


def test_another_query_or_lag_replaces_it(given: tuple[World, MovableClock, Table]) -> None:
    world, clock, orders = given
    world.run("features.dynamic", PARAMS, tables=[orders])
    made = world.run("features.dynamic", PARAMS | {"query": SUMS.replace("SUM(", "MAX(")}, tables=[orders])["table"]
    assert world.rows(made) == [(1, 7.5)]
    world.run("features.dynamic", PARAMS | {"target_lag": "downstream"}, tables=[orders])
    assert shown(world)["target_lag"] == "DOWNSTREAM"
    world.session.sql(f"DELETE FROM {orders.name}").collect()
    clock.advance(hours=2)
    assert world.rows(made) == [(1, 12.5)]


def test_what_the_platform_refuses_is_told(given: tuple[World, MovableClock, Table]) -> None:
    world, _, orders = given
    with pytest.raises(DataError, match=r"(?s)refuses the dynamic table sums_live.*AMUONT"):
        world.run(
            "features.dynamic", PARAMS | {"query": "SELECT AMUONT, {{ least }} AS L FROM {{ table }}"}, tables=[orders]
        )
    with pytest.raises(DataError, match="NOWHERE"):
        world.run("features.dynamic", PARAMS | {"warehouse": "nowhere"}, tables=[orders])
    world.session.sql("CREATE TABLE SUMS_LIVE (A INT)").collect()
    with pytest.raises(DataError, match="already exists"):
        world.run("features.dynamic", PARAMS, tables=[orders])


@pytest.mark.parametrize("lag", ["59 seconds", "0 minutes", "soon", "1 week", "1 minute' WAREHOUSE = X"])
def test_a_lag_that_cannot_be_kept_is_refused(lag: str) -> None:
    with pytest.raises(ValidationError, match="is no lag"):
        DynamicParams(query="SELECT 1 AS A FROM {{ table }}", name="x", target_lag=lag)
