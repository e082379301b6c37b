"""The JSON Schema for editors: what we ship fits, what is misspelt does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from firnline.app import load_installed
from firnline.cli.schema import make_schema
from firnline.loading import FoundEntry, Hooks, Selection, build_registry, load_plugins
from tests.cli.conftest import ROOT, Run

TOY = FoundEntry(name="toy", value="tests.core.toy", distribution="firnline-toy", version="1.2.3")
SHIPPED = sorted(ROOT.glob("plugins/*/conf/*/*.yaml"))


@pytest.fixture(scope="module")
def built_in() -> tuple[Draft202012Validator, Draft202012Validator]:
    """The schemas of a whole configuration and of one stage, of all installed plugins."""
    registry = load_installed().registry
    return validator(make_schema(registry)), validator(make_schema(registry, stage=True))


@pytest.fixture(scope="module")
def toy() -> Draft202012Validator:
    loaded = load_plugins(entries=[TOY], selection=Selection())
    return validator(make_schema(build_registry(loaded, Hooks(loaded))))


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_option_files_fit(file: Path, built_in: tuple[Draft202012Validator, Draft202012Validator]) -> None:
    whole, stage = built_in
    node = yaml.safe_load(file.read_text("utf-8"))
    checked = stage if "uses" in node else whole
    content = {file.parent.name: node} if file.parent.name in {"platform", "guard"} else node
    assert [error.message for error in checked.iter_errors(content)] == []


GOOD: list[dict[str, Any]] = [
    {},
    {"defaults": ["firnline", {"left": "ten"}], "hydra": {"verbose": True}},
    {"left": {"uses": "toy.add", "params": {"plus": 3, "mode": "loud"}, "inputs": {"left": "start.value"}}},
    {"left": {"params": {"anything": 3}}},
    {"left": {"uses": "toy.add", "params": {"plus": "${other.params.plus}", "mode": "???"}}},
    {"left": None},
    {"platform": {"name": "toy", "reachable": False}},
]
BAD: list[tuple[dict[str, Any], str]] = [
    ({"left": {"uses": "toy.ad"}}, "$.left"),
    ({"left": {"uses": "toy.add", "params": {"plsu": 3}}}, "$.left"),
    ({"left": {"uses": "toy.add", "params": {"plus": "many"}}}, "$.left"),
    ({"left": {"uses": "toy.add", "params": {"mode": "quiet"}}}, "$.left"),
    ({"left": {"uses": "toy.add", "inputs": {"lft": "start"}}}, "$.left"),
    ({"left": {"uses": "toy.add", "retry": {"attempts": 0}}}, "$.left"),
    ({"start": {"uses": "toy.source", "params": {"value": 1001}}}, "$.start"),
    ({"executor": {"workers": 0}}, "$.executor.workers"),
    ({"executor": {"worker": 1}}, "$.executor"),
    ({"platform": {"name": "toi"}}, "$.platform.name"),
    ({"platform": {"name": "toy", "reachable": 7}}, "$.platform.reachable"),
    ({"lft": 3}, "$.lft"),
]


@pytest.mark.parametrize("config", GOOD)
def test_what_may_stand_in_a_file(config: dict[str, Any], toy: Draft202012Validator) -> None:
    assert [error.message for error in toy.iter_errors(config)] == []


@pytest.mark.parametrize(("config", "path"), BAD)
def test_what_may_not(config: dict[str, Any], path: str, toy: Draft202012Validator) -> None:
    assert path in [error.json_path for error in toy.iter_errors(config)]


def test_the_command_writes_both(firnline: Run) -> None:
    whole, stage = (json.loads(firnline("schema", *flags)[1]) for flags in ((), ("--stage",)))
    assert whole["title"] == "Firnline configuration"
    assert stage["title"] == "Firnline stage"
    assert "additionalProperties" in whole
    assert stage["$ref"] == "#/$defs/stage"
