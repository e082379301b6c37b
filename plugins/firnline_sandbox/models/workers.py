"""Warm subprocesses that run packaged models, one for each model version in use.

Why a subprocess: unpickling a model runs its code, a handler sets process-wide state (`sys._xoptions`), and a crash or
a hang in native code must end the query and not the sandbox. Why warm: importing the model's libraries takes seconds.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from firnline_sandbox.models.worker import LENGTH

PROGRAM = Path(__file__).with_name("worker.py")
STDERR_TAIL = 4_000


class WorkerError(RuntimeError):
    """A model's worker could not answer. The message is what the user should read."""


class HandlerError(WorkerError):
    """The model's own code raised: the message is its traceback."""


class WorkerTimeoutError(WorkerError):
    """The model took longer than it may; its worker was killed."""


class WorkerDiedError(WorkerError):
    """The worker ended without an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Which function of which model version to run, and how to read its arguments."""

    folder: Path
    handler: str
    json_columns: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLimits:
    """How many workers stay warm, and how long one call may take: the first one includes loading the model."""

    warm: int = 4
    seconds: float = 600.0


class WorkerPool:
    """The warm workers of one engine. Calls to different model versions run at the same time."""

    def __init__(self, limits: WorkerLimits | None = None) -> None:
        self.limits = limits or WorkerLimits()
        self._workers: OrderedDict[Path, _Worker] = OrderedDict()
        self._lock = threading.Lock()
        self._closed = False

    def run(self, call: Call, arguments: pa.Table) -> pa.Array:
        """Run a function over rows of arguments and return each row's result as JSON text.

        Raises:
            HandlerError: the model's code raised.
            WorkerTimeoutError: it took longer than `limits.seconds`.
            WorkerDiedError: its process ended.
        """
        worker = self._worker(call.folder)
        try:
            return worker.run(call, arguments, self.limits.seconds)
        except (WorkerTimeoutError, WorkerDiedError):
            with self._lock:
                if self._workers.get(call.folder) is worker:
                    del self._workers[call.folder]
            worker.close()
            raise

    def forget(self, folder: Path) -> None:
        """End the worker of a model version that is no more."""
        with self._lock:
            worker = self._workers.pop(folder, None)
        if worker is not None:
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

    def _worker(self, folder: Path) -> _Worker:
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
            self._workers.move_to_end(folder)
            idle = [key for key, other in self._workers.items() if other is not worker and not other.busy]
            while len(self._workers) > self.limits.warm and idle:
                retired.append(self._workers.pop(idle.pop(0)))
        for other in retired:
            other.close()
        return worker


class _Worker:
    """One subprocess. It answers one call at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        descriptor, name = tempfile.mkstemp(prefix="firnline-model-", suffix=".log")
        self._log = Path(name)
        # -P keeps this package's folder off the path of a program that imports whatever a model needs.
        command = [sys.executable, "-P", "-X", f"snowflake_import_directory={folder}/", str(PROGRAM)]
        try:
            self.process = subprocess.Popen(  # noqa: S603 - our own program
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=descriptor
            )
        finally:
            os.close(descriptor)

    @property
    def busy(self) -> bool:
        return self._lock.locked()

    def run(self, call: Call, arguments: pa.Table, seconds: float) -> pa.Array:
        metadata = {"handler": call.handler, "json_columns": json.dumps(call.json_columns)}
        request = _to_bytes(arguments.replace_schema_metadata(metadata))
        with self._lock:
            before = self._log.stat().st_size
            expired = threading.Event()

            def expire() -> None:
                expired.set()
                self.process.kill()

            timer = threading.Timer(seconds, expire)
            timer.daemon = True
            timer.start()
            try:
                reply = self._exchange(request)
            finally:
                timer.cancel()
            if reply is None:
                code = self.process.wait()
                if expired.is_set():
                    raise WorkerTimeoutError(f"{call.handler} took longer than {seconds:g} seconds{self._said(before)}")
                raise WorkerDiedError(
                    f"the process that runs {call.handler} ended with exit code {code}{self._said(before)}"
                )
            error = (reply.schema.metadata or {}).get(b"error")
            if error is not None:
                raise HandlerError(error.decode().rstrip() + self._said(before))
        return reply.column(0).combine_chunks()

    def close(self) -> None:
        """End the process: politely by closing its input, then by force."""
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        try:
            self.process.wait(0.2 if self.busy else 2.0)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._log.unlink(missing_ok=True)

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
        except (BrokenPipeError, ValueError):  # the process is gone; or the pool was closed under this call
            return None
        if not payload:
            return None
        with pa.ipc.open_stream(payload) as reader:
            return reader.read_all()

    def _said(self, since: int) -> str:
        """Quote the end of what the worker wrote to standard error from that position on."""
        with self._log.open("rb") as log:
            log.seek(max(since, self._log.stat().st_size - STDERR_TAIL))
            text = log.read().decode(errors="replace").strip()
        return f"\nstandard error of the model's process:\n{text}" if text else ""


def _to_bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    payload: bytes = sink.getvalue().to_pybytes()
    return payload
