"""A multirun has an identity: it stops as it is told, survives signals, is gone on with and looked at later."""

from __future__ import annotations

import csv
import io
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Run

FAILING = "+extra={uses: toy.fail, inputs: {left: left}, params: {how: data}}"


def calls(project: Path) -> list[str]:
    file = project / "calls.txt"
    return file.read_text().split() if file.exists() else []


def sweeps(project: Path) -> list[Path]:
    return sorted((project / ".firnline" / "sweeps").iterdir())


def rows(firnline: Run, *arguments: str) -> list[dict]:
    code, out, err = firnline("sweep", "show", "--json", *arguments)
    assert code == 0, err
    return json.loads(out)


@pytest.mark.parametrize(
    ("policy", "started", "reason"),
    [
        ("sweep.on_failure=stop", 1, "job 0 failed, and sweep.on_failure=stop"),
        ("sweep.max_failures=2", 2, "2 jobs failed, and sweep.max_failures=2"),
        ("sweep.on_failure=continue", 4, ""),
    ],
)
def test_how_many_jobs_may_fail(firnline: Run, project: Path, policy: str, started: int, reason: str) -> None:
    one_by_one = "hydra.launcher.workers=1"
    code, out, err = firnline("run", "-m", "start.params.value=1,2,3,4", FAILING, policy, one_by_one)
    assert code == 1, out + err
    assert calls(project).count("extra") == started
    assert f"stopped: {reason}" in out if reason else "stopped:" not in out
    assert f"firnline sweep resume {sweeps(project)[0].name}" in out


def test_that_a_gate_stops_a_job_is_no_failure(firnline: Run, project: Path) -> None:
    gate = FAILING.replace("data", "gate")
    assert firnline("run", "-m", "-q", "start.params.value=1,2", gate, "sweep.on_failure=stop")[0] == 1
    assert calls(project).count("extra") == 2


def test_each_job_has_its_whole_log_in_a_file(firnline: Run, project: Path) -> None:
    firnline("run", "-m", "-q", "left.params.mode=plain,loud", FAILING)
    [sweep] = sweeps(project)
    plain, loud = ((sweep / "jobs" / f"{number}.log").read_text() for number in (0, 1))
    assert plain.startswith("job 0 left.params.mode=plain")
    assert "a loud step" not in plain
    assert "a loud step" in loud
    assert "a logged line" in loud
    for log in (plain, loud):
        assert "DataError: the data is odd" in log
        assert "--- log of stage extra" in log


def start(project: Path, *overrides: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "firnline", "run", "-m", "-q", *overrides]
    return subprocess.Popen(command, cwd=project)


@pytest.mark.parametrize(("how", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)])
def test_a_sweep_that_was_cut_off_is_finished_without_repeating(
    firnline: Run, project: Path, how: signal.Signals, code: int
) -> None:
    overrides = ("start.params.value=1,2,3", "left.params.sleep_s=0.5", "hydra.launcher.workers=1")
    process = start(project, *overrides)
    deadline = time.monotonic() + 60
    while calls(project).count("left") < 2:  # the second job is at it
        assert time.monotonic() < deadline
        time.sleep(0.01)
    refused, _, err = firnline("sweep", "resume")
    assert refused == 2
    assert "is running" in err
    process.send_signal(how)
    assert process.wait(timeout=60) == code
    assert calls(project).count("left") == 2, "no further job started"
    [listed] = [json.loads(line) for line in firnline("sweep", "list", "--json")[1].splitlines()]
    assert (listed["status"], listed["finished"], listed["jobs"]) == ("stopped", 1, 3)

    before = len(calls(project))
    done, out, err = firnline("sweep", "resume", listed["sweep_id"][:8])
    assert done == 0, out + err
    # On Ctrl-C the stage that ran could finish; a kill loses it.
    lost = ["left"] if how == signal.SIGKILL else []
    assert sorted(calls(project)[before:]) == ["end", "end", "left", *lost, "start"]
    board = rows(firnline)
    assert [row["job"] for row in board] == [2, 1, 0]
    assert {row["status"] for row in board} == {"finished"}
    assert len(sweeps(project)) == 1

    before = len(calls(project))
    assert firnline("sweep", "resume", "-q")[0] == 0
    assert len(calls(project)) == before


def test_resume_tries_what_failed_again(firnline: Run, project: Path) -> None:
    one_by_one = "hydra.launcher.workers=1"
    assert firnline("run", "-m", "-q", "start.params.value=1,2", FAILING, "sweep.on_failure=stop", one_by_one)[0] == 1
    assert firnline("sweep", "resume", "-q")[0] == 1
    assert calls(project).count("extra") == 2, "the first fails again, and the policy still holds"


def test_resume_refuses_other_jobs_than_those_it_began_with(firnline: Run, project: Path) -> None:
    file = project / "conf" / "config.yaml"
    config = yaml.safe_load(file.read_text()) | {"hydra": {"sweeper": {"params": {"left": "ten"}}}}
    file.write_text(yaml.safe_dump(config, sort_keys=False))
    assert firnline("run", "-m", "-q")[0] == 0
    assert len(rows(firnline)) == 1
    config["hydra"]["sweeper"]["params"]["left"] = "ten,twenty"
    file.write_text(yaml.safe_dump(config, sort_keys=False))
    code, _, err = firnline("sweep", "resume")
    assert code == 2
    assert "make other jobs now" in err


def test_the_leaderboard_is_sorted_filtered_and_exported(firnline: Run, project: Path) -> None:
    firnline("run", "-m", "-q", "left=ten,twenty", "start.params.value=1,2")
    code, out, _ = firnline("sweep", "show")
    assert code == 0
    assert "ranked by end.total (higher is better)" in out
    assert [row["end.total"] for row in rows(firnline)] == [22, 21, 12, 11]
    low_first = rows(firnline, "--sort", "total", "--direction", "minimize")
    assert [row["end.total"] for row in low_first] == [11, 12, 21, 22]
    assert [row["rank"] for row in low_first] == [1, 2, 3, 4]
    kept = rows(firnline, "--filter", "left=ten", "--filter", "end.total > 11")
    assert [(row["left"], row["start.params.value"], row["end.total"]) for row in kept] == [("ten", "2", 12)]
    code, out, _ = firnline("sweep", "show", "last", "--csv")
    table = list(csv.DictReader(io.StringIO(out)))
    assert [row["left"] for row in table] == ["twenty", "twenty", "ten", "ten"]
    assert set(table[0]) >= {"rank", "job", "run_id", "status", "seconds", "end.total"}
    code, out, _ = firnline("sweep", "list")
    assert code == 0
    assert "4 of 4" in out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--sort", "nothing"], "the metrics are end.total"),
        (["--filter", "nonsense"], "NAME=VALUE"),
        (["--filter", "lfet=ten"], "names are rank, job"),
        (["--csv", "--json"], "exclude each other"),
        (["1999"], "there is no sweep '1999'"),
    ],
)
def test_what_cannot_be_shown_is_refused(firnline: Run, arguments: list[str], told: str) -> None:
    firnline("run", "-m", "-q", "left=ten,twenty")
    code, out, err = firnline("sweep", "show", *arguments)
    assert code == 2
    assert told in " ".join((out + err).split())


def test_no_sweep_yet(firnline: Run) -> None:
    assert firnline("sweep", "list")[0] == 2
    firnline("run", "-q")
    code, out, _ = firnline("sweep", "list")
    assert code == 0
    assert "no sweep ran" in out
    assert firnline("sweep", "show")[0] == 2
