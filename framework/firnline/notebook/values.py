"""What the Python API returns: the values that the command line works with, which a notebook can show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from firnline.app import Outcome
from firnline.domain import Plan
from firnline.domain.record import StageRecord
from firnline.record.leaderboard import Entry, Leaderboard
from firnline.sweep import NotStarted


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPlan(Plan):
    """A plan: what a run will do, stage by stage."""

    def _repr_html_(self) -> str:
        from firnline.notebook.html import plan_html

        return plan_html(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRun(Outcome):
    """A run that is over: its record, its plan, its folder and its report."""

    @property
    def run_id(self) -> str:
        """The run's id, as all commands take it."""
        return self.record.run_id

    @property
    def status(self) -> str:
        """finished, failed, stopped or interrupted."""
        return self.record.status

    @property
    def stages(self) -> Mapping[str, StageRecord]:
        """What became of each stage."""
        return self.record.stages

    @property
    def metrics(self) -> dict[str, float]:
        """All metrics as ``stage.name`` → number."""
        return self.record.metrics

    def _repr_html_(self) -> str:
        from firnline.notebook.html import run_html

        return run_html(self.record, self.plan, self.report)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSweep:
    """A multirun that is over.

    Attributes:
        sweep_id: its id, as all commands take it.
        leaderboard: its jobs, ranked by ``sweep.metric``.
        folder: where its logs are.
        page: its ``sweep.html``.
        not_started: jobs that never became runs, and why.
        stopped: why no further job started; empty if all did.
    """

    sweep_id: str
    leaderboard: Leaderboard
    folder: Path
    page: Path
    not_started: tuple[NotStarted, ...] = ()
    stopped: str = ""

    @property
    def best(self) -> Entry | None:
        """The first of the ranking; None if there is no ranking."""
        return self.leaderboard.best

    def _repr_html_(self) -> str:
        from firnline.notebook.html import sweep_html

        return sweep_html(self)
