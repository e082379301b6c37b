"""The main job as a newcomer runs it: the real command line in an empty folder, on a small scale."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import firnline_sandbox

SCALE = ("ingest.params.events=4_000", "features.params.snapshots=4", "evaluate.params.resamples=20")


def firnline(project: Path, *arguments: str, exit_code: int = 0) -> str:
    """Run a command in the project and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "firnline", *arguments],
        cwd=project,
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == exit_code, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def stages(events: str) -> dict[str, str]:
    """Fold the events of ``--json`` into stage → how it ended."""
    ends = {"StageFinished": "finished", "StageReused": "reused", "StageFailed": "failed", "StageSkipped": "skipped"}
    read: list[dict[str, Any]] = [json.loads(line) for line in events.splitlines() if line.startswith("{")]
    return {event["stage"]: ends[event["event"]] for event in read if event.get("event") in ends}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh project in which the main job ran once."""
    folder: Path = tmp_path_factory.mktemp("project")
    firnline(folder, "init")
    ran = stages(firnline(folder, "run", "--json", *SCALE))
    assert set(ran.values()) == {"finished"}
    assert len(ran) == 11
    return folder


def test_main_job_again_and_with_another_model(project: Path) -> None:
    """The second run reuses every stage; another model runs training and what follows it."""
    again = stages(firnline(project, "run", "--json", *SCALE))
    assert set(again.values()) == {"reused"}
    swapped = stages(firnline(project, "run", "--json", *SCALE, "train=logistic"))
    after = {"train", "evaluate", "register", "score", "report"}
    assert {name for name, end in swapped.items() if end == "finished"} == after
    assert {name for name, end in swapped.items() if end == "reused"} == set(again) - after


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what MLflow stands on
def test_the_model_is_trained_inside_the_platform_or_here_by_config_alone(project: Path) -> None:
    """Only `train` is swapped; what follows takes the model as it comes, and MLflow hears of both runs."""
    from mlflow import MlflowClient

    fast = ("evaluate.params.importance_rows=0", "evaluate.params.slices=[]", "register.params.sample_rows=5")
    choices = {
        "train.snowpark": ("train=snowpark", "train.params.estimator=linear", "+train.params.settings.C=0.01"),
        "train.local": ("train=local", "train.params.estimator=lightgbm"),
    }
    for choice in choices.values():
        swapped = stages(firnline(project, "run", "--json", *SCALE, *choice, "+tracker=mlflow", *fast))
        finished = {"train", "evaluate", "register", "score", "report"}
        assert {name for name, end in swapped.items() if end == "finished"} == finished
    client = MlflowClient(tracking_uri=f"sqlite:///{project / '.firnline' / 'mlflow.db'}")
    runs = client.search_runs([client.get_experiment_by_name("churn").experiment_id])
    told = {run.data.params["train.uses"]: run.data for run in runs}
    assert told.keys() == choices.keys()
    for data in told.values():
        assert data.metrics["evaluate.roc_auc"] > 0.55
        assert "CHURN_CHURNED V_" in data.tags["firnline.registered.register"]


def test_scores_are_in_the_platform_and_the_report_is_one_file(project: Path) -> None:
    session = firnline_sandbox.session(str(next((project / ".firnline").glob("sandbox*"))))
    try:
        scored = session.table("CHURN_SCORE_PREDICTIONS")
        assert scored.columns[:4] == ["CUSTOMER_ID", "SNAPSHOT_ON", "PREDICTION", "PROBABILITY"]
        assert 0 < scored.count() == scored.select("CUSTOMER_ID").distinct().count()
        assert [row["name"] for row in session.sql("SHOW MODELS").collect()] == ["CHURN_CHURNED"]
    finally:
        session.close()
    for report in (project / ".firnline" / "runs").glob("*/report.html"):
        page = report.read_text(encoding="utf-8")
        assert "Registered as CHURN_CHURNED" in page
        assert 'src="http' not in page


def test_a_misspelt_column_stops_before_anything_is_trained(project: Path) -> None:
    told = firnline(project, "run", *SCALE, "features.params.attributes=[PLAM]", exit_code=1)
    assert "did you mean 'PLAN'" in " ".join(told.split())
