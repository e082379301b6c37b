from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def survey(hostile_site: Path) -> dict[str, Any]:
    """What a fresh interpreter makes of all those plugins."""
    path = os.pathsep.join([str(hostile_site), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostile.survey"],
        env={**os.environ, "PYTHONPATH": path, "FIRNLINE_PLUGIN_TIMEOUT_S": "3"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("plugin", "reason"),
    [
        ("fails-on-import", "cannot import name 'connect' from 'some_sdk'"),
        ("exits-on-import", "SystemExit: no licence found"),
        ("raises-in-hooks", "firnline_steps raised RuntimeError: steps are off today"),
        ("raises-in-hooks", "firnline_platforms raised RuntimeError: platforms are off today"),
        ("raises-in-hooks", "firnline_guards raised RuntimeError: guards are off today"),
        ("takes-a-name", "step 'well_behaved.taken' is offered by"),
        ("hangs", "did not end within 3 s"),
        ("misspells-a-hook", "firnline_stepz"),
        ("wants-the-future", "needs plugin API >=99"),
        ("offers-nonsense", "it offers a step of type str instead of StepSpec"),
        ("offers-nonsense", "it offers a guard of type int instead of GuardSpec"),
    ],
)
def test_a_hostile_plugin_is_reported_with_distribution_version_and_reason(
    survey: dict[str, Any], plugin: str, reason: str
) -> None:
    report = survey["plugins"][f"{plugin} 0.3.1/{plugin}"]
    assert not report["healthy"]
    assert reason in report["reason"]


def test_the_other_plugins_work(survey: dict[str, Any]) -> None:
    assert {"well_behaved.count", "chatters.count"} <= set(survey["steps"])
    assert "well-behaved" in survey["commands"]
    assert survey["environment"] == survey["environment"] | {"well-behaved": "0.3.1", "chatters": "loud"}


def test_what_a_plugin_prints_is_kept_and_not_shown(survey: dict[str, Any]) -> None:
    report = survey["plugins"]["chatters 0.3.1/chatters"]
    assert report["healthy"]
    assert "even more output" in report["output"]


def test_a_taken_step_id_belongs_to_nobody_and_names_both(survey: dict[str, Any]) -> None:
    assert "well_behaved.taken" not in survey["steps"]
    [clash] = survey["clashes"]
    assert "well-behaved 0.3.1" in clash
    assert "takes-a-name 0.3.1" in clash


def test_a_taken_plugin_name_switches_nobody_off(survey: dict[str, Any]) -> None:
    assert {"takes_a_plugin_name.count", "well_behaved.count"} <= set(survey["steps"])
    first = survey["plugins"]["takes-a-plugin-name 0.3.1/well-behaved"]
    second = survey["plugins"]["well-behaved 0.3.1/well-behaved@well-behaved"]
    assert first["healthy"]
    assert "well_behaved.taken" in second["reason"]


def test_an_observer_that_raises_is_told_once_and_left_out_then(survey: dict[str, Any]) -> None:
    assert survey["observers"] == [["fails-while-watching 0.3.1", "raises-in-hooks 0.3.1"], []]


def test_a_describing_hook_that_fails_is_told(survey: dict[str, Any]) -> None:
    assert "raises-in-hooks 0.3.1: RuntimeError: the environment is off today" in survey["silent"]
    assert "offers-nonsense 0.3.1: TypeError: returned int instead of a mapping" in survey["silent"]


def test_a_guard_that_raises_does_not_let_through(survey: dict[str, Any]) -> None:
    assert "raises-in-hooks 0.3.1" in survey["guard"]
    assert "checking is off today" in survey["guard"]
    assert "hint: " in survey["guard"]
