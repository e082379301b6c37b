"""The process from which workers are forked: it has imported what they need, so that a new one is there at once.

It talks to the launching process through one socket: ``!i`` with a file descriptor asks for a worker with that number
whose connection the descriptor is; ``!iii`` comes back, with the worker's number, its process and its wait status
(``-1``: it has just started). When the socket closes, all workers are killed: nobody waits for them any more.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import selectors
import signal
import socket
import struct
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Final, NoReturn

ASK: Final = struct.Struct("!i")
TELL: Final = struct.Struct("!iii")
STARTED: Final = -1


def main(arguments: Sequence[str]) -> NoReturn:
    """Import the modules that are named after the descriptor of the socket, then fork workers until the end."""
    # Ctrl-C is for the launching process, which tells those workers that have a job.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    link = socket.socket(fileno=int(arguments[0]))
    for name in arguments[1:]:
        # Whatever is wrong with it, the job that needs it says so, with its stage.
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()  # what is shared with the workers stays shared: the collector leaves it alone
    _Nursery(link).serve()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # taken to pieces after a freeze, native libraries would tell the user about leaks


class _Nursery:
    """Forks workers and says how they ended."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._workers: dict[int, int] = {}
        self._woken, wake = os.pipe()
        for end in (self._woken, wake):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, _do_nothing)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        self._wake = wake

    def serve(self) -> None:
        """Answer until the launching process is gone or has enough."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._link, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while True:
                ready = [key.fileobj for key, _ in selector.select()]
                if self._woken in ready:
                    os.read(self._woken, 4096)
                    self._bury()
                if self._link in ready and not self._asked():
                    break
        for process in self._workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    def _asked(self) -> bool:
        try:
            question, handles, _, _ = socket.recv_fds(self._link, ASK.size, 1)
        except ConnectionError:
            return False
        if len(question) < ASK.size:
            return False
        [number] = ASK.unpack(question)
        process = os.fork()
        if process == 0:
            self._become_worker(handles[0])
        os.close(handles[0])
        self._workers[process] = number
        return self._tell(number, process, STARTED)

    def _bury(self) -> None:
        while self._workers:
            process, status = os.waitpid(-1, os.WNOHANG)
            if process == 0:
                return
            self._tell(self._workers.pop(process), process, status)

    def _tell(self, number: int, process: int, status: int) -> bool:
        try:
            self._link.sendall(TELL.pack(number, process, status))
        except ConnectionError:
            return False
        return True

    def _become_worker(self, handle: int) -> None:
        """Serve as a worker and leave; never returns."""
        from firnline.sweep.worker import serve

        code = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for end in (self._woken, self._wake):
                os.close(end)
            self._link.close()
            serve(handle)
            code = 0
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)  # what the parent has registered to happen at its end is not for its children


def _do_nothing(_number: int, _frame: FrameType | None) -> None:
    """Be called: only then a signal wakes the selector."""
