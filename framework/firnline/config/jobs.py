"""The jobs of a multirun, composed before the first of them starts."""

from __future__ import annotations

import copy
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
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.core.override_parser.types import Override
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
        grid = _Grid(app.config_loader, master, parser)
        return tuple(_compose(project, grid, number, job) for number, job in enumerate(jobs))


class _Grid:
    """Composes the jobs of one multirun: those that choose the same options are made of one configuration.

    Choosing options is the slow part of composing. A key with a dot in it names a value, never a config group, so such
    overrides are applied to a copy, as Hydra itself applies them at last.
    """

    def __init__(self, loader: ConfigLoader, master: DictConfig, parser: OverridesParser) -> None:
        self._loader, self._master, self._parser = loader, master, parser
        self._chosen: dict[tuple[str, ...], DictConfig] = {}

    def compose(self, overrides: Sequence[str]) -> DictConfig:
        """Return a job's configuration as ``load_sweep_config`` makes it."""
        from omegaconf import OmegaConf

        parsed = self._parser.parse_overrides(list(overrides))
        first_value = next((i for i, one in enumerate(parsed) if _names_value(one)), len(parsed))
        if not all(_names_value(one) for one in parsed[first_value:]):  # the order of overrides counts
            return self._loader.load_sweep_config(self._master, list(overrides))
        choices = tuple(overrides[:first_value])
        if choices not in self._chosen:
            self._chosen[choices] = self._loader.load_sweep_config(self._master, list(choices))
        config = copy.deepcopy(self._chosen[choices])
        OmegaConf.copy_cache(from_config=self._master, to_config=config)
        self._loader._apply_overrides_to_config(parsed[first_value:], config)  # noqa: SLF001 (no public way)
        config.hydra.overrides.task = list(overrides)
        return config


def _names_value(override: Override) -> bool:
    return "." in override.key_or_group and not override.is_hydra_override() and override.package is None


def _compose(project: Path, grid: _Grid, number: int, overrides: Sequence[str]) -> JobConfig:
    from hydra.core.hydra_config import HydraConfig
    from omegaconf import open_dict

    typed = tuple(override.removeprefix("++") for override in overrides)
    try:
        config = grid.compose(overrides)
        with open_dict(config):
            config.hydra.job.id, config.hydra.job.num = str(number), number
        HydraConfig.instance().set_config(config)
        return JobConfig(number=number, overrides=typed, composed=from_hydra(config, config.hydra, project))
    except Exception as error:
        translated = as_config_error(error, project, typed)
        if translated is None:
            raise
        return JobConfig(number=number, overrides=typed, error=translated)
