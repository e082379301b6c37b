"""Which stages may start: pure book-keeping over the plan's graph, linear in its size."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from firnline.domain import Plan


class Schedule:
    """Counts, for each stage, the inputs that are not there yet."""

    def __init__(self, plan: Plan) -> None:
        to_run = {stage.name for stage in plan.stages if stage.action == "run"}
        self._waiting = {s.name: sum(u in to_run for u in s.upstream) for s in plan.stages if s.name in to_run}
        self._users: dict[str, list[str]] = {name: [] for name in to_run}
        for stage in plan.stages:
            if stage.name in to_run:
                for upstream in stage.upstream:
                    if upstream in to_run:
                        self._users[upstream].append(stage.name)
        self._ready = deque(s.name for s in plan.stages if self._waiting.get(s.name) == 0)
        self._open = to_run

    @property
    def finished(self) -> bool:
        """Whether no stage is left."""
        return not self._open

    def take(self) -> str | None:
        """Return a stage that may start now, in the plan's order; None if there is none."""
        return self._ready.popleft() if self._ready else None

    def done(self, name: str) -> None:
        """A stage's output is there: those that waited for it only become ready."""
        self._open.discard(name)
        for user in self._users[name]:
            self._waiting[user] -= 1
            if self._waiting[user] == 0 and user in self._open:
                self._ready.append(user)

    def failed(self, name: str) -> list[str]:
        """A stage failed: return all that can never run now, in an order that follows the graph."""
        self._open.discard(name)
        lost: list[str] = []
        waiting = deque(self._users[name])
        while waiting:
            user = waiting.popleft()
            if user in self._open:
                self._open.discard(user)
                lost.append(user)
                waiting.extend(self._users[user])
        return lost

    def abandon(self, running: Iterable[str]) -> list[str]:
        """The run is stopped: return all that had not begun."""
        left = [name for name in self._waiting if name in self._open and name not in set(running)]
        self._open.clear()
        self._ready.clear()
        return left
