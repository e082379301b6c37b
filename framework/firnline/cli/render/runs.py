"""Recorded runs as tables: the list, one run, and several side by side."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any, TypeAlias

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from firnline.cli.render.summary import render_summary
from firnline.cli.render.text import NARROW, Fitted, joined, marked, plain
from firnline.domain.event import skip_reason
from firnline.domain.plan import Plan
from firnline.domain.record import RunRecord, StageRecord
from firnline.domain.wording import credits_text, dotted, duration_text, number_text, one_line, time_text

VALUE_LIMIT = 120
LABEL_WIDTH = 34
RUN_WIDTH = 22
METRICS_IN_LIST = 3

Row: TypeAlias = tuple[str, tuple[Any, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedRun:
    """One column of a comparison. Without a plan there are no params and credits to compare."""

    record: RunRecord
    plan: Plan | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


def render_runs(records: Sequence[RunRecord], *, zone: tzinfo | None = None) -> RenderableType:
    """Return the list of runs in the given order, with the last stage's first metrics as a taste.

    Args:
        records: the runs.
        zone: the time zone of the start times; None is local time.
    """
    if not records:
        return plain("No runs yet. Start one with: firnline run", "dim")
    return Fitted(lambda width: _list(records, zone, narrow=width < NARROW))


def _list(records: Sequence[RunRecord], zone: tzinfo | None, *, narrow: bool) -> Table:
    table = _table()
    table.add_column("run", no_wrap=True)
    table.add_column("pipeline", overflow="fold", max_width=30)
    table.add_column("status", no_wrap=True)
    if not narrow:  # a run's id tells when it started, too
        table.add_column("started", no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    table.add_column("stages", no_wrap=True)
    if not narrow:
        table.add_column("metrics", overflow="fold", style="dim")
    for record in records:
        done = sum(stage.status in {"finished", "reused"} for stage in record.stages.values())
        reused = sum(stage.status == "reused" for stage in record.stages.values())
        below = f"\n{_taste(record, 1)}" if narrow and record.metrics else ""
        table.add_row(
            plain(record.run_id, "bold"),
            joined(record.pipeline, (below, "dim")),
            marked(record.status),
            *([] if narrow else [plain(time_text(record.started, zone)[:16])]),
            Text(duration_text(record.seconds)),
            plain(f"{done}/{len(record.stages)}" + (f" ○{reused}" if reused else "")),
            *([] if narrow else [plain(_taste(record, METRICS_IN_LIST))]),
        )
    return table


def render_run(
    record: RunRecord, plan: Plan | None = None, *, report: str = "", zone: tzinfo | None = None
) -> RenderableType:
    """Return one run: its facts, its stages, what failed, its metrics and how to go on."""
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    for label, value in _facts(record, zone):
        facts.add_row(label, plain(value))
    table = Fitted(lambda width: _stage_table(_stages(record, plan), narrow=width < NARROW))
    parts: list[RenderableType] = [facts, Text(), table, Text(), render_summary(record, more_metrics=True)]
    if report:
        parts.append(joined(("report  ", "dim"), (report, "bold")))
    return Group(*parts)


def _stage_table(stages: Sequence[StageRecord], *, narrow: bool) -> Table:
    table = _table()
    table.add_column("stage", overflow="fold", max_width=28)
    if not narrow:
        table.add_column("step", overflow="fold", max_width=32)
    table.add_column("status", no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    table.add_column("rows", justify="right", no_wrap=True)
    table.add_column("outputs", overflow="fold")
    for stage in stages:
        told = [f"{port}: {_output(data)}" for port, data in stage.outputs.items()]
        if narrow and stage.step:
            names = [joined((stage.name, "bold"), (f"\n{stage.step}", "dim"))]
        else:
            names = [plain(stage.name, "bold")] + ([] if narrow else [plain(stage.step)])
        table.add_row(
            *names,
            marked(stage.state),
            Text(duration_text(stage.seconds) if stage.seconds is not None else ""),
            Text(f"{stage.rows:,}" if stage.rows is not None else ""),
            joined((_origin(stage), "dim"), "\n".join(told)),
        )
    return table


def render_comparison(runs: Sequence[ComparedRun], *, only_differences: bool = False) -> RenderableType:
    """Return runs side by side: facts, metrics, params, time and credits; what differs is highlighted.

    Args:
        runs: two or more runs; the first is the one that numbers are compared with.
        only_differences: leave out rows in which all runs agree.
    """
    parts: list[RenderableType] = []
    for title, rows in _comparison(runs):
        kept = [row for row in rows if not only_differences or _differs(row[1])]
        if not kept:
            continue
        parts += [plain(title, "bold"), _fitted_comparison(runs, kept), Text()]
    same = "The runs do not differ." if only_differences else "There is nothing to compare."
    return Group(*parts) if parts else plain(same, "dim")


def _comparison(runs: Sequence[ComparedRun]) -> Iterable[tuple[str, list[Row]]]:
    records = [run.record for run in runs]
    facts: list[Row] = [
        ("pipeline", tuple(record.pipeline for record in records)),
        ("status", tuple(record.status for record in records)),
        ("platform", tuple(record.platform for record in records)),
        ("overrides", tuple(" ".join(record.overrides) for record in records)),
        ("expected credits", tuple(_expected_credits(run.plan) for run in runs)),
        ("time", tuple(Seconds(record.seconds) for record in records)),
    ]
    yield "runs", [row for row in facts if any(str(value) for value in row[1])]
    yield "metrics", _rows([record.metrics for record in records])
    yield "steps", _rows([_steps(run.plan) for run in runs])
    yield "params", _rows([_params(run.plan) for run in runs])
    yield (
        "time by stage",
        _rows([{name: Seconds(stage.seconds) for name, stage in record.stages.items()} for record in records]),
    )
    # Versions and commit: a long list, of which only the differences tell something.
    yield "environment", [row for row in _rows([run.environment for run in runs]) if _differs(row[1])]


@dataclass(frozen=True, slots=True)
class Seconds:
    """A time in a comparison: shown as a duration and, since times always differ a little, never highlighted."""

    value: float | None


def _expected_credits(plan: Plan | None) -> str:
    amounts = [stage.credits for stage in plan.stages if stage.credits is not None] if plan else []
    return f"~{credits_text(sum(amounts))}" if amounts else ""


def _steps(plan: Plan | None) -> dict[str, Any]:
    return {stage.name: stage.step for stage in plan.stages} if plan else {}


def _params(plan: Plan | None) -> dict[str, Any]:
    stages = plan.stages if plan else ()
    return {f"{stage.name}.{name}": value for stage in stages for name, value in dotted(stage.params).items()}


def _rows(columns: Sequence[Mapping[str, Any]]) -> list[Row]:
    names = dict.fromkeys(name for column in columns for name in column)
    return [(name, tuple(column.get(name) for column in columns)) for name in names]


def _differs(values: Sequence[Any]) -> bool:
    return not any(isinstance(value, Seconds) for value in values) and any(value != values[0] for value in values[1:])


def _fitted_comparison(runs: Sequence[ComparedRun], rows: Sequence[Row]) -> RenderableType:
    """Split the runs into blocks that fit side by side, the first run at the head of each."""

    def build(width: int) -> RenderableType:
        room = max((width - LABEL_WIDTH) // RUN_WIDTH - 1, 1)
        blocks = [range(start, min(start + room, len(runs))) for start in range(1, len(runs), room)] or [range(0)]
        tables = []
        for block in blocks:
            chosen = (0, *block)
            picked = [(name, tuple(values[index] for index in chosen)) for name, values in rows]
            differing = frozenset(name for name, values in rows if _differs(values))
            tables.append(_side_by_side([runs[index] for index in chosen], picked, differing))
        return Group(*tables)

    return Fitted(build)


def _side_by_side(runs: Sequence[ComparedRun], rows: Sequence[Row], differing: Collection[str]) -> Table:
    table = _table()
    table.add_column("", overflow="fold", style="dim", min_width=12, max_width=LABEL_WIDTH - 2)
    for run in runs:
        table.add_column(plain(run.record.run_id), overflow="fold")
    for name, values in rows:
        differs = name in differing
        mark = joined(("≠ ", "bold yellow") if differs else "  ", (name, "bold" if differs else "dim"))
        cells = [_compared(value, values[0], differs=differs, first=index == 0) for index, value in enumerate(values)]
        table.add_row(mark, *cells)
    return table


def _compared(value: Any, reference: Any, *, differs: bool, first: bool) -> Text:
    style = "bold yellow" if differs and not first and value != reference else "bold" if differs else ""
    text = plain(_value(value), style)
    if not first and differs and _is_number(value) and _is_number(reference):
        change = value - reference
        text.append(f"  {'+' if change >= 0 else '-'}{number_text(abs(change))}", style="dim")
    return text


def _value(value: Any) -> str:
    match value:
        case None:
            return "–"
        case Seconds():
            return duration_text(value.value)
        case float() | int():
            return number_text(value)
        case _:
            return one_line(value, VALUE_LIMIT)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _taste(record: RunRecord, count: int) -> str:
    for stage in reversed(tuple(record.stages.values())):
        if stage.metrics:
            shown = list(stage.metrics.items())[:count]
            return "  ".join(f"{name} {number_text(value)}" for name, value in shown)
    return ""


def _facts(record: RunRecord, zone: tzinfo | None) -> Iterable[tuple[str, str]]:
    yield "run", record.run_id
    yield "pipeline", record.pipeline
    yield "platform", record.platform
    yield "started", time_text(record.started, zone)
    yield "time", duration_text(record.seconds)
    yield "plan", record.plan_hash[:12]
    if record.overrides:
        yield "overrides", " ".join(record.overrides)
    if record.reason:
        yield "reason", record.reason
    if record.requested_by:
        yield "asked for by", record.requested_by
    for request in record.requests:
        yield "asked for", f"{' '.join(request.overrides)} ({request.reason})"
    if record.sweep_id:
        yield "sweep", record.sweep_id + (f", job {record.job}" if record.job is not None else "")


def _stages(record: RunRecord, plan: Plan | None) -> list[StageRecord]:
    order = {stage.name: index for index, stage in enumerate(plan.stages)} if plan else {}
    return sorted(record.stages.values(), key=lambda stage: order.get(stage.name, len(order)))


def _origin(stage: StageRecord) -> str:
    if stage.from_run:
        return f"from {stage.from_run}" + ("\n" if stage.outputs else "")
    return skip_reason(stage.because) if stage.because else ""


def _output(data: Mapping[str, Any]) -> str:
    kind = str(data.get("kind", "?"))
    match kind:
        case "Table":
            rows = f", {data['rows']:,} rows" if isinstance(data.get("rows"), int) else ""
            return f"{data.get('name', '?')}{rows}"
        case "RegisteredModel":
            return f"{data.get('name', '?')} version {data.get('version', '?')}"
        case "Metrics":
            return f"{len(data.get('values', {}))} metrics"
        case _:
            return " ".join(filter(None, (kind, str(data.get("path", "")))))


def _table() -> Table:
    return Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
