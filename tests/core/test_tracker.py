"""What the engine does with trackers: which listen, what they hear, and what becomes of their errors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from firnline.app import Installed
from firnline.cli.schema import make_schema
from firnline.domain import Event, ObserverFailed
from firnline.errors import ConfigError
from firnline.loading import FoundEntry, Hooks, Selection, build_registry, load_plugins
from tests.core.conftest import DIAMOND, TOY, Project

ENTRY = FoundEntry(name="tracker", value="tests.core.toy_tracker", distribution="firnline-toy-tracker", version="1")


@pytest.fixture
def tracked(tmp_path: Path) -> Project:
    """A project in which the toy trackers are installed, too."""
    loaded = load_plugins(entries=[ENTRY, TOY], selection=Selection())
    hooks = Hooks(loaded)
    project = Project(tmp_path, Installed(hooks=hooks, registry=build_registry(loaded, hooks)))
    project.write(DIAMOND)
    return project


def heard(project: Project) -> list[str]:
    return (project.path / ".firnline" / "heard.txt").read_text().split()


def test_a_tracker_hears_of_every_event_and_does_not_print(
    tracked: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[Event] = []
    tracked.write(DIAMOND, tracker="toy")
    assert tracked.run(seen=seen).exit_code == 0
    assert heard(tracked) == [type(event).__name__ for event in seen]
    assert (heard(tracked)[0], heard(tracked)[-1]) == ("RunStarted", "RunFinished")
    assert "loud" not in capsys.readouterr().out


def test_several_listen_and_without_a_node_none(tracked: Project) -> None:
    assert tracked.run().exit_code == 0
    assert not (tracked.path / ".firnline" / "heard.txt").exists()
    seen: list[Event] = []
    tracked.run("+tracker.toy={}", "+tracker.other={how: listen}", seen=seen)
    assert len(heard(tracked)) == 2 * len(seen)


@pytest.mark.parametrize("how", ["fail_to_open", "fail_to_listen"])
def test_an_error_is_an_event_told_once_and_the_run_goes_on(tracked: Project, how: str) -> None:
    seen: list[Event] = []
    outcome = tracked.run(f"+tracker.toy={{how: {how}}}", "+tracker.other={}", seen=seen)
    assert outcome.exit_code == 0
    [failure] = [event for event in seen if isinstance(event, ObserverFailed)]
    assert (failure.plugin, failure.hook) == ("firnline-toy-tracker 1", "tracker toy")
    assert failure.message.startswith("ConnectionError: ")
    # The one that failed hears of the end of the run all the same, if it could be opened.
    extra = 2 if how == "fail_to_listen" else 0
    assert len(heard(tracked)) == len(seen) + extra


@pytest.mark.parametrize(
    ("node", "told"),
    [
        ("toi", "toy"),
        ({"toi": {}}, "toy"),
        ({"toy": {"hwo": "listen"}}, "how"),
        ({"toy": {"how": "shout"}}, "fail_to_open"),
        ({"bare": {}}, "no_such_sdk"),
        (["toy"], "neither a name nor"),
    ],
)
def test_a_wrong_node_is_refused_before_anything_runs(tracked: Project, node: Any, told: str) -> None:
    tracked.write(DIAMOND, tracker=node)
    with pytest.raises(ConfigError) as refused:
        tracked.run()
    [problem] = refused.value.problems
    assert problem.path.startswith("tracker")
    text = f"{problem.message} {problem.nearest} {problem.expected} {problem.hint}"
    assert told in text
    assert tracked.calls() == []


def test_the_schema_knows_them(tracked: Project) -> None:
    node = make_schema(tracked.installed.registry)["properties"]["tracker"]
    assert set(node["anyOf"][0]["properties"]) == {"toy", "other", "bare"}
