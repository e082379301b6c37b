"""Check a composed configuration as a whole, before anything runs: all problems come in one report."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, NoReturn

from firnline.config.composed import NO_OPTION, Composed
from firnline.config.graph import connect
from firnline.config.names import nearest
from firnline.config.overrides import override_path, typed_source
from firnline.config.provenance import add_sources
from firnline.config.search_path import PROJECT_CONF, double_providers, find_options
from firnline.config.settings import (
    EXPERIMENT,
    FIXED_NODES,
    ExecutorNode,
    PipelineNode,
    StageNode,
    StoreNode,
    SweepNode,
)
from firnline.config.validation import validate
from firnline.domain import (
    ChosenTracker,
    GuardSpec,
    Link,
    Params,
    Pipeline,
    PlatformSpec,
    Retry,
    Stage,
    StepSpec,
    TrackerSpec,
)
from firnline.errors import ConfigError, FirnlineError, PlatformError, Problem
from firnline.loading import Offer, Registry, missing_modules

_STAGE_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}")


def check(
    composed: Composed, registry: Registry, reach: Callable[[PlatformSpec, Params], None] | None = None
) -> Pipeline:
    """Return the checked pipeline.

    Args:
        composed: what Hydra composed.
        registry: what the installed plugins offer.
        reach: opens the platform, to find out that it can be reached; called if a stage uses it.

    Raises:
        ConfigError: with every problem that there is.
    """
    problems = list(composed.problems)
    dropped = _dropped(composed)
    nodes = {name: node for name, node in composed.data.items() if name not in dropped}
    stages = {name: node for name, node in nodes.items() if isinstance(node, Mapping) and "uses" in node}
    _check_names(nodes, stages, problems)
    _check_options(composed, problems)
    pipeline = validate(PipelineNode, nodes.get("pipeline"), "pipeline", problems)
    executor = validate(ExecutorNode, nodes.get("executor"), "executor", problems)
    store = validate(StoreNode, nodes.get("store"), "store", problems)
    sweep = validate(SweepNode, nodes.get("sweep"), "sweep", problems)
    checked = [_check_stage(name, node, registry, dropped, problems) for name, node in stages.items()]
    ordered = connect([stage for stage in checked if stage is not None], [*stages], problems)
    needs_platform = any(stage.spec.platform for stage in ordered)
    platform, platform_params = _check_platform(nodes.get("platform"), registry, needs_platform, problems)
    guard, guard_params = _check_guard(nodes.get("guard"), registry, problems)
    trackers = _check_trackers(nodes.get("tracker"), registry, problems)
    if platform is not None:
        for stage in ordered:
            _check_resources(stage, platform, problems)
    if reach is not None and platform is not None and platform_params is not None and needs_platform:
        _reach(reach, platform, platform_params, problems)
    if problems or not (pipeline and executor and store and sweep and platform and platform_params):
        raise ConfigError(add_sources(_own(problems, composed), composed))
    return Pipeline(
        name=pipeline.name or composed.choices.get("pipeline", "pipeline"),
        project=composed.project,
        store=composed.project / store.path,
        platform=platform,
        platform_params=platform_params,
        workers=executor.workers,
        stages=tuple(ordered),
        sweep_metric=sweep.metric[0] if isinstance(sweep.metric, list) else sweep.metric,
        sweep_direction=sweep.direction[0] if isinstance(sweep.direction, list) else sweep.direction,
        guard=guard,
        guard_params=guard_params,
        trackers=trackers,
    )


def _dropped(composed: Composed) -> frozenset[str]:
    """Return the nodes that are not wanted: null ones, and what a pipeline says of a stage whose option was dropped."""
    typed = {override_path(o) for o in composed.overrides if o.startswith("~") or o.endswith("=null")}
    typed |= {group.rpartition("@")[2] for group, option in composed.choices.items() if option == NO_OPTION}
    return frozenset(
        name
        for name, node in composed.data.items()
        if node is None or (name in typed and isinstance(node, Mapping) and "uses" not in node)
    )


def _own(problems: list[Problem], composed: Composed) -> list[Problem]:
    """Leave out what follows only from values that could not be resolved, which are problems already."""
    if not composed.problems:
        return problems
    told = len(composed.problems)
    return [p for i, p in enumerate(problems) if i < told or not ("${" in (p.value or "") or p.value == "???")]


def _check_names(nodes: Mapping[str, Any], stages: Mapping[str, Any], problems: list[Problem]) -> None:
    for name, node in nodes.items():
        if name in stages:
            if name in FIXED_NODES:
                problems.append(
                    Problem(path=name, message="this name is not free for a stage", hint="rename the stage")
                )
            elif not _STAGE_NAME.fullmatch(name):
                problems.append(
                    Problem(
                        path=name,
                        message="not a stage name",
                        expected="a letter, then letters, digits or _ (60 at most)",
                    )
                )
        elif name == EXPERIMENT:
            problems.append(_no_experiment(node))
        elif name not in FIXED_NODES:
            problems.append(
                Problem(
                    path=name,
                    message="neither a stage (it has no `uses`) nor a known setting",
                    value=None if isinstance(node, Mapping) else str(node),
                    expected=f"a stage, or one of {', '.join(FIXED_NODES)}",
                    nearest=nearest(name, [*stages, *FIXED_NODES]),
                )
            )
    if not stages:
        problems.append(
            Problem(
                path="pipeline",
                message="the pipeline has no stage",
                hint="choose one, for example pipeline=churn; `firnline run --info defaults` shows what was composed",
            )
        )


def _no_experiment(node: Any) -> Problem:
    """Say why an experiment is a node of its own: no option of that name, or its file lacks the first line."""
    if isinstance(node, Mapping):
        hint = "begin its file with the line `# @package _global_`"
        return Problem(path=EXPERIMENT, message="the experiment's values are not where they belong", hint=hint)
    file = f"conf/{EXPERIMENT}/{node}.yaml"
    return Problem(
        path=EXPERIMENT,
        message="the project has no experiments",
        value=str(node),
        hint=f"write {file}, or `firnline runs save RUN {node}` has it written",
    )


def _check_options(composed: Composed, problems: list[Problem]) -> None:
    for group, option, providers in double_providers(find_options(composed.project)):
        if (
            composed.choices.get(group) == option
            and not (composed.project / PROJECT_CONF / group / f"{option}.yaml").exists()
        ):
            problems.append(
                Problem(
                    path=group,
                    message=f"option {option!r} is brought by {' and by '.join(providers)}",
                    value=option,
                    source=next((typed_source(o) for o in composed.overrides if override_path(o) == group), None),
                    hint=f"deny one of the plugins, or write your own conf/{group}/{option}.yaml",
                )
            )


def _check_platform(
    node: Any, registry: Registry, needed: bool, problems: list[Problem]
) -> tuple[PlatformSpec | None, Params | None]:
    data = {"name": node} if isinstance(node, str) else dict(node or {})
    name = str(data.pop("name", None) or "sandbox")
    offer = registry.platforms.get(name)
    if offer is None:
        problem = _unknown("platform", name, "platform.name", registry.platforms, registry)
        if not needed and problem.nearest is None:
            return _absent_platform(name), Params()
        problems.append(problem)
        return None, None
    if needed:
        _check_extra(offer, f"platform {name}", "platform.name", problems)
    return offer.spec, validate(offer.spec.params, data, "platform", problems)


def _check_guard(node: Any, registry: Registry, problems: list[Problem]) -> tuple[GuardSpec | None, Params | None]:
    if node is None:
        return None, None
    data = {"name": node} if isinstance(node, str) else dict(node)
    name = data.pop("name", None)
    if not registry.guards:
        problems.append(
            Problem(path="guard", message="no installed plugin offers a guard", hint="take it out with ~guard")
        )
        return None, None
    if name is None:
        known = ", ".join(sorted(registry.guards))
        problems.append(
            Problem(
                path="guard.name",
                message="it does not say which guard",
                expected=f"one of {known}",
                hint="+guard=credits",
            )
        )
        return None, None
    offer = registry.guards.get(str(name))
    if offer is None:
        problems.append(_unknown("guard", str(name), "guard.name", registry.guards, registry))
        return None, None
    _check_extra(offer, f"guard {name}", "guard.name", problems)
    return offer.spec, validate(offer.spec.params, data, "guard", problems)


def _check_trackers(node: Any, registry: Registry, problems: list[Problem]) -> tuple[ChosenTracker, ...]:
    """Return the trackers that the node names: one by its name, or a mapping name → params."""
    data: Mapping[str, Any] = {node: None} if isinstance(node, str) else node if isinstance(node, Mapping) else {}
    if node is not None and not isinstance(node, str | Mapping):
        problems.append(Problem(path="tracker", message="neither a name nor name → params", hint="+tracker=mlflow"))
    chosen = []
    for name, params in data.items():
        path = f"tracker.{name}"
        offer = registry.trackers.get(str(name))
        if offer is None:
            problems.append(_unknown("tracker", str(name), path, registry.trackers, registry))
            continue
        _check_extra(offer, f"tracker {name}", path, problems)
        valid = validate(offer.spec.params, params, path, problems)
        if valid is not None:
            chosen.append(ChosenTracker(spec=offer.spec, params=valid, plugin=offer.plugin.label))
    return tuple(chosen)


def _absent_platform(name: str) -> PlatformSpec:
    """Stand for a platform that is not installed, in a pipeline of which no stage uses one."""

    def refuse(*_: object) -> NoReturn:
        raise PlatformError(f"no installed plugin offers the platform {name!r}")

    return PlatformSpec(name=name, summary="Not installed.", params=Params, open=refuse, identity=refuse)


def _check_stage(
    name: str, data: Any, registry: Registry, dropped: Collection[str], problems: list[Problem]
) -> Stage | None:
    node = validate(StageNode, data, name, problems)
    if node is None:
        return None
    offer = registry.steps.get(node.uses)
    if offer is None:
        problems.append(_unknown("step", node.uses, f"{name}.uses", registry.steps, registry))
        return None
    _check_extra(offer, f"step {offer.spec.id}", f"{name}.uses", problems)
    params = validate(offer.spec.params, node.params, f"{name}.params", problems, what="param")
    return Stage(
        name=name,
        spec=offer.spec,
        plugin=offer.plugin.label,
        # A stage whose params are wrong still takes part in the check of the graph.
        params=params if params is not None else Params(),
        inputs=_inputs(node, offer.spec, dropped),
        resources=node.resources,
        retry=Retry(attempts=node.retry.attempts, backoff_s=node.retry.backoff_s),
        timeout_s=node.timeout_s,
    )


def _inputs(node: StageNode, spec: StepSpec, dropped: Collection[str]) -> dict[str, tuple[Link, ...]]:
    """Return the links of a stage; an input that can do without leaves out stages that were dropped."""
    found: dict[str, tuple[Link, ...]] = {}
    for name, value in node.inputs.items():
        links = _links(value)
        port = spec.inputs.get(name)
        if port is not None and (port.optional or port.many):
            links = [link for link in links if link.stage not in dropped]
        if links:
            found[name] = tuple(links)
    return found


def _links(value: str | list[str]) -> list[Link]:
    from firnline.domain import Link

    parts = [value] if isinstance(value, str) else value
    return [Link(stage=part.partition(".")[0], port=part.partition(".")[2]) for part in parts]


def _check_resources(stage: Stage, platform: PlatformSpec, problems: list[Problem]) -> None:
    for resource, amount in stage.resources.items() if stage.spec.platform else ():
        if resource in platform.supports:
            continue
        reason = platform.lacks.get(resource)
        problems.append(
            Problem(
                path=f"{stage.name}.resources.{resource}",
                message=f"platform {platform.name} has no {resource}" + (f": {reason}" if reason else ""),
                value=str(amount),
                expected=f"any of {', '.join(sorted(platform.supports))}" if platform.supports else "no resources",
                nearest=None if reason else nearest(resource, [*platform.supports, *platform.lacks]),
            )
        )


def _check_extra(
    offer: Offer[StepSpec] | Offer[PlatformSpec] | Offer[GuardSpec] | Offer[TrackerSpec],
    what: str,
    path: str,
    problems: list[Problem],
) -> None:
    missing = missing_modules(offer.spec.modules)
    if missing:
        extra = offer.spec.extra
        install = f"pip install 'firnline[{extra}]'" if extra else f"pip install what {offer.plugin.distribution} names"
        problems.append(
            Problem(path=path, message=f"{what} needs {', '.join(missing)}, not installed here", hint=install)
        )


def _unknown(kind: str, name: str, path: str, known: Mapping[str, Any], registry: Registry) -> Problem:
    if clash := registry.clash(kind, name):
        return Problem(
            path=path,
            message=clash.message,
            value=name,
            hint=f"deny one of them: FIRNLINE_PLUGINS_DENY={clash.plugins[-1].distribution}",
        )
    broken = [f"{report.label}: {report.reason}" for report in registry.plugins if not report.healthy]
    return Problem(
        path=path,
        message=f"no installed plugin offers the {kind} {name!r}",
        value=name,
        expected=None if kind == "step" else f"one of {', '.join(sorted(known))}",
        nearest=nearest(name, known),
        hint="these plugins are not in use: " + "; ".join(broken)
        if broken
        else f"`firnline {'steps' if kind == 'step' else 'plugins'}` lists what is installed",
    )


def _reach(
    reach: Callable[[PlatformSpec, Params], None], platform: PlatformSpec, params: Params, problems: list[Problem]
) -> None:
    try:
        reach(platform, params)
    except FirnlineError as error:
        problems.append(Problem(path="platform", message=error.message, value=platform.name, hint=error.hint))
    except Exception as error:  # noqa: BLE001 (foreign code of the platform's plugin; told with all other problems)
        message = f"it could not be opened: {type(error).__name__}: {error}"
        problems.append(
            Problem(
                path="platform",
                message=message,
                value=platform.name,
                hint="this is an error of the plugin that offers it: report it to the author (`firnline plugins`)",
            )
        )
