"""A multirun as a whole: checked and planned before its first job, kept in a folder, looked at and resumed later."""

from firnline.sweep.dispatch import Dispatch, JobEnd, JobStatus, Watcher
from firnline.sweep.folder import (
    NotStarted,
    SweepFacts,
    SweepFolder,
    find_sweep,
    find_sweeps,
)
from firnline.sweep.jobs import PlannedJob, plan_jobs
from firnline.sweep.pool import Pool
from firnline.sweep.runs import latest_runs
from firnline.sweep.union import SharedStage, SweepPlan, unite

__all__ = [
    "Dispatch",
    "JobEnd",
    "JobStatus",
    "NotStarted",
    "PlannedJob",
    "Pool",
    "SharedStage",
    "SweepFacts",
    "SweepFolder",
    "SweepPlan",
    "Watcher",
    "find_sweep",
    "find_sweeps",
    "latest_runs",
    "plan_jobs",
    "unite",
]
