"""Warm workers by key: starting one takes a while, so that it waits for the next call when one has ended."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter, OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

from firnline_sandbox.workers.process import HandlerError, WorkerError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from firnline_sandbox.workers.process import WorkerProcess

Key = TypeVar("Key", bound="Hashable")


class WorkerPool(Generic[Key]):
    """The workers of one engine. A worker serves one key, and one call at a time.

    Args:
        start: starts a key's worker.
        warm: how many workers wait for a next call; the one that has waited longest ends first.
        each: how many workers of one key run at once; None for as many as are asked for. Further calls wait.
    """

    def __init__(self, start: Callable[[Key], WorkerProcess], *, warm: int, each: int | None = 1) -> None:
        self._start = start
        self._warm = warm
        self._each = each
        self._idle: OrderedDict[WorkerProcess, Key] = OrderedDict()
        self._busy: Counter[Key] = Counter()
        self._leased: dict[WorkerProcess, Key] = {}
        self._forgotten: set[WorkerProcess] = set()
        self._free = threading.Condition()
        self._closed = False

    @contextlib.contextmanager
    def lease(self, key: Key) -> Iterator[WorkerProcess]:
        """Hand out a worker. It stays warm afterwards, unless the block raised anything but a HandlerError."""
        worker = self._take(key)
        reusable = False
        try:
            yield worker
            reusable = True
        except HandlerError:
            reusable = True
            raise
        finally:
            self._give(key, worker, reusable=reusable)

    def forget(self, key: Key) -> None:
        """End the workers of a key that is no more, once their calls have ended."""
        with self._free:
            unwanted = [worker for worker, owner in self._idle.items() if owner == key]
            for worker in unwanted:
                del self._idle[worker]
            self._forgotten |= {worker for worker, owner in self._leased.items() if owner == key}
        for worker in unwanted:
            worker.close()

    def process_ids(self) -> tuple[int, ...]:
        """Return the ids of the processes that run now."""
        with self._free:
            return tuple(worker.process.pid for worker in (*self._idle, *self._leased))

    def close(self) -> None:
        """End all workers. A later call is refused."""
        with self._free:
            workers = [*self._idle, *self._leased]
            self._idle.clear()
            self._closed = True
            self._free.notify_all()
        for worker in workers:
            worker.close()

    def _take(self, key: Key) -> WorkerProcess:
        dead: list[WorkerProcess] = []
        worker: WorkerProcess | None = None
        with self._free:
            while worker is None:
                if self._closed:
                    raise WorkerError("the sandbox is closed")
                worker = self._idle_worker(key, dead)
                if worker is None:
                    if self._each is None or self._busy[key] < self._each:
                        break
                    self._free.wait()
            self._busy[key] += 1
            if worker is not None:
                self._leased[worker] = key
        for other in dead:
            other.close()
        return worker or self._new(key)

    def _idle_worker(self, key: Key, dead: list[WorkerProcess]) -> WorkerProcess | None:
        for worker in [worker for worker, owner in reversed(self._idle.items()) if owner == key]:
            del self._idle[worker]
            if worker.is_alive:
                return worker
            dead.append(worker)
        return None

    def _new(self, key: Key) -> WorkerProcess:
        try:
            worker = self._start(key)
        except BaseException:
            with self._free:
                self._release(key)
            raise
        with self._free:
            closed = self._closed
            if closed:
                self._release(key)
            else:
                self._leased[worker] = key
            retired = [worker] if closed else self._too_many(spoken_for=len(self._leased))
        for other in retired:
            other.close()
        if closed:
            raise WorkerError("the sandbox is closed")
        return worker

    def _too_many(self, *, spoken_for: int) -> list[WorkerProcess]:
        retired = []
        while self._idle and len(self._idle) + spoken_for > self._warm:
            retired.append(self._idle.popitem(last=False)[0])
        return retired

    def _give(self, key: Key, worker: WorkerProcess, *, reusable: bool) -> None:
        with self._free:
            self._leased.pop(worker, None)
            retired = []
            if reusable and not self._closed and worker not in self._forgotten:
                self._idle[worker] = key
                retired = self._too_many(spoken_for=0)
            else:
                retired.append(worker)
            self._forgotten.discard(worker)
            self._release(key)
        for other in retired:
            other.close()

    def _release(self, key: Key) -> None:
        self._busy[key] -= 1
        if not self._busy[key]:
            del self._busy[key]
        self._free.notify()
