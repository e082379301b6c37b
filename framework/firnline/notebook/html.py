"""Plans, runs and sweeps as HTML that stands in a notebook: no script, colours that go with light and dark themes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from firnline.domain.event import skip_reason
from firnline.domain.plan import Plan, PlannedStage
from firnline.domain.record import RunRecord, StageRecord
from firnline.domain.wording import count_text, credits_text, duration_text, number_text, printable, short_names
from firnline.record.report_graph import Node, draw_graph

if TYPE_CHECKING:
    from firnline.notebook.values import ShownSweep
    from firnline.record.leaderboard import Entry, Leaderboard

_GRAPH_LIMIT: Final = 60
_ROWS: Final = 200
_METRICS: Final = 12
_RUN_METRICS: Final = 24
_STATES: Final = {"run": "running", "reuse": "reused", "skip": "skipped", "stopped": "failed", "interrupted": "failed"}
_STYLE: Final = Markup("""<style>
.firnline { font: 14px/1.5 system-ui, sans-serif; max-width: 1100px; }
.firnline .head { font-size: 16px; margin: 4px 0 8px; } .firnline .muted { opacity: .65; }
.firnline table { border-collapse: collapse; margin: 8px 0; }
.firnline th, .firnline td { text-align: left; vertical-align: top; padding: 3px 14px 3px 0; border: 0;
  border-bottom: 1px solid rgb(128 140 150 / 25%); }
.firnline th { font-weight: 600; } .firnline .right { text-align: right; font-variant-numeric: tabular-nums;
  white-space: nowrap; }
