"""Config → plan: check a composed configuration, work out its plan, and ask the guard about it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from firnline.app.installed import Installed
from firnline.app.platform import PlatformHandle
from firnline.config import Composed, add_sources, check, mend
from firnline.domain import (
    Assessment,
    CreditEstimate,
    EarlierOutput,
    Guard,
    GuardContext,
    OpenProject,
    Pipeline,
    Plan,
)
from firnline.errors import ConfigError, FirnlineError, PluginError, RefusedError
from firnline.plan import PlanOptions, build_plan
from firnline.record import Past, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A plan with what it was made of."""

    plan: Plan
    pipeline: Pipeline
    store: Store
    platform: PlatformHandle
    known: Mapping[str, EarlierOutput]
    guard: Guard | None = None
    assessment: Assessment | None = None


class _PlansPast(Past):
    """The past as the plan saw it: another run may add to it while this one is planned."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.seen: dict[str, EarlierOutput] = {}

    def outputs(self, keys: Collection[str]) -> Mapping[str, EarlierOutput]:
        """Return what is there, and remember it."""
        found = super().outputs(keys)
        self.seen.update(found)
        return found


@contextmanager
def planned(
    composed: Composed,
    installed: Installed,
    options: PlanOptions,
    sweep_id: str | None = None,
    platform: PlatformHandle | None = None,
) -> Iterator[Planned]:
    """Check and plan a composed configuration; the store is closed at the end, and so is a platform that is opened.

    Args:
        composed: the configuration.
        installed: the plugins.
        options: what the user asked for beside the configuration.
        sweep_id: the multirun that it is a job of.
        platform: the handle to use, of somebody who plans many configurations; it stays open.

    Raises:
        ConfigError: with all problems.
        RefusedError: a guard refuses the plan.
    """
    handle = platform if platform is not None else PlatformHandle(composed.project)
    try:
        pipeline = check(composed, installed.registry, handle.reach)
        store = Store(pipeline.store)
        try:
            try:
                past = _PlansPast(store)
                plan = build_plan(pipeline, past, handle.get, options)
            except ConfigError as error:
                raise ConfigError(add_sources(error.problems, composed)) from error
            guard = _open_guard(pipeline, store, handle, sweep_id)
            reasons: list[str] = []
            assessment: Assessment | None = None
            if guard is not None:
                plan, assessment = _assessed(guard, pipeline, plan)
                reasons += assessment.refusals
            reasons += [f"{refusal.reason} ({refusal.plugin.name})" for refusal in installed.hooks.check_plan(plan)]
            if reasons:
                raise RefusedError(
                    "the plan is refused: " + "; ".join(reasons),
                    hint="nothing was spent",
                    plan=plan,
                    out_of_budget=assessment is not None and assessment.out_of_budget,
                )
            yield Planned(
                plan=plan,
                pipeline=pipeline,
                store=store,
                platform=handle,
                known=past.seen,
                guard=guard,
                assessment=assessment,
            )
        finally:
            store.close()
    finally:
        if platform is None:
            handle.close()


@contextmanager
def opened_project(composed: Composed, installed: Installed) -> Iterator[OpenProject]:
    """Check a composed configuration and open its store, for commands that look at runs. Raises as :func:`planned`."""
    handle = PlatformHandle(composed.project)
    try:
        pipeline = check(composed, installed.registry, handle.reach)
        store = Store(pipeline.store)
        try:
            yield OpenProject(pipeline=pipeline, folder=store.root, history=Past(store), open_platform=handle.get)
        finally:
            store.close()
    finally:
        handle.close()


def _open_guard(pipeline: Pipeline, store: Store, platform: PlatformHandle, sweep_id: str | None) -> Guard | None:
    if pipeline.guard is None or pipeline.guard_params is None:
        return None
    context = GuardContext(
        pipeline=pipeline.name,
        folder=store.root / "guard",
        history=Past(store),
        open_platform=platform.get if pipeline.uses_platform else None,
        sweep_id=sweep_id,
    )
    with guard_code(pipeline):
        return pipeline.guard.open(pipeline.guard_params, context)


def _assessed(guard: Guard, pipeline: Pipeline, plan: Plan) -> tuple[Plan, Assessment]:
    """Return the plan with what the guard expects it to cost, and all that the guard thinks of it."""
    with guard_code(pipeline):
        assessment = guard.assess(plan)
    nothing = CreditEstimate(p50=0.0, p90=0.0)
    stages = tuple(
        replace(stage, credits=found.p50, credits_p90=found.p90, credits_basis=found.basis)
        if (found := assessment.stages.get(stage.name)) is not None
        else stage
        for stage in plan.stages
    )
    overhead = assessment.overhead if assessment.overhead is not None else nothing
    plan = replace(plan, stages=stages, overhead_credits=overhead.p50, budget_credits=assessment.budget)
    return plan, assessment


@contextmanager
def guard_code(pipeline: Pipeline) -> Iterator[None]:
    """Run code of the guard inside: what it raises by mistake names it."""
    try:
        yield
    except FirnlineError:
        raise
    except Exception as error:
        name = pipeline.guard.name if pipeline.guard is not None else ""
        raise PluginError(
            f"the guard {name!r} failed: {type(error).__name__}: {error}",
            hint="run without it (~guard), or report the error to its author",
        ) from error


def all_problems(project: Path, overrides: Sequence[str], installed: Installed, error: ConfigError) -> ConfigError:
    """Return what Hydra refused together with all that our own check has to say about the rest."""
    composed = mend(project, overrides, error)
    if composed is None:
        return error
    handle = PlatformHandle(project)
    try:
        check(composed, installed.registry, handle.reach)
    except ConfigError as everything:
        return everything
    finally:
        handle.close()
    return error


def make_plan(
    composed: Composed,
    installed: Installed,
    options: PlanOptions | None = None,
    platform: PlatformHandle | None = None,
) -> Plan:
    """Return the plan of a composed configuration. Arguments and errors are those of :func:`planned`."""
    options = options if options is not None else PlanOptions()
    with planned(composed, installed, options, platform=platform) as ready:
        return ready.plan
