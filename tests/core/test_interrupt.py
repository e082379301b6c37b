"""Ctrl-C as a terminal sends it: SIGINT to a real process and its children, while a real query runs."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, SimpleQueue

import pytest
import yaml

from firnline.record import Store, load_run

ROOT = Path(__file__).parents[2]
LONG_QUERY = "select count(*) from table(generator(rowcount => 2000000000000))"


class Terminal:
    """A ``firnline`` process that leads a group of its own, and what it has printed so far."""

    def __init__(self, project: Path, environment: dict[str, str], *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "firnline", *arguments],
            cwd=project,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.output = ""
        self._lines: SimpleQueue[str] = SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)

    def wait_for(self, *patterns: str, seconds: float = 40.0) -> None:
        """Wait until each pattern was printed."""
        end = time.monotonic() + seconds
        while not all(re.search(pattern, self.output) for pattern in patterns):
            try:
                self.output += self._lines.get(timeout=max(end - time.monotonic(), 0.01))
            except Empty:
                raise AssertionError(f"{patterns} did not come:\n{self.output}") from None

    def press_ctrl_c(self) -> None:
        os.killpg(self.process.pid, signal.SIGINT)

    def wait(self, seconds: float) -> int:
        code = self.process.wait(seconds)
        while True:
            try:
                self.output += self._lines.get(timeout=0.3)
            except Empty:
                return code

    def members(self) -> list[int]:
        """Return the processes of its group that still live."""
        living = []
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                try:
                    state, _, group = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
                except OSError:
                    continue
                if int(group) == self.process.pid and state != "Z":
                    living.append(int(folder.name))
        return living


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
    paths = [str(site.parent), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
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


def test_queries_and_processes_stop_and_the_command_to_go_on_works(start: Start, tmp_path: Path) -> None:
    stages = {
        "quick": {"uses": "toy.source"},
        "slow": {"uses": "toy.query", "params": {"sql": LONG_QUERY}, "inputs": {"left": "quick"}},
        "burn": {"uses": "toy.burn", "params": {"value": 14}},
        "after": {"uses": "toy.add", "inputs": {"left": "slow"}},
    }
    terminal = start(stages)
    terminal.wait_for("quick .*finished", "slow .*the query starts", "burn .*burning")
    pressed = time.monotonic()
    terminal.press_ctrl_c()
    assert terminal.wait(20) == 130
    assert time.monotonic() - pressed < 9  # a step that does not react is left behind after ten
    assert terminal.members() == []
    assert "Traceback" not in terminal.output
    assert re.search("after .*skipped  because the run was interrupted\n", terminal.output)
    assert "4 stages: 1 finished, 2 interrupted, 1 skipped." in terminal.output
    [command] = re.findall(r"firnline (runs resume \S+)", terminal.output)
    run_id = command.split()[-1]
    store = Store(tmp_path / "project" / ".firnline")
    record = load_run(store, run_id)
    assert record.status == "interrupted"
    states = {name: (stage.status, stage.because) for name, stage in record.stages.items()}
    assert states == {
        "quick": ("finished", ""),
        "slow": ("failed", ""),
        "burn": ("failed", ""),
        "after": ("skipped", "the run was interrupted"),
    }
    assert str(record.stages["slow"].error).startswith("InterruptedRunError")
    # The platform itself says that it stopped the query.
    assert "000604" in (store.folder(run_id) / "logs" / "slow.log").read_text()
    assert store.query("SELECT * FROM attempts") == []
    store.close()

    again = start(stages, *command.split())
    again.wait_for("quick .*reused", "slow .*the query starts")
    again.press_ctrl_c()
    assert again.wait(20) == 130


def test_a_second_ctrl_c_stops_at_once(start: Start) -> None:
    terminal = start({"deaf": {"uses": "toy.stubborn", "params": {"sleep_s": 300}}})
    terminal.wait_for("deaf .*it sleeps")
    terminal.press_ctrl_c()
    time.sleep(0.5)
    assert terminal.process.poll() is None  # it waits a while for the step
    terminal.press_ctrl_c()
    assert terminal.wait(5) == 130
    assert terminal.members() == []
    assert "Traceback" not in terminal.output
