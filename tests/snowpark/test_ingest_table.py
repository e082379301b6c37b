"""ingest.table: columns, filter, Time Travel, and the state that tells the plan of a change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from firnline.domain import Platform, SourceContext, Table
from firnline.errors import DataError, PlatformError
from firnline_sandbox.platform import SandboxPlatform
from firnline_snowpark.ingest.table import rows
from firnline_snowpark.ingest.table_params import Past, TableParams, table_state
from tests.snowpark.churn_world import World
from tests.snowpark.fetched import count_fetched


@pytest.fixture(scope="module")
def orders(world: World) -> Table:
    return world.table('ID INT, "Größe" FLOAT, KIND TEXT', "1, 5.0, 'a'", "2, 7.5, NULL", "3, 0.5, 'c'")


def test_columns_and_rows_are_chosen_on_the_platform(world: World, orders: Table) -> None:
    params = {"table": orders.name, "columns": ["größe", "ID"], "filter": "KIND = 'a' OR KIND IS NULL"}
    with count_fetched() as fetched:
        found = world.run("ingest.table", params)
    assert fetched.rows <= 2
    assert found["table"].columns == ("Größe", "ID")
    assert world.rows(found["table"]) == [(5.0, 1), (7.5, 2)]
    assert found["table"].name != orders.name
    handed_on = world.run("ingest.table", {"table": orders.name, "copy_rows": False})["table"]
    assert (handed_on.name, handed_on.rows) == (orders.name, 3)


@pytest.mark.parametrize(
    ("at", "clause"),
    [
        ({"timestamp": "2026-01-01T12:00:00"}, "AT(TIMESTAMP => '2026-01-01T12:00:00+00:00'::TIMESTAMP_TZ)"),
        ({"timestamp": "2026-01-01T12:00:00+02:00"}, "AT(TIMESTAMP => '2026-01-01T12:00:00+02:00'::TIMESTAMP_TZ)"),
        ({"seconds_ago": 3600}, "AT(OFFSET => -3600)"),
        ({"statement": "01b2-ff"}, "AT(STATEMENT => '01b2-ff')"),
        ({"statement": "01b2-ff", "before": True}, "BEFORE(STATEMENT => '01b2-ff')"),
    ],
)
def test_time_travel_is_passed_through_and_refused_by_name(
    world: World, orders: Table, at: dict[str, Any], clause: str
) -> None:
    params = TableParams.model_validate({"table": orders.name, "at": at})
    [query] = rows(world.session, params, "ingest").queries["queries"]
    assert f"FROM {orders.name} {clause}" in query
    with pytest.raises(DataError, match="time travel") as caught:
        world.run("ingest.table", params.model_dump(mode="json"))
    assert clause in str(caught.value)
    assert "take ingest.params.at out" in (caught.value.hint or "")


def test_the_state_follows_the_tables_last_change(tmp_path: Path) -> None:
    platform: Platform = SandboxPlatform.open(":memory:", wait_s=1)
    try:
        context = SourceContext(project=tmp_path, open_platform=lambda: platform)
        session = platform.session("test")
        session.sql("CREATE TABLE T AS SELECT 1 AS A").collect()
        params = TableParams(table="t")
        first = table_state(params, context)
        assert table_state(params, context) == first
        session.sql("INSERT INTO T SELECT 2").collect()
        assert table_state(params, context) != first
        with pytest.raises(PlatformError, match="no table NONE"):
            table_state(TableParams(table="NONE"), context)
    finally:
        platform.close()
    closed = SourceContext(project=tmp_path, open_platform=lambda: pytest.fail("no platform is needed"))
    fixed = TableParams(table="t", at=Past.model_validate({"timestamp": "2026-01-01"}))
    assert table_state(fixed, closed) == table_state(fixed, closed)
    moving = TableParams(table="t", at=Past(seconds_ago=60))
    assert table_state(moving, closed) != table_state(moving, closed)


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"table": "T; DROP TABLE X"}, "should match pattern"),
        ({"table": "a.b.c.d"}, "should match pattern"),
        ({"table": "T", "at": {}}, "one of timestamp"),
        ({"table": "T", "at": {"seconds_ago": 5, "statement": "1"}}, "one of timestamp"),
        ({"table": "T", "at": {"seconds_ago": 5, "before": True}}, "before goes with a statement"),
        ({"table": "T", "at": {"statement": "') x"}}, "should match pattern"),
        ({"table": "T", "copy_rows": False, "filter": "A > 1"}, "need copy_rows"),
        ({"table": "T", "columns": ["A", "A"]}, "named twice"),
    ],
)
def test_params_that_do_not_fit_are_refused(params: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        TableParams.model_validate(params)


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"table": "NO_SUCH_TABLE"}, "(?s)NO_SUCH_TABLE cannot be read.*does not exist"),
        ({"filter": "KNID = 'a'"}, "(?s)cannot be read.*KNID"),
        ({"columns": ["KNID"]}, "'KNID' is not in the table"),
    ],
)
def test_what_is_not_there_is_told(world: World, orders: Table, params: dict[str, Any], says: str) -> None:
    with pytest.raises(DataError, match=says):
        world.run("ingest.table", {"table": orders.name} | params)
