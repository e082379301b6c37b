"""Lineage: from whatever one calls an artifact, to what it was made from and what was made from it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from firnline.domain import Event, Plan, RunStarted, StageFinished, StageStarted, event_to_json
from firnline.errors import UsageError
from firnline.record import Lineage, Store, lineage
from tests.core.conftest import DIAMOND, Project
from tests.core.samples import NOON, a_plan, a_stage


def names(found: Lineage, edges: dict) -> set[tuple[str, str]]:
    """Return (made from, made) pairs of stage names."""
    stages = {key: node.stage for key, node in found.nodes.items()}
    return {(stages[source], stages[key]) for key, sources in edges.items() for source in sources}


@pytest.fixture
def store(project: Project) -> Iterator[Store]:
    opened = Store(project.path / ".firnline")
    yield opened
    opened.close()


def test_both_directions(project: Project, store: Store) -> None:
    project.write(DIAMOND)
    project.run()
    found = lineage(store, "left")
    assert names(found, dict(found.upstream)) == {("start", "left")}
    assert {(a, b) for b, a in names(found, dict(found.downstream))} == {("left", "end")}
    assert names(lineage(store, "end"), dict(lineage(store, "end").upstream)) == {
        ("start", "left"),
        ("start", "right"),
        ("left", "end"),
        ("right", "end"),
    }


def test_a_source_says_what_it_read_and_in_which_state(project: Project, store: Store) -> None:
    project.write({"start": {"uses": "toy.source", "params": {"path": "in.txt"}}})
    states = []
    for text in ("one", "two", "one"):
        (project.path / "in.txt").write_text(text)
        project.run()
        node = lineage(store, "start").subject
        assert node.reads["path"] == "in.txt"
        states.append(node.state)
    assert states[0] != states[1]
    # The third run reused what the first had made, so the newest output is still the second's.
    assert states[2] == states[1]


def test_reused_stages_keep_the_lineage_of_the_run_that_made_them(project: Project, store: Store) -> None:
    project.write(DIAMOND)
    first = project.run()
    project.run("right.params.plus=5")
    found = lineage(store, "end")
    runs = {node.stage: node.run_id for node in found.nodes.values()}
    assert runs["start"] == runs["left"] == first.record.run_id
    assert runs["right"] == runs["end"] != first.record.run_id


def record(store: Store, run_id: str, plan: Plan, outputs: dict[str, dict[str, object]]) -> None:
    """Record a run of a plan that gives these artifacts."""
    store.begin(run_id, plan, NOON)
    events: list[Event] = [
        RunStarted(at=NOON, run_id=run_id, pipeline="churn", plan_hash="", pid=1, platform="sandbox")
    ]
    for stage in plan.stages:
        events.append(StageStarted(at=NOON, stage=stage.name, step=stage.step, attempt=1, attempt_id=stage.name))
        events.append(StageFinished(at=NOON, stage=stage.name, key=stage.key, seconds=1.0, outputs=outputs[stage.name]))
    import json

    for number, event in enumerate(events):
        store.append(run_id, number, event, json.dumps(event_to_json(event)), "sandbox")


@pytest.mark.parametrize(
    ("name", "stage"),
    [
        ("SCORES_A1", "score"),
        ("firnline.public.scores_a1", "score"),
        ("CHURN_SCORE_TABLE", "score"),
        ("FIRNLINE.PUBLIC.CHURN_SCORE_TABLE", "score"),
        ("CHURN_MODEL", "register"),
        ("churn_model/v_1", "register"),
        ("FIRNLINE.PUBLIC.CHURN_MODEL/V_1", "register"),
        ("FIRNLINE.PUBLIC.CHURN_MODEL", "register"),
        ("register", "register"),
        ("run-1:score", "score"),
        ("score-key", "score"),
    ],
)
def test_names_of_tables_models_stages_and_runs(store: Store, name: str, stage: str) -> None:
    plan = a_plan(a_stage("register", "register.model"), a_stage("score", "score.model", ("register.registered",)))
    model = {"kind": "RegisteredModel", "name": "FIRNLINE.PUBLIC.CHURN_MODEL", "version": "V_1"}
    table = {"kind": "Table", "name": "FIRNLINE.PUBLIC.SCORES_A1", "rows": 3, "columns": ["A"]}
    record(store, "run-1", plan, {"register": {"registered": model}, "score": {"table": table}})
    store.publish("sandbox:FIRNLINE.PUBLIC.CHURN_SCORE_TABLE", "FIRNLINE.PUBLIC.SCORES_A1")
    assert lineage(store, name).subject.stage == stage


def test_an_unknown_name_is_told(store: Store) -> None:
    with pytest.raises(UsageError, match="no finished output is called 'nobody'"):
        lineage(store, "nobody")
