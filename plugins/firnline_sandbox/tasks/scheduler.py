"""Running tasks when they are due, by the sandbox's clock; the part of the engine named ``tasks``."""

from __future__ import annotations

import collections
import datetime as dt
import threading
from typing import TYPE_CHECKING, Final

from snowflake.connector.errors import Error

from firnline_sandbox.catalog import changed
from firnline_sandbox.statements.registry import engine_part
from firnline_sandbox.tasks.graph import GraphRun, condition_holds
from firnline_sandbox.tasks.objects import STARTED, SUSPENDED, Task
from firnline_sandbox.tasks.runs import FAILED, SKIPPED, RunHistory
from firnline_sandbox.tasks.schedule import last_time, next_time

if TYPE_CHECKING:
    from firnline_sandbox.engine import SandboxEngine

TRIGGER_EVERY: Final = dt.timedelta(seconds=30)
_LOOK_S: Final = 1.0
SCHEDULED, BY_HAND, TRIGGERED = "SCHEDULE", "EXECUTE TASK", "TRIGGER"


class TaskScheduler:
    """Runs tasks in a thread of its own while the sandbox is open, and at once when a test moves the clock.

    What was due while nobody had the sandbox open is not made up for. One graph runs at a time.
    """

    def __init__(self, engine: SandboxEngine) -> None:
        self._engine = engine
        self._clock = engine.clock
        self._opened = self._clock.now()
        self._running = threading.RLock()
        self._wake = threading.Event()
        self._closed = threading.Event()
        self._idle_at: dict[str, int] = {}
        self._asked: collections.deque[tuple[str, dt.datetime]] = collections.deque()
        self._thread: threading.Thread | None = None
        self.history = RunHistory(engine.folder / "tasks.jsonl")
        self._last = {run.root: run.scheduled for run in self.history.runs() if run.scheduled <= self._opened}
        self._clock.on_move(self.run_due, self.next_due)

    def start(self) -> None:
        """Watch the tasks in the background; call it again when they have changed."""
        if self._thread is None and not self._closed.is_set():
            self._thread = threading.Thread(target=self._watch, name="firnline-sandbox-tasks", daemon=True)
            self._thread.start()
        self._wake.set()

    def execute(self, task: Task) -> None:
        """Run a task and what comes after it as soon as possible, whatever its schedule and state."""
        self._asked.append((task.id, self._clock.now()))
        self.start()

    def run_due(self) -> int:
        """Run in this thread what was asked for and what is due, and count the graphs."""
        count = 0
        with self._running:
            while not self._engine.closed and not self._closed.is_set():
                self._engine.part("refreshes").run_due()
                found = self._next_graph()
                if found is None:
                    break
                self._run(*found)
                count += 1
        return count

    def next_due(self) -> dt.datetime | None:
        """Say when the next scheduled task is due."""
        now = self._clock.now()
        times = [
            next_time(task.schedule, task.resumed_at, self._after(task))
            if task.schedule
            else self._last.get(task.id, self._opened) + TRIGGER_EVERY
            for task in self._roots()
        ]
        refresh = self._engine.part("refreshes").next_due()
        times += [] if refresh is None else [refresh]
        return min((time for time in times if time > now), default=None)

    def _roots(self) -> list[Task]:
        tasks = self._engine.catalog.entries(Task)
        return [task for task in tasks if task.state == STARTED and task.is_root and (task.schedule or task.condition)]

    def _after(self, task: Task) -> dt.datetime:
        return max(self._last.get(task.id, self._opened), task.resumed_at, self._opened)

    def _next_graph(self) -> tuple[Task, dt.datetime, str] | None:
        while self._asked:
            task_id, asked = self._asked.popleft()
            task = self._engine.catalog.by_id(task_id)
            if isinstance(task, Task):
                return task, asked, BY_HAND
        now = self._clock.now()
        due = []
        for task in self._roots():
            if task.schedule:
                time = last_time(task.schedule, task.resumed_at, self._after(task), now)
                if time is not None:
                    due.append((time, task, SCHEDULED))
            elif self._is_triggered(task, now):
                due.append((now, task, TRIGGERED))
        if not due:
            return None
        time, task, why = min(due, key=lambda found: (found[0], found[1].full_name))
        self._last[task.id] = time
        return task, time, why

    def _is_triggered(self, task: Task, now: dt.datetime) -> bool:
        last = self._last.get(task.id)
        if last is not None and now < last + TRIGGER_EVERY:
            return False
        revision = self._engine.catalog.revision
        if self._idle_at.get(task.id) == revision:
            return False  # nobody has written anything since it had nothing to do
        with self._engine.connect(database=task.database, schema=task.schema, warehouse=None) as connection:
            try:
                holds = condition_holds(connection, task)
            except Error:
                return True  # it fails again in the run, whose record tells of it
        if not holds:
            self._idle_at[task.id] = revision
        return holds

    def _run(self, root: Task, scheduled: dt.datetime, why: str) -> None:
        succeeded = GraphRun(self._engine, self.history, root, scheduled, why).carry_out()
        if not succeeded and why != BY_HAND and 0 < root.failures_allowed <= self._failures(root):
            with self._engine.write() as transaction:
                current = transaction.catalog.by_id(root.id)
                if isinstance(current, Task):
                    reason = "SUSPENDED_DUE_TO_ERRORS"
                    transaction.catalog.put(changed(current, state=SUSPENDED, suspended_reason=reason))

    def _failures(self, root: Task) -> int:
        """Count the graph's runs that failed since the last one that did not, or since the task was resumed."""
        groups: dict[str, bool] = {}
        for run in self.history.runs():
            if run.root == root.id and run.scheduled >= root.resumed_at and run.state != SKIPPED:
                failed = run.state == FAILED and run.attempt > root.retries
                groups[run.group] = groups.get(run.group, False) or failed
        count = 0
        for failed in reversed(groups.values()):
            if not failed:
                break
            count += 1
        return count

    def _watch(self) -> None:
        while not self._closed.is_set():
            self._wake.clear()
            if self._engine.closed:
                return
            self.run_due()
            due, roots = self.next_due(), self._roots()
            pause = None if due is None else max((due - self._clock.now()).total_seconds(), 0.0)
            if pause is None and not roots:  # nothing will be due before somebody changes something
                self._wake.wait()
            else:
                self._wake.wait(min(pause if pause is not None else _LOOK_S, _LOOK_S))

    def close(self) -> None:
        """End with the engine, when what runs has been broken off."""
        self._closed.set()
        self._wake.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            while self._thread.is_alive():
                self._engine.history.cancel_session(None)
                self._thread.join(0.1)
        self.history.close()


@engine_part("tasks")
def make_scheduler(engine: SandboxEngine) -> TaskScheduler:
    """Make the scheduler of an engine's tasks."""
    return TaskScheduler(engine)
