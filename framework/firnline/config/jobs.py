"""The jobs of a multirun, composed before the first of them starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from firnline.config.composed import Composed, from_hydra
from firnline.config.hydra_errors import as_config_error
from firnline.config.launch import PRIMARY, initialised
from firnline.config.overrides import rewrite_overrides
from firnline.errors import ConfigError

if TYPE_CHECKING:
    from hydra.core.config_loader import ConfigLoader
    from omegaconf import DictConfig

_GRID: Final = "BasicSweeper"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobConfig:
    """One job of a multirun.

    Attributes:
        number: the job's number, from 0.
        overrides: its overrides, with one choice of each sweep.
        composed: its configuration; None if Hydra refuses it.
        error: what Hydra refused.
    """

    number: int
    overrides: tuple[str, ...]
    composed: Composed | None = None
    error: ConfigError | None = None


def expand(project: Path, overrides: Sequence[str]) -> tuple[JobConfig, ...] | None:
    """Compose every job of a multirun, in the order in which Hydra's basic sweeper starts them.

    Returns:
        The jobs; None if the chosen sweeper decides on them as it goes.

    Raises:
        ConfigError: what all jobs have in common cannot be composed.
        UsageError: the folder has no ``conf/config.yaml``.
    """
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.types import RunMode
    from omegaconf import OmegaConf

    with initialised(project, overrides) as app:
        words = [*rewrite_overrides(overrides), "hydra.mode=MULTIRUN"]
        master = app.compose_config(config_name=PRIMARY, overrides=words, run_mode=RunMode.MULTIRUN)
        if not str(master.hydra.sweeper._target_).endswith(f".{_GRID}"):
            return None
        swept = [f"{path}={choices}" for path, choices in (master.hydra.sweeper.params or {}).items()]
        task = OmegaConf.to_container(master.hydra.overrides.task, resolve=False)
        assert isinstance(task, list)
        parser = OverridesParser.create(config_loader=app.config_loader)
        [jobs] = BasicSweeper.split_arguments(parser.parse_overrides([*swept, *map(str, task)]), None)
        return tuple(_compose(project, app.config_loader, master, number, job) for number, job in enumerate(jobs))


def _compose(
    project: Path, loader: ConfigLoader, master: DictConfig, number: int, overrides: Sequence[str]
) -> JobConfig:
    from hydra.core.hydra_config import HydraConfig
    from omegaconf import open_dict

    typed = tuple(override.removeprefix("++") for override in overrides)
    try:
        config = loader.load_sweep_config(master, list(overrides))
        with open_dict(config):
            config.hydra.job.id, config.hydra.job.num = str(number), number
        HydraConfig.instance().set_config(config)
        return JobConfig(number=number, overrides=typed, composed=from_hydra(config, config.hydra, project))
    except Exception as error:
        translated = as_config_error(error, project, typed)
        if translated is None:
            raise
        return JobConfig(number=number, overrides=typed, error=translated)
