"""A pool of warm workers on this machine: forked from a process that has imported the heavy SDKs once."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Final, TypeAlias

from firnline.errors import FirnlineError
from firnline.sweep.nursery import ASK, STARTED, TELL
from firnline.sweep.worker import Piece, Task

_START_S: Final = 120.0  # importing SDKs from a cold disk takes its time
_END_S: Final = 5.0
_PROGRAM: Final = "import sys; from firnline.sweep.nursery import main; main(sys.argv[1:])"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a task told while it was at work."""

    number: int
    content: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """The end of a piece of work; with the error if it raised one, and without either if it was interrupted."""

    number: int
    value: Any = None
    error: Exception | None = None
    interrupted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """The worker that had a piece of work is gone; ``how`` says in which way it ended."""

    number: int
    how: str


Message: TypeAlias = Told | Returned | Lost


@dataclass(slots=True)
class _Worker:
    """A worker as the launching process sees it; ``number`` is the piece of work that it has."""

    connection: Connection
    process: int | None = None
    number: int | None = None


@dataclass(slots=True)
class Pool:
    """Workers that do pieces of work with one task.

    Attributes:
        task: what is done with each piece of work.
        size: how many workers there are; one that is gone is replaced.
        modules: what workers find imported, as far as it can be.
    """

    task: Task
    size: int
    modules: Sequence[str] = ()
    _nursery: subprocess.Popen[bytes] | None = None
    _link: socket.socket | None = None
    _workers: dict[int, _Worker] = field(default_factory=dict)
    _ends: dict[int, int] = field(default_factory=dict)
    _next: int = 0

    @property
    def idle(self) -> int:
        """How many pieces of work could begin now."""
        return self.size - self.busy

    @property
    def busy(self) -> int:
        """How many pieces of work are under way."""
        return sum(worker.number is not None for worker in self._workers.values())

    @property
    def processes(self) -> Mapping[int, int]:
        """Piece of work → the process that does it."""
        return {
            worker.number: worker.process
            for worker in self._workers.values()
            if worker.number is not None and worker.process is not None
        }

    def give(self, number: int, work: Any, log: Path, environment: Mapping[str, str]) -> None:
        """Begin a piece of work; there must be an idle worker, or room for one."""
        piece = Piece(work=work, log=log, environment=environment)
        while True:
            worker = next((one for one in self._workers.values() if one.number is None), None) or self._fork()
            try:
                worker.connection.send(piece)
            except ConnectionError:  # it was killed while it had nothing to do
                self._forget(worker)
                continue
            worker.number = number
            return

    def messages(self, timeout: float | None = None) -> list[Message]:
        """Wait for news and return them; empty when the time is over."""
        found: list[Message] = []
        by_connection = {worker.connection: worker for worker in self._workers.values()}
        for connection in wait(list(by_connection), timeout):
            found += self._read(by_connection[connection])  # type: ignore[index]
        return found

    def interrupt(self) -> None:
        """Ask whatever is under way to stop, as Ctrl-C does."""
        for process in self.processes.values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGINT)

    def close(self) -> None:
        """End all workers at once; what they do is lost."""
        if self._link is not None:
            self._link.close()  # upon which the workers are killed
            self._link = None
        if self._nursery is not None:
            try:
                self._nursery.wait(_END_S)
            except subprocess.TimeoutExpired:
                self._nursery.kill()
                self._nursery.wait()
            self._nursery = None
        for worker in list(self._workers.values()):
            if worker.process is not None and worker.process not in self._ends:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(worker.process, signal.SIGKILL)
            self._forget(worker)

    def _read(self, worker: _Worker) -> Iterator[Message]:
        number = worker.number
        try:
            kind, content = worker.connection.recv()
        except (EOFError, OSError, pickle.UnpicklingError):
            self._forget(worker)
            if number is not None:
                yield Lost(number=number, how=self._end_of(worker))
            return
        assert number is not None, "a worker speaks only when it has work"
        if kind == "told":
            yield Told(number=number, content=content)
            return
        worker.number = None
        yield Returned(
            number=number,
            value=content if kind == "returned" else None,
            error=content if kind == "raised" else None,
            interrupted=kind == "interrupted",
        )

    def _fork(self) -> _Worker:
        """Return a new worker that has the task.

        Raises:
            FirnlineError: none can be started.
        """
        for _ in range(2):
            link = self._connect()
            ours, theirs = socket.socketpair()
            key, self._next = self._next, self._next + 1
            try:
                socket.send_fds(link, [ASK.pack(key)], [theirs.fileno()])
                theirs.close()
                worker = _Worker(connection=Connection(ours.detach()))
                self._workers[key] = worker
                worker.process = self._hear(key)
                worker.connection.send(self.task)
            except (ConnectionError, TimeoutError):
                self._restart()
            else:
                return worker
        raise FirnlineError("no worker could be started", hint="see standard error; hydra/launcher=basic does without")

    def _connect(self) -> socket.socket:
        if self._link is None:
            self._link, theirs = socket.socketpair()
            self._link.settimeout(_START_S)
            command = [sys.executable, "-c", _PROGRAM, str(theirs.fileno()), *self.modules]
            path = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
            self._nursery = subprocess.Popen(  # noqa: S603 (this Python, and names of modules)
                command,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env={**os.environ, "PYTHONPATH": path},
                process_group=0,  # Ctrl-C is for this process alone, which passes it on to those that have a job
            )
            theirs.close()
        return self._link

    def _restart(self) -> None:
        """Begin anew with a process to fork from: the one that was there is gone. Its workers may go on."""
        self._hear_all()
        if self._link is not None:
            self._link.close()
            self._link = None
        if self._nursery is not None:
            self._nursery.kill()
            self._nursery.wait()
            self._nursery = None

    def _hear(self, key: int) -> int:
        """Wait until a worker has started; return its process."""
        while True:
            number, process, status = self._hear_one()
            if status == STARTED and number == key:
                return process
            self._ends[process] = status

    def _hear_one(self) -> tuple[int, int, int]:
        assert self._link is not None, "asked after it was connected"
        text = b""
        while len(text) < TELL.size:
            part = self._link.recv(TELL.size - len(text))
            if not part:
                raise ConnectionResetError("the process that workers are forked from has ended")
            text += part
        number, process, status = TELL.unpack(text)
        return number, process, status

    def _hear_all(self) -> None:
        """Take in which workers have ended."""
        with contextlib.suppress(ConnectionError, TimeoutError):
            while self._link is not None and wait([self._link], 0):
                _, process, status = self._hear_one()
                self._ends[process] = status

    def _end_of(self, worker: _Worker) -> str:
        """Say how a worker ended, which comes on another way than that it has."""
        deadline = time.monotonic() + _END_S
        assert worker.process is not None, "it has had work, so it had started"
        while worker.process not in self._ends and self._is_nursery_there and time.monotonic() < deadline:
            self._hear_all()
            time.sleep(0.001)
        status = self._ends.pop(worker.process, None)
        if status is None:
            return "ended in a way that nobody saw"
        code = os.waitstatus_to_exitcode(status)
        if code == -signal.SIGKILL:
            return "was killed by signal 9, which often means that memory ran out"
        return f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"

    @property
    def _is_nursery_there(self) -> bool:
        return self._nursery is not None and self._nursery.poll() is None

    def _forget(self, worker: _Worker) -> None:
        worker.connection.close()
        for key, known in list(self._workers.items()):
            if known is worker:
                del self._workers[key]
