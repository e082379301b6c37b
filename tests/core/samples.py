"""Small real values to show: a plan, the events of a run that failed and of one that finished, and their records."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

from rich.console import Console, RenderableType

from firnline.domain import (
    Estimate,
    Event,
    Figure,
    Grid,
    Link,
    Plan,
    PlannedStage,
    Report,
    RunRecord,
    Section,
    Text,
    fold,
)
from firnline.domain.event import (
    RunFinished,
    RunStarted,
    StageFailed,
    StageFinished,
    StageProgress,
    StageRetried,
    StageReused,
    StageSkipped,
    StageStarted,
)

NOON = 1_790_000_000.0
RUN = "20261122-141502-9f3a"
EARLIER = "20261121-101010-aaaa"

_STAGES = {
    "ingest": ("generate.churn", ()),
    "features": ("features.churn", ("ingest.table",)),
    "split": ("split.time", ("features.table",)),
    "train": ("train.xgboost", ("split.train", "split.valid")),
    "evaluate": ("evaluate.binary", ("train.model", "split.test")),
    "register": ("register.snowflake", ("train.model", "evaluate.metrics")),
}


def a_stage(name: str, step: str = "toy.add", links: tuple[str, ...] = (), **facts: object) -> PlannedStage:
    """Return a stage that runs because it never ran before."""
    known = {
        "plugin": "firnline 0.1.0",
        "where": "sandbox",
        "runs_in": "thread",
        "key": f"{name}-key",
        "params": {},
        "action": "run",
        "reason": "it never ran before",
    }
    inputs = {f"in{index}": (Link(stage=s, port=p),) for index, (s, p) in enumerate(link.split(".") for link in links)}
    return PlannedStage(name=name, step=step, inputs=inputs, **{**known, **facts})  # type: ignore[arg-type]


def a_plan(*stages: PlannedStage) -> Plan:
    """Return a plan of these stages, or the plan of a churn pipeline in which ``ingest`` is reused."""
    chosen = stages or tuple(a_stage(name, step, links) for name, (step, links) in _STAGES.items())
    plan = Plan(pipeline="churn", platform="sandbox", platform_params={}, workers=2, stages=chosen)
    if stages:
        return plan
    first = replace(
        plan.stages[0], action="reuse", reason=f"nothing changed since run {EARLIER}", reuse_from=EARLIER, credits=None
    )
    train = replace(
        plan.stage("train"),
        where="local",
        resources={"gpu": 1},
        params={"max_depth": 6, "trees": {"count": 200}, "note": "<script>alert(1)</script>"},
        estimate=Estimate(p50_s=20, p90_s=40, samples=5),
        credits=0.02,
        reason=f"params.max_depth changed since run {EARLIER}",
    )
    rest = [replace(stage, estimate=Estimate(p50_s=2, p90_s=2, samples=5), credits=0.01) for stage in plan.stages[1:]]
    return replace(plan, stages=(first, *(train if stage.name == "train" else stage for stage in rest)))


def _table(name: str, rows: int = 7_043) -> dict[str, object]:
    return {"kind": "Table", "name": f"FIRNLINE.PUBLIC.{name}", "rows": rows, "columns": ["A", "B"]}


def _opening() -> list[Event]:
    plan = a_plan()
    return [
        RunStarted(
            at=NOON,
            run_id=RUN,
            pipeline="churn",
            plan_hash=plan.hash,
            pid=1,
            platform="sandbox",
            overrides=("train=xgboost", "train.params.max_depth=6"),
        ),
        StageReused(
            at=NOON + 0.1, stage="ingest", key="ingest-key", from_run=EARLIER, outputs={"table": _table("INGEST_1")}
        ),
        StageStarted(at=NOON + 0.2, stage="features", step="features.churn", attempt=1, attempt_id="a1"),
        StageProgress(at=NOON + 0.5, stage="features", message="windows of 30 days", rows=1_000),
        StageProgress(at=NOON + 0.6, stage="features", message="windows of 60 days", rows=2_000),
        StageRetried(at=NOON + 1.0, stage="features", attempt=1, error="OperationalError: [lost] it", delay_s=1.0),
        StageStarted(at=NOON + 2.0, stage="features", step="features.churn", attempt=2, attempt_id="a2"),
        StageFinished(
            at=NOON + 4.0,
            stage="features",
            key="features-key",
            seconds=2.0,
            rows=7_043,
            outputs={"table": _table("FEATURES_1")},
        ),
        StageStarted(at=NOON + 4.0, stage="split", step="split.time", attempt=1, attempt_id="a3"),
        StageFinished(at=NOON + 5.0, stage="split", key="split-key", seconds=1.0, rows=7_043, outputs={}),
        StageStarted(at=NOON + 5.0, stage="train", step="train.xgboost", attempt=1, attempt_id="a4"),
    ]


def failed_events() -> list[Event]:
    """Return the events of a run whose training fails."""
    return [
        *_opening(),
        StageFailed(
            at=NOON + 9.0,
            stage="train",
            seconds=4.0,
            kind="XGBoostError",
            message="unknown objective <b>[red]\nat line 3",
            hint="choose binary:logistic",
            plugin="snowpark",
        ),
        StageSkipped(at=NOON + 9.0, stage="evaluate", because="train"),
        StageSkipped(at=NOON + 9.0, stage="register", because="train"),
        RunFinished(at=NOON + 9.1, run_id=RUN, status="failed", seconds=9.1),
    ]


def finished_events(*sections: Section) -> list[Event]:
    """Return the events of a run that finishes; ``evaluate`` gives a report with these sections."""
    model = {
        "kind": "Model",
        "path": "m.pkl",
        "framework": "xgboost",
        "task": "binary",
        "features": ["A"],
        "target": "Y",
    }
    report = {"kind": "Report", "title": "Evaluation", "sections": [_section(section) for section in sections]}
    metrics = {"roc_auc": 0.84213, "log_loss": 0.4}
    registered = {"kind": "RegisteredModel", "name": "CHURN", "version": "V1"}
    done = [
        ("train", "train.xgboost", 4.0, {"model": model}, {}),
        (
            "evaluate",
            "evaluate.binary",
            1.0,
            {"metrics": {"kind": "Metrics", "values": metrics}, "report": report},
            metrics,
        ),
        ("register", "register.snowflake", 2.0, {"registered": registered}, {}),
    ]
    events: list[Event] = _opening()[:-1]
    at = NOON + 5.0
    for stage, step, seconds, outputs, numbers in done:
        events.append(StageStarted(at=at, stage=stage, step=step, attempt=1, attempt_id="a"))
        at += seconds
        events.append(
            StageFinished(at=at, stage=stage, key=f"{stage}-key", seconds=seconds, outputs=outputs, metrics=numbers)
        )
    return [*events, RunFinished(at=at, run_id=RUN, status="finished", seconds=at - NOON)]


def _section(section: Section) -> dict[str, object]:
    return {"kind": type(section).__name__, **{name: getattr(section, name) for name in section.__dataclass_fields__}}


def recorded(events: list[Event]) -> RunRecord:
    """Return the record that events amount to."""
    record = fold(events)
    assert record is not None
    return record


def a_report() -> Report:
    """Return a report with each kind of section."""
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="100" height="50"><rect id="r" width="9" height="9"/></svg>'
    return Report(
        title="Evaluation",
        sections=(
            Text(body="First.\n\nSecond <b>."),
            Grid(
                title="Slices", columns=("slice", "rows", "auc"), rows=(("<script>", 10, 0.5), ("ü 日本", 12_000, None))
            ),
            Figure(title="ROC", svg=svg, caption="on the test part"),
        ),
    )


def shown(renderable: RenderableType, width: int = 80, *, terminal: bool = False) -> str:
    """Return what a console of this width shows, without the spaces at the ends of lines."""
    file = StringIO()
    Console(file=file, width=width, force_terminal=terminal, highlight=False).print(renderable)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines())
