"""Experiments and their runs, as the catalog holds them."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

from firnline_sandbox.catalog import Entry, changed
from firnline_sandbox.catalog.entries import register_entry
from firnline_sandbox.errors import already_exists, missing_object

RUNNING = "RUNNING"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run. ``id`` names its folder of artifacts and its rows of metrics and parameters."""

    id: str
    name: str
    status: str
    created: str
    ended: str | None = None
    source_info: str | None = None

    @staticmethod
    def new(name: str, source_info: str | None) -> Run:
        """Make a run that has just started."""
        return Run(id=uuid.uuid4().hex, name=name, status=RUNNING, created=_now(), source_info=source_info)

    def closed(self, status: str) -> Run:
        """Copy the run with its last status."""
        return replace(self, status=status, ended=_now())

    @property
    def metadata(self) -> str:
        """Write what SHOW RUNS shows of the run, as JSON."""
        source = None if self.source_info is None else json.loads(self.source_info)
        fields = {"status": self.status, "start_time": self.created, "end_time": self.ended, "source_info": source}
        return json.dumps({name: value for name, value in fields.items() if value is not None})


@register_entry
@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment(Entry):
    """An experiment. ``rows`` are its runs, oldest first, as JSON keeps them."""

    kind: ClassVar[str] = "EXPERIMENT"

    rows: tuple[Mapping[str, Any], ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", tuple(self.rows))

    @property
    def runs(self) -> tuple[Run, ...]:
        """Give the runs, oldest first."""
        return tuple(Run(**row) for row in self.rows)

    def run(self, name: str) -> Run:
        """Return the run of that resolved name.

        Raises:
            ProgrammingError: 2003, there is none.
        """
        for run in self.runs:
            if run.name == name:
                return run
        raise missing_object("run", f"{name}' of experiment '{self.full_name}")

    def with_run(self, run: Run) -> Experiment:
        """Copy the experiment with one more run.

        Raises:
            ProgrammingError: 2002, a run has that name.
        """
        if any(other.name == run.name for other in self.runs):
            raise already_exists(f"{self.full_name} run {run.name}")
        return changed(self, rows=(*self.rows, asdict(run)))

    def with_changed(self, run: Run) -> Experiment:
        """Copy the experiment with this run in place of the one of the same id."""
        return changed(self, rows=tuple(asdict(run) if row["id"] == run.id else row for row in self.rows))

    def without_run(self, run: Run) -> Experiment:
        """Copy the experiment without a run."""
        return changed(self, rows=tuple(row for row in self.rows if row["id"] != run.id))


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat()
