"""Two runs never compute the same key at the same time, in processes of their own too."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from firnline.record import KeyClaims
from tests.cli.conftest import Run


def start(project: Path, *overrides: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "firnline", "run", "--json", *overrides]
    return subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, text=True)


def until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def calls(project: Path) -> list[str]:
    file = project / "calls.txt"
    return file.read_text().split() if file.exists() else []


def read_until(process: subprocess.Popen[str], word: str) -> list[dict]:
    assert process.stdout is not None
    events = []
    for line in process.stdout:
        events.append(json.loads(line))
        if word in line:
            return events
    raise AssertionError(f"{word} is in none of {events}")


def ended(process: subprocess.Popen[str]) -> list[dict]:
    out, _ = process.communicate(timeout=60)
    return [json.loads(line) for line in out.splitlines()]


def test_the_second_run_waits_and_takes_the_output_over(project: Path) -> None:
    first = start(project, "left.params.sleep_s=3")
    until(lambda: "left" in calls(project))
    second = start(project, "left.params.sleep_s=3")
    waiting = read_until(second, "which computes it")
    [run_id] = {event["run_id"] for event in ended(first) if event["event"] == "RunStarted"}
    assert waiting[-1]["message"] == f"waits for run {run_id}, which computes it"
    events = ended(second)
    assert (first.returncode, second.returncode) == (0, 0)
    reused = {e["stage"]: e["from_run"] for e in [*waiting, *events] if e["event"] == "StageReused"}
    assert reused["left"] == run_id
    assert calls(project).count("left") == calls(project).count("start") == 1
    assert not list((project / ".firnline" / "claims").iterdir())


def test_the_second_run_takes_over_when_the_first_is_killed(project: Path) -> None:
    first = start(project, "left.params.sleep_s=3")
    until(lambda: "left" in calls(project))
    second = start(project, "left.params.sleep_s=3")
    read_until(second, "which computes it")
    first.send_signal(signal.SIGKILL)
    assert first.wait() == -signal.SIGKILL
    first.communicate()
    events = ended(second)
    assert second.returncode == 0
    assert "left" in [event["stage"] for event in events if event["event"] == "StageStarted"]
    assert calls(project).count("left") == 2
    assert calls(project).count("start") == 1


def test_a_run_that_waits_can_be_interrupted(project: Path) -> None:
    first = start(project, "left.params.sleep_s=3")
    until(lambda: "left" in calls(project))
    second = start(project, "left.params.sleep_s=3")
    read_until(second, "which computes it")
    second.send_signal(signal.SIGINT)
    events = ended(second)
    assert second.returncode == 130
    assert {event["stage"] for event in events if event["event"] == "StageSkipped"} == {"left", "end"}
    ended(first)
    assert first.returncode == 0


def test_jobs_in_parallel_processes_share_what_is_slow(firnline: Run, project: Path) -> None:
    parallel = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    slow = ("+slow={uses: toy.add, inputs: {left: start}, params: {sleep_s: 1}}", "left.inputs.left=slow")
    code, out, err = firnline("run", "-m", "-q", "left.params.plus=1,2,3,4", *slow, *parallel)
    assert code == 0, out + err
    assert calls(project).count("slow") == calls(project).count("start") == 1
    assert calls(project).count("left") == 4


def test_claims_exclude_each_other_and_leave_nothing(tmp_path: Path) -> None:
    one, other = KeyClaims(tmp_path, "one"), KeyClaims(tmp_path, "other")
    assert one.take("k")
    assert not one.take("k")
    assert not other.take("k")
    assert other.holder("k") == "one"
    one.release("k")
    assert other.take("k")
    one.release("k")  # not its own: nothing happens
    assert not one.take("k")
    assert other.holder("k") == "other"
    other.release_all()
    assert other.holder("k") == ""
    assert list(tmp_path.iterdir()) == []


def test_many_processes_count_without_losing_a_step(tmp_path: Path) -> None:
    """The file of a claim is taken away and made anew all the time: no two processes may be inside at once."""
    program = """
import sys, time
from pathlib import Path
from firnline.record import KeyClaims
folder, counter = Path(sys.argv[1]), Path(sys.argv[1]) / "counter"
claims = KeyClaims(folder, "r")
for _ in range(200):
    while not claims.take("k"):
        time.sleep(0.0005)
    number = int(counter.read_text())
    counter.write_text(str(number + 1))
    claims.release("k")
"""
    (tmp_path / "counter").write_text("0")
    processes = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path)]) for _ in range(4)]
    assert [process.wait(timeout=60) for process in processes] == [0] * 4
    assert (tmp_path / "counter").read_text() == "800"
