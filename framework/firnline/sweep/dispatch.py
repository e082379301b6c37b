"""Give the jobs of a multirun to the workers of a pool, and see to it that each of them comes to an end."""

from __future__ import annotations

import signal
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol, TypeAlias

from firnline.config import Composed
from firnline.sweep.folder import INTERRUPTED, OUT_OF_BUDGET, SweepFolder
from firnline.sweep.pool import Lost, Message, Pool, Returned, Told

JobStatus: TypeAlias = Literal[
    "finished",
    "failed",
    "stopped",
    "pruned",
    "refused",
    "invalid",
    "interrupted",
    "lost",
    "skipped",
    "not started",
]
TRIES: Final = 2  # a job whose worker is killed is tried once more, elsewhere
_GRACE_S: Final = 20.0  # a run that is interrupted leaves its own stages behind after ten


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEnd:
    """What became of a job of a multirun.

    Attributes:
        status: ``finished`` · ``failed`` · ``stopped`` by a gate or a guard while it ran · ``pruned`` by a search ·
            ``refused`` by a guard before · ``invalid``: its configuration · ``interrupted`` · ``lost``: its worker was
            killed, twice · ``skipped``: it had finished before · ``not started``.
        value: what the sweeper optimises.
        message: why it did not finish.
        out_of_budget: whether it was refused since too little is left for all jobs together.
        run_id: its run, if it became one.
    """

    status: JobStatus
    value: float | tuple[float, ...] | None = None
    message: str = ""
    out_of_budget: bool = False
    run_id: str = ""


class Watcher(Protocol):
    """Shows a multirun while it runs."""

    def started(self, composed: Composed) -> None:
        """A worker has begun with a job, perhaps again."""

    def told(self, job: int, content: Any) -> None:
        """A job tells its plan, or an event."""

    def lost(self, job: int, how: str, *, again: bool) -> None:
        """The worker of a job is gone."""

    def ended(self, composed: Composed, end: JobEnd) -> None:
        """A job has come to its end."""


@dataclass(slots=True)
class Dispatch:
    """One batch of jobs on a pool.

    Attributes:
        pool: the workers.
        folder: the multirun's folder, which says whether further jobs shall start.
        watcher: shows what happens.
        environment: environment variables of the jobs.
    """

    pool: Pool
    folder: SweepFolder
    watcher: Watcher
    environment: Mapping[str, str] = field(default_factory=dict)
    _jobs: dict[int, Composed] = field(default_factory=dict)
    _waiting: deque[int] = field(default_factory=deque)
    _tries: dict[int, int] = field(default_factory=dict)
    _held: bool = False
    _ends: dict[int, JobEnd] = field(default_factory=dict)

    def run(self, jobs: Sequence[Composed]) -> list[JobEnd]:
        """Run the jobs; returns what became of each.

        Raises:
            KeyboardInterrupt: at a second Ctrl-C; all workers are gone then.
        """
        for composed in jobs:
            assert composed.job is not None, "a job of a multirun has a number"
            self._jobs[composed.job] = composed
            self._waiting.append(composed.job)
        with _interruptible():
            try:
                self._run()
            except KeyboardInterrupt:
                self.folder.stop(INTERRUPTED)
                self._wind_up()
        for number in [*self._waiting]:
            self._leave(number)
        return [self._ends[composed.job] for composed in jobs if composed.job is not None]

    def _run(self) -> None:
        while True:
            self._start()
            if not self.pool.busy:
                return
            self._hear(1.0)

    def _wind_up(self) -> None:
        """Let what runs come to its end, in short time; a second Ctrl-C goes through."""
        self.pool.interrupt()
        deadline = time.monotonic() + _GRACE_S
        try:
            while self.pool.busy and time.monotonic() < deadline:
                self._hear(1.0)
        finally:
            if self.pool.busy:
                self.pool.close()
        for number in self._jobs.keys() - self._ends.keys() - set(self._waiting):
            self._end(number, JobEnd(status="interrupted", message="it did not end in time after Ctrl-C"))

    def _start(self) -> None:
        """Give jobs to idle workers. After a refusal for want of budget, only when what is reserved is free again."""
        while self._waiting and self.pool.idle and not (self._held and self.pool.busy) and not self.folder.stopped:
            number = self._waiting.popleft()
            self._tries[number] = self._tries.get(number, 0) + 1
            self.pool.give(number, self._jobs[number], self.folder.log(number), self.environment)
            self.watcher.started(self._jobs[number])

    def _hear(self, timeout: float) -> None:
        for message in self.pool.messages(timeout):
            self._take(message)

    def _take(self, message: Message) -> None:
        match message:
            case Told(number=number, content=content):
                self.watcher.told(number, content)
            case Lost(number=number, how=how):
                self._lost(number, how)
            case Returned(number=number, error=error) if error is not None:
                end = JobEnd(status="failed", message=f"{type(error).__name__}: {error}")
                self.folder.note_without_result(self._jobs[number], end.message)
                self._end(number, end)
                self.folder.note_failed(number, self._sweep(number))
            case Returned(number=number, interrupted=True):
                self._end(number, JobEnd(status="interrupted", message="it was interrupted before its run began"))
                self.folder.stop(INTERRUPTED)
            case Returned(number=number, value=value):
                self._returned(number, value)

    def _returned(self, number: int, end: JobEnd) -> None:
        if not end.out_of_budget:
            self._held = False
            self._end(number, end)
            return
        # Jobs side by side have reserved what they may use, and give back what they do not: wait for them.
        alone = self._held or not self.pool.busy
        self._held = True
        if alone and not self.pool.busy:
            self.folder.note_without_result(self._jobs[number], f"not started: budget: {end.message}")
            self.folder.stop(OUT_OF_BUDGET + end.message)
            self._end(number, end)
        else:
            self._waiting.appendleft(number)

    def _lost(self, number: int, how: str) -> None:
        again = self._tries[number] < TRIES and not self.folder.stopped
        self.watcher.lost(number, how, again=again)
        with self.folder.log(number).open("a", encoding="utf-8") as log:
            log.write(f"the worker of this job {how}\n")
        if again:
            self._waiting.append(number)
            return
        message = f"its worker {how}"
        self.folder.note_without_result(self._jobs[number], message)
        self.folder.note_failed(number, self._sweep(number))
        self._end(number, JobEnd(status="lost", message=message))

    def _leave(self, number: int) -> None:
        reason = self.folder.stopped
        if reason.startswith(OUT_OF_BUDGET):
            self.folder.note_without_result(self._jobs[number], "not started: budget")
        self._end(number, JobEnd(status="not started", message=reason))

    def _end(self, number: int, end: JobEnd) -> None:
        self._ends[number] = end
        self.watcher.ended(self._jobs[number], end)

    def _sweep(self, number: int) -> Mapping[str, Any]:
        return self._jobs[number].data.get("sweep") or {}


@contextmanager
def _interruptible() -> Iterator[None]:
    """Have SIGTERM do what Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
