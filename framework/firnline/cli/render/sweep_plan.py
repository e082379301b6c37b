"""The plan of a multirun as a person reads it before saying yes: each distinct stage once, and one closing sentence."""

from __future__ import annotations

from collections.abc import Callable

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from firnline.cli.render.text import MARKS, joined, plain
from firnline.domain.wording import count_text, credits_text, duration_text
from firnline.sweep import SharedStage, SweepPlan


def render_sweep_plan(plan: SweepPlan) -> RenderableType:
    """Return the table of stages and the totals."""
    title = joined(("plan of ", ""), (count_text(len(plan.jobs), "job"), "bold"))
    return Group(title, Text(), _table(plan), Text(), plain(closing_sentence(plan), "bold"))


def closing_sentence(plan: SweepPlan) -> str:
    """Return for example ``6 jobs: 11 distinct stages of 18; 9 run, 2 reused; about 40 s of work.``"""
    needed = sum(len(job.plan.stages) for job in plan.jobs)
    runs, reused = sum(stage.times for stage in plan.stages), sum(s.stage.action == "reuse" for s in plan.stages)
    does = ", ".join(f"{n:,} {word}" for n, word in ((runs, "to run"), (reused, "reused")) if n)
    head = f"{count_text(len(plan.jobs), 'job')}: {len(plan.stages):,} distinct stages of {needed:,}"
    return "; ".join(filter(None, (head, does, _time_clause(plan), _credit_clause(plan)))) + "."


def _time_clause(plan: SweepPlan) -> str:
    running = sum(stage.times > 0 for stage in plan.stages)
    if not running:
        return "nothing to do"
    if plan.unknown == running:
        return "no history yet, so the time is unknown"
    text = f"about {_pair(plan.seconds, duration_text)} of work"
    return text + (f" without {count_text(plan.unknown, 'stage')} that never ran before" if plan.unknown else "")


def _credit_clause(plan: SweepPlan) -> str:
    if plan.credits is None:
        return ""
    beside = f" and {_pair(plan.overhead, credits_text)} beside them" if plan.overhead[1] else ""
    budget = f", of a budget of {credits_text(plan.budget)}" if plan.budget is not None else ""
    return f"about {_pair(plan.credits, credits_text)} credits{beside}{budget}"


def _table(plan: SweepPlan) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    table.add_column("stage", overflow="fold", max_width=40)
    table.add_column("step", overflow="fold", max_width=34)
    table.add_column("jobs", justify="right", no_wrap=True)
    table.add_column("what, and why", overflow="fold", ratio=1, min_width=20)
    table.add_column("p50 – p90", justify="right", no_wrap=True)
    with_credits = plan.credits is not None
    if with_credits:
        table.add_column("credits", justify="right", no_wrap=True)
    for shared in plan.stages:
        cells: list[RenderableType] = [plain(shared.stage.name, "bold"), plain(shared.stage.step)]
        cells += [Text(str(len(shared.jobs))), _decision(shared)]
        cells.append(Text(_pair(shared.seconds, duration_text, "?") if shared.times else ""))
        if with_credits:
            cells.append(Text(_pair(shared.credits, credits_text, "")))
        table.add_row(*cells)
    return table


def _decision(shared: SharedStage) -> Text:
    mark, style = MARKS[shared.stage.action]
    often = f" {shared.times} times" if shared.times > 1 else ""
    return joined((f"{mark} {shared.stage.action}{often}", style), (f": {shared.stage.reason}", "dim"))


def _pair(pair: tuple[float, float] | None, wording: Callable[[float], str], unknown: str = "") -> str:
    if pair is None:
        return unknown
    low, high = wording(pair[0]), wording(pair[1])
    return low if low == high else f"{low} – {high}"
