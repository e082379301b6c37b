"""Tasks, as the catalog holds them, and the graph that they make."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from firnline_sandbox.catalog import Entry
from firnline_sandbox.catalog.entries import register_entry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firnline_sandbox.catalog import Catalog

STARTED = "started"
SUSPENDED = "suspended"


@register_entry
@dataclass(frozen=True, slots=True, kw_only=True)
class Task(Entry):
    """A task. ``predecessors`` and ``finalizes`` are full names, ``resumed`` is when its schedule began (ISO text)."""

    kind: ClassVar[str] = "TASK"

    definition: str
    warehouse: str = ""
    schedule: str = ""
    predecessors: tuple[str, ...] = ()
    finalizes: str = ""
    condition: str = ""
    config: str = ""
    state: str = SUSPENDED
    resumed: str = ""
    suspended_reason: str = ""
    overlaps: bool = False
    failures_allowed: int = 10
    retries: int = 0
    timeout_ms: int = 0
    parameters: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "predecessors", tuple(self.predecessors))

    @property
    def is_root(self) -> bool:
        """Say whether it starts by itself and not after another one."""
        return not self.predecessors and not self.finalizes

    @property
    def resumed_at(self) -> dt.datetime:
        """Give the time from which its schedule counts."""
        return dt.datetime.fromisoformat(self.resumed) if self.resumed else self.created


def task_named(catalog: Catalog, full_name: str) -> Task | None:
    """Find a task by its full name."""
    return next((task for task in catalog.entries(Task) if task.full_name == full_name), None)


def root_of(catalog: Catalog, task: Task) -> Task:
    """Find the task with which the graph of a task starts; the task itself where a predecessor is gone."""
    while not task.is_root:
        above = task_named(catalog, task.finalizes or task.predecessors[0])
        if above is None:
            return task
        task = above
    return task


def graph_of(catalog: Catalog, root: Task) -> list[Task]:
    """List a root and what comes after it, each task behind all of its predecessors."""
    tasks, found = catalog.entries(Task), [root]
    left = [task for task in tasks if task.predecessors]
    while True:
        names = {task.full_name for task in found}
        known = {task.full_name for task in tasks}
        ready = [
            task
            for task in left
            if names & set(task.predecessors) and all(name in names or name not in known for name in task.predecessors)
        ]
        if not ready:
            return found
        found += ready
        left = [task for task in left if task not in ready]


def finalizer_of(catalog: Catalog, root: Task) -> Task | None:
    """Find the task that ends a root's graph."""
    return next((task for task in catalog.entries(Task) if task.finalizes == root.full_name), None)
