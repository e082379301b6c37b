"""Take the events of a run in: write them down, tell the observers, let stable names show new tables."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Iterator

from firnline.domain import Event, ObserverFailed, Plan, Platform, StageFinished, StageReused, event_to_json
from firnline.loading import HookFailure, Hooks
from firnline.record.store import Store
from firnline.record.trackers import Trackers


class Recorder:
    """Writes each event to the database and to ``events.jsonl`` before anything follows from it."""

    def __init__(
        self,
        store: Store,
        run_id: str,
        plan: Plan,
        hooks: Hooks,
        open_platform: Callable[[], Platform],
        trackers: Trackers,
    ) -> None:
        self.store, self.run_id, self.plan, self.hooks, self.open_platform = store, run_id, plan, hooks, open_platform
        self.trackers = trackers
        self.events: list[Event] = []
        self._pending: deque[Event] = deque()
        self._sequence = 0
        self._file = (store.folder(run_id) / "events.jsonl").open("a", encoding="utf-8")

    def record(self, event: Event) -> Iterator[Event]:
        """Record an event and what observing it brought; yields all of them in order."""
        self._pending.appendleft(event)
        while self._pending:
            current = self._pending.popleft()
            text = json.dumps(event_to_json(current))
            self.store.append(self.run_id, self._sequence, current, text, self.plan.platform)
            self._sequence += 1
            self._file.write(text + "\n")
            self._file.flush()
            self.events.append(current)
            yield current
            for failure in self.hooks.on_event(self.run_id, current):
                self.hook_failed(failure)
            for plugin, what, why in self.trackers.on_event(current):
                self._failed(plugin, what, why)
            if isinstance(current, StageFinished | StageReused):
                self._publish(current)

    def close(self) -> None:
        """Close the file of events."""
        self._file.close()

    def hook_failed(self, failure: HookFailure) -> None:
        """Have it recorded, after the event at hand, that a plugin's hook raised."""
        self._failed(failure.plugin.label, failure.hook, failure.message)

    def platform_failed(self, action: str, error: Exception) -> None:
        """Have it recorded, after the event at hand, that the platform did not do something; the run goes on."""
        self._failed(self.plan.platform, action, f"{type(error).__name__}: {error}")

    def _failed(self, plugin: str, hook: str, message: str) -> None:
        self._pending.append(ObserverFailed(at=time.time(), plugin=plugin, hook=hook, message=message))

    def _publish(self, event: StageFinished | StageReused) -> None:
        """Let the stable names show the stage's tables."""
        for port, artifact in event.outputs.items():
            if artifact["kind"] != "Table":
                continue
            name = f"{self.plan.pipeline}_{event.stage}_{port}".upper()
            try:
                platform = self.open_platform()
                if self.store.publish(f"{self.plan.platform}:{platform.schema()}.{name}", artifact["name"]):
                    platform.publish(name, artifact["name"])
            except Exception as error:  # noqa: BLE001 (foreign code of the platform; becomes an event)
                self.platform_failed("publish", error)
