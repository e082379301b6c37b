"""What the engine does with a guard: plan, refusal, the run's end, and the guard's own errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from firnline.app import Installed
from firnline.domain import Plan
from firnline.errors import ConfigError, PlatformError, PluginError, RefusedError
from firnline.loading import FoundEntry, Hooks, Selection, build_registry, load_plugins
from firnline.record import Store, list_runs
from tests.core.conftest import DIAMOND, TOY, Project

ENTRY = FoundEntry(name="guard", value="tests.core.toy_guard", distribution="firnline-toy-guard", version="1")
HANGING = {
    "start": {"uses": "toy.source"},
    "slow": {"uses": "toy.fail", "params": {"how": "hang"}, "inputs": {"left": "start"}},
    "after": {"uses": "toy.add", "inputs": {"left": "slow"}},
}


@pytest.fixture
def guarded(tmp_path: Path) -> Project:
    """A project in which the toy guard is installed, too."""
    loaded = load_plugins(entries=[ENTRY, TOY], selection=Selection())
    hooks = Hooks(loaded)
    return Project(tmp_path, Installed(hooks=hooks, registry=build_registry(loaded, hooks)))


def note(project: Project) -> str:
    return (project.path / ".firnline" / "guard" / "note.txt").read_text()


def test_without_a_guard_node_none_is_opened(guarded: Project) -> None:
    guarded.write(DIAMOND)
    assert guarded.run().exit_code == 0
    assert guarded.plan().budget_credits is None
    assert not (guarded.path / ".firnline" / "guard").exists()


def test_its_estimates_are_part_of_the_plan(guarded: Project) -> None:
    guarded.write(DIAMOND)
    plan = guarded.plan("+guard.name=toy")
    assert [(s.credits, s.credits_p90, s.credits_basis) for s in plan.stages] == [(0.5, 1.5, "made up")] * 4
    assert (plan.overhead_credits, plan.budget_credits) == (0.25, 9.0)
    assert Plan.from_json(plan.to_json()) == plan


def test_a_refusal_holds_all_reasons_and_the_plan(guarded: Project) -> None:
    guarded.write(DIAMOND)
    with pytest.raises(RefusedError, match="it is Sunday; it is late") as caught:
        guarded.run("+guard.name=toy", "guard.how=refuse")
    assert caught.value.exit_code == 3
    assert len(caught.value.plan.stages) == 4
    assert guarded.calls() == []


def test_a_run_that_it_stops_keeps_what_has_finished(guarded: Project) -> None:
    guarded.write(HANGING)
    outcome = guarded.run("+guard.name=toy", "guard.how=stop")
    stages = outcome.record.stages
    assert (outcome.record.status, outcome.exit_code) == ("stopped", 3)
    assert {name: stage.status for name, stage in stages.items()} == {
        "start": "finished",
        "slow": "failed",
        "after": "skipped",
    }
    assert stages["after"].because == "stopped by the guard: enough is enough"
    assert "stopped by the guard: enough is enough" in str(stages["slow"].error)
    assert note(guarded) == "pipeline ended"
    assert "enough is enough" in outcome.report.read_text()
    assert guarded.run("slow.params.how=nothing").record.stages["start"].status == "reused"


def test_an_error_at_its_end_is_told_after_the_run_was_recorded(guarded: Project) -> None:
    guarded.write(DIAMOND)
    with pytest.raises(PlatformError, match="it cannot be undone"):
        guarded.run("+guard.name=toy", "guard.how=fail_to_end")
    store = Store(guarded.path / ".firnline")
    [record] = list_runs(store, limit=9)
    store.close()
    assert record.status == "finished"
    assert (guarded.path / ".firnline" / "runs" / record.run_id / "report.html").exists()


@pytest.mark.parametrize("how", ["fail_to_open", "fail_to_judge", "fail_to_begin"])
def test_a_guard_with_a_bug_lets_nothing_through_and_is_named(guarded: Project, how: str) -> None:
    guarded.write(DIAMOND)
    with pytest.raises(PluginError, match="the guard 'toy' failed: ZeroDivisionError: a bug in"):
        guarded.run("+guard.name=toy", f"guard.how={how}")
    assert guarded.calls() == []


def test_mistakes_in_its_node_are_problems(guarded: Project) -> None:
    guarded.write(DIAMOND)
    for overrides, path in (
        (["+guard.name=tay"], "guard.name"),
        (["+guard.how=watch"], "guard.name"),
        (["+guard.name=toy", "guard.how=wach"], "guard.how"),
    ):
        with pytest.raises(ConfigError) as caught:
            guarded.plan(*overrides)
        assert [problem.path for problem in caught.value.problems] == [path]
