"""What one engine has for its functions and procedures: workers, and the bridge by which SQL reaches them."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from firnline_sandbox.functions.bridge import Bridge
from firnline_sandbox.statements.registry import engine_part
from firnline_sandbox.workers.frames import from_bytes, message, metadata_of, to_bytes
from firnline_sandbox.workers.pool import WorkerPool
from firnline_sandbox.workers.process import HandlerError, Limits, WorkerProcess

if TYPE_CHECKING:
    from firnline_sandbox.engine import SandboxEngine
    from firnline_sandbox.functions.code import Code

PROGRAM: Final = "firnline_sandbox.functions.worker"


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionLimits:
    """What a function's worker may use.

    Attributes:
        warm: how many workers wait for a next call.
        each: how many workers of one function run at once.
        seconds: how long one batch of rows may take.
        memory_mb: how much memory one worker may take; 0 for as much as there is.
    """

    warm: int = 6
    each: int = min(4, os.cpu_count() or 1)
    seconds: float = 600.0
    memory_mb: int = 8_192


class FunctionRoom:
    """Made at the first use of a function, closed when the engine closes."""

    def __init__(self, engine: SandboxEngine, limits: FunctionLimits | None = None) -> None:
        self.limits = limits or FunctionLimits()
        self.folder = Path(tempfile.mkdtemp(prefix="firnline-functions-"))
        self.functions: WorkerPool[str] = WorkerPool(self._start, warm=self.limits.warm, each=self.limits.each)
        self.procedures: WorkerPool[str] = WorkerPool(self._start, warm=2, each=None)
        self.bridge = Bridge(engine, self)
        self._codes: dict[str, Code] = {}
        self._spares: dict[bool, WorkerProcess] = {}
        self._started: Counter[bool] = Counter()
        self._lock = threading.Lock()
        self._closed = False

    def provide(self, identity: str, code: Code) -> None:
        """Remember what an id stands for; workers that have loaded something else under it end."""
        with self._lock:
            known = self._codes.get(identity)
            self._codes[identity] = code
        if known is not None and known != code:
            self._forget_workers(identity)

    def code(self, identity: str) -> Code:
        """Give what :meth:`provide` was told."""
        with self._lock:
            return self._codes[identity]

    def forget(self, identity: str) -> None:
        """End the workers of a function that is no more."""
        self._forget_workers(identity)
        with self._lock:
            self._codes.pop(identity, None)

    def _forget_workers(self, identity: str) -> None:
        self.functions.forget(identity)
        self.procedures.forget(identity)

    def close(self) -> None:
        """End the workers."""
        with self._lock:
            self._closed = True
            spares = list(self._spares.values())
            self._spares.clear()
        for worker in spares:
            worker.close()
        self.functions.close()
        self.procedures.close()
        self.bridge.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self, identity: str) -> WorkerProcess:
        """Start a worker and let it load a function's code."""
        code = self.code(identity)
        worker = self._take_spare(with_session=code.with_session)
        request = to_bytes(message({"load": code.to_json()}))
        try:
            reply = from_bytes(worker.call(code.name, request, Limits(seconds=self.limits.seconds)))
        except BaseException:
            worker.close()
            raise
        if (failure := metadata_of(reply).get("error")) is not None:
            worker.close()
            raise HandlerError(failure)
        self._prepare_spare(with_session=code.with_session)
        return worker

    def _take_spare(self, *, with_session: bool) -> WorkerProcess:
        with self._lock:
            spare = self._spares.pop(with_session, None)
        return spare if spare is not None and spare.is_alive else self._new_process(with_session=with_session)

    def _prepare_spare(self, *, with_session: bool) -> None:
        """Start a worker ahead of its use, as its imports take a while; not before a second function was used."""
        with self._lock:
            self._started[with_session] += 1
            wanted = self._started[with_session] > 1 and not self._closed and with_session not in self._spares
            if wanted:
                self._spares[with_session] = self._new_process(with_session=with_session)

    def _new_process(self, *, with_session: bool) -> WorkerProcess:
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        command = [sys.executable, "-P", "-m", PROGRAM, str(folder), str(self.limits.memory_mb)]
        return WorkerProcess([*command, "session"] if with_session else command, folder=folder)


@engine_part("functions")
def open_room(engine: SandboxEngine) -> FunctionRoom:
    """Make the room of an engine."""
    return FunctionRoom(engine)
