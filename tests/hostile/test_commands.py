from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFIG = """\
defaults:
  - firnline
  - _self_
pipeline: {name: counting}
platform: {name: nowhere}
count:
  uses: well_behaved.count
"""
GUARD = "raises-in-hooks"
SLOW = "hangs"  # left out where waiting for it shows nothing new


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one stage, of the well-behaved plugin."""
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "config.yaml").write_text(CONFIG, encoding="utf-8")
    return tmp_path


def firnline(*arguments: str, site: Path, project: Path, deny: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command where all those plugins are installed."""
    environment = {"PYTHONPATH": str(site), "FIRNLINE_PLUGIN_TIMEOUT_S": "3", "FIRNLINE_PLUGINS_DENY": deny}
    return subprocess.run(
        [sys.executable, "-m", "firnline", *arguments],
        cwd=project,
        env={**os.environ, **environment, "COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_help_works_and_lists_the_commands_of_the_others(hostile_site: Path, project: Path) -> None:
    done = firnline("--help", site=hostile_site, project=project, deny=SLOW)
    assert done.returncode == 0, done.stderr
    assert "well-behaved" in done.stdout
    assert "Thank you for using chatters" not in done.stdout


def test_a_command_of_a_plugin_runs(hostile_site: Path, project: Path) -> None:
    done = firnline("well-behaved", site=hostile_site, project=project, deny=SLOW)
    assert done.stdout == "hello from well-behaved\n", done.stderr


def test_plugins_shows_each_with_distribution_and_version(hostile_site: Path, project: Path) -> None:
    done = firnline("plugins", site=hostile_site, project=project)
    assert done.returncode == 1
    for folder in (Path(__file__).parent / "distributions").iterdir():
        assert f"{folder.name} 0.3.1" in done.stdout


def test_a_run_goes_on_without_the_broken_ones(hostile_site: Path, project: Path) -> None:
    done = firnline("run", "--json", site=hostile_site, project=project, deny=f"{GUARD},{SLOW}")
    assert done.returncode == 0, done.stdout + done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]  # nothing else came out
    assert events[-1]["event"] == "RunFinished"
    assert events[-1]["status"] == "finished"


def test_an_observer_that_raises_is_an_event_of_the_run(hostile_site: Path, project: Path) -> None:
    done = firnline("run", "--json", site=hostile_site, project=project, deny=f"{GUARD},{SLOW}")
    failed = [event for event in map(json.loads, done.stdout.splitlines()) if event["event"] == "ObserverFailed"]
    assert [(event["plugin"], event["hook"]) for event in failed if "tracking server" in event["message"]] == [
        ("fails-while-watching 0.3.1", "firnline_on_event")
    ]
    assert any("offers-nonsense" in event["plugin"] for event in failed)


def test_a_guard_that_raises_stops_the_run_and_is_named(hostile_site: Path, project: Path) -> None:
    done = firnline("run", site=hostile_site, project=project, deny=SLOW)
    assert done.returncode == 2
    assert "raises-in-hooks 0.3.1" in done.stderr
    assert f"FIRNLINE_PLUGINS_DENY={GUARD}" in done.stderr


def test_a_step_of_a_broken_plugin_is_explained(hostile_site: Path, project: Path) -> None:
    done = firnline("run", "count.uses=fails.step", site=hostile_site, project=project, deny=f"{GUARD},{SLOW}")
    assert done.returncode == 2
    assert "no installed plugin offers the step 'fails.step'" in done.stderr
    assert "fails-on-import 0.3.1" in done.stderr


def test_a_step_that_two_plugins_offer_is_refused_until_one_is_denied(hostile_site: Path, project: Path) -> None:
    refused = firnline(
        "plan", "count.uses=well_behaved.taken", site=hostile_site, project=project, deny=f"{GUARD},{SLOW}"
    )
    assert refused.returncode == 2
    assert "takes-a-name 0.3.1" in refused.stderr
    assert "well-behaved 0.3.1" in refused.stderr
    denied = f"{GUARD},{SLOW},takes-a-name"
    done = firnline("plan", "count.uses=well_behaved.taken", site=hostile_site, project=project, deny=denied)
    assert done.returncode == 0, done.stderr
