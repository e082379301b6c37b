"""Tasks: schedules on a clock that the test moves, graphs, triggers, failures, and what is told of them."""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from snowflake.connector.errors import ProgrammingError

from firnline_sandbox import SandboxEngine, connect
from firnline_sandbox.clock import MovableClock
from firnline_sandbox.commands import sandbox
from firnline_sandbox.tasks.schedule import last_time, next_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Run = Callable[..., list[tuple[Any, ...]]]

START = dt.datetime(2026, 3, 28, 12, 0, tzinfo=dt.UTC)


@pytest.fixture
def clock() -> MovableClock:
    """A clock that stands at noon."""
    return MovableClock(START, stands_still=True)


@pytest.fixture
def run(clock: MovableClock) -> Iterator[Run]:
    """Run one statement in a sandbox with a source that has a stream, and a target."""
    with SandboxEngine.open(clock=clock) as engine, engine.connect() as connection:

        def run(sql: str) -> list[tuple[Any, ...]]:
            return connection.cursor().execute(sql).fetchall()

        run("CREATE TABLE source (id INT)")
        run("CREATE TABLE target (id INT, at TIMESTAMP_LTZ)")
        run("CREATE STREAM s ON TABLE source")
        yield run


def history(run: Run) -> list[tuple[Any, ...]]:
    """List the runs in their order: name, state and the hour for which they were scheduled."""
    return run(
        "SELECT name, state, HOUR(scheduled_time) FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY())"
        " ORDER BY scheduled_time, query_start_time, completed_time, query_id"
    )


def test_a_schedule_runs_at_each_of_its_times(run: Run, clock: MovableClock) -> None:
    run("CREATE TASK k WAREHOUSE = compute_wh SCHEDULE = '1 HOUR' AS INSERT INTO target VALUES (1, CURRENT_TIMESTAMP)")
    clock.advance(hours=2)
    assert history(run) == []
    run("ALTER TASK k RESUME")
    clock.advance(hours=2, minutes=30)
    assert run("SELECT HOUR(at), MINUTE(at) FROM target ORDER BY at") == [(15, 0), (16, 0)]
    assert history(run) == [("K", "SUCCEEDED", 15), ("K", "SUCCEEDED", 16)]
    run("ALTER TASK k SUSPEND")
    clock.advance(hours=2)
    assert len(history(run)) == 2
    billed = run(
        "SELECT SUM(credits_used) > 0 FROM SNOWFLAKE.ACCOUNT_USAGE.WAREHOUSE_METERING_HISTORY"
        " WHERE HOUR(start_time) = 16 AND warehouse_name = 'COMPUTE_WH'"
    )
    assert billed == [(True,)]


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        ("USING CRON 0 9 * * MON-FRI UTC", "2026-03-28T12:00", "2026-03-30T09:00"),
        ("USING CRON 0 9 L * * UTC", "2026-03-28T12:00", "2026-03-31T09:00"),
        ("using cron 0 9 * * * Europe/Berlin", "2026-03-28T12:00", "2026-03-29T07:00"),
        ("5 minutes", "2026-03-28T12:07", "2026-03-28T12:10"),
        ("1 HOUR", "2026-03-28T12:00", "2026-03-28T13:00"),
    ],
)
def test_when_a_schedule_comes_next(schedule: str, after: str, expected: str) -> None:
    moment = dt.datetime.fromisoformat(after).replace(tzinfo=dt.UTC)
    assert next_time(schedule, START, moment) == dt.datetime.fromisoformat(expected).replace(tzinfo=dt.UTC)


def test_times_that_were_missed_count_once() -> None:
    now = START + dt.timedelta(days=300, minutes=7)
    assert last_time("5 MINUTE", START, START, now) == now - dt.timedelta(minutes=2)
    assert last_time("5 MINUTE", START, START, START + dt.timedelta(minutes=4)) is None


@pytest.mark.parametrize("schedule", ["soon", "0 MINUTE", "USING CRON 61 * * * * UTC", "USING CRON 0 * * * * Mars"])
def test_a_schedule_that_cannot_be_read_is_refused(run: Run, schedule: str) -> None:
    with pytest.raises(ProgrammingError, match="Invalid schedule"):
        run(f"CREATE TASK k SCHEDULE = '{schedule}' AS SELECT 1")


def test_a_graph_runs_in_order_and_passes_values_on(run: Run, clock: MovableClock) -> None:
    run(
        "CREATE TASK a WAREHOUSE = compute_wh SCHEDULE = '60 MINUTE' CONFIG = '{\"n\": {\"m\": 5}}'"
        " WHEN SYSTEM$STREAM_HAS_DATA('s') AS INSERT INTO target SELECT id, NULL FROM s"
    )
    run("CREATE TASK b WAREHOUSE = compute_wh AFTER a AS CALL SYSTEM$SET_RETURN_VALUE('7')")
    run("CREATE TASK c AFTER a AS SELECT 1")
    run(
        "CREATE TASK d AFTER b, c WHEN SYSTEM$GET_PREDECESSOR_RETURN_VALUE('b') = '7' AS INSERT INTO target SELECT"
        " SYSTEM$GET_PREDECESSOR_RETURN_VALUE('B')::INT + SYSTEM$GET_TASK_GRAPH_CONFIG('n.m')::INT, NULL"
    )
    run("CREATE TASK last FINALIZE = a AS INSERT INTO target VALUES (99, NULL)")
    run("SELECT SYSTEM$TASK_DEPENDENTS_ENABLE('a')")
    with pytest.raises(ProgrammingError, match="root task is not suspended"):
        run("ALTER TASK b MODIFY AS SELECT 2")
    run("INSERT INTO source VALUES (1)")
    clock.advance(hours=2)
    states = {name: state for name, state, hour in history(run) if hour == 13}
    assert states == dict.fromkeys("ABCD", "SUCCEEDED") | {"LAST": "SUCCEEDED"}
    assert [row for row in history(run) if row[2] == 14] == [("A", "SKIPPED", 14)]
    assert run("SELECT id FROM target ORDER BY id") == [(1,), (12,), (99,)]
    dependents = run("SELECT name FROM TABLE(INFORMATION_SCHEMA.TASK_DEPENDENTS('a')) ORDER BY name")
    assert dependents == [("A",), ("B",), ("C",), ("D",)]


