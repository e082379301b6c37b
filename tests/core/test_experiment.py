"""Experiments: a run's choices as a file give the same plan as the run had."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from firnline.app import all_problems, load_installed, make_plan
from firnline.config import (
    TAKEN_OUT,
    Composed,
    Experiment,
    check,
    compose,
    expand,
    experiment_of,
    read_composed,
)
from firnline.domain import Plan
from firnline.errors import ConfigError
from tests.core.conftest import Project

SHIPPED = Path(__file__).parents[2] / "conf" / "experiment"
OPTIONS: dict[str, dict[str, Any]] = {
    "start/one": {"uses": "toy.source"},
    "start/two": {"uses": "toy.source", "params": {"value": 2}},
    "left/ten": {"uses": "toy.add", "inputs": {"left": "start"}, "params": {"plus": "${data.plus}", "mode": "loud"}},
    "left/twenty": {"uses": "toy.add", "inputs": {"left": "start"}, "params": {"plus": 20}},
    "right/ten": {"uses": "toy.add", "inputs": {"left": "start", "right": "left"}, "params": {"plus": 10}},
    "pipeline/short": {"defaults": [{"/start": "one"}, {"/left": "ten"}, "_self_"], "pipeline": {"name": "short"}},
    "pipeline/long": {
        "defaults": [{"/start": "one"}, {"/left": "ten"}, {"/right": "ten"}, "_self_"],
        "right": {"params": {"mode": "loud"}},
    },
}


@pytest.fixture
def written(project: Project) -> Project:
    """A project with groups, two pipelines of them, and an experiment."""
    project.write(
        {"end": {"uses": "toy.total", "inputs": {"numbers": ["left"]}}},
        defaults=["firnline", {"pipeline": "long"}, "_self_"],
        data={"plus": 10, "tags": ["a", "b"], "nested": {"deep": {"x": 1, "y": 2}}},
    )
    for name, body in OPTIONS.items():
        write_option(project, name, body)
    write_option(
        project,
        "experiment/twice",
        {"defaults": [{"override /left": "twenty"}, {"override /start": "two"}], "right": {"params": {"plus": 7}}},
    )
    return project


def write_option(project: Project, name: str, body: dict[str, Any]) -> None:
    file = project.path / "conf" / f"{name}.yaml"
    file.parent.mkdir(exist_ok=True, parents=True)
    head = "# @package _global_\n" if name.startswith(("pipeline/", "experiment/")) else ""
    file.write_text(head + yaml.safe_dump(body, sort_keys=False))


def save(project: Project, composed: Composed) -> Experiment:
    made = experiment_of(project.path, composed, "A run")
    (project.path / "conf" / "experiment" / "saved.yaml").write_text(made.text)
    return made


CASES = {
    "nothing": [],
    "values": ["left.params.plus=3", "data.plus=4", "executor.workers=2", "store.path=elsewhere"],
    "another pipeline with other options": ["pipeline=short", "left=twenty", "start=two"],
    "an experiment and more": ["+experiment=twice", "left=ten", "right.params.plus=8"],
    "a second stage of an option": ["+left@third=twenty", "end.inputs.numbers=[left,third]"],
    "an added key and a deleted one": [
        "+data.extra={a: {b: [1, x]}}",
        "+other={uses: toy.source}",
        "~left.params.mode",
    ],
    "deleted and made anew": ["~left.params", "+left.params.plus=5", "right=null"],
    "a deleted stage": ["~right", "data.nested={deep: {x: 5, z: {w: 1}}}", "~data.nested.deep.y"],
    "strings": ["+data.text='a, b: {c} ${data.plus}'", '+data.number="1e3"', r"+data.raw='\${data.plus} and \${x}'"],
    "lists": [
        "data.tags=[c]",
        "+data.empty=[]",
        "+data.mixed=[1,1.0,true,null,'null']",
        "left.params.plus=${data.plus}",
    ],
}


def compared(plan: Plan) -> dict[str, object]:
    """Return what two plans of one configuration have in common, also when the past has changed in between."""
    return {stage.name: (stage.key, stage.params, stage.inputs) for stage in plan.stages}


@pytest.mark.parametrize("overrides", CASES.values(), ids=CASES)
def test_the_choices_of_a_configuration_give_its_plan(written: Project, overrides: list[str]) -> None:
    composed = written.compose(*overrides)
    made = save(written, composed)
    assert (made.follows, made.override) == (True, "+experiment=")
    again = written.compose("+experiment=saved")
    assert {name: node for name, node in again.data.items() if node is not None} == composed.data
    assert make_plan(again, written.installed).hash == make_plan(composed, written.installed).hash


def test_what_is_typed_beside_an_experiment_wins_also_over_what_it_takes_out(written: Project) -> None:
    save(written, written.compose("left=twenty", "~left.params.plus", "+left.params.mode=loud"))
    assert written.plan("+experiment=saved").stage("left").params["plus"] == 1
    assert written.plan("+experiment=saved", "left.params.plus=4").stage("left").params["plus"] == 4
    assert written.plan("+experiment=saved", "left=ten").stage("left").params["plus"] == 1


def test_a_reference_stays_one(written: Project) -> None:
    made = save(written, written.compose("right.params.plus=${data.plus}", "left.params.mode=plain"))
    assert yaml.safe_load(made.text)["right"] == {"params": {"plus": "${data.plus}"}}
    assert written.plan("+experiment=saved", "data.plus=99").stage("right").params["plus"] == 99


def test_a_recorded_run_is_saved_as_it_was_although_the_files_have_changed(written: Project) -> None:
    outcome = written.run("+experiment=twice", "~right.params.mode", r"+data.text='\\\${data.plus}'", "data.tags=[]")
    recorded = read_composed(written.path, outcome.folder)
    assert save(written, recorded).follows
    assert compared(written.plan("+experiment=saved")) == compared(outcome.plan)
    write_option(written, "left/twenty", {**OPTIONS["left/twenty"], "params": {"plus": 21, "mode": "loud"}})
    write_option(written, "experiment/twice", {"defaults": [{"override /left": "ten"}]})
    made = save(written, recorded)
    assert not made.follows
    again = written.plan("+experiment=saved")
    assert compared(again) == compared(outcome.plan)
    assert {stage.action for stage in again.stages} == {"reuse"}
    assert yaml.safe_load(made.text)["left"]["params"] == {"plus": 20, "mode": TAKEN_OUT}
    assert written.compose("+experiment=saved").data["data"]["text"] == r"\${data.plus}"


def test_an_option_that_is_gone_is_told(written: Project) -> None:
    outcome = written.run("left=twenty")
    (written.path / "conf" / "left" / "twenty.yaml").unlink()
    with pytest.raises(ConfigError) as caught:
        experiment_of(written.path, read_composed(written.path, outcome.folder), "A run")
    assert "twenty" in str(caught.value)


def test_experiments_are_choices_of_a_sweep(written: Project) -> None:
    save(written, written.compose("left=twenty", "~right"))
    jobs = expand(written.path, ["+experiment=twice,saved", "start.params.value=1,2"])
    assert jobs is not None
    found = [(job.composed.choices["left"], job.composed.choices["right"]) for job in jobs if job.composed is not None]
    assert found == [("twenty", "ten"), ("twenty", "ten"), ("twenty", "null"), ("twenty", "null")]


@pytest.mark.parametrize(
    ("override", "path", "nearest", "said"),
    [
        ("+experiment=twcie", "experiment", "twice", "the command line (+experiment=twcie)"),
        ("+experiment=wrong_option", "left", "twenty", "conf/experiment/wrong_option.yaml:3"),
        ("+experiment=wrong_group", "lfet", "left", "conf/experiment/wrong_group.yaml:3"),
        ("+experiment=wrong_param", "left.params.pluss", "plus", "conf/experiment/wrong_param.yaml:4"),
    ],
)
def test_misspelt_names_are_answered_with_the_nearest(
    written: Project, override: str, path: str, nearest: str, said: str
) -> None:
    write_option(written, "experiment/wrong_option", {"defaults": [{"override /left": "twnety"}]})
    write_option(written, "experiment/wrong_group", {"defaults": [{"override /lfet": "ten"}]})
    write_option(written, "experiment/wrong_param", {"left": {"params": {"pluss": 3}}})
    with pytest.raises(ConfigError) as caught:
        plan_or_all_problems(written, override)
    [problem] = caught.value.problems
    assert (problem.path, problem.nearest, problem.source) == (path, nearest, said)


def test_an_experiment_that_does_not_say_where_it_belongs(written: Project) -> None:
    (written.path / "conf" / "experiment" / "lost.yaml").write_text("left: {params: {plus: 3}}")
    with pytest.raises(ConfigError) as caught:
        written.plan("+experiment=lost")
    assert "# @package _global_" in str(caught.value.problems[0].hint)


@pytest.mark.parametrize("name", sorted(file.stem for file in SHIPPED.glob("*.yaml")))
def test_the_experiments_of_a_new_project_fit_its_pipeline(name: str, tmp_path: Path) -> None:
    shutil.copytree(SHIPPED.parent, tmp_path / "conf")
    assert check(compose(tmp_path, [f"+experiment={name}"]), load_installed().registry).name == "churn"


def plan_or_all_problems(project: Project, override: str) -> Plan:
    """Plan as the command line does: what Hydra refuses is told with all the rest."""
    try:
        composed = project.compose(override)
    except ConfigError as error:
        raise all_problems(project.path, [override], project.installed, error) from error
    return make_plan(composed, project.installed)
