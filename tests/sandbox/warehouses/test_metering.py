"""Credits as Snowflake bills them, on a clock that the tests move."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from snowflake.connector.errors import ProgrammingError

from firnline_sandbox import SandboxEngine
from firnline_sandbox.clock import MovableClock
from firnline_sandbox.warehouses.usage import computes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from firnline_sandbox.connection import SandboxConnection

    Run = Callable[..., list[dict[str, Any]]]

METERING = "SNOWFLAKE.ACCOUNT_USAGE.WAREHOUSE_METERING_HISTORY"
USED = f"SELECT sum(credits_used)::FLOAT AS n FROM {METERING} WHERE warehouse_name = '{{}}'"


def used(run: Run, warehouse: str) -> float:
    """Add up what a warehouse was charged; asking is done by another one."""
    run("USE WAREHOUSE compute_wh")
    return float(run(USED.format(warehouse))[0]["N"] or 0)


def state(run: Run, warehouse: str) -> str:
    return str(run(f"SHOW WAREHOUSES LIKE '{warehouse}'")[0]["state"])


def new_warehouse(run: Run, options: str = "") -> None:
    run(f"CREATE WAREHOUSE w WITH AUTO_SUSPEND = 300 INITIALLY_SUSPENDED = TRUE {options}")


def test_a_query_starts_the_warehouse_and_idleness_suspends_it(run: Run, clock: MovableClock) -> None:
    new_warehouse(run)
    assert state(run, "w") == "SUSPENDED"
    run("SELECT count(*) FROM t")
    assert state(run, "w") == "STARTED"
    clock.advance(seconds=299)
    assert state(run, "w") == "STARTED"
    clock.advance(seconds=1)
    assert state(run, "w") == "SUSPENDED"
    assert used(run, "W") == pytest.approx(300 / 3600)


def test_a_minute_at_least_is_billed_at_each_start(run: Run, clock: MovableClock) -> None:
    new_warehouse(run)
    for _ in range(3):
        run("INSERT INTO t VALUES (1)")
        clock.advance(seconds=5)
        run("ALTER WAREHOUSE w SUSPEND")
    assert used(run, "W") == pytest.approx(3 * 60 / 3600)


@pytest.mark.parametrize(("size", "rate"), [("XSMALL", 1), ("'X-Large'", 16), ("'4X-LARGE'", 128), ("X6LARGE", 512)])
def test_sizes_double_the_rate(run: Run, clock: MovableClock, size: str, rate: int) -> None:
    new_warehouse(run, f"WAREHOUSE_SIZE = {size}")
    run("ALTER WAREHOUSE w RESUME")
    clock.advance(seconds=90)
    run("ALTER WAREHOUSE w SUSPEND")
    assert used(run, "W") == pytest.approx(rate * 90 / 3600)


def test_a_new_size_is_charged_from_then_on(run: Run, clock: MovableClock) -> None:
    new_warehouse(run, "WAREHOUSE_SIZE = SMALL AUTO_SUSPEND = 0")
    run("ALTER WAREHOUSE w RESUME")
    clock.advance(seconds=100)
    run("ALTER WAREHOUSE w SET WAREHOUSE_SIZE = LARGE")
    clock.advance(seconds=100)
    run("ALTER WAREHOUSE w SET WAREHOUSE_SIZE = SMALL")
    clock.advance(seconds=100)
    run("ALTER WAREHOUSE w SUSPEND")
    assert used(run, "W") == pytest.approx((2 * 300 + 6 * 100) / 3600)


def test_clusters_that_always_run_are_charged(run: Run, clock: MovableClock) -> None:
    new_warehouse(run, "MIN_CLUSTER_COUNT = 3 MAX_CLUSTER_COUNT = 3")
    run("ALTER WAREHOUSE w RESUME")
    clock.advance(seconds=120)
    run("ALTER WAREHOUSE w SUSPEND")
    assert used(run, "W") == pytest.approx(3 * 120 / 3600)


def test_a_warehouse_that_never_suspends_is_charged_by_the_hour(run: Run, clock: MovableClock) -> None:
    run("CREATE WAREHOUSE w AUTO_SUSPEND = 0")
    clock.advance(minutes=150)
    run("USE WAREHOUSE compute_wh")
    rows = run(
        "SELECT * FROM TABLE(INFORMATION_SCHEMA.WAREHOUSE_METERING_HISTORY('2026-03-10', WAREHOUSE_NAME => 'w'))"
    )
    assert [(row["START_TIME"].hour, float(row["CREDITS_USED"])) for row in rows] == [(12, 1.0), (13, 1.0), (14, 0.5)]


def test_what_needs_no_warehouse_starts_none(run: Run) -> None:
    new_warehouse(run)
    for sql in ("SELECT 1", "SHOW TABLES", "CREATE TABLE u (a INT)", "SELECT CURRENT_WAREHOUSE()", "DESC TABLE u"):
        run(sql)
    assert state(run, "w") == "SUSPENDED"
    run("CREATE TABLE v (a INT) AS SELECT 1")
    assert state(run, "w") == "STARTED"
    assert computes("with x as (select * from t) select * from x", ("WITH", "X"))
    assert not computes("CREATE VIEW v AS SELECT * FROM t", ("CREATE", "VIEW", "V"))


def test_without_a_warehouse_nothing_is_computed(run: Run, connection: SandboxConnection) -> None:
    new_warehouse(run, "AUTO_RESUME = FALSE")
    with pytest.raises(ProgrammingError, match="No active warehouse selected") as caught:
        run("SELECT count(*) FROM t")
    assert caught.value.errno == 606
    connection.warehouse = None
    with pytest.raises(ProgrammingError, match="No active warehouse selected"):
        run("SELECT count(*) FROM t")
    assert run("SELECT 1 AS a") == [{"A": 1}]
    with pytest.raises(ProgrammingError, match="cannot be suspended") as caught:
        run("ALTER WAREHOUSE w SUSPEND")
    assert caught.value.errno == 90064


def test_warehouses_are_altered_shown_and_dropped(run: Run) -> None:
    new_warehouse(run)
    run("ALTER WAREHOUSE w SET AUTO_SUSPEND = 60, COMMENT = 'c', MAX_CLUSTER_COUNT = 2")
    (shown,) = run("SHOW WAREHOUSES LIKE 'W'")
    assert (shown["auto_suspend"], shown["comment"], shown["max_cluster_count"]) == (60, "c", 2)
    assert (shown["size"], shown["type"], shown["is_current"]) == ("X-Small", "STANDARD", "Y")
    run("ALTER WAREHOUSE w UNSET COMMENT")
    run("ALTER WAREHOUSE w RENAME TO x")
    run("ALTER WAREHOUSE x RESUME IF SUSPENDED")
    run("DROP WAREHOUSE x")
    assert [row["name"] for row in run("SHOW WAREHOUSES")] == ["COMPUTE_WH"]
    with pytest.raises(ProgrammingError, match="Unsupported feature 'warehouse option WAREHOUSE_TYPE"):
        run("CREATE WAREHOUSE y WAREHOUSE_TYPE = 'SNOWPARK-OPTIMIZED'")


def test_the_timeout_of_the_warehouse_stops_statements(run: Run) -> None:
    new_warehouse(run, "STATEMENT_TIMEOUT_IN_SECONDS = 1")
    began = time.monotonic()
    with pytest.raises(ProgrammingError, match="timeout of 1 second") as caught:
        run("SELECT SYSTEM$WAIT(30) FROM t UNION ALL SELECT 'x' FROM t")
    assert caught.value.errno == 630
    assert time.monotonic() - began < 15


def test_history_tells_warehouse_size_and_tag(run: Run, connection: SandboxConnection) -> None:
    run("ALTER SESSION SET QUERY_TAG = 'stage=train'")
    run("SELECT count(*) FROM t")
    with pytest.raises(ProgrammingError):
        run("SELECT absent FROM t")
    rows = run("SELECT * FROM TABLE(INFORMATION_SCHEMA.QUERY_HISTORY(RESULT_LIMIT => 3))")
    running, failed, done = rows
    assert running["EXECUTION_STATUS"] == "RUNNING"
    assert (failed["EXECUTION_STATUS"], failed["ERROR_CODE"]) == ("FAILED_WITH_ERROR", "904")
    assert (done["QUERY_TEXT"], done["QUERY_TAG"]) == ("SELECT count(*) FROM t", "stage=train")
    assert (done["WAREHOUSE_NAME"], done["WAREHOUSE_SIZE"], done["ROWS_PRODUCED"]) == ("COMPUTE_WH", "X-Small", 1)
    mine = run("SELECT query_text AS q FROM TABLE(INFORMATION_SCHEMA.QUERY_HISTORY_BY_SESSION()) WHERE query_tag <> ''")
    assert len(mine) >= 3
    with connection.engine.connect() as other:
        found = run("SELECT count(*) AS n FROM TABLE(INFORMATION_SCHEMA.QUERY_HISTORY_BY_SESSION())", on=other)
        assert found == [{"N": 1}]
    statuses = run("SELECT DISTINCT execution_status AS s FROM SNOWFLAKE.ACCOUNT_USAGE.QUERY_HISTORY ORDER BY 1")
    assert statuses == [{"S": "fail"}, {"S": "success"}]


def test_statements_that_run_together_share_the_cost(engine: SandboxEngine, run: Run, clock: MovableClock) -> None:
    new_warehouse(run, "WAREHOUSE_SIZE = MEDIUM")

    def wait(tag: str) -> None:
        with (
            engine.connect(warehouse="W", session_parameters={"QUERY_TAG": tag}) as session,
            pytest.raises(ProgrammingError, match="canceled"),
        ):
            session.cursor().execute("SELECT SYSTEM$WAIT(60) FROM t")

    threads = [threading.Thread(target=wait, args=(tag,)) for tag in ("first", "second")]
    threads[0].start()
    _until(lambda: run("SHOW WAREHOUSES LIKE 'w'")[0]["running"] == 1)
    clock.advance(seconds=100)
    threads[1].start()
    _until(lambda: run("SHOW WAREHOUSES LIKE 'w'")[0]["running"] == 2)
    clock.advance(seconds=200)
    run("ALTER WAREHOUSE w ABORT ALL QUERIES")
    for thread in threads:
        thread.join(30)
    clock.advance(seconds=1000)  # idle time is nobody's
    run("USE WAREHOUSE compute_wh")
    rows = run(
        "SELECT query_tag AS t, credits_attributed_compute::FLOAT AS n"
        " FROM SNOWFLAKE.ACCOUNT_USAGE.QUERY_ATTRIBUTION_HISTORY WHERE warehouse_name = 'W' AND query_tag <> ''"
    )
    shares = {row["T"]: row["N"] for row in rows}
    assert shares == {"first": pytest.approx(4 * 200 / 3600), "second": pytest.approx(4 * 100 / 3600)}
    assert used(run, "W") == pytest.approx(4 * 600 / 3600)


def _until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_credits_outlive_the_process(tmp_path: Path, clock: MovableClock) -> None:
    total = "SELECT sum(credits_used)::FLOAT AS n FROM SNOWFLAKE.ACCOUNT_USAGE.WAREHOUSE_METERING_HISTORY"
    with SandboxEngine.open(tmp_path, clock=clock) as engine, engine.connect() as connection:
        connection.cursor().execute("CREATE WAREHOUSE w AUTO_SUSPEND = 300 WAREHOUSE_SIZE = MEDIUM")
    clock.advance(hours=1)
    with SandboxEngine.open(tmp_path, clock=clock) as engine, engine.connect() as connection:
        assert connection.cursor().execute("SHOW WAREHOUSES LIKE 'w'").fetchall()[0][1] == "SUSPENDED"
        connection.cursor().execute("DROP WAREHOUSE w")
        (row,) = connection.cursor().execute(f"{total} WHERE warehouse_name = 'W'").fetchall()
    assert row[0] == pytest.approx(4 * 300 / 3600)
    with (tmp_path / "credits.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"key": "cut o')
    with SandboxEngine.open(tmp_path, clock=clock) as engine, engine.connect() as connection:
        (row,) = connection.cursor().execute(f"{total} WHERE warehouse_name = 'W'").fetchall()
    assert row[0] == pytest.approx(4 * 300 / 3600)


def test_sql_tells_the_time_of_the_clock(run: Run, clock: MovableClock) -> None:
    clock.advance(days=1, hours=1)
    (row,) = run(
        "SELECT CURRENT_DATE()::VARCHAR AS d, CURRENT_TIME()::VARCHAR AS t, SYSDATE()::VARCHAR AS s,"
        " DATEDIFF('hour', '2026-03-10 12:00:00 +0000'::TIMESTAMP_TZ, CURRENT_TIMESTAMP()) AS h"
    )
    assert (row["D"], row["T"][:8], row["S"][:19], row["H"]) == ("2026-03-11", "13:00:00", "2026-03-11 13:00:00", 25)
    run("SELECT count(*) FROM t")
    recent = (
        "TABLE(INFORMATION_SCHEMA.QUERY_HISTORY(END_TIME_RANGE_START => DATEADD('minute', -1, CURRENT_TIMESTAMP())))"
    )
    assert {"Q": "SELECT count(*) FROM t"} in run(f"SELECT query_text AS q FROM {recent}")
    assert {"Q": "CREATE TABLE t (a INT)"} not in run(f"SELECT query_text AS q FROM {recent}")


def test_statements_that_computed_outlive_the_process(tmp_path: Path, clock: MovableClock) -> None:
    tagged = {"session_parameters": {"QUERY_TAG": "mine"}}
    with SandboxEngine.open(tmp_path, clock=clock) as engine, engine.connect(**tagged) as connection:
        connection.cursor().execute("CREATE TABLE t AS SELECT 1 AS a")
        connection.cursor().execute("SHOW TABLES")
    with (tmp_path / "queries.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"query_id": "cut o')
    with SandboxEngine.open(tmp_path, clock=clock) as engine, engine.connect() as connection:
        history = (
            "SELECT query_text, warehouse_size FROM SNOWFLAKE.ACCOUNT_USAGE.QUERY_HISTORY WHERE query_tag = 'mine'"
        )
        assert connection.cursor().execute(history).fetchall() == [("CREATE TABLE t AS SELECT 1 AS a", "X-Small")]
        attributed = "SELECT count(*) FROM SNOWFLAKE.ACCOUNT_USAGE.QUERY_ATTRIBUTION_HISTORY WHERE query_tag = 'mine'"
        assert connection.cursor().execute(attributed).fetchall() == [(1,)]
        ours = "SELECT count(*) FROM TABLE(INFORMATION_SCHEMA.QUERY_HISTORY()) WHERE query_tag = 'mine'"
        assert connection.cursor().execute(ours).fetchall() == [(0,)]  # only what this process remembers