def test_new_rows_trigger_a_task(run: Run, clock: MovableClock) -> None:
    run("CREATE TASK k WHEN SYSTEM$STREAM_HAS_DATA('s') AS INSERT INTO target SELECT id, CURRENT_TIMESTAMP FROM s")
    run("ALTER TASK k RESUME")
    for number in range(3):
        run(f"INSERT INTO source VALUES ({number})")
        clock.advance(minutes=1)
    clock.advance(hours=5)
    assert run("SELECT id FROM target ORDER BY id") == [(0,), (1,), (2,)]
    assert {row[:2] for row in history(run)} == {("K", "SUCCEEDED")}


def test_a_task_that_fails_is_tried_again_and_suspended_in_the_end(run: Run, clock: MovableClock) -> None:
    run(
        "CREATE TASK k WAREHOUSE = compute_wh SCHEDULE = '1 HOUR' SUSPEND_TASK_AFTER_NUM_FAILURES = 2"
        " TASK_AUTO_RETRY_ATTEMPTS = 1 AS INSERT INTO target SELECT 1 / 0, NULL FROM source"
    )
    run("INSERT INTO source VALUES (1)")
    run("ALTER TASK k RESUME")
    clock.advance(hours=5)
    attempts = run(
        "SELECT attempt_number, error_message FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY(ERROR_ONLY => TRUE))"
        " ORDER BY scheduled_time, attempt_number"
    )
    assert [number for number, _ in attempts] == [1, 2, 1, 2]
    assert all("Division by zero" in message for _, message in attempts)
    assert run("SHOW TASKS")[0][10] == "suspended"
    assert run("SELECT COUNT(*) FROM target") == [(0,)]


def test_a_task_can_be_run_by_hand_in_the_background(run: Run) -> None:
    run("CREATE TASK k WAREHOUSE = compute_wh AS INSERT INTO target VALUES (1, NULL)")
    run("EXECUTE TASK k")
    deadline = time.monotonic() + 60
    while [row[1] for row in history(run)] != ["SUCCEEDED"] and time.monotonic() < deadline:
        time.sleep(0.02)
    assert run("SELECT id FROM target") == [(1,)]
    run("ALTER TASK k SET SCHEDULE = '5 MINUTE', COMMENT = 'seen'")
    (row,) = run("DESCRIBE TASK k")
    assert (row[6], row[8]) == ("seen", "5 MINUTE")
    run("DROP TASK k")
    with pytest.raises(ProgrammingError, match="does not exist"):
        run("DROP TASK k")


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("CREATE TASK k AFTER nobody AS SELECT 1", "does not exist"),
        ("CREATE TASK k WAREHOUSE = nobody AS SELECT 1", "does not exist"),
        ("CREATE TASK k AS BEGIN SELECT 1; END", "Snowflake Scripting"),
        ("CREATE TASK k AS CREATE ALERT a", "CREATE ALERT"),
        ("CREATE TASK k CONFIG = 'x' AS SELECT 1", "CONFIG is not JSON"),
        ("ALTER TASK nobody RESUME", "does not exist"),
        ("SELECT SYSTEM$SET_RETURN_VALUE('x')", "by a task alone"),
    ],
)
def test_what_cannot_be_is_refused(run: Run, statement: str, error: str) -> None:
    with pytest.raises(ProgrammingError, match=error):
        run(statement)


def test_the_shell_runs_tasks_of_a_folder_up_to_a_time(tmp_path: Path) -> None:
    folder = tmp_path / "sandbox"
    with connect(folder) as connection:
        for statement in (
            "CREATE TABLE target (id INT)",
            "CREATE TASK k SCHEDULE = 'USING CRON 0 0 * * * UTC' AS INSERT INTO target VALUES (1)",
            "ALTER TASK k RESUME",
        ):
            connection.cursor().execute(statement)
    until = dt.datetime.now(dt.UTC) + dt.timedelta(days=3)
    arguments = ["tasks", "run", "--path", str(folder), "--until", f"{until:%Y-%m-%dT%H:%M:%S}"]
    outcome = CliRunner().invoke(sandbox, arguments, catch_exceptions=False)
    count = outcome.output.count("FIRNLINE.PUBLIC.K SUCCEEDED")
    assert count >= 2  # midnights in three days, but for one that passes just now
    with connect(folder) as connection:
        assert connection.cursor().execute("SELECT COUNT(*) FROM target").fetchall() == [(count,)]
