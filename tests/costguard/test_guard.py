"""The guard itself, on a sandbox in memory: privileges, monitors that stand there, runs side by side."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from snowflake.snowpark.exceptions import SnowparkSQLException

from firnline.domain import GuardContext, GuardedRun, Plan
from firnline.errors import PlatformError
from firnline_costguard.guard import CreditGuard
from firnline_costguard.params import CreditGuardParams
from firnline_sandbox import SandboxEngine
from firnline_sandbox.clock import MovableClock
from firnline_sandbox.platform import SandboxPlatform
from tests.costguard.test_estimate import Known, stage

PLAN = Plan(pipeline="p", platform="sandbox", platform_params={}, workers=1, stages=(stage("train", where="sandbox"),))


class Limited:
    """A session whose role lacks privileges: it answers as Snowflake does."""

    def __init__(self, session: Any, world: World) -> None:
        self._session, self._world = session, world

    def sql(self, statement: str) -> Any:
        if self._world.denied and statement.startswith(self._world.denied):
            text = "003001 (42501): SQL access control error: Insufficient privileges to operate on account 'X'"
            raise SnowparkSQLException(text, sql_error_code=3001)
        return self._session.sql(statement)

    def close(self) -> None:
        self._session.close()


class World:
    """Stands for the platform that guards get, and makes guards of several runs and projects on it."""

    def __init__(self, platform: SandboxPlatform, folder: Path, clock: MovableClock) -> None:
        self.platform, self.folder, self.clock = platform, folder, clock
        self.stopped: list[str] = []
        self.denied: tuple[str, ...] = ()
        self.looking = platform.session("looking on")

    def session(self, query_tag: str) -> Any:
        return Limited(self.platform.session(query_tag), self)

    def guard(self, project: str = "one", sweep_id: str | None = None, **params: Any) -> CreditGuard:
        settings = {"poll_s": 0.05, "budget": {"credits": 3}} | params
        context = GuardContext(
            pipeline="p",
            folder=self.folder / project,
            history=Known(),
            open_platform=lambda: self,  # type: ignore[arg-type, return-value]
            sweep_id=sweep_id,
        )
        return CreditGuard(CreditGuardParams.model_validate(settings), context)

    def run(self, run_id: str) -> GuardedRun:
        return GuardedRun(run_id=run_id, plan=PLAN, stop=self.stopped.append)

    def sql(self, statement: str) -> list[Any]:
        return list(self.looking.sql(statement).collect())

    def quotas(self) -> dict[str, tuple[float, str]]:
        rows = self.sql("SHOW RESOURCE MONITORS")
        return {row["name"]: (float(row["credit_quota"]), row["suspend_immediately_at"]) for row in rows}

    def monitor(self) -> str:
        [row] = self.sql("SHOW WAREHOUSES LIKE 'COMPUTE_WH'")
        return str(row["resource_monitor"])


@pytest.fixture(scope="module")
def opened() -> Iterator[tuple[SandboxPlatform, MovableClock]]:
    """One sandbox for all tests of this module: each leaves its warehouse as it was."""
    clock = MovableClock()
    platform = SandboxPlatform(SandboxEngine.open(clock=clock))
    yield platform, clock
    platform.close()


@pytest.fixture
def world(opened: tuple[SandboxPlatform, MovableClock], tmp_path: Path) -> Iterator[World]:
    """A world without monitors before and after."""
    made = World(opened[0], tmp_path, opened[1])
    yield made
    assert (made.quotas(), made.monitor()) == ({}, "null")
    made.looking.close()


def test_missing_privileges_are_named_when_planning(world: World) -> None:
    world.denied = ("CREATE RESOURCE MONITOR", "ALTER WAREHOUSE")
    first, second = world.guard().assess(PLAN).refusals
    assert first.startswith("role ACCOUNTADMIN may not create resource monitors (Snowflake lets ACCOUNTADMIN do so): ")
    assert "Insufficient privileges" in first
    assert "may not set the resource monitor of warehouse COMPUTE_WH" in second
    assert second.endswith("do without the cap: guard.monitor=false")
    assert world.guard(monitor=False).assess(PLAN).refusals == ()
    assert world.guard(budget={}).assess(PLAN).refusals == ()  # nothing to cap


def test_without_a_budget_or_anything_to_run_nothing_is_done(world: World) -> None:
    for guard, plan in ((world.guard(budget={}), PLAN), (world.guard(), replace(PLAN, stages=()))):
        assessment = guard.assess(plan)
        with guard.around(world.run("r")):
            assert world.quotas() == {}
        assert assessment.refusals == ()


def test_a_cap_takes_its_share_of_whole_credits(world: World) -> None:
    guard = world.guard(budget={"credits": 0.5, "judge_by": "p50"})
    assert guard.assess(PLAN).refusals == ()
    with guard.around(world.run("r1")):
        assert world.quotas() == {"FIRNLINE_RUN_R1": (1.0, "50%")}
        assert world.monitor() == "FIRNLINE_RUN_R1"


def test_what_the_warehouses_own_monitor_has_left_bounds_the_run_too(world: World) -> None:
    world.sql("CREATE RESOURCE MONITOR TEAMS WITH CREDIT_QUOTA = 2 TRIGGERS ON 100 PERCENT DO SUSPEND")
    world.sql("ALTER WAREHOUSE COMPUTE_WH SET RESOURCE_MONITOR = TEAMS")
    guard = world.guard()
    assert guard.assess(PLAN).refusals == ()
    with guard.around(world.run("r1")):
        assert world.quotas()["FIRNLINE_RUN_R1"] == (2.0, "100%")
        world.sql("DROP RESOURCE MONITOR TEAMS")  # somebody takes it away meanwhile
    assert (world.quotas(), world.monitor()) == ({}, "null")


def test_runs_side_by_side_share_a_monitor_and_the_last_one_takes_it_off(world: World) -> None:
    first, second = world.guard(), world.guard(budget={"credits": 4})
    assert first.assess(PLAN).refusals == ()
    leaving = first.around(world.run("r1"))
    leaving.__enter__()
    assert second.assess(PLAN).refusals == ()
    with second.around(world.run("r2")):
        assert world.quotas() == {"FIRNLINE_RUN_R1": (7.0, "100%")}
        leaving.__exit__(None, None, None)
        assert world.monitor() == "FIRNLINE_RUN_R1"


def test_a_run_of_another_project_is_not_disturbed(world: World) -> None:
    first, other = world.guard("one"), world.guard("two")
    assert first.assess(PLAN).refusals == ()
    with first.around(world.run("r1")):
        with pytest.raises(PlatformError, match="FIRNLINE_RUN_R1, of a run of another project"):
            other.assess(PLAN)
        assert world.monitor() == "FIRNLINE_RUN_R1"


def test_an_error_in_the_run_leaves_the_warehouse_as_it_was(world: World) -> None:
    guard = world.guard()
    guard.assess(PLAN)
    with pytest.raises(KeyboardInterrupt), guard.around(world.run("r1")):
        raise KeyboardInterrupt


def test_a_monitor_that_cannot_be_put_on_leaves_nothing(world: World) -> None:
    guard = world.guard()
    guard.assess(PLAN)
    world.denied = ("ALTER WAREHOUSE",)
    with pytest.raises(SnowparkSQLException), guard.around(world.run("r1")):
        raise AssertionError("the run must not start")
    world.denied = ()
    assert world.quotas() == {}


def test_a_guard_that_cannot_see_stops_the_run(world: World) -> None:
    guard = world.guard()
    guard.assess(PLAN)
    with guard.around(world.run("r1")):
        world.denied = ("SHOW",)
        told = wait_for(world.stopped)
        world.denied = ()
    assert told.startswith("the credits used cannot be read: ")


def test_the_share_of_a_multirun_is_used_up(world: World) -> None:
    world.sql("ALTER WAREHOUSE COMPUTE_WH SET AUTO_SUSPEND = 0")
    budget = {"multirun": 0.5, "judge_by": "p50"}
    first = world.guard(sweep_id="s", budget=budget)
    assert first.assess(PLAN).budget == 0.5
    with first.around(world.run("r1")):
        world.sql("SELECT COUNT(*) FROM TABLE(GENERATOR(ROWCOUNT => 5))")
        world.clock.advance(minutes=28)
        assert wait_for(world.stopped) == "0.47 credits are used, 0.45 may be"
    second = world.guard(sweep_id="s", budget=budget, default_s=120)
    [refusal] = second.assess(PLAN).refusals
    assert "what the multirun has left of its budget, 0.03 " in refusal
    assert world.guard(sweep_id="another", budget=budget).assess(PLAN).refusals == ()
    world.sql("ALTER WAREHOUSE COMPUTE_WH SET AUTO_SUSPEND = 600")


def wait_for(stopped: list[str]) -> str:
    """Return the reason for which the run is stopped, as soon as it is."""
    until = time.monotonic() + 20
    while not stopped:
        assert time.monotonic() < until
        time.sleep(0.01)
    return stopped[0]
