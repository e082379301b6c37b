"""The plan as a person reads it before saying yes: a table, the graph and one closing sentence."""

from __future__ import annotations

from collections.abc import Iterable

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from firnline.cli.render.graph import render_graph
from firnline.cli.render.text import MARKS, NARROW, Fitted, joined, plain
from firnline.domain.plan import Estimate, Plan, PlannedStage
from firnline.domain.wording import count_text, credits_text, duration_text, names_text


def render_plan(plan: Plan, *, graph: bool = True) -> RenderableType:
    """Return title, table, graph and closing sentence of a plan."""
    title = joined((plan.pipeline, "bold"), (f" on {plan.platform}", "dim"), (f" · plan {plan.hash[:12]}", "dim"))
    if shared := _shared_plugin(plan):
        title.append_text(joined((f" · steps from {shared}", "dim")))
    parts: list[RenderableType] = [title, Text(), Fitted(lambda width: _table(plan, narrow=width < NARROW))]
    if graph and plan.stages:
        parts += [Text(), render_graph(plan)]
    return Group(*parts, Text(), plain(closing_sentence(plan), "bold"))


def closing_sentence(plan: Plan) -> str:
    """Return for example ``7 stages: 2 run, 5 reused; about 40 s.``"""
    counts = {action: sum(stage.action == action for stage in plan.stages) for action in ("run", "reuse", "skip")}
    named = {"run": "run", "reuse": "reused", "skip": "left out"}
    does = ", ".join(f"{counts[action]:,} {word}" for action, word in named.items() if counts[action])
    head = f"{count_text(len(plan.stages), 'stage')}: {does}" if plan.stages else "no stages"
    return "; ".join(filter(None, (head, _time_clause(plan), _credit_clause(plan)))) + "."


def expected_seconds(plan: Plan) -> tuple[float, float]:
    """Return p50 and p90 of the whole run: its longest chain, or all work shared among the workers if that is more."""
    ends: dict[str, tuple[float, float]] = {}
    work = [0.0, 0.0]
    for stage in plan.stages:
        own = _own_seconds(stage)
        before = [ends[name] for name in stage.upstream if name in ends]
        ends[stage.name] = (
            max((end[0] for end in before), default=0.0) + own[0],
            max((end[1] for end in before), default=0.0) + own[1],
        )
        work = [work[0] + own[0], work[1] + own[1]]
    longest = [max((end[index] for end in ends.values()), default=0.0) for index in (0, 1)]
    workers = max(plan.workers, 1)
    return max(longest[0], work[0] / workers), max(longest[1], work[1] / workers)


def _own_seconds(stage: PlannedStage) -> tuple[float, float]:
    if stage.action != "run" or stage.estimate is None:
        return 0.0, 0.0
    return stage.estimate.p50_s, stage.estimate.p90_s


def _time_clause(plan: Plan) -> str:
    running = [stage for stage in plan.stages if stage.action == "run"]
    unknown = [stage.name for stage in running if stage.estimate is None]
    if not running:
        return "nothing to do" if plan.stages else ""
    if len(unknown) == len(running):
        return "no history yet, so the time is unknown"
    p50, p90 = expected_seconds(plan)
    about = f"about {duration_text(p50)}"
    if p90 >= 1.5 * p50 and p90 - p50 >= 1:
        about += f" (at worst {duration_text(p90)})"
    return about + (f" without {names_text(unknown)}, which never ran before" if unknown else "")


def _credit_clause(plan: Plan) -> str:
    known = [(stage.credits, stage.credits_p90) for stage in plan.stages if _credits(stage) is not None]
    if not known and plan.overhead_credits is None:
        return ""
    beside = plan.overhead_credits or 0.0
    p50 = sum(low or 0.0 for low, _ in known) + beside
    p90 = sum((high if high is not None else low) or 0.0 for low, high in known) + beside
    text = f"about {credits_text(p50)} credits"
    if credits_text(p90) != credits_text(p50):
        text += f" (at worst {credits_text(p90)})"
    if beside:
        text += f", {credits_text(beside)} of them to start the warehouse and let it idle"
    return text + (f", of a budget of {credits_text(plan.budget_credits)}" if plan.budget_credits is not None else "")


def _credits(stage: PlannedStage) -> float | None:
    return stage.credits if stage.action == "run" else None


def _credit_range(stage: PlannedStage) -> str:
    amount = _credits(stage)
    if amount is None:
        return ""
    low, high = credits_text(amount), credits_text(stage.credits_p90 if stage.credits_p90 is not None else amount)
    return low if low == high else f"{low} – {high}"


def _shared_plugin(plan: Plan) -> str | None:
    plugins = {stage.plugin for stage in plan.stages}
    return next(iter(plugins)) if len(plugins) == 1 else None


def _table(plan: Plan, *, narrow: bool) -> Table:
    shared = _shared_plugin(plan) is not None
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    with_credits = any(_credits(stage) is not None for stage in plan.stages)
    with_time = any(stage.estimate is not None for stage in plan.stages)
    table.add_column("stage", overflow="fold", max_width=28 if narrow else 40)
    table.add_column("step", overflow="fold", max_width=26 if narrow else 34)
    if not narrow:
        if not shared:
            table.add_column("plugin", overflow="fold", style="dim")
        table.add_column("where", overflow="fold")
    table.add_column("what, and why", overflow="fold", ratio=1, min_width=20)
    if with_time:
        table.add_column("p50 – p90", justify="right", no_wrap=True)
    if with_credits:
        table.add_column("credits", justify="right", no_wrap=True)
    for stage in plan.stages:
        faded = "dim" if stage.action == "skip" else ""
        cells: list[RenderableType] = [plain(stage.name, faded or "bold")]
        cells += _step_cells(stage, faded, narrow=narrow, shared=shared, platform=plan.platform)
        cells.append(_decision(stage))
        if with_time:
            cells.append(Text(_time(stage.estimate) if stage.action == "run" else ""))
        if with_credits:
            cells.append(Text(_credit_range(stage)))
        table.add_row(*cells)
    return table


def _step_cells(
    stage: PlannedStage, faded: str, *, narrow: bool, shared: bool, platform: str
) -> Iterable[RenderableType]:
    plugin = "" if shared else stage.plugin
    if not narrow:
        yield plain(stage.step, faded)
        if plugin:
            yield plain(plugin)
        yield plain(_where(stage), faded)
        return
    where = _where(stage)
    below = " · ".join(part for part in (where if where != platform else "", plugin) if part)
    yield joined((stage.step, faded), (f"\n{below}" if below else "", "dim"))


def _decision(stage: PlannedStage) -> Text:
    mark, style = MARKS[stage.action]
    text = joined((f"{mark} {stage.action}", style))
    origin = f" from {stage.reuse_from}" if stage.reuse_from and stage.reuse_from not in stage.reason else ""
    if stage.action == "reuse" and origin:
        text.append_text(joined((origin, style)))
    if stage.reason:
        text.append_text(joined((f": {stage.reason}", "dim")))
    return text


def _where(stage: PlannedStage) -> str:
    wants = ", ".join(f"{name} {amount}" for name, amount in stage.resources.items())
    return f"{stage.where} ({wants})" if wants else stage.where


def _time(estimate: Estimate | None) -> str:
    if estimate is None:
        return "?"
    low, high = duration_text(estimate.p50_s), duration_text(estimate.p90_s)
    return low if low == high else f"{low} – {high}"
