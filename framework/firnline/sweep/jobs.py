"""Check and plan every job of a multirun; what is wrong with any of them is told in one report."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

from firnline.app import Installed, PlatformHandle, all_problems
from firnline.app.planning import planned as ready_to_run
from firnline.config import Composed, JobConfig, expand
from firnline.domain import Assessment, Plan
from firnline.domain.wording import count_text, names_text
from firnline.errors import ConfigError, Problem, RefusedError
from firnline.plan import PlanOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedJob:
    """A job that could start.

    Attributes:
        number: the job's number, from 0.
        overrides: its overrides, with one choice of each sweep.
        composed: its configuration.
        plan: what it would do now.
        assessment: what the guard thinks of it; None without a guard.
    """

    number: int
    overrides: tuple[str, ...]
    composed: Composed
    plan: Plan
    assessment: Assessment | None = None


def plan_jobs(
    project: Path, overrides: Sequence[str], installed: Installed, options: PlanOptions, sweep_id: str | None = None
) -> tuple[PlannedJob, ...] | None:
    """Compose, check and plan every job; nothing runs.

    Returns:
        The jobs; None if the chosen sweeper decides on them as it goes.

    Raises:
        ConfigError: with all problems of all jobs, each with the jobs and the override that brought it in.
        RefusedError: a guard refuses jobs.
    """
    jobs = expand(project, overrides)
    if jobs is None:
        return None
    planned: list[PlannedJob] = []
    problems: dict[Problem, list[int]] = {}
    refused: list[str] = []
    with closing(PlatformHandle(project)) as platform:
        for job in jobs:
            try:
                plan, assessment = _plan(job, project, installed, options, platform, sweep_id)
            except ConfigError as error:
                for problem in error.problems:
                    problems.setdefault(problem, []).append(job.number)
            except RefusedError as error:
                refused.append(f"job {job.number} ({' '.join(job.overrides)}): {error.message}")
            else:
                assert job.composed is not None, "a job that is planned was composed"
                planned.append(
                    PlannedJob(
                        number=job.number,
                        overrides=job.overrides,
                        composed=job.composed,
                        plan=plan,
                        assessment=assessment,
                    )
                )
    if problems:
        choices = {job.number: job.overrides for job in jobs}
        raise ConfigError(tuple(replace(p, jobs=_blamed(numbers, choices)) for p, numbers in problems.items()))
    if refused:
        raise RefusedError(
            f"{count_text(len(refused), 'job')} of {len(jobs)} refused; {'; '.join(refused)}",
            hint="nothing ran; take these jobs out, or raise the budget",
        )
    return tuple(planned)


def _plan(
    job: JobConfig,
    project: Path,
    installed: Installed,
    options: PlanOptions,
    platform: PlatformHandle,
    sweep_id: str | None,
) -> tuple[Plan, Assessment | None]:
    if job.composed is None:
        assert job.error is not None, "a job is composed or refused"
        raise all_problems(project, job.overrides, installed, job.error) from job.error
    with ready_to_run(job.composed, installed, options, sweep_id, platform) as ready:
        return ready.plan, ready.assessment


def _blamed(numbers: Collection[int], choices: Mapping[int, Sequence[str]]) -> str | None:
    """Return which jobs have a problem, and the choices that exactly these jobs have; None if all jobs have it."""
    having = set(numbers)
    if len(having) == len(choices):
        return None
    told = names_text([str(number) for number in sorted(having)])
    jobs = f"job {told}" if len(having) == 1 else f"jobs {told} of {len(choices)}"
    shared = set.intersection(*(set(choices[number]) for number in having))
    varied = [one for one in choices[min(having)] if one in shared and not all(one in job for job in choices.values())]
    for size in (1, 2):
        for found in combinations(varied, size):
            if all((number in having) == set(found).issubset(job) for number, job in choices.items()):
                return f"{jobs}, brought in by {' '.join(found)}"
    return f"{jobs}, first with {' '.join(choices[min(having)])}"
