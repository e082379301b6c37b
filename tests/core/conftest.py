"""A project of toy steps, cheap to build: real Hydra, real SQLite, real threads and processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from firnline.app import Installed, Outcome, RunOptions, make_plan, run_pipeline
from firnline.config import Composed, compose
from firnline.domain import Event, Plan
from firnline.loading import FoundEntry, Hooks, Selection, build_registry, load_plugins
from firnline.plan import PlanOptions
from tests.core.terminal import Terminal

TOY = FoundEntry(name="toy", value="tests.core.toy", distribution="firnline-toy", version="1.2.3")


@pytest.fixture
def installed() -> Installed:
    """The toy plugin, loaded by the real loader."""
    loaded = load_plugins(entries=[TOY], selection=Selection())
    hooks = Hooks(loaded)
    return Installed(hooks=hooks, registry=build_registry(loaded, hooks))


@dataclass(frozen=True)
class Project:
    """A project folder of toy stages."""

    path: Path
    installed: Installed

    def write(self, stages: Mapping[str, Any], **settings: Any) -> None:
        """Write conf/config.yaml."""
        (self.path / "conf").mkdir(exist_ok=True)
        body = {"defaults": ["firnline", "_self_"], "platform": {"name": "toy"}, **settings, **stages}
        (self.path / "conf" / "config.yaml").write_text(yaml.safe_dump(body, sort_keys=False))

    def compose(self, *overrides: str) -> Composed:
        return compose(self.path, overrides)

    def plan(self, *overrides: str, **options: Any) -> Plan:
        return make_plan(self.compose(*overrides), self.installed, PlanOptions(**options))

    def run(self, *overrides: str, seen: list[Event] | None = None, **options: Any) -> Outcome:
        return run_pipeline(
            self.compose(*overrides),
            self.installed,
            RunOptions(
                plan=PlanOptions(**options), listen=(lambda plan: _Listener(seen)) if seen is not None else None
            ),
        )

    def calls(self) -> list[str]:
        """Return the stages that really ran since the last call."""
        file = self.path / "calls.txt"
        names = file.read_text().split() if file.exists() else []
        file.write_text("")
        return names


class _Listener:
    def __init__(self, seen: list[Event]) -> None:
        self.seen = seen

    def __enter__(self) -> Callable[[Event], None]:
        return self.seen.append

    def __exit__(self, *_: object) -> None:
        pass


@pytest.fixture
def project(tmp_path: Path, installed: Installed) -> Project:
    """An empty project; write stages into it."""
    return Project(tmp_path, installed)


DIAMOND = {
    "start": {"uses": "toy.source"},
    "left": {"uses": "toy.add", "inputs": {"left": "start.value"}, "params": {"plus": 10}},
    "right": {"uses": "toy.add", "inputs": {"left": "start"}, "params": {"plus": 20}},
    "end": {"uses": "toy.total", "inputs": {"numbers": ["left", "right"]}},
}


Start = Callable[..., Terminal]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start ``firnline`` in a project with the given stages; toy steps and the sandbox are installed."""
    site = tmp_path / "site" / "firnline_toy-1.2.3.dist-info"
    site.mkdir(parents=True)
    (site / "METADATA").write_text("Metadata-Version: 2.1\nName: firnline-toy\nVersion: 1.2.3\n")
    (site / "entry_points.txt").write_text("[firnline.plugins]\ntoy = tests.core.toy\n")
    project = tmp_path / "project"
    (project / "conf").mkdir(parents=True)
    paths = [str(site.parent), str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "FIRNLINE_PLUGINS_ALLOW": "toy,sandbox",
        "COLUMNS": "200",
    }
    started: list[Terminal] = []

    def start_one(stages: dict[str, object], *arguments: str) -> Terminal:
        body = {"defaults": ["firnline", "_self_"], **stages}
        (project / "conf" / "config.yaml").write_text(yaml.safe_dump(body, sort_keys=False))
        started.append(Terminal(project, environment, *(arguments or ("run",))))
        return started[-1]

    yield start_one
    for terminal in started:
        for process in terminal.members():
            os.kill(process, signal.SIGKILL)
        terminal.process.wait()
