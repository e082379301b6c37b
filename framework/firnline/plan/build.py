"""Make the plan: keys, what is reused and why not, expected times. Nothing is decided after it."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Any, Literal

from firnline.domain import (
    EarlierOutput,
    EarlierStage,
    Estimate,
    History,
    Pipeline,
    Plan,
    PlannedStage,
    Platform,
    SourceContext,
    Stage,
    load_callable,
)
from firnline.errors import ConfigError, FirnlineError, PluginError, Problem, UsageError
from firnline.plan.keys import key_of, key_parts
from firnline.plan.reasons import why_it_runs


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions:
    """What the user asked for beside the configuration.

    Attributes:
        no_cache: run every stage, although earlier outputs could be used.
        start: ``--from``: run this stage and all after it anew; earlier outputs are used for the others.
        only: ``--only``: run this stage alone, on outputs that are there already.
        anew: run these stages although outputs are there: what a run with the options above had left to do.
    """

    no_cache: bool = False
    start: str | None = None
    only: str | None = None
    anew: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Draft:
    """What is known of a stage before it is decided whether it runs."""

    stage: Stage
    params: dict[str, Any]
    parts: dict[str, str]
    key: str
    forced: str = ""
    earlier: EarlierStage | None = None
    output: EarlierOutput | None = None
    durations: Sequence[float] = field(default_factory=tuple)


def build_plan(
    pipeline: Pipeline,
    history: History,
    open_platform: Callable[[], Platform],
    options: PlanOptions | None = None,
) -> Plan:
    """Return the plan of a pipeline.

    Args:
        pipeline: the checked configuration.
        history: earlier outputs, stages and durations.
        open_platform: called when a source's state or an earlier output's tables must be looked up.
        options: what the user asked for.

    Raises:
        ConfigError: the state of a source cannot be told (a file is missing).
        UsageError: ``--from`` or ``--only`` names no stage, or lacks outputs to start from.
    """
    options = options if options is not None else PlanOptions()
    _check_options(pipeline, options)
    drafts = _draft(pipeline, open_platform)
    _look_up(pipeline.name, drafts, history)
    gone = _missing_tables(drafts, open_platform)
    forced = _forced(pipeline, options)
    stages = tuple(_decide(draft, pipeline, forced.get(draft.stage.name, ""), gone, options) for draft in drafts)
    if options.only:
        _check_only(stages, options.only)
    return Plan(
        pipeline=pipeline.name,
        platform=pipeline.platform.name,
        platform_params=pipeline.platform_params.model_dump(mode="json"),
        workers=pipeline.workers,
        stages=stages,
    )


def _check_options(pipeline: Pipeline, options: PlanOptions) -> None:
    names = [stage.name for stage in pipeline.stages]
    for flag, name in (("--from", options.start), ("--only", options.only)):
        if name is not None and name not in names:
            raise UsageError(f"{flag} {name}: the pipeline has no such stage", hint=f"it has {', '.join(names)}")


def _draft(pipeline: Pipeline, open_platform: Callable[[], Platform]) -> list[_Draft]:
    """Work out each stage's key, in order, so that the keys of its inputs are known."""
    project = pipeline.project
    identity = pipeline.platform.identity(pipeline.platform_params, project) if pipeline.uses_platform else ""
    sources = SourceContext(project=project, open_platform=open_platform)
    keys: dict[str, str] = {}
    drafts: list[_Draft] = []
    problems: list[Problem] = []
    for stage in pipeline.stages:
        params = json.loads(stage.params.model_dump_json())
        parts = key_parts(
            stage.spec,
            params=params,
            platform_identity=identity,
            inputs={port: tuple((keys[x.stage], x.port) for x in links) for port, links in stage.inputs.items()},
            source_state=_source_state(stage, sources, problems),
        )
        keys[stage.name] = key_of(parts)
        drafts.append(_Draft(stage, params, parts, keys[stage.name]))
    if problems:
        raise ConfigError(tuple(problems))
    return drafts


