"""Resource monitors that notify, suspend and suspend immediately."""

from __future__ import annotations

import datetime as dt
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from snowflake.connector.errors import ProgrammingError

from firnline_sandbox import SandboxEngine
from firnline_sandbox.catalog.snapshot import new_fields
from firnline_sandbox.clock import MovableClock
from firnline_sandbox.warehouses.monitors import ResourceMonitor

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., list[dict[str, Any]]]


def spending(run: Run, *triggers: str, quota: float = 1) -> None:
    """Let a warehouse spend 4 credits an hour under a monitor."""
    run(f"CREATE RESOURCE MONITOR m WITH CREDIT_QUOTA = {quota} TRIGGERS {' '.join(triggers)}")
    run("CREATE WAREHOUSE w WAREHOUSE_SIZE = MEDIUM AUTO_SUSPEND = 0 RESOURCE_MONITOR = m")


def state(run: Run) -> str:
    return str(run("SHOW WAREHOUSES LIKE 'w'")[0]["state"])


def refused(run: Run, sql: str) -> None:
    with pytest.raises(ProgrammingError, match="resource monitor 'M' has exceeded its quota") as caught:
        run(sql)
    assert caught.value.errno == 90073


def test_a_spent_quota_suspends_the_warehouse_and_keeps_it_so(run: Run, clock: MovableClock) -> None:
    spending(run, "ON 50 PERCENT DO NOTIFY", "ON 100 PERCENT DO SUSPEND")
    clock.advance(minutes=14)
    run("SELECT count(*) FROM t")
    clock.advance(minutes=46)
    assert state(run) == "SUSPENDED"
    refused(run, "SELECT count(*) FROM t")
    refused(run, "ALTER WAREHOUSE w RESUME")
    (monitor,) = run("SHOW RESOURCE MONITORS")
    assert (monitor["credit_quota"], monitor["used_credits"], monitor["remaining_credits"]) == ("1.00", "1.00", "0.00")
    assert (monitor["notify_at"], monitor["suspend_at"], monitor["level"]) == ("50%", "100%", "WAREHOUSE")
    assert run("SELECT 1 AS a") == [{"A": 1}]


def test_more_quota_lets_it_run_again(run: Run, clock: MovableClock) -> None:
    spending(run, "ON 100 PERCENT DO SUSPEND")
    clock.advance(hours=1)
    refused(run, "INSERT INTO t VALUES (1)")
    run("ALTER RESOURCE MONITOR m SET CREDIT_QUOTA = 5")
    run("INSERT INTO t VALUES (1)")
    assert state(run) == "STARTED"


def test_a_new_period_lets_it_run_again(run: Run, clock: MovableClock) -> None:
    run(
        "CREATE RESOURCE MONITOR m WITH CREDIT_QUOTA = 1 FREQUENCY = DAILY START_TIMESTAMP = IMMEDIATELY"
        " TRIGGERS ON 100 PERCENT DO SUSPEND"
    )
    run("CREATE WAREHOUSE w WAREHOUSE_SIZE = MEDIUM AUTO_SUSPEND = 0 RESOURCE_MONITOR = m")
    clock.advance(hours=23)
    refused(run, "SELECT count(*) FROM t")
    clock.advance(hours=1)
    assert len(run("SELECT count(*) FROM t")) == 1
    assert run("SHOW RESOURCE MONITORS")[0]["used_credits"] == "0.07"  # the first minute is due at once


def test_notifications_come_once_a_period(run: Run, engine: SandboxEngine, clock: MovableClock) -> None:
    spending(run, "ON 50 PERCENT DO NOTIFY", "ON 75 PERCENT DO NOTIFY")
    for _ in range(6):
        clock.advance(minutes=2)
    notifications = engine.part("warehouses").watch.notifications
    assert [(each.monitor, each.percent, each.action) for each in notifications] == [
        ("M", 50, "NOTIFY"),
        ("M", 75, "NOTIFY"),
    ]
    assert state(run) == "STARTED"


def waiting(engine: SandboxEngine, errors: list[ProgrammingError], seconds: float) -> threading.Thread:
    def wait() -> None:
        with engine.connect(warehouse="W") as session:
            try:
                session.cursor().execute(f"SELECT SYSTEM$WAIT({seconds}) FROM t")
            except ProgrammingError as failure:
                errors.append(failure)

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def test_suspend_lets_running_statements_end_and_suspend_immediate_does_not(
    run: Run, engine: SandboxEngine, clock: MovableClock
) -> None:
    spending(run, "ON 50 PERCENT DO SUSPEND", "ON 100 PERCENT DO SUSPEND_IMMEDIATE")
    errors: list[ProgrammingError] = []
    thread = waiting(engine, errors, 60)
    deadline = time.monotonic() + 20
    while run("SHOW WAREHOUSES LIKE 'w'")[0]["running"] != 1:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    clock.advance(minutes=10)
    assert thread.is_alive()
    refused(run, "SELECT count(*) FROM t")
    assert state(run) == "STARTED"
    clock.advance(minutes=5)
    thread.join(20)
    assert [failure.errno for failure in errors] == [604]
    assert "resource monitor 'M'" in str(errors[0])
    assert state(run) == "SUSPENDED"


