"""The record under many processes: real ones, that run at the same time in one project."""

from __future__ import annotations

import sqlite3
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from firnline.errors import UsageError
from firnline.record import Store, list_runs, load_run
from tests.core.conftest import Project
from tests.core.test_kill import start_program

PROCESSES = 8
STAGES = 25


def test_eight_processes_write_at_once(project: Project) -> None:
    chain: dict = {"s0": {"uses": "toy.table", "params": {"value": 3}}}
    chain["n0"] = {"uses": "toy.source"}
    for i in range(1, STAGES):
        chain[f"n{i}"] = {"uses": "toy.add", "inputs": {"left": f"n{i - 1}"}, "params": {"plus": i}}
    project.write(chain)
    processes = [start_program(project.path) for _ in range(PROCESSES)]
    assert [process.wait(120) for process in processes] == [0] * PROCESSES
    store = Store(project.path / ".firnline")
    records = list_runs(store)
    assert len({record.run_id for record in records}) == PROCESSES
    assert {record.status for record in records} == {"finished"}
    for record in records:
        assert len(record.stages) == STAGES + 1
        assert load_run(store, record.run_id) == record
        # The file beside the database has the same facts, one whole line each.
        lines = (store.folder(record.run_id) / "events.jsonl").read_text().splitlines()
        kept = [line for line in lines if '"StageProgress"' not in line]
        assert len(kept) == len(store.events(record.run_id))
    assert store.query("SELECT count(*) FROM outputs") == [(STAGES + 1,)]
    assert store.query("SELECT * FROM attempts") == []
    assert store.query("PRAGMA integrity_check") == [("ok",)]
    store.close()
    calls = Counter(project.calls())
    assert project.run().exit_code == 0
    assert project.calls() == []
    assert max(calls.values()) <= PROCESSES


def test_it_is_in_wal_mode(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.query("PRAGMA journal_mode") == [("wal",)]
    store.close()


def test_two_runs_never_share_a_folder(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = iter(["same", "same", "other"])
    monkeypatch.setattr("firnline.app.running.new_run_id", lambda now: next(ids))
    project.write({"start": {"uses": "toy.source"}})
    assert project.run().record.run_id == "same"
    assert project.run().record.run_id == "other"


def test_a_damaged_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "firnline.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(UsageError, match="cannot be opened") as caught:
        Store(tmp_path)
    assert "move it away" in str(caught.value.hint)


def test_a_run_in_a_transaction_of_somebody_else_waits(tmp_path: Path, project: Project) -> None:
    project.write({"start": {"uses": "toy.source"}})
    project.run()
    other = sqlite3.connect(project.path / ".firnline" / "firnline.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    process = start_program(project.path)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(2.5)
    other.execute("COMMIT")
    other.close()
    assert process.wait(30) == 0
