"""Warm subprocesses that run packaged models, one for each model version in use.

Why a subprocess: unpickling a model runs its code, a handler sets process-wide state (`sys._xoptions`), and a crash or
a hang in native code must end the query and not the sandbox. Why warm: importing the model's libraries takes seconds.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections import OrderedDict, deque
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from firnline_sandbox.models.worker import LENGTH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROGRAM: Final = Path(__file__).with_name("worker.py")
STDERR_TAIL: Final = 4_000
POLL_SECONDS: Final = 0.1


class WorkerError(RuntimeError):
    """A model's worker could not answer. The message is what the user should read."""


class HandlerError(WorkerError):
    """The model's own code raised: the message is its traceback."""


class WorkerTimeoutError(WorkerError):
    """The model took longer than it may; its worker was killed."""


class WorkerCancelledError(WorkerError):
    """The query was cancelled while the model worked; its worker was killed, as nothing else stops native code."""


class WorkerDiedError(WorkerError):
    """The worker ended without an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Which function of which model version to run, and how to read its arguments."""

    folder: Path
    handler: str
    json_columns: tuple[int, ...] = ()
    partition_kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLimits:
    """How many workers stay warm, and how long one call may take: the first one includes loading the model."""

    warm: int = 4
    seconds: float = 600.0


def _never() -> bool:
    return False


class WorkerPool:
    """The warm workers of one engine. Calls to different model versions run at the same time."""

    def __init__(self, limits: WorkerLimits | None = None) -> None:
        self.limits = limits or WorkerLimits()
        self._workers: OrderedDict[Path, _Worker] = OrderedDict()
        self._lock = threading.Lock()
        self._closed = False

    def run(self, call: Call, arguments: pa.Table, cancelled: Callable[[], bool] = _never) -> pa.Array:
        """Run a function over rows of arguments and return each row's result as JSON text.

        Raises:
            HandlerError: the model's code raised.
            WorkerTimeoutError: it took longer than `limits.seconds`.
            WorkerCancelledError: `cancelled`, which is asked ten times a second, said so.
            WorkerDiedError: its process ended.
        """
        with self._lease(call.folder) as worker:
            try:
                return worker.run(call, arguments, self.limits.seconds, cancelled)
            except HandlerError:
                raise
            except WorkerError:
                self._retire(worker)
                raise

    def forget(self, folder: Path) -> None:
        """End the worker of a model version that is no more, once its calls have ended."""
        with self._lock:
            worker = self._workers.pop(folder, None)
            if worker is None or worker.leases:
                return
        worker.close()

    def process_ids(self) -> tuple[int, ...]:
        """Return the ids of the processes that are warm now."""
        with self._lock:
            return tuple(worker.process.pid for worker in self._workers.values())

    def close(self) -> None:
        """End all workers. A later call is refused."""
        with self._lock:
            workers = list(self._workers.values())
            self._workers.clear()
            self._closed = True
        for worker in workers:
            worker.close()

    @contextlib.contextmanager
    def _lease(self, folder: Path) -> Iterator[_Worker]:
        """Hand out the version's worker, and keep it from being retired meanwhile."""
        retired: list[_Worker] = []
        with self._lock:
            if self._closed:
                raise WorkerError("the sandbox is closed")
            worker = self._workers.get(folder)
            if worker is not None and worker.process.poll() is not None:
                retired.append(self._workers.pop(folder))
                worker = None
            if worker is None:
                worker = self._workers[folder] = _Worker(folder)
            worker.leases += 1
            self._workers.move_to_end(folder)
            idle = [key for key, other in self._workers.items() if not other.leases]
            while len(self._workers) > self.limits.warm and idle:
                retired.append(self._workers.pop(idle.pop(0)))
        for other in retired:
            other.close()
        try:
            yield worker
        finally:
            with self._lock:
                worker.leases -= 1
                unwanted = not worker.leases and self._workers.get(folder) is not worker
            if unwanted:
                worker.close()

    def _retire(self, worker: _Worker) -> None:
        """Hand a worker that does not answer to nobody any more."""
        with self._lock:
            if self._workers.get(worker.folder) is worker:
                del self._workers[worker.folder]


