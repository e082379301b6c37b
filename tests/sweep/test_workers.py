"""``hydra/launcher=firnline``: warm workers that may be killed, one budget, one view; every job comes to an end."""

from __future__ import annotations

import json
import os
import random
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from firnline.sweep import SweepFolder
from tests.cli.conftest import Run


def workers(process: int) -> list[int]:
    """Return the workers of a launching process: children of its only child."""
    [nursery] = children(process) or [0]
    return children(nursery)


def children(process: int) -> list[int]:
    try:
        text = Path(f"/proc/{process}/task/{process}/children").read_text()
    except OSError:
        return []
    return [int(word) for word in text.split()]


def rows(firnline: Run) -> list[dict]:
    code, out, err = firnline("sweep", "show", "--json")
    assert code == 0, err
    return json.loads(out)


@pytest.mark.slow
def test_200_jobs_on_8_workers_of_which_one_is_killed_all_the_time(firnline: Run, project: Path) -> None:
    """One job in ten fails, and at every tenth end of a job a worker is killed: all jobs end, and resume finishes."""
    numbers = ",".join(map(str, range(200)))
    space = [f"start.params.value={numbers}", "+extra={uses: toy.picky, inputs: {left: start}}"]
    command = [sys.executable, "-m", "firnline", "run", "-m", *space, "hydra.launcher.workers=8"]
    process = subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    chance, kills, out = random.Random(3), 0, ""
    for line in process.stdout:
        out += line
        living = workers(process.pid)
        if living and re.match(r" *\d*0/200 .*(finished|failed)", line):
            os.kill(chance.choice(living), signal.SIGKILL)
            kills += 1
    process.wait()
    assert process.returncode == 1, out
    assert kills >= 3
    assert_whole(project)
    after = {row["job"]: row["status"] for row in rows(firnline)}
    [folder] = (project / ".firnline" / "sweeps").iterdir()
    lost = {note.job: note.message for note in SweepFolder(folder).not_started()}
    assert all("its worker was killed by signal 9" in message for message in lost.values())
    assert set(after) | set(lost) == set(range(200))
    failing = {job for job in range(200) if job % 10 == 0}
    assert {job for job, status in after.items() if status == "failed"} | set(lost) >= failing
    assert set(after.values()) <= {"finished", "failed", "killed"}

    (project / "mended").touch()
    code, out, err = firnline("sweep", "resume", "-q")
    assert code == 0, out + err
    assert {row["status"] for row in rows(firnline)} == {"finished"}
    assert_whole(project)


def assert_whole(project: Path) -> None:
    connection = sqlite3.connect(project / ".firnline" / "firnline.db")
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


def test_two_sweeps_in_one_folder_at_once_compute_nothing_twice(firnline: Run, project: Path) -> None:
    space = ("start.params.value=1,2,3,4,5,6", "left.params.sleep_s=0.2", "hydra.launcher.workers=2")
    command = [sys.executable, "-m", "firnline", "run", "-m", *space]
    both = [
        subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(2)
    ]
    told = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    assert len(list((project / ".firnline" / "sweeps").iterdir())) == 2
    calls = (project / "calls.txt").read_text().split()
    assert (calls.count("start"), calls.count("left"), calls.count("end")) == (6, 6, 6)
    assert_whole(project)
    assert {row["status"] for row in rows(firnline)} == {"finished"}


def test_a_job_whose_worker_is_always_killed_is_lost_and_can_be_gone_on_with(firnline: Run, project: Path) -> None:
    space = ("start.params.value=1,2", "left.params.sleep_s=1", "hydra.launcher.workers=1")
    command = [sys.executable, "-m", "firnline", "run", "-m", *space]
    process = subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    calls = project / "calls.txt"
    for number in (1, 2):  # job 0, then job 0 again
        deadline = time.monotonic() + 60
        while not calls.exists() or calls.read_text().split().count("left") < (number if number == 1 else 3):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        [worker] = workers(process.pid)
        os.kill(worker, signal.SIGKILL)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 1, out
    assert "job 0  ✗ lost" in out
    assert "killed by signal 9" in out
    assert firnline("sweep", "resume", "-q")[0] == 0
    assert {row["status"] for row in rows(firnline)} == {"finished"}


def test_a_full_disk_loses_nothing_that_has_finished(firnline: Run, project: Path) -> None:
    """The limit of a file's size stands for it: SQLite's log reaches it, and no further event can be recorded."""
    numbers = ",".join(map(str, range(1, 17)))
    command = [sys.executable, "-m", "firnline", "run", "-m", f"start.params.value={numbers}"]

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (150 * 1024, resource.RLIM_INFINITY))

    told = subprocess.run(command, cwd=project, preexec_fn=limit, capture_output=True, text=True, timeout=120)
    assert told.returncode in {1, 2}, told.stdout + told.stderr
    assert "Traceback" not in told.stderr
    assert re.search("disk I/O error|File too large|disk is full", told.stdout + told.stderr)
    assert_whole(project)
    before = {row["job"] for row in rows(firnline) if row["status"] == "finished"}
    calls = project / "calls.txt"
    calls.write_text("")
    assert firnline("sweep", "resume", "-q")[0] == 0
    assert {row["status"] for row in rows(firnline)} == {"finished"}
    assert calls.read_text().split().count("end") <= 16 - len(before)


def test_a_folder_that_may_not_be_written_to_is_told(project: Path) -> None:
    """Root may write everywhere, unless the capability to do so is taken from the process."""
    command = [sys.executable, "-m", "firnline", "run", "-m", "start.params.value=1,2"]
    if os.geteuid() == 0:
        bound = ["setpriv", "--bounding-set", "-dac_override"]
        if shutil.which("setpriv") is None or subprocess.run([*bound, "true"], capture_output=True).returncode:
            pytest.skip("root may write everywhere, and nothing here can take that from a process")
        command = [*bound, *command]
    project.chmod(0o555)
    try:
        told = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=60)
    finally:
        project.chmod(0o755)
    assert told.returncode == 2, told.stdout + told.stderr
    assert "cannot be written: Permission denied" in " ".join(told.stderr.split())
    assert "Traceback" not in told.stderr
    assert not (project / ".firnline").exists()
