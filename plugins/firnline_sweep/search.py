"""A search by ask and tell: Optuna chooses the trials, somebody else runs them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState

from firnline.errors import MissingExtraError, UsageError
from firnline_sweep.pruning import PRUNED, make_pruner

_LOST: Final = "firnline_lost"
SAMPLERS: Final = ("tpe", "random", "cmaes")
Choice: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """One of these values."""

    values: tuple[Choice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """A number from ``low`` to ``high``, both included; whole numbers if both are.

    Attributes:
        low: the smallest.
        high: the greatest.
        log: search evenly in the logarithm.
        step: distance of the values from each other; None for any.
    """

    low: float
    high: float
    log: bool = False
    step: float | None = None


Dimension: TypeAlias = Choices | Numbers


class Search:
    """A study that outlives the process: what was told is kept, and trials that were lost are asked for again."""

    def __init__(
        self,
        space: Mapping[str, Dimension],
        directions: Sequence[Literal["maximize", "minimize"]],
        *,
        sampler: str,
        seed: int | None,
        name: str,
        storage: str,
        pruner: str = "none",
        pruner_options: Mapping[str, Any] | None = None,
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._space = {path: _distribution(path, dimension) for path, dimension in space.items()}
        self._study = optuna.create_study(
            study_name=name,
            storage=storage,
            sampler=_sampler(sampler, seed),
            pruner=make_pruner(pruner, pruner_options or {}),
            directions=list(directions),
            load_if_exists=True,
        )
        if [direction.name.lower() for direction in self._study.directions] != list(directions):
            raise UsageError(
                f"the study {name!r} has {len(self._study.directions)} objectives with other directions",
                hint="give the directions that it was started with, or another hydra.sweeper.study_name",
            )
        for trial in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            self.lose(trial.number)
        self._enqueue_lost()

    @property
    def told(self) -> int:
        """How many trials have ended."""
        ended = self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL))
        return sum(_LOST not in trial.user_attrs for trial in ended)

    def ask(self) -> tuple[int, dict[str, Any]]:
        """Return the number and the params of the next trial."""
        trial = self._study.ask(self._space)
        return trial.number, dict(trial.params)

    def tell(self, number: int, values: Sequence[float] | None) -> None:
        """Say what came of a trial; None if it was pruned or failed."""
        if values is None:
            pruned = PRUNED in self._trial(number).user_attrs
            self._study.tell(number, state=TrialState.PRUNED if pruned else TrialState.FAIL)
        else:
            self._study.tell(number, list(values))

    def lose(self, number: int) -> None:
        """Say that a trial did not come to its end: a later process asks for it again."""
        trial = self._trial(number)
        self._study._storage.set_trial_user_attr(trial._trial_id, _LOST, "waits")  # noqa: SLF001 (no public way)
        self._study.tell(number, state=TrialState.FAIL)

    def _trial(self, number: int) -> FrozenTrial:
        [trial] = [one for one in self._study.get_trials(deepcopy=False) if one.number == number]
        return trial

    def _enqueue_lost(self) -> None:
        for trial in self._study.get_trials(deepcopy=False, states=(TrialState.FAIL,)):
            if trial.user_attrs.get(_LOST) == "waits" and not self._is_enqueued(trial.params):
                self._study.enqueue_trial(trial.params, user_attrs={"again": trial.number})

    def _is_enqueued(self, params: Mapping[str, Any]) -> bool:
        """Whether these params were asked for again already."""
        trials = self._study.get_trials(deepcopy=False)
        return any(
            "again" in trial.user_attrs
            and _LOST not in trial.user_attrs
            and trial.system_attrs.get("fixed_params", trial.params) == params
            for trial in trials
        )


def _sampler(name: str, seed: int | None) -> optuna.samplers.BaseSampler:
    match name:
        case "tpe":
            with warnings.catch_warnings():
                # Optuna 4 calls constant_liar an experiment; Optuna 5 has it for good.
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                return optuna.samplers.TPESampler(seed=seed, constant_liar=True)
        case "random":
            return optuna.samplers.RandomSampler(seed=seed)
        case "cmaes":
            try:
                import cmaes  # noqa: F401
            except ImportError as error:
                raise MissingExtraError(
                    "the sampler cmaes needs the package cmaes", hint="pip install 'firnline[sweep]'"
                ) from error
            return optuna.samplers.CmaEsSampler(seed=seed)
        case _:
            raise UsageError(f"there is no sampler {name!r}", hint=f"hydra.sweeper.sampler is {', '.join(SAMPLERS)}")


def _distribution(path: str, dimension: Dimension) -> BaseDistribution:
    if isinstance(dimension, Choices):
        return CategoricalDistribution(dimension.values)
    low, high, log, step = dimension.low, dimension.high, dimension.log, dimension.step
    try:
        if isinstance(low, int) and isinstance(high, int) and (step is None or isinstance(step, int)):
            return IntDistribution(low, high, log=log, step=step or 1)
        return FloatDistribution(low, high, log=log, step=step)
    except ValueError as error:
        raise UsageError(f"{path} cannot be searched: {error}", hint="see the search space of the sweep") from error
