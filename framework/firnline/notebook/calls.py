"""Plan, run and sweep from Python: what the commands do, with values for text and errors for exit codes."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from os import PathLike
from pathlib import Path
from typing import Any, Final

from firnline.app import Installed, Outcome, RunOptions, all_problems, load_installed, make_plan, run_pipeline
from firnline.config import Arguments, Composed, compose, first_choices, hydra_kept
from firnline.domain import Event, Plan
from firnline.errors import (
    ConfigError,
    FirnlineError,
    InterruptedRunError,
    RefusedError,
    StageError,
    StoppedByGateError,
    UsageError,
)
from firnline.notebook.values import ShownPlan, ShownRun, ShownSweep
from firnline.plan import PlanOptions

# Hydra keeps its state in the process: two threads of a notebook take turns.
_HYDRA: Final = threading.RLock()


def plan(
    overrides: Sequence[str],
    *,
    project: str | PathLike[str] | None,
    only: str | None,
    start: str | None,
    no_cache: bool,
) -> ShownPlan:
    """See :func:`firnline.plan`."""
    options, plugins = _options(only, start, no_cache), load_installed()
    made = make_plan(_composed(_project(project), overrides, plugins), plugins, options)
    return ShownPlan(**{one.name: getattr(made, one.name) for one in fields(made)})


def run(
    overrides: Sequence[str],
    *,
    project: str | PathLike[str] | None,
    only: str | None,
    start: str | None,
    no_cache: bool,
    check: bool,
    on_event: Callable[[Event], Any] | None,
) -> ShownRun:
    """See :func:`firnline.run`."""

    @contextmanager
    def listen(_: Plan) -> Iterator[Callable[[Event], Any]]:
        yield on_event if on_event is not None else lambda _: None

    options, plugins = RunOptions(plan=_options(only, start, no_cache), listen=listen), load_installed()
    outcome = run_pipeline(_composed(_project(project), overrides, plugins), plugins, options)
    if check and outcome.exit_code:
        raise _failure(outcome)
    return ShownRun(record=outcome.record, plan=outcome.plan, folder=outcome.folder, report=outcome.report)


def sweep(overrides: Sequence[str], *, project: str | PathLike[str] | None, no_cache: bool) -> ShownSweep:
    """See :func:`firnline.sweep`."""
    from firnline.cli.job import Job
    from firnline.cli.sweep import leaderboard, start_sweep
    from firnline.sweep import SweepFolder
    from firnline.sweep.folder import INTERRUPTED

    typed, folder = _overrides(overrides), _project(project)
    with _HYDRA, hydra_kept():
        first = _composed(folder, first_choices(typed), load_installed())
        store = SweepFolder.of(folder, first.data, "any").store
        if folder != Path.cwd() and not any(one.lstrip("+").startswith("hydra.sweep.dir=") for one in typed):
            # What Hydra and its sweepers write belongs into the project, wherever this process stands.
            place = str(store / "multirun" / uuid.uuid4().hex[:12]).replace("\\", "\\\\").replace("'", r"\'")
            typed = (*typed, f"hydra.sweep.dir='{place}'")
        arguments = Arguments(overrides=typed, flags=("--multirun",))
        made, _ = start_sweep(folder, arguments, Job(mode="quiet", no_cache=no_cache))
    if made.stopped == INTERRUPTED:
        raise InterruptedRunError(
            f"the sweep {made.path.name} was interrupted", hint=f"go on with it: firnline sweep resume {made.path.name}"
        )
    return ShownSweep(
        sweep_id=made.path.name,
        leaderboard=leaderboard(made),
        folder=made.path,
        page=made.path / "sweep.html",
        not_started=tuple(made.not_started()),
        stopped=made.stopped,
    )


def _project(project: str | PathLike[str] | None) -> Path:
    return Path.cwd() if project is None else Path(project).resolve()


def _overrides(overrides: Sequence[str]) -> tuple[str, ...]:
    if isinstance(overrides, str):
        raise UsageError(
            f"overrides are a list of strings, not the string {overrides!r}", hint=f"write [{overrides!r}]"
        )
    for override in overrides:
        if override.startswith("-"):
            raise UsageError(f"there is no option {override}", hint="options are keyword arguments here")
    return tuple(overrides)


def _options(only: str | None, start: str | None, no_cache: bool) -> PlanOptions:
    if only and start:
        raise UsageError("only and start exclude each other", hint="give one of them")
    return PlanOptions(only=only, start=start, no_cache=no_cache)


def _composed(project: Path, overrides: Sequence[str], plugins: Installed) -> Composed:
    typed = _overrides(overrides)
    with _HYDRA, hydra_kept():
        try:
            return compose(project, typed)
        except ConfigError as error:
            raise all_problems(project, typed, plugins, error) from error


def _failure(outcome: Outcome) -> FirnlineError:
    """Return the error that says why a run did not finish."""
    record = outcome.record
    hint = f"the report is {outcome.report}; check=False returns the run"
    if record.status == "interrupted":
        return InterruptedRunError(f"run {record.run_id} was interrupted", hint=hint)
    bad = next((stage for stage in record.stages.values() if stage.status == "failed"), None)
    why = f"{bad.name}: {bad.error}" if bad is not None else "no stage says why"
    if bad is not None and bad.hint:
        hint = f"{bad.hint}; {hint}"
    match outcome.exit_code:
        case 4:
            return StoppedByGateError(f"a gate stopped run {record.run_id}: {why}", hint=hint)
        case 3:
            skipped = next((stage.because for stage in record.stages.values() if stage.because), why)
            return RefusedError(f"run {record.run_id}: {skipped}", hint=hint, plan=outcome.plan)
        case _:
            planned = {stage.name: stage.plugin for stage in outcome.plan.stages}
            name, step = (bad.name, bad.step) if bad is not None else ("", "")
            plugin = planned.get(name, "")
            return StageError(f"run {record.run_id} failed: {why}", stage=name, step=step, plugin=plugin, hint=hint)
