"""Several processes on one sandbox folder: real processes, real kills."""

from __future__ import annotations

import collections
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import firnline_sandbox
from firnline_sandbox.server import endpoint
from firnline_sandbox.server.presence import living

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WORKER = Path(__file__).with_name("worker.py")


class Worker:
    """A process that runs worker.py, and what it has said so far."""

    def __init__(self, folder: Path, name: str, count: int, how: str) -> None:
        self.name = name
        self.count = count
        self.process = subprocess.Popen(
            [sys.executable, str(WORKER), str(folder), name, str(count), how],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.strip())

    def wait_for(self, number: int) -> None:
        """Wait until it has said so many lines."""
        deadline = time.monotonic() + 60
        while len(self.said) < number:
            assert self.process.poll() is None, self.process.stderr.read()  # type: ignore[union-attr]
            assert time.monotonic() < deadline, f"{self.name} has said {self.said} and no more"
            time.sleep(0.01)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._reader.join()

    def finish(self) -> None:
        """Wait for its end; it must be a good one."""
        code = self.process.wait(timeout=120)
        self._reader.join()
        assert code == 0, self.process.stderr.read()  # type: ignore[union-attr]


Start = "Callable[..., Worker]"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a sandbox with an empty table."""
    path = tmp_path / "sandbox"
    with firnline_sandbox.connect(path) as connection:
        connection.cursor().execute("create table written (name varchar, number int)")
    return path


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[..., Worker]]:
    """Start workers; those that still run after the test are killed."""
    started: list[Worker] = []

    def begin(name: str, count: int, how: str = "session") -> Worker:
        started.append(Worker(folder, name, count, how))
        return started[-1]

    yield begin
    for worker in started:
        if worker.process.poll() is None:
            worker.kill()


def written(folder: Path) -> dict[str, list[int]]:
    """Read what each worker has written."""
    with firnline_sandbox.connect(folder, timeout_s=60) as connection:
        rows = connection.cursor().execute("select name, number from written order by name, number").fetchall()
    found = collections.defaultdict(list)
    for name, number in rows:
        found[name].append(number)
    return dict(found)


def expect_nobody(folder: Path) -> None:
    """Wait until no process holds or uses the sandbox."""
    deadline = time.monotonic() + 15
    while endpoint.read(folder) is not None or living(folder / "users"):
        assert time.monotonic() < deadline, "somebody is still there"
        time.sleep(0.05)


def thread_names() -> set[str]:
    """Return who runs here; the timer of a statement's limit ends by itself, a moment after the statement."""
    return {thread.name for thread in threading.enumerate() if not isinstance(thread, threading.Timer)}


def test_one_process_starts_no_other_and_no_server(folder: Path) -> None:
    before = set(sys.modules)
    before_threads = thread_names()
    with firnline_sandbox.connect(folder) as connection:
        connection.cursor().execute("select 1").fetchall()
        names = thread_names() - before_threads
        assert names == {"firnline-sandbox-listener"}  # it waits in accept()
    assert "http.server" not in set(sys.modules) - before
    assert thread_names() <= before_threads
    assert endpoint.read(folder) is None


def test_planning_on_another_process_loads_no_client(folder: Path) -> None:
    script = (
        "import sys\n"
        "from firnline_sandbox.platform import SandboxPlatform\n"
        f"platform = SandboxPlatform.open({str(folder)!r}, wait_s=10)\n"
        "assert type(platform._engine).__name__ == 'RemoteEngine'\n"
        "assert platform.missing({'FIRNLINE.PUBLIC.WRITTEN', 'NOBODY'}) == {'NOBODY'}\n"
        "assert platform.table_state('FIRNLINE.PUBLIC.WRITTEN')\n"
        "platform.close()\n"
        "loaded = {'snowflake.connector', 'snowflake.snowpark', 'pandas'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
    )
    with firnline_sandbox.connect(folder):
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_the_endpoint_is_for_its_owner_alone(folder: Path) -> None:
    with firnline_sandbox.connect(folder):
        path = folder / endpoint.NAME
        assert path.stat().st_mode & 0o077 == 0
        assert json.loads(path.read_text())["pid"] == os.getpid()
        assert len(json.loads(path.read_text())["token"]) >= 32


@pytest.mark.parametrize("how", ["session", "platform", "transactions"])
def test_processes_work_at_the_same_time(folder: Path, start: Start, how: str) -> None:
    workers = [start(name, 15, how) for name in "abc"]
    for worker in workers:
        worker.finish()
    assert written(folder) == {name: list(range(15)) for name in "abc"}
    expect_nobody(folder)


