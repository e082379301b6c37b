"""The plan: a frozen, versioned, hashed value that survives JSON, and says why each stage runs."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firnline.domain import Estimate, Link, Plan, PlannedStage
from firnline.domain.plan import PLAN_VERSION, Retry
from tests.core.conftest import DIAMOND, Project

TEXT = st.text(max_size=12)
SECONDS = st.floats(min_value=0, max_value=1e6)
DATA = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
LINKS = st.lists(st.builds(Link, stage=TEXT, port=TEXT), max_size=3).map(tuple)
STAGES = st.builds(
    PlannedStage,
    name=TEXT,
    step=TEXT,
    plugin=TEXT,
    where=TEXT,
    runs_in=st.sampled_from(["thread", "process"]),
    key=TEXT,
    inputs=st.dictionaries(TEXT, LINKS, max_size=3),
    params=st.dictionaries(TEXT, DATA, max_size=3),
    action=st.sampled_from(["run", "reuse", "skip"]),
    reason=TEXT,
    reuse_from=st.none() | TEXT,
    parts=st.dictionaries(TEXT, TEXT, max_size=3),
    retry=st.builds(Retry, attempts=st.integers(1, 20), backoff_s=SECONDS),
    timeout_s=st.none() | SECONDS,
    resources=st.dictionaries(TEXT, DATA, max_size=2),
    estimate=st.none() | st.builds(Estimate, p50_s=SECONDS, p90_s=SECONDS, samples=st.integers(1, 20)),
    credits=st.none() | SECONDS,
)
PLANS = st.builds(
    Plan,
    pipeline=TEXT,
    platform=TEXT,
    platform_params=st.dictionaries(TEXT, DATA, max_size=3),
    workers=st.integers(1, 256),
    stages=st.lists(STAGES, max_size=4).map(tuple),
)


@given(PLANS)
def test_a_plan_survives_json(plan: Plan) -> None:
    written = json.dumps(plan.to_json())
    read = Plan.from_json(json.loads(written))
    assert read == plan
    assert read.hash == plan.hash


@given(PLANS, STAGES)
def test_the_hash_tells_plans_apart(plan: Plan, stage: PlannedStage) -> None:
    assert replace(plan, stages=(*plan.stages, stage)).hash != plan.hash
    assert replace(plan, workers=plan.workers + 1).hash != plan.hash


def test_a_plan_is_frozen_and_says_its_version(project: Project) -> None:
    project.write(DIAMOND)
    plan = project.plan()
    with pytest.raises(FrozenInstanceError):
        plan.workers = 1  # type: ignore[misc]
    data = plan.to_json()
    assert data["version"] == PLAN_VERSION
    with pytest.raises(ValueError, match=f"schema version 99, this Firnline reads {PLAN_VERSION}"):
        Plan.from_json(data | {"version": 99})


def test_the_same_configuration_gives_the_same_plan(project: Project) -> None:
    project.write(DIAMOND)
    assert project.plan() == project.plan()
    assert project.plan().hash != project.plan("left.params.plus=11").hash


def reasons(project: Project, *overrides: str, **options: Any) -> dict[str, str]:
    return {stage.name: f"{stage.action}: {stage.reason}" for stage in project.plan(*overrides, **options).stages}


def test_each_stage_says_why(project: Project) -> None:
    project.write(DIAMOND)
    assert set(reasons(project).values()) == {"run: it has not run yet"}
    run = project.run().record.run_id
    same = f"reuse: nothing changed since run {run}"
    assert set(reasons(project).values()) == {same}
    assert reasons(project, "left.params.plus=11") == {
        "start": same,
        "right": same,
        "left": f"run: params changed since run {run}: plus 10 → 11",
        "end": f"run: left changed since run {run}",
    }
    assert (
        reasons(project, "left.uses=toy.fail", "~left.params.plus")["left"] == f"run: the step was toy.add in run {run}"
    )
    for numbers in ("left", "left,right,start"):
        rewired = reasons(project, f"end.inputs.numbers=[{numbers}]")["end"]
        assert rewired == f"run: its inputs changed since run {run}"
    assert reasons(project, no_cache=True)["end"] == "run: asked for by --no-cache"
    assert reasons(project, start="left")["end"] == "run: it comes after left, asked for by --from"
    assert reasons(project, start="left")["right"] == same


def test_the_expected_time_comes_from_history(project: Project) -> None:
    project.write(DIAMOND)
    assert all(stage.estimate is None for stage in project.plan().stages)
    for number in range(3):
        project.run(f"left.params={{plus: {number}, sleep_s: 0.0{number}}}")
    left = project.plan("left.params.plus=99").stage("left")
    assert left.estimate is not None
    assert left.estimate.samples == 3
    assert 0 < left.estimate.p50_s <= left.estimate.p90_s < 5
    assert project.plan("left.params={plus: 2, sleep_s: 0.02}").stage("left").estimate is None


def test_a_plan_says_where_each_stage_runs(project: Project) -> None:
    project.write(
        {
            "here": {"uses": "toy.add", "inputs": {"left": "there"}},
            "there": {"uses": "toy.burn"},
            "load": {"uses": "toy.table"},
        }
    )
    where = {stage.name: stage.where for stage in project.plan().stages}
    assert where == {"here": "local", "there": "local process", "load": "toy"}
    assert {stage.plugin for stage in project.plan().stages} == {"firnline-toy 1.2.3"}
    assert all(stage.credits is None for stage in project.plan().stages)
