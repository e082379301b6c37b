"""Budgets kept by real processes: refused before, capped and stopped during, put back after, told afterwards."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from pathlib import Path

import pytest

from firnline.record import Store, load_run
from tests.costguard.conftest import FIRST, RUNAWAY, SHORT, World

GUARD = ("+guard=credits", "guard.poll_s=0.1")
PREVIOUS = "CREATE RESOURCE MONITOR TEAMS WITH CREDIT_QUOTA = 100 TRIGGERS ON 100 PERCENT DO SUSPEND"


def status(project: Path) -> dict[str, str]:
    """Return stage → status of the latest run."""
    store = Store(project / ".firnline")
    try:
        [(run_id,)] = store.query("SELECT run_id FROM runs ORDER BY started DESC LIMIT 1")
        record = load_run(store, run_id)
        return {name: stage.status for name, stage in record.stages.items()} | {"run": record.status}
    finally:
        store.close()


def test_a_plan_over_budget_is_refused_with_its_table_and_nothing_is_spent(world: World) -> None:
    stages = {"first": FIRST, "short": SHORT}
    world.sql("ALTER WAREHOUSE COMPUTE_WH SET WAREHOUSE_SIZE = LARGE")
    for verb in ("plan", "run"):
        code, output = world.run(stages, verb, *GUARD, "guard.budget.credits=1")
        assert code == 3, output
        assert re.search(r"first .*0\.133 – 0\.667", output)  # 60 and 300 s at 8 credits an hour
        assert "2.67 credits (p90), more than 1 (guard.budget.credits)" in " ".join(output.split())
        assert "nothing was spent" in output
    assert world.credits() == 0
    assert world.monitors() == []
    code, output = world.run(stages, "plan", *GUARD, "guard.budget.credits=3", "--json")
    assert code == 0, output
    planned = json.loads(output)["stages"][0]
    assert (planned["credits"], planned["credits_p90"]) == (pytest.approx(8 / 60), pytest.approx(8 / 12))
    assert "no history" in planned["credits_basis"]
    assert world.credits() == 0


def test_mistakes_in_the_guard_node_are_told(world: World) -> None:
    code, output = world.run({"first": FIRST}, "plan", *GUARD, "guard.budgt.credits=1", "guard.poll_s=-1")
    assert code == 2
    assert "guard.budgt" in output
    assert "guard.poll_s" in output
    code, output = world.run({"first": FIRST}, "plan", "+guard.name=credit")
    assert code == 2
    assert "no installed plugin offers the guard 'credit'" in output
    code, output = world.run({"first": FIRST}, "plan", *GUARD, "guard.budget.credits=1", "guard.warehouse=NOWHERE")
    assert code == 2
    assert "there is no warehouse NOWHERE" in output


def test_a_run_within_budget_leaves_the_warehouse_as_it_was_and_is_accounted_for(world: World) -> None:
    world.sql(PREVIOUS)
    world.sql("ALTER WAREHOUSE COMPUTE_WH SET RESOURCE_MONITOR = TEAMS AUTO_SUSPEND = 60")
    stages = {
        "first": FIRST,
        "limit": {"uses": "toy.query", "params": {"sql": "show parameters like 'STATEMENT_TIMEOUT%'"}},
    }
    code, output = world.run(
        stages, "run", *GUARD, "guard.budget.credits=2", "guard.team=growth", "guard.model=churn_v2"
    )
    assert code == 0, output
    assert (world.monitors(), world.warehouse()["resource_monitor"]) == (["TEAMS"], "TEAMS")
    said = world.statements()
    assert {text.split()[-1] for text in said if text.startswith("ALTER SESSION SET STATEMENT_T")} == {"7200"}
    assert len([text for text in said if text.startswith('CREATE RESOURCE MONITOR "FIRNLINE_RUN')]) == 1

    code, output = world.run(stages, "cost", "--by", "pipeline,stage,team,model,day", "--json")
    assert code == 0, output
    lines = {line["stage"]: line for line in map(json.loads, output.splitlines())}
    assert (lines["first"]["pipeline"], lines["first"]["team"], lines["first"]["model"]) == (
        "nightly",
        "growth",
        "churn_v2",
    )
    assert lines["first"]["credits"] > 0
    assert lines["first"]["day"] == world.clock.now().date().isoformat()
    code, output = world.run(stages, "cost", "--by", "colour")
    assert code == 2
    assert "--by colour" in output

    code, output = world.run(stages, "advise", "--json")
    assert code == 0, output
    [advice] = [line for line in map(json.loads, output.splitlines()) if line["stage"] == "first"]
    measured = [figures for figures in advice["figures"] if figures["runs"]]
    assert [(figures["size"], figures["basis"]) for figures in measured] == [("X-Small", "measured in 1 run")]
    code, output = world.run(stages, "plan", *GUARD, "--no-cache", "--json")
    assert code == 0, output
    assert json.loads(output)["stages"][0]["credits_basis"] == "1 earlier run; p90 is taken as 2 times that"


def test_twice_the_rows_are_expected_to_cost_twice_as_much(world: World) -> None:
    stages = {"first": FIRST, "second": {"uses": "toy.rows", "inputs": {"left": "first"}}}
    assert world.run(stages, "run")[0] == 0
    code, output = world.run(stages, "plan", "--from", "second", *GUARD, "--json")
    before = json.loads(output)["stages"][1]
    assert (code, before["credits_basis"]) == (0, "1 earlier run; p90 is taken as 2 times that")
    assert world.run(stages, "run", "--only", "first", "first.params.rows=4000")[0] == 0
    code, output = world.run(stages, "plan", "first.params.rows=4000", *GUARD, "--json")
    assert code == 0, output
    first, second = json.loads(output)["stages"]
    assert (first["action"], first["credits"]) == ("reuse", None)
    assert second["credits"] == pytest.approx(2 * before["credits"])
    assert second["credits_basis"].startswith("1 earlier run, scaled by rows")


def test_a_run_is_stopped_at_its_cap_and_the_next_one_goes_on_from_there(world: World) -> None:
    stages = {
        "first": FIRST,
        "slow": RUNAWAY,
        "after": {"uses": "toy.query", "params": RUNAWAY["params"], "inputs": {"left": "slow"}},
    }
    run = world.start(stages, "run", *GUARD, "guard.budget.credits=2", "guard.budget.judge_by=p50")
    run.wait_for("first .*finished", "slow .*the query starts")
    assert world.warehouse()["resource_monitor"].startswith("FIRNLINE_RUN_")
    world.clock.advance(minutes=110)  # 1.83 credits of 2: more than the share at which runs are stopped, less than all
    assert run.wait(30) == 3, run.output
    assert re.search("after .*skipped .*stopped by the guard: 1.8\\d credits are used, 1.8 may be", run.output)
    assert "Traceback" not in run.output
    assert status(world.project) == {"first": "finished", "slow": "failed", "after": "skipped", "run": "stopped"}
    assert world.warehouse()["running"] == 0
    assert (world.monitors(), world.warehouse()["resource_monitor"]) == ([], "null")

    code, output = world.run(stages | {"slow": SHORT, "after": SHORT | {"inputs": {"left": "slow"}}}, "run")
    assert code == 0, output
    assert status(world.project) == {"first": "reused", "slow": "finished", "after": "finished", "run": "finished"}


def test_a_killed_client_leaves_a_bound_and_the_next_run_takes_it_off(world: World) -> None:
    world.sql("ALTER WAREHOUSE COMPUTE_WH SET AUTO_SUSPEND = 0")  # it would go on for ever
    world.sql(PREVIOUS)
    world.sql("ALTER WAREHOUSE COMPUTE_WH SET RESOURCE_MONITOR = TEAMS")
    run = world.start({"slow": RUNAWAY}, "run", *GUARD, "guard.budget.credits=1")
    run.wait_for("slow .*the query starts")
    [other] = [name for name in world.monitors() if name != "TEAMS"]
    assert world.warehouse()["resource_monitor"] == other
    os.kill(run.process.pid, signal.SIGKILL)
    run.process.wait()
    world.clock.advance(minutes=59)
    assert world.warehouse()["state"] == "STARTED"
    world.clock.advance(hours=48)
    until = time.monotonic() + 10
    while world.warehouse()["running"] and time.monotonic() < until:
        time.sleep(0.05)
    assert (world.warehouse()["state"], world.warehouse()["running"]) == ("SUSPENDED", 0)
    assert world.credits() == pytest.approx(1, abs=0.01)
    assert world.warehouse()["resource_monitor"] == other  # and so nobody can start it
    code, output = world.run({"short": SHORT}, "run", *GUARD, "guard.budget.credits=1")
    assert code == 0, output
    assert (world.monitors(), world.warehouse()["resource_monitor"]) == (["TEAMS"], "TEAMS")


def test_jobs_of_a_multirun_share_a_budget(world: World) -> None:
    world.sql("ALTER WAREHOUSE COMPUTE_WH SET AUTO_SUSPEND = 60")
    stages = {"first": FIRST, "short": SHORT}
    small = ("guard.default_s=20", "guard.default_p90_s=20", "guard.budget.multirun=0.035", "hydra.launcher.workers=1")
    for verb in ("plan", "run"):
        code, output = world.run(stages, verb, "-m", *GUARD, *small, "first.params.rows=2000,4000,6000,8000")
        told = " ".join(output.split())
        assert code == 3, output
        assert "more than their budget of 0.035 (guard.budget.multirun)" in told
    assert not (world.project / "calls.txt").exists()
    code, output = world.run(stages, "run", "-m", *GUARD, *small, "first.params.rows=2000,4000")
    told = " ".join(output.split())
    assert code == 3, output  # the budget was used up before the second job
    assert "what the multirun has left of its budget, 0.015 (" in told
    assert "1 job without a result" in told
    assert "not started: budget" in told
    assert status(world.project) == {"first": "finished", "short": "finished", "run": "finished"}
    assert world.monitors() == []