def test_the_first_process_may_end_first(folder: Path, start: Start) -> None:
    first = start("first", 12)
    first.wait_for(1)
    second = start("second", 60)
    third = start("third", 60, "platform")
    second.wait_for(2)
    first.finish()
    second.finish()
    third.finish()
    assert written(folder) == {"first": list(range(12)), "second": list(range(60)), "third": list(range(60))}
    expect_nobody(folder)


def test_the_holder_is_killed_and_nobody_else_notices(folder: Path, start: Start) -> None:
    holder = start("holder", 100_000)
    holder.wait_for(1)
    others = [start("a", 40), start("b", 40, "platform")]
    for worker in others:
        worker.wait_for(5)
    holder.kill()
    for worker in others:
        worker.finish()
    found = written(folder)
    assert found["a"] == found["b"] == list(range(40))
    told = [int(number) for number in holder.said[1:]]
    assert found["holder"][: len(told)] == told
    assert len(found["holder"]) <= len(told) + 1  # one may have been committed without a chance to say so
    expect_nobody(folder)


def test_the_server_between_them_is_killed_again_and_again(folder: Path, start: Start) -> None:
    workers = [start("a", 120), start("b", 120)]
    for worker in workers:
        worker.wait_for(3)
    killed = set()
    deadline = time.monotonic() + 60
    while len(killed) < 3 and any(worker.process.poll() is None for worker in workers):
        known = endpoint.read(folder)
        pids = {worker.process.pid for worker in workers}
        if known is not None and known.pid not in pids and known.pid not in killed:
            os.kill(known.pid, signal.SIGKILL)
            killed.add(known.pid)
            time.sleep(0.3)
        elif known is not None and known.pid in pids and not killed:
            # One of the workers holds the folder for its own work: let a server take over from it.
            next(worker for worker in workers if worker.process.pid == known.pid).kill()
            killed.add(known.pid)
        assert time.monotonic() < deadline
        time.sleep(0.02)
    survivors = [worker for worker in workers if worker.process.pid not in killed]
    assert survivors
    for worker in survivors:
        worker.finish()
    found = written(folder)
    for worker in survivors:
        assert found[worker.name] == list(range(120))
    assert len(killed) >= 2


def test_a_killed_user_leaves_no_transaction_and_no_temporary_tables(folder: Path, start: Start) -> None:
    with firnline_sandbox.connect(folder) as connection:
        hanging = start("hanging", 1, "hang")
        hanging.wait_for(1)
        hanging.kill()
        started = time.monotonic()
        connection.cursor().execute("insert into written values ('here', 1)")
        assert time.monotonic() - started < 10
        other = start("other", 100_000)
        other.wait_for(3)
        other.kill()
        deadline = time.monotonic() + 10
        while any(entry.name == "MINE" for entry in connection.engine.catalog):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert "hanging" not in written(folder)


def test_an_open_transaction_ends_before_the_holder_leaves(folder: Path, start: Start) -> None:
    holder = firnline_sandbox.connect(folder)
    holder.cursor().execute("select 1")
    script = (
        "import sys, time, firnline_sandbox\n"
        f"c = firnline_sandbox.connect({str(folder)!r}).cursor()\n"
        "c.execute('begin'); c.execute(\"insert into written values ('kept', 1)\"); print('open', flush=True)\n"
        "time.sleep(1.5); c.execute(\"insert into written values ('kept', 2)\"); c.execute('commit')\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "open"
    holder.close()
    assert process.wait(timeout=60) == 0
    assert written(folder) == {"kept": [1, 2]}


def test_a_lost_transaction_is_reported(folder: Path, start: Start) -> None:
    holder = start("holder", 100_000)
    holder.wait_for(1)
    with firnline_sandbox.connect(folder) as connection:
        cursor = connection.cursor()
        cursor.execute("begin")
        cursor.execute("insert into written values ('lost', 1)")
        holder.kill()
        with pytest.raises(Exception, match="ended in the middle of it"):
            cursor.execute("commit")
        assert cursor.execute("select count(*) from written where name = 'lost'").fetchone() == (0,)


@pytest.mark.slow
def test_eight_processes_of_a_multirun_and_two_kills(folder: Path, start: Start) -> None:
    workers = [start(f"w{number}", 12, "platform") for number in range(8)]
    for worker in workers:
        worker.wait_for(1)
    workers[0].kill()
    time.sleep(1)
    workers[1].kill()
    for worker in workers[2:]:
        worker.finish()
    found = written(folder)
    for worker in workers[2:]:
        assert found[worker.name] == list(range(12))
    expect_nobody(folder)


def test_a_forked_child_does_not_keep_the_sandbox(folder: Path) -> None:
    connection = firnline_sandbox.connect(folder)
    child = os.fork()
    if child == 0:
        time.sleep(20)
        os._exit(0)
    try:
        connection.close()
        assert written(folder) == {}
        assert endpoint.read(folder) is None
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
