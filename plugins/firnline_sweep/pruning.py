"""Judge a trial by its intermediate metrics, in the process that runs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import optuna

from firnline.errors import UsageError

PRUNERS: Final = ("none", "median", "halving", "hyperband")
PRUNED: Final = "firnline_pruned"


def make_pruner(name: str, options: Mapping[str, Any]) -> optuna.pruners.BasePruner:
    """Return a pruner by its name; the options are those of Optuna's class.

    Raises:
        UsageError: there is no such pruner, or it does not take the options.
    """
    kinds: dict[str, Callable[..., optuna.pruners.BasePruner]] = {
        "none": optuna.pruners.NopPruner,
        "median": optuna.pruners.MedianPruner,
        "halving": optuna.pruners.SuccessiveHalvingPruner,
        "hyperband": optuna.pruners.HyperbandPruner,
    }
    if name not in kinds:
        raise UsageError(f"there is no pruner {name!r}", hint=f"hydra.sweeper.pruner is {', '.join(PRUNERS)}")
    try:
        return kinds[name](**options)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"the pruner {name} does not take hydra.sweeper.pruner_options: {error}",
            hint="they are those of Optuna's class, for example {n_startup_trials: 3} of median",
        ) from error


def open_trial(note: Mapping[str, Any], job: int) -> Callable[[int, float], str]:
    """Return what takes a trial's measurements, and says why it shall end; empty if it goes on.

    Args:
        note: the sweeper's ``pruning.json``.
        job: the number of the trial.
    """
    study = optuna.load_study(
        study_name=note["study"], storage=note["storage"], pruner=make_pruner(note["pruner"], note["options"])
    )
    [found] = [trial for trial in study.get_trials(deepcopy=False) if trial.number == job]
    trial = optuna.trial.Trial(study, found._trial_id)  # noqa: SLF001 (no public way into a trial of another process)
    sign = -1.0 if note["opposed"] else 1.0

    def judge(step: int, value: float) -> str:
        trial.report(sign * value, step)
        if not trial.should_prune():
            return ""
        trial.set_user_attr(PRUNED, True)
        return f"{note['metric']} is {value:.6g} after step {step}, which {note['pruner']} finds too little"

    return judge
