"""The trackers of a run: opened at its first event, told of all, and let go of when they fail."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Sequence
from typing import Final

from firnline.domain import ChosenTracker, Event, RunFinished, TrackedRun, Tracker

_MOST: Final = 1_000


class Trackers:
    """Tells each tracker of each event. One that fails is left alone until the run ends."""

    def __init__(self, chosen: Sequence[ChosenTracker], run: TrackedRun) -> None:
        self._chosen = chosen
        self._run = run
        self._open: dict[str, Tracker] = {}
        self._failed: set[str] = set()

    def on_event(self, event: Event) -> Iterator[tuple[str, str, str]]:
        """Tell all of an event; yields (plugin, what failed, why) of each one that raised.

        What failed is told once; of the end of the run all that could be opened hear, so that none is left open there.
        """
        for tracker in self._chosen:
            name = tracker.spec.name
            last = isinstance(event, RunFinished) and name in self._open
            if name in self._failed and not last:
                continue
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    if name not in self._open:
                        self._open[name] = tracker.spec.open(tracker.params, self._run)
                    self._open[name].on_event(event)
            except Exception as error:  # noqa: BLE001 (the boundary around plugins: it becomes an event)
                told = name in self._failed
                self._failed.add(name)
                if not told:
                    yield tracker.plugin, f"tracker {name}", f"{type(error).__name__}: {error}"[:_MOST]
