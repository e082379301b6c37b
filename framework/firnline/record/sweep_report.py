"""The page of a multirun: ``sweep.html`` with the leaderboard, a chart for each swept override, and what failed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from firnline.domain.wording import count_text, duration_text, number_text, printable, short_names, time_text
from firnline.record.leaderboard import Entry, Leaderboard
from firnline.record.report import templates
from firnline.record.sweep_chart import Point, draw_chart

METRIC_LIMIT = 8
CHART_LIMIT = 12
_REPORTS = "../../runs/{}/report.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """One row of the page."""

    number: str
    run_id: str
    link: str
    rank: str
    best: bool
    status: str
    seconds: str
    choices: tuple[str, ...]
    metrics: tuple[str, ...]
    errors: tuple[tuple[str, str, str], ...]


def render_sweep(board: Leaderboard, *, links: Mapping[str, str] | None = None, cache: Path | None = None) -> str:
    """Return the page of a multirun as HTML.

    Args:
        board: the ranked jobs.
        links: run id → where its report is, relative to the page; by default the page is taken to lie in
            ``sweeps/SWEEP_ID/`` beside ``runs/``.
        cache: a folder of the user's own for compiled templates.
    """
    metrics = board.metrics[:METRIC_LIMIT]
    jobs = [_job(entry, board, metrics, links) for entry in board.entries]
    names = short_names((*board.varied, *metrics))
    records = [entry.record for entry in board.entries]
    started = min((record.started for record in records), default=0.0)
    ends = [record.started + (record.seconds or 0.0) for record in records]
    best = board.best
    values: dict[str, Any] = {
        "pipeline": printable(" · ".join(dict.fromkeys(record.pipeline for record in records))) or "multirun",
        "sweep": printable(next((record.sweep_id for record in records if record.sweep_id), "")),
        "headline": _headline(board),
        "state": _state(board),
        "started": time_text(started) if records else "",
        "took": duration_text(max(ends) - started) if records else "",
        "work": duration_text(sum(record.seconds or 0.0 for record in records)),
        "platform": printable(", ".join(dict.fromkeys(record.platform for record in records))),
        "shared": printable(" ".join(board.shared)),
        "metric": printable(board.metric or ""),
        "better": "higher is better" if board.direction == "maximize" else "lower is better",
        "note": printable(board.note),
        "varied": [printable(path) for path in board.varied],
        "metrics": [printable(name) for name in metrics],
        "short": {printable(name): printable(short) for name, short in names.items()},
        "hidden_metrics": len(board.metrics) - len(metrics),
        "jobs": jobs,
        "best": next((job for job in jobs if job.best), None),
        "best_value": number_text(best.value) if best and best.value is not None else "",
        "failures": [job for job, entry in zip(jobs, board.entries, strict=True) if entry.failed],
        "charts": _charts(board),
        "chart_metric": printable(metrics[0]) if metrics else "",
    }
    return templates(cache).get_template("sweep.html").render(values)


def _headline(board: Leaderboard) -> str:
    counts = Counter(entry.record.status for entry in board.entries)
    told = ", ".join(f"{count:,} {status}" for status, count in counts.most_common())
    return f"{count_text(len(board.entries), 'job')}: {told}" if told else "no jobs"


def _state(board: Leaderboard) -> str:
    failed = sum(entry.failed for entry in board.entries)
    return "finished" if not failed else "failed" if failed == len(board.entries) else "stopped"


def _job(entry: Entry, board: Leaderboard, metrics: tuple[str, ...], links: Mapping[str, str] | None) -> _Job:
    record = entry.record
    failed = [stage for stage in record.stages.values() if stage.status == "failed"]
    return _Job(
        number=str(record.job) if record.job is not None else "–",
        run_id=printable(record.run_id),
        link=links.get(record.run_id, "") if links is not None else _REPORTS.format(record.run_id),
        rank=str(entry.rank) if entry.rank is not None else "–",
        best=entry is board.best,
        status=record.status,
        seconds=duration_text(record.seconds),
        choices=tuple(printable(entry.choices.get(path, "–")) for path in board.varied),
        metrics=tuple(number_text(record.metrics[name]) if name in record.metrics else "–" for name in metrics),
        errors=tuple(
            (printable(stage.name), printable(stage.error or "no message"), printable(stage.hint or ""))
            for stage in failed
        ),
    )


def _charts(board: Leaderboard) -> list[Markup]:
    """Return a chart for each override that differs, as long as there is a metric with values to show."""
    metric = board.metrics[0] if board.metrics else None
    if metric is None:
        return []
    charts = []
    for path in board.varied[:CHART_LIMIT]:
        points = [
            Point(
                choice=entry.choices.get(path, "–"),
                value=value,
                title=f"job {entry.record.job}: {number_text(value)}\n"
                + "\n".join(f"{name}={choice}" for name, choice in entry.choices.items()),
                best=entry is board.best,
            )
            for entry in board.entries
            if (value := entry.record.metrics.get(metric)) is not None and math.isfinite(value)
        ]
        if points:
            charts.append(draw_chart(points, metric, path))
    return charts
