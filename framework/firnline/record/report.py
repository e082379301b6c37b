"""The page of one run: ``report.html``, one file that loads nothing and runs no script."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from firnline.domain.plan import Plan
from firnline.domain.record import RunRecord
from firnline.domain.wording import duration_text, printable, time_text
from firnline.record.report_graph import Node, Picture, draw_graph
from firnline.record.report_view import StageView, headline, run_seconds, ticks, view_lineage, view_results, view_stages

GRAPH_LIMIT = 60
BESIDE_WIDTH = 575
TILE_LIMIT = 12
RESULT_LIMIT = 20

_BAD = frozenset({"failed", "stopped", "interrupted"})
_KEY = re.compile(r"^(\s*(?:- )*)([^\s#'\"][^:#]*?)(:)(?=\s|$)(.*)$")


def render_report(
    record: RunRecord,
    plan: Plan,
    *,
    config_yaml: str,
    environment: Mapping[str, str],
    project: Path,
    cache: Path | None = None,
) -> str:
    """Return the run's page as HTML.

    Args:
        record: what happened.
        plan: what was to happen.
        config_yaml: the resolved configuration, secrets redacted.
        environment: name → fact: versions, git commit, machine.
        project: the project folder; its name is shown.
        cache: a folder of the user's own for compiled templates, which saves most of the time of a first page.

    Links to reused runs point at ``../RUN_ID/report.html``, so the page is at home in its run's folder.
    """
    stages = view_stages(record, plan, project)
    small = len(stages) <= GRAPH_LIMIT
    picture = _picture(stages, plan) if small and stages else None
    seconds = run_seconds(record)
    lineage = view_lineage(stages, plan)
    detailed = [stage for stage in stages if small or stage.sections or stage.state in _BAD]
    values: dict[str, Any] = {
        "record": record,
        "pipeline": printable(record.pipeline),
        "platform": printable(record.platform),
        "headline": headline(stages),
        "took": duration_text(record.seconds) if record.seconds is not None else "",
        "started": time_text(record.started),
        "project": printable(project.resolve().name),
        "commit": _commit(environment),
        "sweep": _sweep(record),
        "overrides": printable(" ".join(record.overrides)),
        "reason": printable(record.reason),
        "version": printable(environment.get("firnline", "")),
        "stages": stages,
        "failures": [stage for stage in stages if stage.state in _BAD],
        # The stage that measures most is the one that people look for.
        "measured": [stage for stage in reversed(stages) if stage.metrics],  # how good the model is, on top
        "reporting": [stage for stage in stages if stage.sections],
        "detailed": detailed,
        "anchors": {stage.anchor for stage in detailed},
        "tile_limit": TILE_LIMIT,
        "picture": picture,
        "beside": picture is not None and picture.width <= BESIDE_WIDTH,
        "ticks": ticks(seconds),
        "work": _work(record, seconds),
        "resume": _resume(record),
        "lineage": lineage if small else (),
        "results": view_results(lineage)[:RESULT_LIMIT],
        "config": _highlight(printable(config_yaml)),
        "environment": [(printable(name), printable(value)) for name, value in environment.items()],
    }
    return templates(cache).get_template("report.html").render(values)


@cache
def templates(cache_folder: Path | None = None) -> Environment:
    """Return the templates of the pages; everything put into them is escaped."""
    folder = Path(__file__).with_name("templates")
    if cache_folder is not None:
        cache_folder.mkdir(parents=True, exist_ok=True)
    return Environment(
        loader=FileSystemLoader(folder),
        bytecode_cache=FileSystemBytecodeCache(str(cache_folder)) if cache_folder is not None else None,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _picture(stages: Sequence[StageView], plan: Plan) -> Picture:
    upstream = {printable(stage.name): [printable(name) for name in stage.upstream] for stage in plan.stages}
    nodes = [
        Node(
            name=stage.name,
            note=" · ".join(filter(None, (stage.step, stage.seconds))),
            state=_drawn(stage.state),
            title=f"{stage.name}: {stage.label}\n{stage.step}",
            anchor=stage.anchor,
        )
        for stage in stages
    ]
    return draw_graph(nodes, upstream)


def _drawn(state: str) -> str:
    return "failed" if state in _BAD else state


def _commit(environment: Mapping[str, str]) -> str:
    commit = environment.get("git_commit", "")
    if not commit:
        return ""
    return printable(commit[:10]) + (" with changes" if environment.get("git_dirty") == "yes" else "")


def _sweep(record: RunRecord) -> str:
    if not record.sweep_id:
        return ""
    return printable(record.sweep_id) + (f", job {record.job}" if record.job is not None else "")


def _work(record: RunRecord, seconds: float) -> str:
    """Say how much ran beside each other."""
    ran = [stage.seconds for stage in record.stages.values() if stage.seconds is not None]
    if len(ran) < 2 or seconds <= 0:
        return ""
    saved = [stage for stage in record.stages.values() if stage.status == "reused"]
    reuse = f" {len(saved)} more were reused." if saved else ""
    return f"{len(ran)} stages worked {duration_text(sum(ran))} in {duration_text(seconds)}.{reuse}"


def _resume(record: RunRecord) -> str:
    if record.status in {"finished", "running"}:
        return ""
    return f"firnline runs resume {shlex.quote(record.run_id)}"


def _highlight(yaml: str) -> Markup:
    return Markup("\n").join(_highlighted(line) for line in yaml.splitlines())


def _highlighted(line: str) -> Markup:
    if line.lstrip().startswith("#"):
        return Markup('<span class="c">{}</span>').format(line)
    match = _KEY.match(line)
    if match is None:
        return escape(line)
    indent, key, colon, rest = match.groups()
    return Markup('{}<span class="k">{}</span>{}<span class="s">{}</span>').format(indent, key, colon, rest)
