"""``hydra/launcher=firnline``. Hydra imports this module at every start, so what does the work is imported at need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hydra.plugins.launcher import Launcher

if TYPE_CHECKING:
    from hydra.core.utils import JobReturn
    from hydra.types import HydraContext, TaskFunction
    from omegaconf import DictConfig


class FirnlineLauncher(Launcher):  # type: ignore[misc]
    """Gives jobs to warm workers. The arguments are told in ``hydra/launcher/firnline.yaml``."""

    def __init__(self, workers: int | None) -> None:
        self.workers = workers

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Take over what Hydra prepared."""
        self.hydra_context, self.task_function, self.config = hydra_context, task_function, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run the jobs; what a sweeper gets back has a value, or None for a job that did not finish."""
        from firnline.cli.launcher import launch_jobs

        return launch_jobs(self, job_overrides, initial_job_idx)