.firnline .best td { font-weight: 600; } .firnline .scroll { overflow-x: auto; }
.firnline .finished { --state: #1e8f68; } .firnline .reused { --state: #5b84c4; }
.firnline .failed { --state: #d6493f; } .firnline .running { --state: #1591b3; }
.firnline .skipped, .firnline .waiting { --state: #8592a0; }
.firnline .pill { color: var(--state); font-weight: 600; white-space: nowrap; }
.firnline svg.graph { max-width: 100%; height: auto; font: 13px system-ui, sans-serif; }
.firnline .edge { fill: none; stroke: #8592a0; stroke-width: 1.4; } .firnline .arrow { fill: #8592a0; }
.firnline .box { fill: rgb(128 140 150 / 8%); stroke: var(--state); stroke-width: 1.2; }
.firnline .dot { fill: var(--state); } .firnline .mark { fill: none; stroke: #fff; stroke-width: 1.8; }
.firnline text.name { fill: currentColor; font-weight: 600; } .firnline text.note { fill: currentColor; opacity: .65;
  font-size: 11px; }
</style>""")


def plan_html(plan: Plan) -> str:
    """Return a plan: what runs and what is reused, the graph, and why, stage by stage."""
    counts = {action: sum(stage.action == action for stage in plan.stages) for action in ("run", "reuse", "skip")}
    said = [f"{number} {word}" for word, number in zip(("to run", "reused", "left out"), counts.values(), strict=True)]
    head = Markup('<div class="head"><b>{}</b> on {} <span class="muted">· plan {} · {}</span></div>').format(
        printable(plan.pipeline), printable(plan.platform), plan.hash[:12], ", ".join(s for s in said if s[0] != "0")
    )
    with_credits = any(stage.credits is not None for stage in plan.stages)
    names = ["stage", "step", "what, and why", "time", *(["credits"] if with_credits else [])]
    rows = [_plan_row(stage, with_credits=with_credits) for stage in plan.stages]
    budget = plan.budget_credits
    foot = Markup("<div>budget {} credits</div>").format(credits_text(budget)) if budget is not None else Markup("")
    nodes = [(stage, _STATES[stage.action], stage.reason) for stage in plan.stages]
    return _page(head, _table(names, rows, right={3, 4}), foot, _graph(nodes))


def _plan_row(stage: PlannedStage, *, with_credits: bool) -> list[Any]:
    seconds = stage.estimate
    span = "" if seconds is None else f"{duration_text(seconds.p50_s)} – {duration_text(seconds.p90_s)}"
    spent = [] if not with_credits else [credits_text(stage.credits) if stage.credits is not None else ""]
    action = Markup("{} <span>{}</span>").format(_pill(stage.action, _STATES[stage.action]), printable(stage.reason))
    return [Markup("<b>{}</b>").format(printable(stage.name)), printable(stage.step), action, span, *spent]


def run_html(record: RunRecord, plan: Plan, report: Path) -> str:
    """Return a run: how it ended, the graph, its stages, its metrics, and where its report is."""
    link = Markup('<a href="{}" target="_blank">report</a>').format(report.resolve().as_uri())
    head = Markup('<div class="head">{} <b>{}</b> <span class="muted">{} · {} on {} · {}</span> · {}</div>').format(
        _pill(record.status, _state(record.status)),
        printable(record.pipeline),
        record.run_id,
        count_text(len(record.stages), "stage"),
        printable(record.platform),
        duration_text(record.seconds),
        link,
    )
    ordered = [record.stages[stage.name] for stage in plan.stages if stage.name in record.stages]
    rows = [_stage_row(stage) for stage in ordered]
    states = {stage.name: stage.state for stage in ordered}
    nodes = [(stage, _state(states.get(stage.name, "waiting")), states.get(stage.name, "")) for stage in plan.stages]
    # The last stages tell how good the model is; within one, the order is the stage's own.
    metrics = [
        [printable(f"{stage.name}.{name}"), number_text(value)]
        for stage in reversed(ordered)
        for name, value in stage.metrics.items()
    ]
    table = _table(["stage", "state", "time", "rows", ""], rows, right={2, 3})
    measured = _table(["metric", ""], metrics, right={1}, limit=_RUN_METRICS) if metrics else Markup("")
    return _page(head, table, measured, _graph(nodes))


def _stage_row(stage: StageRecord) -> list[Any]:
    told = stage.error or (f"from {stage.from_run}" if stage.from_run else "")
    if stage.status == "skipped":
        told = skip_reason(stage.because)
    seconds = duration_text(stage.seconds) if stage.seconds is not None else ""
    rows = f"{stage.rows:,}" if stage.rows is not None else ""
    name = Markup("<b>{}</b>").format(printable(stage.name))
    return [name, _pill(stage.state, _state(stage.state)), seconds, rows, printable(told)]


def sweep_html(sweep: ShownSweep) -> str:
    """Return the leaderboard of a sweep, and where its page is."""
    board = sweep.leaderboard
    link = Markup('<a href="{}" target="_blank">sweep.html</a>').format(sweep.page.resolve().as_uri())
    better = "higher" if board.direction == "maximize" else "lower"
    ranked = f"ranked by {board.metric} ({better} is better)" if board.metric else board.note
    head = Markup('<div class="head"><b>{}</b> <span class="muted">{} · {}</span> · {}</div>').format(
        count_text(len(board.entries), "job"), sweep.sweep_id, printable(ranked), link
    )
    labels = short_names((*board.varied, *board.metrics[:_METRICS]))
    metrics = board.metrics[:_METRICS]
    names = ["#", "job", *(printable(labels[name]) for name in (*board.varied, *metrics)), "time", "status"]
    rows = [_entry_row(entry, board) for entry in board.entries]
    first = 2 + len(board.varied)
    table = _table(names, rows, right={0, 1, *range(first, first + len(metrics) + 1)}, best=board.best is not None)
    notes = [
        f"job {note.job} ({' '.join(note.overrides)}) could not start: {note.message}" for note in sweep.not_started
    ]
    notes += [f"stopped: {sweep.stopped}"] if sweep.stopped else []
    told = Markup("").join(Markup("<div>{}</div>").format(printable(note)) for note in notes)
    return _page(head, table, told)


def _entry_row(entry: Entry, board: Leaderboard) -> list[Any]:
    record = entry.record
    bad = next((f": {stage.name}: {stage.error}" for stage in record.stages.values() if stage.error), "")
    status = Markup("{}{}").format(_pill(record.status, _state(record.status)), printable(bad))
    return [
        entry.rank if entry.rank is not None else "–",
        record.job if record.job is not None else "–",
        *(printable(entry.choices.get(path, "–")) for path in board.varied),
        *(number_text(record.metrics[m]) if m in record.metrics else "–" for m in board.metrics[:_METRICS]),
        duration_text(record.seconds),
        status,
    ]


def _graph(stages: Sequence[tuple[PlannedStage, str, str]]) -> Markup:
    """Return the picture of the stages, each with its state and what is shown when the pointer rests on it."""
    if not 0 < len(stages) <= _GRAPH_LIMIT:
        return Markup("")
    nodes = [
        Node(name=printable(stage.name), note=printable(stage.step), state=state, title=f"{stage.name}: {title}")
        for stage, state, title in stages
    ]
    upstream = {printable(stage.name): [printable(name) for name in stage.upstream] for stage, _, _ in stages}
    return Markup('<div class="scroll">{}</div>').format(draw_graph(nodes, upstream).svg)


def _table(
    names: Sequence[str], rows: Sequence[Sequence[Any]], *, right: set[int], best: bool = False, limit: int = _ROWS
) -> Markup:
    def cells(tag: str, values: Iterable[Any]) -> Markup:
        return Markup("").join(
            Markup("<{}{}>{}</{}>").format(tag, Markup(' class="right"') if index in right else "", value, tag)
            for index, value in enumerate(values)
        )

    body = Markup("").join(
        Markup("<tr{}>{}</tr>").format(Markup(' class="best"') if best and index == 0 else "", cells("td", row))
        for index, row in enumerate(rows[:limit])
    )
    more = Markup('<div class="muted">and {} more</div>').format(len(rows) - limit) if len(rows) > limit else ""
    head = cells("th", names)
    return Markup('<div class="scroll"><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>{}</div>').format(
        head, body, more
    )


def _pill(text: str, state: str) -> Markup:
    return Markup('<span class="pill {}">{}</span>').format(state, text)


def _state(status: str) -> str:
    return "failed" if status == "killed" else _STATES.get(status, status)


def _page(*parts: Markup) -> str:
    return str(Markup('<div class="firnline">{}{}</div>').format(_STYLE, Markup("").join(parts)))
