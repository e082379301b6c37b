"""A multirun as a whole: all of its jobs are checked and planned before the first one starts."""

from firnline.sweep.jobs import PlannedJob, plan_jobs
from firnline.sweep.union import SharedStage, SweepPlan, unite

__all__ = ["PlannedJob", "SharedStage", "SweepPlan", "plan_jobs", "unite"]
