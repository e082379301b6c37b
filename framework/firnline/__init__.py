"""Firnline: MLOps pipelines as config files, with every step a plugin.

From Python, in a notebook for example: :func:`plan`, :func:`run` and :func:`sweep` take the overrides that the command
line takes, and return what it works with.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from os import PathLike

    from firnline.domain import Event
    from firnline.notebook import ShownPlan, ShownRun, ShownSweep

__version__ = "0.1.0"
__all__ = ["__version__", "plan", "run", "sweep"]


def plan(
    overrides: Sequence[str] = (),
    *,
    project: str | PathLike[str] | None = None,
    only: str | None = None,
    start: str | None = None,
    no_cache: bool = False,
) -> ShownPlan:
    """Return what a run would do, and why; nothing runs.

    Args:
        overrides: as on the command line, one string each: ``["train=logistic", "train.params.seed=7"]``.
        project: the project's folder; by default the current one.
        only: run this stage alone, on outputs that are there.
        start: run this stage and all after it anew.
        no_cache: run every stage, although outputs could be reused.

    Raises:
        ConfigError: with all problems of the configuration.
        RefusedError: a guard refuses the plan.
        UsageError: the folder is no project, or an option does not fit.
    """
    from firnline.notebook import calls

    return calls.plan(overrides, project=project, only=only, start=start, no_cache=no_cache)


def run(
    overrides: Sequence[str] = (),
    *,
    project: str | PathLike[str] | None = None,
    only: str | None = None,
    start: str | None = None,
    no_cache: bool = False,
    check: bool = True,
    on_event: Callable[[Event], Any] | None = None,
) -> ShownRun:
    """Run a pipeline and return what became of it. Arguments and errors are those of :func:`plan`, and:

    Args:
        check: raise if the run does not finish; False returns it all the same.
        on_event: called with every event of the run as it happens, in this thread.

    Raises:
        StageError: a stage failed.
        StoppedByGateError: a gate stopped the run.
        RefusedError: a guard stopped the run.
        InterruptedRunError: the user did.
    """
    from firnline.notebook import calls

    return calls.run(
        overrides, project=project, only=only, start=start, no_cache=no_cache, check=check, on_event=on_event
    )


def sweep(
    overrides: Sequence[str], *, project: str | PathLike[str] | None = None, no_cache: bool = False
) -> ShownSweep:
    """Run every combination of choices (``train=logistic,xgboost``), or let ``hydra/sweeper`` choose; as ``run -m``.

    All jobs are checked and planned before the first one starts. Jobs that fail are told in what is returned.
    Arguments and errors are those of :func:`plan`, and:

    Raises:
        UsageError: no job could start.
        InterruptedRunError: the user stopped it.
    """
    from firnline.notebook import calls

    return calls.sweep(overrides, project=project, no_cache=no_cache)


class _Package(ModuleType):
    """This package. Its functions share names with modules of it, whose import would put these in their place."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in __all__ and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
