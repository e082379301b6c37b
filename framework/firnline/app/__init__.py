"""The whole program: config → plan → run → record. Nothing else spans two of them."""

from firnline.app.installed import Installed, load_installed
from firnline.app.planning import Planned, all_problems, make_plan, opened_project, planned
from firnline.app.platform import PlatformHandle
from firnline.app.running import Outcome, RunOptions, run_pipeline

__all__ = [
    "Installed",
    "Outcome",
    "Planned",
    "PlatformHandle",
    "RunOptions",
    "all_problems",
    "load_installed",
    "make_plan",
    "opened_project",
    "planned",
    "run_pipeline",
]