def _source_state(stage: Stage, sources: SourceContext, problems: list[Problem]) -> str | None:
    spec = stage.spec
    if spec.source is None:
        return None
    try:
        return str(load_callable(spec.source)(stage.params, sources))
    except (FirnlineError, OSError) as error:
        message = error.message if isinstance(error, FirnlineError) else f"{error.strerror or error}: {error.filename}"
        problems.append(Problem(path=f"{stage.name}.params", message=message, hint=getattr(error, "hint", None)))
        return None
    except Exception as error:
        raise PluginError(
            f"stage {stage.name}: step {spec.id} of {stage.plugin} could not tell the state of its source: "
            f"{type(error).__name__}: {error}",
            hint="report this to the plugin's author",
        ) from error


def _look_up(pipeline: str, drafts: Sequence[_Draft], history: History) -> None:
    outputs = history.outputs([draft.key for draft in drafts])
    earlier = history.stages(pipeline)
    durations = history.durations(pipeline)
    for draft in drafts:
        draft.output = outputs.get(draft.key)
        draft.earlier = earlier.get(draft.stage.name)
        draft.durations = durations.get((draft.stage.name, draft.stage.spec.id), ())


def _missing_tables(drafts: Sequence[_Draft], open_platform: Callable[[], Platform]) -> frozenset[str]:
    """Ask the platform, in one question, which tables of earlier outputs are gone."""
    tables = {table for draft in drafts if draft.output is not None for table in draft.output.tables}
    return open_platform().missing(tables) if tables else frozenset()


def _forced(pipeline: Pipeline, options: PlanOptions) -> dict[str, str]:
    """Return stage → why it must run although its output may be there."""
    if options.only:
        return {options.only: "asked for by --only"}
    if options.no_cache:
        return {stage.name: "asked for by --no-cache" for stage in pipeline.stages}
    forced = dict.fromkeys(options.anew, "the run that is gone on with was to run it anew")
    if options.start is None:
        return forced
    forced[options.start] = "asked for by --from"
    for stage in pipeline.stages:
        if stage.name not in forced and any(link.stage in forced for links in stage.inputs.values() for link in links):
            forced[stage.name] = f"it comes after {options.start}, asked for by --from"
    return forced


def _decide(
    draft: _Draft, pipeline: Pipeline, forced: str, gone: Collection[str], options: PlanOptions
) -> PlannedStage:
    stage, spec = draft.stage, draft.stage.spec
    output = draft.output
    usable = output is not None and output.intact and not any(table in gone for table in output.tables)
    action: Literal["run", "reuse", "skip"] = "run"
    if forced:
        reason = forced
    elif usable and output is not None:
        action, reason = "reuse", f"nothing changed since run {output.run_id}"
    else:
        reason = why_it_runs(stage, draft.parts, draft.params, draft.earlier)
    if options.only and not forced and action == "run":
        action, reason = "skip", "left out by --only"
    where = pipeline.platform.name if spec.platform else "local"
    return PlannedStage(
        name=stage.name,
        step=spec.id,
        plugin=stage.plugin,
        where=where if spec.runs_in == "thread" else f"{where} process",
        runs_in=spec.runs_in,
        key=draft.key,
        inputs=stage.inputs,
        params=draft.params,
        action=action,
        reason=reason,
        reuse_from=output.run_id if action == "reuse" and output is not None else None,
        parts=draft.parts,
        retry=stage.retry,
        timeout_s=stage.timeout_s,
        resources=stage.resources,
        estimate=_estimate(draft.durations) if action == "run" else None,
    )


def _estimate(seconds: Sequence[float]) -> Estimate | None:
    if not seconds:
        return None
    if len(seconds) == 1:
        return Estimate(p50_s=seconds[0], p90_s=seconds[0], samples=1)
    deciles = quantiles(seconds, n=10, method="inclusive")
    return Estimate(p50_s=deciles[4], p90_s=deciles[8], samples=len(seconds))


def _check_only(stages: Sequence[PlannedStage], only: str) -> None:
    by_name: Mapping[str, PlannedStage] = {stage.name: stage for stage in stages}
    lacking = [name for name in by_name[only].upstream if by_name[name].action != "reuse"]
    if lacking:
        raise UsageError(
            f"--only {only}: it takes from {', '.join(lacking)}, of which there is no output for this configuration",
            hint=f"run without --only, or run {lacking[0]} first with the same params",
        )