class _Worker:
    """One subprocess. It answers one call at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.leases = 0
        self._lock = threading.Lock()
        self._said: deque[bytes] = deque(maxlen=100)
        # -P keeps this package's folder off the path of a program that imports whatever a model needs.
        command = [sys.executable, "-P", "-X", f"snowflake_import_directory={folder}/", str(PROGRAM)]
        self.process = subprocess.Popen(  # noqa: S603 - our own program
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self._listener = threading.Thread(target=self._listen, name="firnline-model-stderr", daemon=True)
        self._listener.start()

    def run(self, call: Call, arguments: pa.Table, seconds: float, cancelled: Callable[[], bool]) -> pa.Array:
        metadata = {
            "handler": call.handler,
            "json_columns": json.dumps(call.json_columns),
            "partition_kinds": json.dumps(call.partition_kinds),
        }
        request = _to_bytes(arguments.replace_schema_metadata(metadata))
        with self._lock:
            self._said.clear()
            with _watch(self.process, seconds, cancelled) as verdict:
                reply = self._exchange(request)
            if reply is None:
                raise self._explain(call, verdict, seconds)
            error = (reply.schema.metadata or {}).get(b"error")
            if error is not None:
                raise HandlerError(error.decode())
        return reply.column(0).combine_chunks()

    def close(self) -> None:
        """End the process: politely by closing its input where it waits for a call, else by force."""
        if self._lock.acquire(blocking=False):
            try:
                self._close_stream(self.process.stdin)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(2.0)
            finally:
                self._lock.release()
        self.process.kill()
        self.process.wait()
        self._listener.join(1.0)
        with self._lock:  # the call that was under way has ended with the process
            for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
                self._close_stream(stream)

    def _exchange(self, request: bytes) -> pa.Table | None:
        """Send a request and read the reply; None where the process ended first."""
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            stdin.write(LENGTH.pack(len(request)))
            stdin.write(request)
            stdin.flush()
            head = stdout.read(LENGTH.size)
            payload = stdout.read(LENGTH.unpack(head)[0]) if len(head) == LENGTH.size else b""
        except (BrokenPipeError, ValueError):  # the process is gone; or the pool was closed before this call
            return None
        if not payload:
            return None
        with pa.ipc.open_stream(payload) as reader:
            return reader.read_all()

    def _explain(self, call: Call, verdict: list[str], seconds: float) -> WorkerError:
        code = self.process.wait()
        self._listener.join(1.0)
        text = b"".join(self._said)[-STDERR_TAIL:].decode(errors="replace").strip()
        said = f"\nstandard error of the model's process:\n{text}" if text else ""
        match verdict:
            case ["cancelled"]:
                return WorkerCancelledError(f"{call.handler} was cancelled")
            case ["expired"]:
                return WorkerTimeoutError(f"{call.handler} took longer than {seconds:g} seconds{said}")
        return WorkerDiedError(f"the process that runs {call.handler} ended with exit code {code}{said}")

    def _listen(self) -> None:
        assert self.process.stderr is not None
        with contextlib.suppress(ValueError):  # closed under this thread
            for line in self.process.stderr:
                self._said.append(line)

    @staticmethod
    def _close_stream(stream: object) -> None:
        with contextlib.suppress(OSError):
            stream.close()  # type: ignore[attr-defined]


@contextlib.contextmanager
def _watch(process: subprocess.Popen[bytes], seconds: float, cancelled: Callable[[], bool]) -> Iterator[list[str]]:
    """Kill a process that takes too long or is no longer wanted; the list then says which."""
    verdict: list[str] = []
    done = threading.Event()
    deadline = time.monotonic() + seconds

    def watch() -> None:
        while not done.wait(POLL_SECONDS):
            expired = time.monotonic() > deadline
            if expired or cancelled():
                verdict.append("expired" if expired else "cancelled")
                process.kill()
                return

    watcher = threading.Thread(target=watch, name="firnline-model-watch", daemon=True)
    watcher.start()
    try:
        yield verdict
    finally:
        done.set()
        watcher.join()


def _to_bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    payload: bytes = sink.getvalue().to_pybytes()
    return payload
