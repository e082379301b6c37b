"""The verbs of ``firnline sandbox``, each in a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import firnline_sandbox
from firnline_sandbox.server import control


def firnline(*arguments: str, code: int = 0, answer: str | None = None) -> str:
    """Run ``firnline sandbox`` and give what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "firnline", "sandbox", *arguments],
        capture_output=True,
        text=True,
        input=answer,
        timeout=90,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return " ".join((done.stdout + done.stderr).split())  # lines are broken to the terminal's width


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "sandbox"
    with firnline_sandbox.connect(path) as connection:
        connection.cursor().execute("create table t (a int not null, b varchar(5), c number(10, 2))")
        connection.cursor().execute("insert into t values (1, 'x', 1.25), (2, null, null)")
        connection.cursor().execute('create table "Odd name/1" as select 1 as a where false')
        connection.cursor().execute("create view v as select a from t")
    return path


def test_a_server_from_start_to_stop(folder: Path) -> None:
    path = ("--path", str(folder))
    assert "nobody has the sandbox" in firnline("status", *path)
    try:
        started = firnline("start", *path)
        assert firnline("start", *path) == started
        assert re.search(r"started by hand, pid \d+, since \d{4}-", started)
        assert "x" in firnline("sql", "select b from t where a = 1", *path)
        assert firnline("status", *path) == started
        assert "is in use" in firnline("reset", "--yes", *path, code=2)
    finally:
        stopped = firnline("stop", *path)
    assert "has ended" in stopped
    assert "no server runs" in firnline("stop", *path)
    assert "x" in firnline("sql", "select b from t where a = 1", *path)


def test_a_process_at_work_is_no_server_to_stop(folder: Path) -> None:
    with firnline_sandbox.connect(folder):
        assert "a process at work" in firnline("status", "--path", str(folder))
        assert "at work and no server" in firnline("stop", "--path", str(folder), code=2)
        assert "which is at work" in firnline("start", "--path", str(folder), code=2)
        assert "is in use" in firnline("reset", "--yes", "--path", str(folder), code=2)


def test_a_killed_server_is_not_reported_and_can_be_started_again(folder: Path) -> None:
    import os
    import signal

    server = control.start(folder)
    os.kill(server.endpoint.pid, signal.SIGKILL)
    os.waitpid(server.endpoint.pid, 0)
    assert control.status(folder) is None
    assert control.start(folder).endpoint.pid != server.endpoint.pid
    assert control.stop(folder) is not None


def test_reset_asks_and_empties(folder: Path) -> None:
    firnline("reset", "--path", str(folder), answer="n\n", code=130)
    with firnline_sandbox.connect(folder) as connection:
        assert connection.cursor().execute("select count(*) from t").fetchone() == (2,)
    assert "is empty" in firnline("reset", "--path", str(folder), answer="y\n")
    with firnline_sandbox.connect(folder) as connection:
        assert connection.cursor().execute("show tables").fetchall() == []


def test_reset_keeps_its_hands_off_other_folders(tmp_path: Path) -> None:
    (tmp_path / "identity").write_text("mine")
    assert "no sandbox's folder" in firnline("reset", "--yes", "--path", str(tmp_path), code=2)
    assert (tmp_path / "identity").read_text() == "mine"


def test_export_can_be_read_back(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "out"
    assert "2 tables written" in firnline("export", str(target), "--path", str(folder))
    assert pq.read_table(target / "FIRNLINE/PUBLIC/T.parquet").to_pydict()["B"] == ["x", None]
    assert pq.read_table(target / "FIRNLINE/PUBLIC/Odd name%2F1.parquet").num_rows == 0
    with firnline_sandbox.connect() as connection:
        connection.execute_string((target / "schema.sql").read_text())
        cursor = connection.cursor()
        assert cursor.execute("select * from v").fetchall() == []
        columns = [row[:2] for row in cursor.execute("describe table t").fetchall()]
        assert columns == [("A", "NUMBER(38,0)"), ("B", "VARCHAR(5)"), ("C", "NUMBER(10,2)")]
    assert "exists already" in firnline("export", str(target), "--path", str(folder), code=2)
