"""Running a graph of tasks once: each task in a session of its own, after its predecessors."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from firnline_sandbox import execution
from firnline_sandbox.history import new_query_id
from firnline_sandbox.statements.query import select
from firnline_sandbox.tasks.objects import STARTED, Task, finalizer_of, graph_of
from firnline_sandbox.tasks.runs import FAILED, SKIPPED, SUCCEEDED, RunHistory, TaskRun

if TYPE_CHECKING:
    import datetime as dt

    from firnline_sandbox.connection import SandboxConnection
    from firnline_sandbox.engine import SandboxEngine

_CONDITION_FALSE = "Conditional expression for task evaluated to false."


class GraphRun:
    """One run of a graph; its tasks run one after the other, whatever could run beside it."""

    def __init__(
        self, engine: SandboxEngine, history: RunHistory, root: Task, scheduled: dt.datetime, scheduled_from: str
    ) -> None:
        self._engine = engine
        self._history = history
        self._root = root
        self._scheduled = scheduled
        self._from = scheduled_from
        self._group = uuid.uuid4().hex
        self._catalog = engine.catalog
        self._runs: dict[str, TaskRun] = {}

    def carry_out(self) -> bool:
        """Run the graph, again from its failed tasks as often as the root says; False if it failed in the end."""
        tasks = graph_of(self._catalog, self._root)
        for attempt in range(1, self._root.retries + 2):
            for task in tasks:
                done = self._runs.get(task.full_name)
                if (done is None or done.state == FAILED) and self._may_run(task) and not self._engine.closed:
                    self._runs[task.full_name] = self._run(task, attempt)
            if all(run.state != FAILED for run in self._runs.values()):
                break
        succeeded = all(run.state != FAILED for run in self._runs.values())
        finalizer = finalizer_of(self._catalog, self._root)
        skipped = self._runs[self._root.full_name].state == SKIPPED if self._runs else True
        if finalizer is not None and finalizer.state == STARTED and not skipped:
            self._run(finalizer, 1)
        return succeeded

    def _may_run(self, task: Task) -> bool:
        """A suspended task is passed by; one that comes after others needs those of them that are not suspended."""
        if task is self._root:
            return True
        if task.state != STARTED:
            return False
        active = {other.full_name for other in self._catalog.entries(Task) if other.state == STARTED}
        active.add(self._root.full_name)
        before = [self._runs.get(name) for name in task.predecessors if name in active]
        return bool(before) and all(run is not None and run.state == SUCCEEDED for run in before)

    def _run(self, task: Task, attempt: int) -> TaskRun:
        run = TaskRun(
            task=task.id,
            root=self._root.id,
            group=self._group,
            name=task.name,
            database=task.database,
            schema=task.schema,
            text=task.definition,
            condition=task.condition,
            scheduled=self._scheduled,
            scheduled_from=self._from,
            config=self._root.config,
            attempt=attempt,
            predecessor_values={
                name: self._runs[name].return_value for name in task.predecessors if name in self._runs
            },
        )
        parameters = dict(task.parameters or {})
        if task.timeout_ms:
            parameters["STATEMENT_TIMEOUT_IN_SECONDS"] = max(task.timeout_ms // 1000, 1)
        with self._engine.connect(
            database=task.database,
            schema=task.schema,
            warehouse=task.warehouse or None,
            role=task.owner or None,
            user="SYSTEM",
            session_parameters=parameters,
        ) as connection:
            connection.task = (task, run)
            self._carry_out(connection, task, run)
        return run

    def _carry_out(self, connection: SandboxConnection, task: Task, run: TaskRun) -> None:
        state = SUCCEEDED
        try:
            if condition_holds(connection, task):
                run.started = self._engine.clock.now()
                run.query_id = new_query_id()
                self._history.begin(run)
                execution.run(connection, task.definition, query_id=run.query_id)
            else:
                state, run.error_code, run.error_message = SKIPPED, "0040003", _CONDITION_FALSE
        except Exception as failure:  # noqa: BLE001 - whatever a body raises is what its run tells of
            state = FAILED
            number = getattr(failure, "errno", None)
            run.error_code = None if number is None else f"{number:06d}"
            run.error_message = str(getattr(failure, "raw_msg", None) or failure)
        run.ended = self._engine.clock.now()
        run.state = state  # the last of all: who waits for it finds the rest
        self._history.end(run)


def condition_holds(connection: SandboxConnection, task: Task) -> bool:
    """Evaluate a task's WHEN; a task without one may always run."""
    if not task.condition:
        return True
    result = execution.read_only(connection, f"SELECT {task.condition}", (), select)
    return bool(result.table().column(0)[0].as_py())
