"""Dynamic tables: refreshed when their lag has passed, after those that they read, and never changed by hand."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from snowflake.connector.errors import ProgrammingError

from firnline_sandbox import SandboxEngine, connect
from firnline_sandbox.clock import MovableClock
from firnline_sandbox.sessions import snowpark_session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from firnline_sandbox.connection import SandboxConnection

    Run = Callable[..., list[tuple[Any, ...]]]

_HISTORY = (
    "SELECT name, state, refresh_action, refresh_trigger FROM TABLE("
    "INFORMATION_SCHEMA.DYNAMIC_TABLE_REFRESH_HISTORY(NAME => '{}')) ORDER BY data_timestamp, query_id"
)


@pytest.fixture
def clock() -> MovableClock:
    """A clock that stands."""
    return MovableClock(dt.datetime(2026, 3, 28, 12, 0, tzinfo=dt.UTC), stands_still=True)


@pytest.fixture
def connection(clock: MovableClock) -> Iterator[SandboxConnection]:
    """A session with a table of two rows, a dynamic table over it, and one over that."""
    with SandboxEngine.open(clock=clock) as engine, engine.connect() as opened:
        for statement in (
            "CREATE TABLE t (id INT, n VARCHAR)",
            "INSERT INTO t VALUES (1, 'a'), (2, 'b')",
            "CREATE DYNAMIC TABLE up TARGET_LAG = DOWNSTREAM WAREHOUSE = compute_wh AS SELECT id * 2 AS d FROM t",
            "CREATE DYNAMIC TABLE down TARGET_LAG = '10 minutes' WAREHOUSE = compute_wh AS SELECT SUM(d) AS s FROM up",
        ):
            opened.cursor().execute(statement)
        yield opened


@pytest.fixture
def run(connection: SandboxConnection) -> Run:
    """Run one statement."""
    return lambda sql: connection.cursor().execute(sql).fetchall()


def test_it_is_refreshed_when_its_lag_has_passed(run: Run, clock: MovableClock) -> None:
    assert run("SELECT s FROM down") == [(6,)]
    run("INSERT INTO t VALUES (10, 'x')")
    clock.advance(minutes=9)
    assert run("SELECT s FROM down") == [(6,)]
    clock.advance(minutes=12)
    assert run("SELECT s FROM down") == [(26,)]
    assert run("SELECT COUNT(*) FROM up") == [(3,)]
    assert run(_HISTORY.format("down")) == [
        ("DOWN", "SUCCEEDED", "FULL", "CREATION"),
        ("DOWN", "SUCCEEDED", "FULL", "SCHEDULED"),
        ("DOWN", "SUCCEEDED", "NO_DATA", "SCHEDULED"),
    ]


def test_it_is_refreshed_by_hand_and_suspended(run: Run, clock: MovableClock) -> None:
    run("ALTER DYNAMIC TABLE down SUSPEND")
    run("DELETE FROM t WHERE id = 1")
    clock.advance(hours=1)
    assert run("SELECT s FROM down") == [(6,)]
    run("ALTER DYNAMIC TABLE down REFRESH")
    assert run("SELECT s FROM down") == [(4,)]
    run("ALTER DYNAMIC TABLE down SET TARGET_LAG = '1 hour'")
    run("ALTER DYNAMIC TABLE down RESUME")
    run("INSERT INTO t VALUES (5, 'e')")
    clock.advance(hours=1)
    assert run("SELECT s FROM down") == [(14,)]


def test_a_refresh_that_fails_leaves_the_rows_and_tells_why(run: Run, clock: MovableClock) -> None:
    run("CREATE OR REPLACE TABLE t (other INT)")
    clock.advance(minutes=10)
    assert run("SELECT s FROM down") == [(6,)]
    name, state, *_ = run(_HISTORY.format("down"))[-1]
    assert (name, state) == ("DOWN", "FAILED")
    with pytest.raises(ProgrammingError, match="invalid identifier"):
        run("ALTER DYNAMIC TABLE down REFRESH")


def test_what_is_shown_is_what_is_done(run: Run) -> None:
    run("SHOW DYNAMIC TABLES LIKE 'down'")
    shown = run(
        'SELECT "refresh_mode", "refresh_mode_reason", "target_lag", "scheduling_state", "rows"'
        " FROM TABLE(RESULT_SCAN(LAST_QUERY_ID()))"
    )
    assert shown == [("FULL", "The sandbox computes all rows at each refresh", "10 minutes", "ACTIVE", 1)]
    run("SHOW TABLES LIKE 'up'")
    assert run('SELECT "is_dynamic" FROM TABLE(RESULT_SCAN(LAST_QUERY_ID()))') == [("Y",)]
    assert run("SELECT GET_DDL('table', 'up') ILIKE 'create dynamic table up target_lag%'") == [(True,)]
    assert [row[:2] for row in run("DESCRIBE DYNAMIC TABLE up")] == [("D", "NUMBER(38,0)")]


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("INSERT INTO down VALUES (1)", "is a dynamic table"),
        ("DELETE FROM up", "is a dynamic table"),
        ("CREATE STREAM s ON TABLE up", "is a dynamic table"),
        (
            "CREATE DYNAMIC TABLE x TARGET_LAG = '1 second' WAREHOUSE = compute_wh AS SELECT 1 AS a",
            "Invalid TARGET_LAG",
        ),
        ("CREATE DYNAMIC TABLE x TARGET_LAG = '1 day' AS SELECT 1 AS a", "WAREHOUSE"),
        ("DROP DYNAMIC TABLE nothing", "does not exist"),
    ],
)
def test_what_cannot_be_is_refused(run: Run, statement: str, error: str) -> None:
    with pytest.raises(ProgrammingError, match=error):
        run(statement)


def test_snowpark_makes_one_of_a_data_frame(connection: SandboxConnection, run: Run) -> None:
    session = snowpark_session(connection)
    frame = session.table("t").filter("id > 1")
    frame.create_or_replace_dynamic_table("made", warehouse="compute_wh", lag="1 minute", comment="by Snowpark")
    assert session.table("made").collect()[0]["N"] == "b"
    run("DROP DYNAMIC TABLE made")


def test_it_outlives_the_process(tmp_path: Path) -> None:
    folder = tmp_path / "sandbox"
    with connect(folder) as connection:
        connection.cursor().execute("CREATE TABLE t AS SELECT 1 AS a")
        connection.cursor().execute(
            "CREATE DYNAMIC TABLE d TARGET_LAG = '1 day' WAREHOUSE = compute_wh AS SELECT a FROM t"
        )
    with connect(folder) as connection:
        cursor = connection.cursor()
        assert cursor.execute("ALTER DYNAMIC TABLE d REFRESH").fetchall()[0][0].endswith("(NO_DATA).")
        assert cursor.execute("SELECT a FROM d").fetchall() == [(1,)]
