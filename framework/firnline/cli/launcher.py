"""The launcher of multiruns: jobs go to warm workers of this machine, and one view shows all of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Protocol, Self

from firnline.cli.job import Job, PooledJob
from firnline.domain import StepSpec
from firnline.errors import UsageError
from firnline.sweep import Dispatch, JobEnd, PlannedJob, Pool, SweepFolder

if TYPE_CHECKING:
    from hydra.core.utils import JobReturn
    from hydra.types import HydraContext, TaskFunction
    from omegaconf import DictConfig

    from firnline.app import Installed
    from firnline.cli.render.sweep_progress import SweepListener
    from firnline.config import Composed

# What each job needs, whatever its pipeline is.
_ALWAYS: Final = ("firnline.cli.job", "firnline.app", "firnline.cli.render.progress", "firnline.record.report", "yaml")


class HydraLauncher(Protocol):
    """What Hydra has told its launcher."""

    workers: int | None
    hydra_context: HydraContext
    task_function: TaskFunction
    config: DictConfig


class LocalLaunch:
    """The workers and the view of one multirun. Sweepers launch batches; workers stay warm from one to the next."""

    def __init__(
        self, job: Job, folder: SweepFolder, planned: Sequence[PlannedJob] | None, installed: Installed, project: Path
    ) -> None:
        self.job, self.folder, self.planned, self.installed, self.project = job, folder, planned, installed, project
        self._pool: Pool | None = None
        self._view: SweepListener | None = None

    def __enter__(self) -> Self:
        """Nothing starts before there is a batch: another launcher may be chosen."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End the workers and the view."""
        if self._pool is not None:
            self._pool.close()
        if self._view is not None:
            self._view.__exit__(kind, error, at)

    def known(self, number: int, overrides: Sequence[str]) -> Composed | None:
        """Return a job's configuration if it was composed before the multirun began."""
        typed = tuple(override.removeprefix("++") for override in overrides)
        fitting = (job for job in self.planned or () if job.number == number and job.overrides == typed)
        return next((job.composed for job in fitting), None)

    def run(self, jobs: Sequence[Composed], workers: int | None, environment: Mapping[str, str]) -> list[JobEnd]:
        """Run a batch of jobs."""
        if self._pool is None:
            size = workers if workers is not None else min(_cpus(), max(len(jobs), 1))
            self._pool = Pool(task=PooledJob(self.job), size=size, modules=self._modules())
        if self._view is None:
            self._view = self._listener(jobs)
            self._view.__enter__()
        self._view.expects(jobs)
        return Dispatch(pool=self._pool, folder=self.folder, watcher=self._view, environment=environment).run(jobs)

    def _listener(self, jobs: Sequence[Composed]) -> SweepListener:
        from rich.console import Console

        from firnline.cli.render.sweep_progress import SweepProgress, sweep_listener
        from firnline.sweep import unite

        node = jobs[0].data.get("sweep") or {} if jobs else {}
        metric, direction = node.get("metric"), node.get("direction", "maximize")
        assert self._pool is not None, "it was made before"
        progress = SweepProgress(
            plan=unite(self.planned) if self.planned is not None else None,
            workers=self._pool.size,
            metric=metric[0] if isinstance(metric, list) else metric,
            direction=direction[0] if isinstance(direction, list) else direction,
        )
        return sweep_listener(progress, Console(), self.job.mode)

    def _modules(self) -> tuple[str, ...]:
        """Return what is imported once for all workers: the code of the steps that will run, and its SDKs."""
        registry = self.installed.registry
        stages = [stage for job in self.planned or () for stage in job.plan.stages if stage.action == "run"]
        specs = [registry.steps[name].spec for name in {stage.step for stage in stages} if name in registry.steps]
        found = {module for spec in specs for module in _modules_of(spec)}
        names = {job.plan.platform for job in self.planned or ()} if any(spec.platform for spec in specs) else set()
        for name in names & set(registry.platforms):
            found.update(registry.platforms[name].spec.modules)
        return (*_ALWAYS, *sorted(found))


def launch_jobs(
    launcher: HydraLauncher, job_overrides: Iterable[Sequence[str]], initial_job_idx: int
) -> Sequence[JobReturn]:
    """Do the work of ``hydra/launcher=firnline``."""
    from hydra.core.utils import JobReturn, JobStatus, setup_globals
    from omegaconf import OmegaConf

    setup_globals()
    here = getattr(getattr(launcher.task_function, "here", None), "value", None)
    if not isinstance(here, LocalLaunch):
        return _one_by_one(launcher, job_overrides, initial_job_idx)
    if launcher.workers is not None and launcher.workers < 1:
        raise UsageError(f"hydra.launcher.workers is {launcher.workers}", hint="it is 1 or more")
    if launcher.config.hydra.job.chdir:
        raise UsageError(
            "hydra/launcher=firnline does not change the folder of a job", hint="take hydra/launcher=basic for that"
        )
    batch = [
        (number, tuple(overrides), _composed(launcher, here, number, overrides))
        for number, overrides in enumerate(job_overrides, initial_job_idx)
    ]
    callbacks = launcher.hydra_context.callbacks
    environment = {str(name): str(value) for name, value in launcher.config.hydra.job.env_set.items()}
    for _, _, (_, config) in batch:
        if config is not None:
            callbacks.on_job_start(config=config, task_function=launcher.task_function)
    ends = here.run([composed for _, _, (composed, _) in batch], launcher.workers, environment)
    returned = []
    for (_, overrides, (composed, config)), end in zip(batch, ends, strict=True):
        job = JobReturn()
        job.overrides, job.cfg, job.working_dir = overrides, OmegaConf.create(dict(composed.data)), str(Path.cwd())
        job.return_value, job.status, job.task_name = end.value, JobStatus.COMPLETED, "firnline"
        if config is not None:
            callbacks.on_job_end(config=config, job_return=job)
        returned.append(job)
    return returned


def _one_by_one(
    launcher: HydraLauncher, job_overrides: Iterable[Sequence[str]], initial_job_idx: int
) -> Sequence[JobReturn]:
    """Launch jobs that are no sweep of ours (a file says hydra.mode: MULTIRUN) as Hydra does, in this process."""
    from hydra._internal.core_plugins.basic_launcher import BasicLauncher

    basic = BasicLauncher()
    basic.setup(hydra_context=launcher.hydra_context, task_function=launcher.task_function, config=launcher.config)
    returned: Sequence[JobReturn] = basic.launch(list(job_overrides), initial_job_idx)
    return returned


def _composed(
    launcher: HydraLauncher, here: LocalLaunch, number: int, overrides: Sequence[str]
) -> tuple[Composed, DictConfig | None]:
    """Return a job's configuration, and as Hydra has it if callbacks want it or it was not composed before."""
    from hydra.core.hydra_config import HydraConfig
    from omegaconf import open_dict

    from firnline.config.composed import from_hydra

    known = here.known(number, overrides)
    if known is not None and not launcher.config.hydra.callbacks:
        return known, None
    config = launcher.hydra_context.config_loader.load_sweep_config(launcher.config, list(overrides))
    with open_dict(config):
        config.hydra.job.id, config.hydra.job.num = str(number), number
    HydraConfig.instance().set_config(config)
    return from_hydra(config, config.hydra, here.project), config


def _modules_of(spec: StepSpec) -> set[str]:
    own = spec.run.partition(":")[0] if isinstance(spec.run, str) else spec.run.__module__
    return {own, *spec.modules} if spec.runs_in == "thread" else set()


def _cpus() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
