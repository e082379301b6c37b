"""Runs in the terminal: end of a run, list, one run, comparison, leaderboard."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest

from firnline.cli.render.leaderboard import render_leaderboard
from firnline.cli.render.runs import ComparedRun, render_comparison, render_run, render_runs
from firnline.cli.render.summary import render_summary, resume_command
from firnline.domain import RunRecord, StageRecord
from firnline.record.leaderboard import rank
from tests.core.samples import RUN, a_plan, failed_events, finished_events, recorded, shown

FAILED = recorded(failed_events())
FINISHED = recorded(finished_events())


def test_summary_of_a_failed_run() -> None:
    assert shown(render_summary(FAILED, report=Path(".firnline/runs/x/report.html"))) == (
        """\
✗ failed  churn  20261122-141502-9f3a  9.1 s
6 stages: 2 finished, 1 reused, 1 failed, 2 skipped.

✗ train  train.xgboost  after 4.0 s
  XGBoostError: unknown objective <b>[red]
  at line 3
  hint: choose binary:logistic
  skipped because of it: evaluate and register

go on   firnline runs resume 20261122-141502-9f3a
report  .firnline/runs/x/report.html"""
    )


def test_summary_of_a_finished_run() -> None:
    text = shown(render_summary(FINISHED))
    assert text.splitlines() == [
        "✓ finished  churn  20261122-141502-9f3a  12 s",
        "6 stages: 5 finished, 1 reused.",
        "",
        "evaluate.roc_auc   0.8421",
        "evaluate.log_loss  0.4000",
    ]


def _stopped_by_a_gate() -> RunRecord:
    stages = {**FAILED.stages, "train": replace(FAILED.stages["train"], gate=True)}
    return replace(FAILED, status="stopped", stages=stages)


def test_summary_says_what_a_gate_stopped() -> None:
    text = shown(render_summary(_stopped_by_a_gate()))
    assert "■ stopped  churn" in text
    assert "■ train" in text


def test_summary_bounds_the_metrics() -> None:
    stage = StageRecord(name="m", status="finished", metrics={f"m{i}": float(i) for i in range(100)})
    record = replace(FINISHED, stages={"m": stage})
    assert "… and 84 more metrics in the report" in shown(render_summary(record))
    assert "m.m99" in shown(render_summary(record, more_metrics=True))


def test_summary_shows_the_last_stages_metrics_first() -> None:
    stages = {name: StageRecord(name=name, status="finished", metrics={"rows": 1.0}) for name in ("ingest", "evaluate")}
    lines = shown(render_summary(replace(FINISHED, stages=stages))).splitlines()
    assert [line.split()[0] for line in lines if ".rows" in line] == ["evaluate.rows", "ingest.rows"]


@pytest.mark.parametrize("status", ["failed", "stopped", "interrupted", "killed"])
def test_unfinished_runs_can_be_resumed(status: str) -> None:
    assert resume_command(replace(FAILED, status=status)) == f"firnline runs resume {RUN}"  # type: ignore[arg-type]


@pytest.mark.parametrize("status", ["finished", "running"])
def test_others_cannot(status: str) -> None:
    assert resume_command(replace(FAILED, status=status)) is None  # type: ignore[arg-type]


def test_list_at_80_columns() -> None:
    assert shown(render_runs([FAILED, FINISHED], zone=UTC)).splitlines() == [
        "run                    pipeline         status        time   stages",
        "───────────────────────────────────────────────────────────────────",
        "20261122-141502-9f3a   churn            ✗ failed     9.1 s   3/6 ○1",
        "20261122-141502-9f3a   churn            ✓ finished    12 s   6/6 ○1",
        "                       roc_auc 0.8421",
    ]


def test_list_at_140_columns() -> None:
    text = shown(render_runs([FINISHED], zone=UTC), 140)
    assert "2026-09-21 14:13" in text
    assert "roc_auc 0.8421  log_loss 0.4000" in text


def test_an_empty_list_says_how_to_begin() -> None:
    assert "firnline run" in shown(render_runs([]))


@pytest.mark.parametrize("width", [80, 140])
def test_one_run(width: int) -> None:
    text = shown(render_run(FINISHED, a_plan(), report="r.html", zone=UTC), width)
    for word in ("CHURN version V1", "from 20261121-101010-aaaa", "FIRNLINE.PUBLIC.FEATURES_1", "r.html", "7,043"):
        assert word in text
    order = [text.index(f"\n{name}") for name in ("ingest", "features", "split", "train", "evaluate", "register")]
    assert order == sorted(order)


def test_one_run_without_its_plan() -> None:
    assert "train.xgboost" in shown(render_run(FAILED, zone=UTC))


def other_run() -> ComparedRun:
    """Another run of the same pipeline: deeper trees, a better metric."""
    evaluate = replace(FINISHED.stages["evaluate"], metrics={"roc_auc": 0.86213, "log_loss": 0.4})
    record = replace(FINISHED, run_id="other", seconds=30.0, stages={**FINISHED.stages, "evaluate": evaluate})
    plan = a_plan()
    stages = (replace(s, params={**s.params, "max_depth": 8}) if s.name == "train" else s for s in plan.stages)
    return ComparedRun(record=record, plan=replace(plan, stages=tuple(stages)))


def test_comparison_highlights_what_differs() -> None:
    text = shown(render_comparison([ComparedRun(record=FINISHED, plan=a_plan()), other_run()]), 100)
    lines = {" ".join(line.split()) for line in text.splitlines()}
    assert "≠ evaluate.roc_auc 0.8421 0.8621 +0.0200" in lines
    assert "evaluate.log_loss 0.4000 0.4000" in lines
    assert "≠ train.max_depth 6 8 +2" in lines
    assert "train.trees.count 200 200" in lines
    assert "expected credits ~0.06 ~0.06" in lines
    assert "time 12 s 30 s" in lines, "times always differ: not highlighted"


def test_comparison_of_differences_only() -> None:
    text = shown(render_comparison([ComparedRun(record=FINISHED, plan=a_plan()), other_run()], only_differences=True))
    assert "train.max_depth" in text
    assert "train.trees.count" not in text
    assert "time by stage" not in text
    same = ComparedRun(record=FINISHED, plan=a_plan())
    assert shown(render_comparison([same, same], only_differences=True)) == "The runs do not differ."


def test_comparison_of_many_runs_is_split_into_blocks() -> None:
    runs = [ComparedRun(record=replace(FINISHED, run_id=f"20261122-141502-{i:04}"), plan=a_plan()) for i in range(7)]
    text = shown(render_comparison(runs), 80)
    assert max(len(line) for line in text.splitlines()) <= 80
    assert all(run.record.run_id in text for run in runs)


def job(number: int, auc: float | None, *overrides: str) -> RunRecord:
    """Return the record of one job of a multirun."""
    metrics = {"roc_auc": auc} if auc is not None else {}
    error = None if auc is not None else "DataError: [bold]no rows"
    stage = StageRecord(name="evaluate", status="failed" if error else "finished", error=error, metrics=metrics)
    return RunRecord(
        run_id=f"run-{number}",
        pipeline="churn",
        status="failed" if error else "finished",
        started=0.0,
        seconds=10.0,
        job=number,
        sweep_id="s",
        overrides=("pipeline=churn", *overrides),
        stages={"evaluate": stage},
    )


JOBS = (
    job(0, 0.81, "train=xgboost", "train.params.seed=1"),
    job(1, None, "train=xgboost", "train.params.seed=2"),
    job(2, 0.84, "train=logistic", "train.params.seed=1"),
)


def test_leaderboard() -> None:
    board = rank(JOBS, metric="roc_auc")
    assert shown(render_leaderboard(board, report=Path("sweep.html"))).splitlines() == [
        "3 jobs ranked by evaluate.roc_auc (higher is better)",
        "all with pipeline=churn",
        "",
        "#   job   train      seed   roc_auc ↑   time   status",
        "─────────────────────────────────────────────────────────",
        "1     2   logistic   1         0.8400   10 s   ✓ finished",
        "2     0   xgboost    1         0.8100   10 s   ✓ finished",
        "–     1   xgboost    2              –   10 s   ✗ failed",
        "",
        "1 job did not finish",
        "✗ job 1  run-1",
        "  evaluate: DataError: [bold]no rows",
        "",
        "report  sweep.html",
    ]


def test_leaderboard_without_a_metric_says_so() -> None:
    assert "not ranked: no metric to rank by was given" in shown(render_leaderboard(rank(JOBS)))


def test_leaderboard_shows_as_many_metrics_as_fit() -> None:
    numbers = {f"measure_{i}": i / 7 for i in range(9)}
    jobs = [
        replace(job, stages={"evaluate": replace(job.stages["evaluate"], metrics={"roc_auc": 0.8, **numbers})})
        for job in JOBS
        if "evaluate" in job.stages
    ]
    narrow = shown(render_leaderboard(rank(jobs, metric="roc_auc")), width=80)
    wide = shown(render_leaderboard(rank(jobs, metric="roc_auc")), width=200)
    assert narrow.count("0.8000") == len(jobs)
    assert narrow.count("measure_") < wide.count("measure_")
    assert "more metrics in the report" in narrow


def test_comparison_tells_what_differs_in_the_environment() -> None:
    runs = [
        ComparedRun(record=replace(FINISHED, run_id=name), environment={"xgboost": version, "python": "3.11"})
        for name, version in (("run-1", "2.0.0"), ("run-2", "3.0.0"))
    ]
    text = shown(render_comparison(runs))
    assert "≠ xgboost" in text
    assert "3.0.0" in text
    assert "python" not in text
