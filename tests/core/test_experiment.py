"""Experiments: a run's choices as a file give the same plan as the run had."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from firnline.app import Outcome
from firnline.config import Experiment, experiment_of, read_composed
from firnline.errors import ConfigError, UsageError
from tests.core.conftest import Project

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


def save(project: Project, outcome: Outcome, name: str = "saved") -> Experiment:
    made = experiment_of(project.path, read_composed(project.path, outcome.folder), "A run")
    (project.path / "conf" / "experiment" / f"{name}.yaml").write_text(made.text)
    return made


CASES = {
    "nothing": [],
    "a value": ["left.params.plus=3"],
    "a value that others refer to": ["data.plus=4"],
    "an option": ["left=twenty", "start=two"],
    "another pipeline": ["pipeline=short", "left=twenty"],
    "an experiment": ["+experiment=twice"],
    "an experiment and more": ["+experiment=twice", "left=ten", "right.params.plus=8"],
    "a second stage of an option": ["+left@third=twenty", "end.inputs.numbers=[left,third]"],
    "an added key": ["+data.extra={a: {b: [1, x]}}", "+other={uses: toy.source, params: {value: 9}}"],
    "a deleted key": ["~left.params.mode"],
    "deleted and made anew": ["~left.params", "+left.params.plus=5"],
    "a deleted stage": ["~right"],
    "a stage set to null": ["right=null"],
    "quoted strings": ["data.plus=1", "+data.text='a, b: {c} ${data.plus}'", '+data.number="1e3"', "+data.flag='yes'"],
    "an escaped interpolation": [r"+data.text='\${data.plus} and \${x}'"],
    "lists": ["data.tags=[c]", "+data.empty=[]", "+data.mixed=[1,1.0,true,null,'null']", "end.inputs.numbers=[right,left]"],
    "nested dicts": ["data.nested={deep: {x: 5, z: {w: 1}}}", "~data.nested.deep.y"],
    "an interpolation": ["right.params.plus=${data.plus}"],
    "other settings": ["executor.workers=2", "store.path=elsewhere"],
}


@pytest.mark.parametrize("overrides", CASES.values(), ids=CASES)
def test_the_choices_of_a_run_give_its_plan(written: Project, overrides: list[str]) -> None:
    outcome = written.run(*overrides)
    assert outcome.exit_code == 0
    made = save(written, outcome)
    assert made.follows
    again = written.plan("+experiment=saved")
    assert {stage.name: stage.key for stage in again.stages} == {s.name: s.key for s in outcome.plan.stages}
    assert again.hash == written.plan(*overrides).hash
    assert {stage.action for stage in again.stages} == {"reuse"}