def test_a_running_statement_is_stopped_when_the_time_comes_without_anybody_asking() -> None:
    clock = MovableClock()
    with SandboxEngine.open(clock=clock) as engine, engine.connect() as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE TABLE t AS SELECT 1 AS a")
        cursor.execute("CREATE RESOURCE MONITOR m CREDIT_QUOTA = 1000 TRIGGERS ON 100 PERCENT DO SUSPEND_IMMEDIATE")
        cursor.execute("CREATE WAREHOUSE w WAREHOUSE_SIZE = '6X-LARGE' RESOURCE_MONITOR = m")
        clock.advance(seconds=60)  # the first minute is due at once; from now on it is 512 credits an hour
        used = engine.part("warehouses").watch.used(engine.catalog.entries(ResourceMonitor)[0])
        cursor.execute(f"ALTER RESOURCE MONITOR m SET CREDIT_QUOTA = {used + 0.3}")
        began = time.monotonic()
        with pytest.raises(ProgrammingError, match="resource monitor 'M'") as caught:
            cursor.execute("SELECT SYSTEM$WAIT(60) FROM t")
        assert caught.value.errno == 604
        assert 1 < time.monotonic() - began < 20


def test_the_accounts_monitor_counts_all_warehouses(run: Run, clock: MovableClock) -> None:
    run("CREATE RESOURCE MONITOR m WITH CREDIT_QUOTA = 1 TRIGGERS ON 100 PERCENT DO SUSPEND")
    run("ALTER ACCOUNT SET RESOURCE_MONITOR = m")
    run("CREATE WAREHOUSE w WAREHOUSE_SIZE = MEDIUM AUTO_SUSPEND = 0")
    clock.advance(hours=1)
    run("USE WAREHOUSE compute_wh")
    refused(run, "SELECT count(*) FROM t")
    assert run("SHOW RESOURCE MONITORS")[0]["level"] == "ACCOUNT"
    run("ALTER ACCOUNT UNSET RESOURCE_MONITOR")
    assert len(run("SELECT count(*) FROM t")) == 1


def test_a_dropped_monitor_watches_no_more(run: Run, clock: MovableClock) -> None:
    spending(run, "ON 100 PERCENT DO SUSPEND")
    clock.advance(hours=1)
    run("DROP RESOURCE MONITOR m")
    assert len(run("SELECT count(*) FROM t")) == 1
    assert run("SHOW WAREHOUSES LIKE 'w'")[0]["resource_monitor"] == "null"


def test_bad_monitors_are_refused(run: Run) -> None:
    for sql, message in (
        ("CREATE RESOURCE MONITOR m CREDIT_QUOTA = 1 FREQUENCY = DAILY", "go together"),
        ("CREATE RESOURCE MONITOR m FREQUENCY = HOURLY START_TIMESTAMP = IMMEDIATELY", "invalid value 'HOURLY'"),
        ("CREATE RESOURCE MONITOR m TRIGGERS ON 1 PERCENT DO SUSPEND ON 2 PERCENT DO SUSPEND", "one SUSPEND trigger"),
        ("CREATE RESOURCE MONITOR m NO_SUCH_OPTION = 1", "Unsupported feature"),
        ("ALTER RESOURCE MONITOR absent SET CREDIT_QUOTA = 1", "does not exist"),
        ("CREATE WAREHOUSE w RESOURCE_MONITOR = absent", "does not exist"),
    ):
        with pytest.raises(ProgrammingError, match=message):
            run(sql)


@pytest.mark.parametrize(
    ("frequency", "start", "now", "expected"),
    [
        ("", "", "2026-03-10T12:00", "2026-03-01T00:00"),
        ("DAILY", "2026-01-05T08:00", "2026-03-10T07:00", "2026-03-09T08:00"),
        ("WEEKLY", "2026-03-02T00:00", "2026-03-10T07:00", "2026-03-09T00:00"),
        ("MONTHLY", "2026-01-31T00:00", "2026-03-10T07:00", "2026-02-28T00:00"),
        ("MONTHLY", "2026-01-31T00:00", "2026-03-31T00:00", "2026-03-31T00:00"),
        ("YEARLY", "2024-02-29T00:00", "2026-03-10T07:00", "2026-02-28T00:00"),
        ("YEARLY", "2024-06-01T00:00", "2026-03-10T07:00", "2025-06-01T00:00"),
        ("NEVER", "2020-01-01T00:00", "2026-03-10T07:00", "2020-01-01T00:00"),
    ],
)
def test_periods(frequency: str, start: str, now: str, expected: str) -> None:
    created = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    monitor = ResourceMonitor(
        **new_fields(name="M") | {"created": created}, frequency=frequency, start=start and f"{start}:00+00:00"
    )
    found = monitor.period_start(dt.datetime.fromisoformat(f"{now}:00+00:00"))
    assert found == dt.datetime.fromisoformat(f"{expected}:00+00:00")
