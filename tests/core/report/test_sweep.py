"""``sweep.html``: the leaderboard, a chart for each override, what failed."""

from __future__ import annotations

from dataclasses import replace

from firnline.domain import RunRecord, StageRecord
from firnline.record.leaderboard import rank
from firnline.record.sweep_report import render_sweep
from tests.core.report.page import Page


def job(number: int, *overrides: str, auc: float | None, status: str = "finished") -> RunRecord:
    stages = {"evaluate": StageRecord(name="evaluate", status="finished")}
    if auc is not None:
        stages["evaluate"] = replace(stages["evaluate"], metrics={"auc": auc, "loss": 1 - auc})
    if status == "failed":
        stages["train"] = StageRecord(name="train", status="failed", error="ValueError: <b>bad</b>", hint="look")
    return RunRecord(
        run_id=f"run-{number}",
        pipeline="churn",
        status=status,  # type: ignore[arg-type]
        started=1_790_000_000.0 + number,
        seconds=2.0,
        overrides=("data=telco", *overrides),
        sweep_id="sweep-1",
        job=number,
        stages=stages,
    )


JOBS = [
    job(0, "train=xgboost", "train.params.depth=4", auc=0.81),
    job(1, "train=xgboost", "train.params.depth=8", auc=0.84),
    job(2, "train=torch", "train.params.depth=8", auc=None, status="failed"),
]


def test_the_page_of_a_multirun() -> None:
    page = Page(render_sweep(rank(JOBS, metric="auc")))
    page.assert_self_contained()
    for part in ("3 jobs: 2 finished, 1 failed", "Best", "0.8400", "job 1", "data=telco", "higher is better"):
        assert part in page.text
    assert "ValueError: <b>bad</b>" in page.text
    assert page.links.count("../../runs/run-1/report.html") >= 1
    assert 'aria-label="evaluate.auc over train.params.depth"' in page.html
    assert 'aria-label="evaluate.auc over train"' in page.html


def test_without_a_metric_jobs_stand_in_their_order() -> None:
    board = rank(JOBS)
    page = Page(render_sweep(board))
    page.assert_self_contained()
    assert [entry.record.job for entry in board.entries] == [0, 1, 2]
    assert "job 1" not in page.text.partition("Leaderboard")[0]


def test_nothing_foreign_becomes_markup() -> None:
    hostile = "</style><script>alert(1)</script>"
    jobs = [job(0, f"train={hostile}", auc=0.5), job(1, f"train={hostile}2", auc=0.6)]
    Page(render_sweep(rank(jobs, metric="auc"))).assert_self_contained()


def test_all_failed() -> None:
    page = Page(render_sweep(rank([replace(JOBS[2], job=i, run_id=str(i)) for i in range(2)], metric="auc")))
    page.assert_self_contained()
    assert "2 jobs: 2 failed" in page.text


def test_metrics_that_tell_the_jobs_apart_come_first_and_of_these_the_last_stages() -> None:
    def with_rows(number: int, auc: float) -> RunRecord:
        stages = {
            "ingest": StageRecord(name="ingest", status="finished", metrics={"rows": 10.0}),
            "train": StageRecord(name="train", status="finished", metrics={"trees": 50.0 + number}),
            "evaluate": StageRecord(name="evaluate", status="finished", metrics={"auc": auc, "threshold": 0.5}),
        }
        return replace(job(number, f"train.params.depth={number}", auc=auc), stages=stages)

    board = rank([with_rows(1, 0.7), with_rows(2, 0.8)])
    assert board.metrics == ("evaluate.auc", "train.trees", "evaluate.threshold", "ingest.rows")
