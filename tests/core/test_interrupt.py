"""Ctrl-C as a terminal sends it: SIGINT to a real process and its children, while a real query runs."""

from __future__ import annotations

import re
import time
from pathlib import Path

from firnline.record import Store, load_run
from tests.core.conftest import Start

LONG_QUERY = "select count(*) from table(generator(rowcount => 2000000000000))"


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
