"""``hydra/sweeper=optuna``. Hydra imports this module at every start, so Optuna is imported when it sweeps."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, IntervalSweep, Override, QuotedString, RangeSweep
from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from omegaconf import OmegaConf

if TYPE_CHECKING:
    from hydra.core.utils import JobReturn
    from hydra.plugins.launcher import Launcher
    from hydra.types import HydraContext, TaskFunction
    from omegaconf import DictConfig

    from firnline_sweep.search import Dimension, Search


class OptunaSweeper(Sweeper):  # type: ignore[misc]
    """Searches for the best value of ``sweep.metric``. The arguments are told in ``hydra/sweeper/optuna.yaml``."""

    def __init__(
        self,
        sampler: str,
        n_trials: int,
        batch: int,
        seed: int | None,
        study_name: str,
        storage: str | None,
        params: Mapping[str, Any] | None,
        pruner: str = "none",
        pruner_options: Mapping[str, Any] | None = None,
        prune_metric: str | None = None,
        prune_direction: str | None = None,
    ) -> None:
        self.sampler, self.n_trials, self.batch, self.seed = sampler, n_trials, batch, seed
        self.study_name, self.storage, self.params = study_name, storage, params or {}
        self.pruner, self.pruner_options = pruner, dict(pruner_options or {})
        self.prune_metric, self.prune_direction = prune_metric, prune_direction
        self.launcher: Launcher | None = None

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Take over what Hydra prepared."""
        self.config, self.hydra_context = config, hydra_context
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> None:
        """Ask, launch and tell until there were ``n_trials``, or the sweep is stopped."""
        from firnline.errors import UsageError

        if self.n_trials < 1 or self.batch < 1:
            raise UsageError("hydra.sweeper.n_trials and hydra.sweeper.batch are 1 or more")
        fixed, space = self._read([*(f"++{path}={value}" for path, value in self.params.items()), *arguments])
        if not space:
            raise UsageError(
                "there is nothing to search for",
                hint="give a search space, here or in hydra.sweeper.params: 'train.params.max_depth=range(2,9)'",
            )
        folder = Path(str(self.config.hydra.sweep.dir)).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        search = self._search(space, folder)
        while (left := self.n_trials - search.told) > 0 and not _is_stopped(folder):
            self._launch(search, min(self.batch, left), fixed, folder)

    def _read(self, arguments: Sequence[str]) -> tuple[list[str], dict[str, Dimension]]:
        """Return the overrides that all trials share, and the dimensions of the others by their keys."""
        parsed = OverridesParser.create(config_loader=self.hydra_context.config_loader).parse_overrides(list(arguments))
        fixed: dict[str, str] = {}
        space: dict[str, Dimension] = {}
        for override in parsed:
            key = override.get_key_element()
            (space if override.is_sweep_override() else fixed).pop(key, None)  # the command line comes last and wins
            if override.is_sweep_override():
                fixed.pop(key, None)
                space[key] = _dimension(override)
            else:
                space.pop(key, None)
                fixed[key] = f"{key}={override.get_value_element_as_str()}"
        return list(fixed.values()), space

    def _search(self, space: Mapping[str, Dimension], folder: Path) -> Search:
        from firnline.errors import MissingExtraError, UsageError

        try:
            from firnline_sweep.search import Search
        except ModuleNotFoundError as error:
            raise MissingExtraError(
                f"hydra/sweeper=optuna needs {error.name}, which is not installed",
                hint="pip install 'firnline[sweep]'",
            ) from error
        node = self.config.get("sweep") or {}
        metrics, directions = node.get("metric"), node.get("direction", "maximize")
        if not metrics:
            raise UsageError("a search needs sweep.metric", hint="for example sweep.metric=evaluate.roc_auc")
        count = 1 if isinstance(metrics, str) else len(metrics)
        each: list[Any] = [directions] * count if isinstance(directions, str) else list(directions)
        if len(each) != count:
            raise UsageError(f"sweep.metric names {count}, sweep.direction {len(each)}", hint="give one for each")
        storage = self.storage or f"sqlite:///{folder / 'study.db'}"
        search = Search(
            space,
            each,
            sampler=self.sampler,
            seed=self.seed,
            name=self.study_name,
            storage=storage,
            pruner=self.pruner,
            pruner_options=self.pruner_options,
        )
        if self.pruner != "none":
            self._note_pruning(folder, storage, each)
        return search

    def _note_pruning(self, folder: Path, storage: str, directions: Sequence[str]) -> None:
        """Leave in the sweep's folder what its jobs, in whatever process, need to ask the pruner."""
        from firnline.errors import UsageError

        if len(directions) > 1:
            raise UsageError(
                "Optuna cannot prune a search with several objectives", hint="take hydra.sweeper.pruner=none"
            )
        if not self.prune_metric or "." not in self.prune_metric:
            raise UsageError(
                "a pruner needs hydra.sweeper.prune_metric, what a stage tells after each of its rounds or epochs",
                hint="for example train.valid_loss or train.valid_logloss, with prune_direction=minimize",
            )
        if self.prune_direction not in {None, "maximize", "minimize"}:
            raise UsageError(
                f"there is no direction {self.prune_direction!r}",
                hint="hydra.sweeper.prune_direction is maximize or minimize",
            )
        note = {
            "opens": "firnline_sweep.pruning:open_trial",
            "study": self.study_name,
            "storage": storage,
            "pruner": self.pruner,
            "options": OmegaConf.to_container(OmegaConf.create(self.pruner_options)),
            "metric": self.prune_metric,
            "opposed": self.prune_direction not in {None, directions[0]},
        }
        (folder.parent / "pruning.json").write_text(json.dumps(note, indent=1), "utf-8")

    def _launch(self, search: Search, count: int, fixed: Sequence[str], folder: Path) -> None:
        asked = [search.ask() for _ in range(count)]
        jobs = [[*fixed, *(f"{key}={_text(value)}" for key, value in params.items())] for _, params in asked]
        assert self.launcher is not None, "setup() comes first"
        returned: Sequence[JobReturn] = self.launcher.launch(jobs, initial_job_idx=asked[0][0])
        for (number, _), job in zip(asked, returned, strict=True):
            value = job.return_value
            if value is None and _is_stopped(folder):
                search.lose(number)
            else:
                values = value if value is None or isinstance(value, tuple) else (value,)
                search.tell(number, values)


def _is_stopped(folder: Path) -> bool:
    """Whether no further job of the sweep shall start: Firnline leaves this file in the sweep's folder."""
    return (folder.parent / "stop").exists()


def _dimension(override: Override) -> Dimension:
    from firnline.errors import UsageError
    from firnline_sweep.search import Choices, Numbers

    value = override.value()
    match value:
        case ChoiceSweep():
            return Choices(values=tuple(_plain(one) for one in value.list))
        case IntervalSweep():
            return Numbers(low=value.start, high=value.end, log="log" in value.tags)
        case RangeSweep():
            step = value.step if value.step is not None else 1
            last = value.start + step * max(0, -(-(value.stop - value.start) // step) - 1)
            return Numbers(
                low=value.start, high=last, log="log" in value.tags, step=None if "log" in value.tags else step
            )
        case _:
            raise UsageError(f"{override.input_line} cannot be searched", hint="use interval, range or choice")


def _plain(value: Any) -> Any:
    return value.text if isinstance(value, QuotedString) else value


def _text(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return str(value)
