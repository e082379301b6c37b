"""The plan of a multirun: the union of its jobs' plans, in which a stage that several jobs share is there once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from firnline.domain import PlannedStage
from firnline.domain.wording import credits_text
from firnline.sweep.jobs import PlannedJob


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedStage:
    """A stage of one or several jobs, by its content key.

    Attributes:
        stage: as it is planned; ``run`` if any job has to run it.
        jobs: the numbers of the jobs that it is part of.
        times: how often it runs: once for all jobs, or once in each that was asked to run it anew; 0 if it is reused.
    """

    stage: PlannedStage
    jobs: tuple[int, ...]
    times: int

    @property
    def seconds(self) -> tuple[float, float] | None:
        """The expected time of all its runs, p50 and p90; None without a history."""
        if self.stage.estimate is None:
            return None if self.times else (0.0, 0.0)
        return self.stage.estimate.p50_s * self.times, self.stage.estimate.p90_s * self.times

    @property
    def credits(self) -> tuple[float, float] | None:
        """The expected credits of all its runs, p50 and p90; None unless a guard told."""
        low, high = self.stage.credits, self.stage.credits_p90
        if low is None or not self.times:
            return None
        return low * self.times, (high if high is not None else low) * self.times


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPlan:
    """What a multirun will do.

    Attributes:
        jobs: the jobs.
        stages: each distinct stage once, in the order in which the jobs need them.
    """

    jobs: tuple[PlannedJob, ...]
    stages: tuple[SharedStage, ...]

    @property
    def seconds(self) -> tuple[float, float]:
        """The expected work in all, p50 and p90, as far as there is a history."""
        known = [stage.seconds for stage in self.stages if stage.seconds is not None]
        return sum(low for low, _ in known), sum(high for _, high in known)

    @property
    def credits(self) -> tuple[float, float] | None:
        """The expected credits in all, p50 and p90; None unless a guard told."""
        known = [stage.credits for stage in self.stages if stage.credits is not None]
        return (sum(low for low, _ in known), sum(high for _, high in known)) if known else None

    @property
    def budget(self) -> float | None:
        """The credits that all jobs may use together, or what is left of them; None for no limit."""
        known = [j.assessment.multirun_budget for j in self.jobs if j.assessment is not None]
        return min((budget for budget in known if budget is not None), default=None)

    @property
    def overhead(self) -> tuple[float, float]:
        """What is paid beside the stages, p50 and p90: that of one job, since jobs use the warehouse together."""
        known = [job.assessment.overhead for job in self.jobs if job.assessment is not None]
        found = [estimate for estimate in known if estimate is not None]
        return max((one.p50 for one in found), default=0.0), max((one.p90 for one in found), default=0.0)

    @property
    def expected_credits(self) -> float:
        """What all jobs are expected to use, by the estimate that the guard judges by."""
        judge = next((job.assessment.judge_by for job in self.jobs if job.assessment is not None), "p90")
        place = 0 if judge == "p50" else 1
        return (self.credits[place] if self.credits is not None else 0.0) + self.overhead[place]

    @property
    def refusal(self) -> str:
        """Why the multirun may not be started; empty if it may."""
        if self.budget is None or self.expected_credits <= self.budget:
            return ""
        told = f"all jobs together are expected to use {credits_text(self.expected_credits)} credits"
        return f"{told}, more than their budget of {credits_text(self.budget)} (guard.budget.multirun)"

    @property
    def unknown(self) -> int:
        """How many stages that run have no history."""
        return sum(stage.seconds is None for stage in self.stages)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON data."""
        jobs = [{"job": j.number, "overrides": list(j.overrides), "plan_hash": j.plan.hash} for j in self.jobs]
        total: dict[str, Any] = {"stages": len(self.stages), "runs": sum(stage.times for stage in self.stages)}
        total |= {"without_history": self.unknown, **_range("seconds", self.seconds), **_range("credits", self.credits)}
        if self.budget is not None:
            total["budget_credits"] = self.budget
        return {"jobs": jobs, "stages": [_stage_json(stage) for stage in self.stages], "total": total}


def unite(jobs: Sequence[PlannedJob]) -> SweepPlan:
    """Return the union of the jobs' plans."""
    found: dict[str, list[tuple[int, PlannedStage]]] = {}
    for job in jobs:
        for stage in job.plan.stages:
            found.setdefault(stage.key, []).append((job.number, stage))
    return SweepPlan(jobs=tuple(jobs), stages=tuple(_shared(members) for members in found.values()))


def _shared(members: Sequence[tuple[int, PlannedStage]]) -> SharedStage:
    running = [stage for _, stage in members if stage.action == "run"]
    # What --no-cache, --from and --only ask for, each job does by itself.
    anew = sum("asked for by --" in stage.reason for stage in running)
    return SharedStage(
        stage=running[0] if running else members[0][1],
        jobs=tuple(number for number, _ in members),
        times=anew or min(len(running), 1),
    )


def _stage_json(shared: SharedStage) -> dict[str, Any]:
    stage = shared.stage
    facts = {"key": stage.key, "name": stage.name, "step": stage.step, "action": stage.action, "reason": stage.reason}
    return facts | {
        "jobs": list(shared.jobs),
        "times": shared.times,
        **_range("seconds", shared.seconds),
        **_range("credits", shared.credits),
    }


def _range(name: str, pair: tuple[float, float] | None) -> dict[str, float | None]:
    low, high = pair if pair is not None else (None, None)
    return {f"{name}_p50": low, f"{name}_p90": high}
