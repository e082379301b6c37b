"""One worker: a subprocess that answers one call at a time, and is killed when a call takes too long."""

from __future__ import annotations

import contextlib
import subprocess
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from firnline_sandbox.workers.frames import read_frame, write_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

STDERR_TAIL: Final = 4_000
POLL_SECONDS: Final = 0.1


class WorkerError(RuntimeError):
    """A worker could not answer. The message is what the user should read."""


class HandlerError(WorkerError):
    """The code that the worker ran raised: the message is its traceback."""


class WorkerTimeoutError(WorkerError):
    """The call took longer than it may; its worker was killed."""


class WorkerCancelledError(WorkerError):
    """The query was cancelled during the call; the worker was killed, as nothing else stops native code."""


class WorkerDiedError(WorkerError):
    """The worker ended without an answer."""


def never() -> bool:
    """Say that a call is not cancelled."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long one call may take (None: as long as its query), and who says that it is no longer wanted."""

    seconds: float | None = None
    cancelled: Callable[[], bool] = never


class WorkerProcess:
    """A subprocess behind two pipes. What it prints is kept to explain its end."""

    def __init__(self, command: Sequence[str], *, folder: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._said: deque[bytes] = deque(maxlen=100)
        self.process = subprocess.Popen(  # noqa: S603 - our own program
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder
        )
        self._listener = threading.Thread(target=self._listen, name="firnline-worker-stderr", daemon=True)
        self._listener.start()

    @property
    def is_alive(self) -> bool:
        """Say whether the process still runs."""
        return self.process.poll() is None

    def call(
        self,
        what: str,
        request: bytes,
        limits: Limits,
        answer: Callable[[bytes], bytes | None] | None = None,
    ) -> bytes:
        """Send a request and give the reply.

        Args:
            what: the name of what runs, for messages.
            request: the request's frame.
            limits: when to kill the process.
            answer: answers what the worker asks meanwhile; None for a frame that is the reply. Without it, the first
                frame is the reply.

        Raises:
            WorkerError: there is no reply; the process has ended.
        """
        with self._lock:
            self._said.clear()
            with _watch(self.process, limits) as verdict:
                reply = self._converse(request, answer)
            if not reply:
                raise self._explain(what, verdict, limits.seconds)
            return reply

    def close(self) -> None:
        """End the process: politely by closing its input where it waits for a call, else by force."""
        if self._lock.acquire(blocking=False):
            try:
                _close_stream(self.process.stdin)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(2.0)
            finally:
                self._lock.release()
        self.process.kill()
        self.process.wait()
        self._listener.join(1.0)
        with self._lock:  # the call that was under way has ended with the process
            for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
                _close_stream(stream)

    def _converse(self, request: bytes, answer: Callable[[bytes], bytes | None] | None) -> bytes | None:
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            write_frame(stdin, request)
            while (frame := read_frame(stdout)) is not None and answer is not None:
                response = answer(frame)
                if response is None:
                    break
                write_frame(stdin, response)
        except (BrokenPipeError, ValueError):  # the process is gone; or it was closed before this call
            if self.is_alive and stdin is not None and not stdin.closed:
                raise
            return None
        return frame

    def _explain(self, what: str, verdict: list[str], seconds: float | None) -> WorkerError:
        code = self.process.wait()
        self._listener.join(1.0)
        text = b"".join(self._said)[-STDERR_TAIL:].decode(errors="replace").strip()
        said = f"\nstandard error of the process:\n{text}" if text else ""
        match verdict:
            case ["cancelled"]:
                return WorkerCancelledError(f"{what} was cancelled")
            case ["expired"]:
                return WorkerTimeoutError(f"{what} took longer than {seconds:g} seconds{said}")
        return WorkerDiedError(f"the process that runs {what} ended with exit code {code}{said}")

    def _listen(self) -> None:
        assert self.process.stderr is not None
        with contextlib.suppress(ValueError):  # closed under this thread
            for line in self.process.stderr:
                self._said.append(line)


def _close_stream(stream: object) -> None:
    with contextlib.suppress(OSError):
        stream.close()  # type: ignore[attr-defined]


@contextlib.contextmanager
def _watch(process: subprocess.Popen[bytes], limits: Limits) -> Iterator[list[str]]:
    """Kill a process that takes too long or is no longer wanted; the list then says which."""
    verdict: list[str] = []
    done = threading.Event()
    deadline = None if limits.seconds is None else time.monotonic() + limits.seconds

    def watch() -> None:
        while not done.wait(POLL_SECONDS):
            expired = deadline is not None and time.monotonic() > deadline
            if expired or limits.cancelled():
                verdict.append("expired" if expired else "cancelled")
                process.kill()
                return

    watcher = threading.Thread(target=watch, name="firnline-worker-watch", daemon=True)
    watcher.start()
    try:
        yield verdict
    finally:
        done.set()
        watcher.join()
