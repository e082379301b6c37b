"""kill -9 at any moment: the next run completes, reuses every finished stage, and reads nothing half-written."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import firnline_sandbox
from firnline.record import Store, is_alive
from tests.core.conftest import Project, Start

PROGRAM = """
import sys
from pathlib import Path
from firnline.app import Installed, run_pipeline
from firnline.config import compose
from firnline.loading import Hooks, Selection, build_registry, load_plugins
from tests.core.conftest import TOY

loaded = load_plugins(entries=[TOY], selection=Selection())
hooks = Hooks(loaded)
outcome = run_pipeline(compose(Path.cwd(), ()), Installed(hooks=hooks, registry=build_registry(loaded, hooks)))
sys.exit(outcome.exit_code)
"""


def start_program(project: Path) -> subprocess.Popen[bytes]:
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": root}
    return subprocess.Popen([sys.executable, "-c", PROGRAM], cwd=project, env=environment)


def committed(project: Path) -> set[str]:
    """Return the stages whose output is known, as the database says right now."""
    if not (project / ".firnline" / "firnline.db").exists():
        return set()
    store = Store(project / ".firnline")
    try:
        return {str(row[0]) for row in store.query("SELECT stage FROM outputs")}
    finally:
        store.close()


def test_killed_at_random_moments(project: Project) -> None:
    stages: dict = {"s0": {"uses": "toy.table", "params": {"value": 3}}}
    stages["n0"] = {"uses": "toy.source"}
    for i in range(1, 40):
        stages[f"n{i}"] = {"uses": "toy.add", "inputs": {"left": f"n{i - 1}"}, "params": {"sleep_s": 0.01, "plus": i}}
    stages["end"] = {"uses": "toy.total", "inputs": {"numbers": [f"n{i}" for i in range(40)]}}
    project.write(stages, executor={"workers": 3})
    chance = random.Random(7)
    kills = 0
    while True:
        before = committed(project.path)
        project.calls()
        process = start_program(project.path)
        while not (project.path / "calls.txt").read_text() and process.poll() is None:
            time.sleep(0.002)
        time.sleep(chance.uniform(0.0, 0.25))
        process.send_signal(signal.SIGKILL)
        code = process.wait()
        again = before.intersection(project.calls())
        assert not again, f"finished stages ran again: {again}"
        if code != -signal.SIGKILL:
            assert code == 0
            break
        kills += 1
        assert kills < 60
    assert kills >= 3
    outcome = project.run()
    assert outcome.record.metrics == {"end.total": expected_total(40)}
    assert project.calls() == []
    assert_clean(project.path)


def test_the_process_of_a_stage_does_not_outlive_a_killed_run(project: Project) -> None:
    project.write({"burn": {"uses": "toy.burn", "params": {"value": 14}}})
    process = start_program(project.path)
    written = project.path / "burning.pid"
    while not written.exists() or not written.read_text():
        assert process.poll() is None
        time.sleep(0.01)
    worker = int(written.read_text())
    process.send_signal(signal.SIGKILL)
    process.wait()
    end = time.monotonic() + 5
    while is_running(worker):
        assert time.monotonic() < end, "the worker goes on without anybody who waits for it"
        time.sleep(0.02)


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def expected_total(count: int) -> float:
    value, total = 1, 1
    for i in range(1, count):
        value += i
        total += value
    return float(total)


def assert_clean(project: Path) -> None:
    """Nothing of the killed attempts is left: folders, tables, claims; and every output can be read."""
    store = Store(project / ".firnline")
    used = {
        Path(artifact["path"]).parts[1]
        for (outputs,) in store.query("SELECT outputs FROM outputs")
        for artifact in json.loads(outputs).values()
        if "path" in artifact
    }
    present = {path.name for path in store.artifacts.iterdir()}
    assert present == used
    assert store.query("SELECT * FROM attempts") == []
    assert store.query("SELECT * FROM claims") == []
    running = [row[0] for row in store.query("SELECT run_id FROM runs WHERE status = 'running'")]
    assert running
    assert not any(is_alive(store.folder(run_id)) for run_id in running)
    tables = (project / "toy_platform.txt").read_text().split()
    assert len(tables) == 1
    store.close()


@pytest.mark.slow
def test_killed_while_tables_are_made_in_the_sandbox(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    stages: dict[str, object] = {"t0": {"uses": "toy.rows", "params": {"pause_s": 0.3}}}
    for i in range(1, 5):
        stages[f"t{i}"] = {
            "uses": "toy.rows",
            "params": {"rows": 20_000 + 2 * i, "pause_s": 0.3},
            "inputs": {"left": f"t{i - 1}"},
        }
    calls = folder / "calls.txt"
    chance = random.Random(11)
    for wanted in range(5):  # each time a little further, and then at any moment of the next stage
        before = committed(folder)
        calls.write_text("")
        terminal = start(stages, "run")
        terminal.wait_for(*(f"t{i} .*(finished|reused)" for i in range(wanted)))
        time.sleep(chance.uniform(0.0, 1.2))
        terminal.process.send_signal(signal.SIGKILL)
        terminal.process.wait()
        assert not before.intersection(calls.read_text().split())
    terminal = start(stages, "run")
    assert terminal.wait(60) == 0, terminal.output
    store = Store(folder / ".firnline")
    made = [json.loads(outputs)["table"]["name"] for (outputs,) in store.query("SELECT outputs FROM outputs")]
    assert len(made) == 5
    assert store.query("SELECT * FROM claims") == []
    store.close()
    # The sandbox has the tables of finished stages and no others.
    session = firnline_sandbox.session(path=folder / ".firnline" / "sandbox")
    try:
        there = {str(row["name"]) for row in session.sql("show tables in account").collect()}
    finally:
        session.close()
    assert {name.rpartition(".")[2] for name in made} == {name for name in there if name.startswith("T")}
