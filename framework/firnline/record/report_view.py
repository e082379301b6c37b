"""What the run's page shows, taken from the record and the plan: values that the template only has to lay out."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firnline.domain.artifact import Report, artifact_from_json
from firnline.domain.event import skip_reason
from firnline.domain.plan import Plan, PlannedStage
from firnline.domain.record import RunRecord, StageRecord
from firnline.domain.wording import count_text, dotted, duration_text, number_text, one_line, printable
from firnline.record.report_sections import SectionView, view_section, view_text

PARAM_LIMIT = 2_000
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_]+\Z")
_STATES = ("finished", "reused", "failed", "stopped", "interrupted", "running", "skipped", "waiting")
_RESULT_KINDS = frozenset({"Table", "Model", "Files"})
_LABELS = {"waiting": "not started"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A stage's share of the run's time, in percent of it."""

    left: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StageView:
    """One stage of the page; all texts are printable and not yet escaped."""

    name: str
    anchor: str
    step: str
    plugin: str
    where: str
    state: str
    label: str
    seconds: str
    rows: str
    attempts: int
    bar: Bar | None
    from_run: str
    because: str
    reason: str
    error: str
    hint: str
    skipped: tuple[str, ...]
    key: str
    inputs: tuple[tuple[str, str], ...]
    outputs: tuple[tuple[str, str, str], ...]
    params: tuple[tuple[str, str], ...]
    metrics: tuple[tuple[str, str], ...]
    report_title: str
    sections: tuple[SectionView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageRow:
    """One output of a stage: what it is, what it was made from, and who uses it."""

    name: str
    kind: str
    what: str
    sources: tuple[str, ...]
    users: tuple[str, ...]
    key: str
    from_run: str


def view_stages(record: RunRecord, plan: Plan, project: Path) -> tuple[StageView, ...]:
    """Return all stages in the plan's order, then those that only the record knows."""
    planned = {stage.name: stage for stage in plan.stages}
    names = [*planned, *(name for name in record.stages if name not in planned)]
    span = run_seconds(record)
    return tuple(
        _stage(index, record.stages.get(name, StageRecord(name=name)), planned.get(name), record, span, project)
        for index, name in enumerate(names)
    )


def run_seconds(record: RunRecord) -> float:
    """Return how long the run took; for one that was cut off, until the last sign of a stage."""
    if record.seconds is not None:
        return record.seconds
    known = [stage for stage in record.stages.values() if stage.started is not None]
    return max(((stage.started or 0.0) - record.started + (stage.seconds or 0.0) for stage in known), default=0.0)


def headline(stages: Sequence[StageView]) -> str:
    """Return for example ``9 stages: 5 finished, 4 reused``."""
    counts = Counter(stage.state for stage in stages)
    told = ", ".join(f"{counts[state]:,} {_LABELS.get(state, state)}" for state in _STATES if counts[state])
    return f"{count_text(len(stages), 'stage')}: {told}" if told else "no stages"


def view_lineage(stages: Sequence[StageView], plan: Plan) -> tuple[LineageRow, ...]:
    """Return one row for each output of the run."""
    users: dict[str, list[str]] = {}
    sources: dict[str, list[str]] = {}
    for planned in plan.stages:
        links = [f"{link.stage}.{link.port}" for port in planned.inputs.values() for link in port]
        sources[planned.name] = list(dict.fromkeys(links))
        if state := planned.parts.get("source"):
            sources[planned.name].append(f"what it reads, in state {state[:10]}")
        for link in sources[planned.name]:
            users.setdefault(link, []).append(planned.name)
    return tuple(
        LineageRow(
            name=f"{stage.name}.{port}",
            kind=kind,
            what=what,
            sources=tuple(map(printable, sources.get(stage.name, ()))),
            users=tuple(map(printable, users.get(f"{stage.name}.{port}", ()))),
            key=stage.key,
            from_run=stage.from_run,
        )
        for stage in stages
        for port, kind, what in stage.outputs
    )


def view_results(lineage: Sequence[LineageRow]) -> tuple[LineageRow, ...]:
    """Return what came out of the run: registered models, and tables, models and files that no other stage takes."""
    return tuple(
        row for row in lineage if row.kind == "RegisteredModel" or (row.kind in _RESULT_KINDS and not row.users)
    )


def ticks(seconds: float) -> tuple[tuple[float, str], ...]:
    """Return marks for a time axis: place in percent, and label."""
    if seconds <= 0:
        return ()
    steps = [value * 10**power for power in range(-3, 6) for value in (1, 2, 5)]
    steps += [15, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600]
    step = next((step for step in sorted(steps) if seconds / step <= 6), seconds)
    count = int(seconds / step)
    marks = ((100 * index * step / seconds, duration_text(index * step)) for index in range(1, count + 1))
    return ((0.0, "0"), *marks)


def _stage(
    index: int,
    stage: StageRecord,
    planned: PlannedStage | None,
    record: RunRecord,
    span: float,
    project: Path,
) -> StageView:
    state = _state(stage, planned, record)
    title, sections = _sections(index, stage, project)
    return StageView(
        name=printable(stage.name),
        anchor=f"stage-{stage.name}" if _PLAIN_NAME.match(stage.name) else f"stage:{index}",
        step=printable(stage.step or (planned.step if planned else "")),
        plugin=printable(planned.plugin if planned else ""),
        where=printable(_where(planned)),
        state=state,
        label=_LABELS.get(state, state),
        seconds=duration_text(stage.seconds) if stage.seconds is not None else "",
        rows=f"{stage.rows:,}" if stage.rows is not None else "",
        attempts=stage.attempts,
        bar=_bar(stage, record, span),
        from_run=printable(stage.from_run or ""),
        because=printable(skip_reason(stage.because)) if stage.because else "",
        reason=printable(planned.reason if planned else ""),
        error=printable(stage.error or ""),
        hint=printable(stage.hint or ""),
        skipped=tuple(printable(other.name) for other in record.stages.values() if other.because == stage.name),
        key=printable(stage.key or (planned.key if planned else ""))[:12],
        inputs=_inputs(planned),
        outputs=tuple((printable(port), *_artifact(data)) for port, data in stage.outputs.items()),
        params=_params(planned),
        metrics=tuple((printable(name), number_text(value)) for name, value in stage.metrics.items()),
        report_title=title,
        sections=sections,
    )


def _state(stage: StageRecord, planned: PlannedStage | None, record: RunRecord) -> str:
    if stage.name not in record.stages:
        return "skipped" if planned is not None and planned.action == "skip" else "waiting"
    if stage.status == "running" and record.status != "running":
        return "interrupted"
    return stage.state


def _where(planned: PlannedStage | None) -> str:
    if planned is None:
        return ""
    wants = ", ".join(f"{name} {amount}" for name, amount in planned.resources.items())
    return f"{planned.where} ({wants})" if wants else planned.where


def _bar(stage: StageRecord, record: RunRecord, span: float) -> Bar | None:
    if stage.started is None or span <= 0:
        return None
    left = min(max((stage.started - record.started) / span, 0.0), 1.0)
    length = span if stage.seconds is None else stage.seconds
    return Bar(left=100 * left, width=100 * min(max(length / span, 0.002), 1.0 - left))


def _inputs(planned: PlannedStage | None) -> tuple[tuple[str, str], ...]:
    ports = planned.inputs.items() if planned else ()
    return tuple((printable(port), printable(", ".join(f"{k.stage}.{k.port}" for k in links))) for port, links in ports)


def _params(planned: PlannedStage | None) -> tuple[tuple[str, str], ...]:
    values = dotted(planned.params) if planned else {}
    return tuple((printable(name), _param(value)) for name, value in values.items())


def _param(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return one_line(text, PARAM_LIMIT) if text else '""'


def _artifact(data: Mapping[str, Any]) -> tuple[str, str]:
    """Return an artifact's kind and what it is, in words; another version may have written it, so fields may lack."""
    kind = str(data.get("kind", "unknown"))
    match kind:
        case "Table":
            rows, columns = data.get("rows"), data.get("columns") or ()
            sizes = [f"{rows:,} rows"] if isinstance(rows, int) else []
            sizes += [count_text(len(columns), "column")] if columns else []
            words = ", ".join([str(data.get("name", "")), *sizes])
        case "RegisteredModel":
            words = f"{data.get('name', '')}, version {data.get('version', '')}"
        case "Model":
            features = count_text(len(data.get("features") or ()), "feature")
            words = f"{data.get('framework', '')} {data.get('task', '')}, {features}, predicts {data.get('target', '')}"
        case "Metrics":
            words = count_text(len(data.get("values") or ()), "number")
        case "Report":
            words = f"{data.get('title', '')} ({count_text(len(data.get('sections') or ()), 'section')})"
        case _:
            words = str(data.get("path", ""))
    return printable(kind), one_line(words)


def _sections(index: int, stage: StageRecord, project: Path) -> tuple[str, tuple[SectionView, ...]]:
    titles: list[str] = []
    views: list[SectionView] = []
    for port, data in stage.outputs.items():
        if data.get("kind") != "Report":
            continue
        try:
            report = artifact_from_json(data, project)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            views.append(view_text(f"The report of output {port!r} cannot be read: {type(error).__name__}: {error}"))
            continue
        if isinstance(report, Report):
            titles.append(printable(report.title))
            views += [
                view_section(section, f"f{index}-{len(views) + at}") for at, section in enumerate(report.sections)
            ]
    return " · ".join(filter(None, titles)), tuple(views)
