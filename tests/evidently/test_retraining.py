"""Drift asks for a retraining: rarely enough, with its reason, and through the gates of the pipeline that trains."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from snowflake.snowpark import Session

from firnline.domain import StepContext
from firnline.record import Store, list_runs, load_run
from firnline.testing import step_context
from firnline_evidently.params import RetrainParams
from firnline_evidently.retraining import Answer, ask_for_retraining
from firnline_evidently.verdict import Verdict
from tests.evidently.conftest import SCHEMA, receiving

DRIFT = Verdict(columns=(), reasons=("2 of 5 columns have drifted: AGE, PLAN",))


class Monitors:
    """Stages of several runs that find drift and ask."""

    def __init__(self, session: Session, folder: Path) -> None:
        self.session, self.folder = session, folder
        self.requests: list[tuple[tuple[str, ...], str]] = []

    def context(self, run_id: str) -> StepContext:
        context = step_context(self.folder, stage="monitor", schema=SCHEMA, session=lambda: self.session)
        ask = lambda overrides, reason: self.requests.append((overrides, reason))  # noqa: E731
        return replace(context, run_id=run_id, ask_run=ask)

    def ask(self, run_id: str, **params: object) -> Answer:
        settings = RetrainParams(**({"pipeline": "churn", "overrides": ("+promote=champion",)} | params))
        return ask_for_retraining(self.context(run_id), settings, DRIFT)


@pytest.fixture
def monitors(session: Session, tmp_path: Path) -> Monitors:
    session.sql(f"DROP TABLE IF EXISTS {SCHEMA}.DRIFT_RETRAININGS").collect()
    return Monitors(session, tmp_path)


def test_the_cool_down_holds_between_runs_and_for_one_training_pipeline(monitors: Monitors) -> None:
    assert monitors.ask("run-1").asked
    [(overrides, reason)] = monitors.requests
    assert overrides == ("pipeline=churn", "+promote=champion")
    assert reason == "drift found by test.monitor in run run-1: 2 of 5 columns have drifted: AGE, PLAN"
    second = monitors.ask("run-2")
    assert not second.asked
    assert "the cool-down is 7 days" in second.told
    assert monitors.ask("run-2", pipeline="upsell").asked
    assert len(monitors.requests) == 2


def test_the_cap_holds_where_the_cool_down_does_not(monitors: Monitors) -> None:
    asked = [monitors.ask(f"run-{number}", cooldown_days=0, at_most=2, within_days=10) for number in range(4)]
    assert [answer.asked for answer in asked] == [True, True, False, False]
    assert "there were 2 within 10 days already, and no more than 2 are allowed" in asked[-1].told
    assert len(monitors.requests) == 2
    # What lies further back does not count.
    age = f"UPDATE {SCHEMA}.DRIFT_RETRAININGS SET ASKED_AT = DATEADD(DAY, -11, ASKED_AT)"
    monitors.session.sql(age).collect()
    assert monitors.ask("run-9", cooldown_days=0, at_most=2, within_days=10).asked


def test_a_second_attempt_of_one_run_asks_no_second_time(monitors: Monitors) -> None:
    assert monitors.ask("run-1", cooldown_days=0).asked
    assert not monitors.ask("run-1", cooldown_days=0).asked
    assert len(monitors.requests) == 1


def customers(rows: int, seed: int, *, shift: float = 0.0) -> pd.DataFrame:
    """Draw customers of whom some leave."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "ID": np.arange(rows),
            "AGE": rng.normal(45 + shift, 10, rows).round(2),
            "SPEND": rng.exponential(30 + shift, rows).round(2),
            "PLAN": rng.choice(["basic", "plus"], rows),
        }
    )
    odds = (frame["AGE"] - 45 - shift) / 5 + (frame["PLAN"] == "plus") - 0.5
    frame["LEFT"] = np.where(rng.random(rows) < 1 / (1 + np.exp(-odds)), "yes", "no")
    return frame


WATCH = {
    "defaults": ["firnline", {"platform": "sandbox"}, {"pipeline": "watch"}, "_self_"],
}
PIPELINE = {
    "defaults": [{"/ingest@past": "files"}, {"/ingest@today": "files"}, {"/monitor": "evidently"}, "_self_"],
    "pipeline": {"name": "watch"},
    "past": {"params": {"path": "past.csv"}},
    "today": {"params": {"path": "today.csv"}},
    "monitor": {
        "inputs": {"reference": "past.table", "current": "today.table"},
        "params": {
            "page": False,
            "ignore": ["ID"],
            "fail_on_drift": True,
            "alerts": ["DRIFT_RECEIVER"],
            "on_drift": "retrain",
            "retrain": {
                "pipeline": "tabular",
                "overrides": [
                    *("data.path=today.csv", "data.target=LEFT", "train=logistic"),
                    *("+promote=champion", "~score", "~report"),
                ],
            },
        },
    },
}


@pytest.mark.slow
def test_planted_drift_alerts_and_trains_anew_through_the_gate_once(tmp_path: Path) -> None:
    (tmp_path / "conf" / "pipeline").mkdir(parents=True)
    (tmp_path / "conf" / "config.yaml").write_text(yaml.safe_dump(WATCH))
    written = "# @package _global_\n" + yaml.safe_dump(PIPELINE)
    (tmp_path / "conf" / "pipeline" / "watch.yaml").write_text(written)
    customers(900, seed=1).to_csv(tmp_path / "past.csv", index=False)
    customers(900, seed=2, shift=25).to_csv(tmp_path / "today.csv", index=False)
    command = [sys.executable, "-m", "firnline", "run"]
    with receiving() as (url, bodies):
        environment = {**os.environ, "DRIFT_RECEIVER": url}
        for _ in range(2):
            found = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240)
            assert found.returncode == 4, found.stdout + found.stderr
    store = Store(tmp_path / ".firnline")
    try:
        first, trained, again = [load_run(store, record.run_id) for record in reversed(list_runs(store))]
    finally:
        store.close()
    assert (first.status, first.pipeline, trained.status, trained.pipeline) == (
        *("stopped", "watch"),
        *("finished", "tabular"),
    )
    assert trained.requested_by == first.run_id
    assert trained.reason.startswith(f"drift found by watch.monitor in run {first.run_id}: 2 of 5 columns have drifted")
    assert trained.stages["promote"].status == trained.stages["register"].status == "finished"
    # The same drift is found again, told again, and trains nothing: the cool-down is remembered on the platform.
    assert (again.status, again.requests) == ("stopped", ())
    assert ["A run of tabular is asked for" in body["message"] for body in bodies] == [True, False]
    assert "the cool-down is 7 days" in bodies[1]["message"]
