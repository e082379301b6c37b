"""A really separate distribution, installed with pip, trains in place of ours: swapped in by config alone."""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from firnline.record import Store, list_runs
from tests.installing import install

ROOT = Path(__file__).parents[2]
DISTRIBUTION = Path(__file__).parent / "acme-bayes"
PIPELINE = ("pipeline=tabular", "data.path=people.csv", "data.target=LEFT")

pytest.importorskip("snowflake.ml")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a small table, beside the installed distribution."""
    folder = tmp_path_factory.mktemp("acme")
    install(DISTRIBUTION, target=folder / "site")
    shutil.copytree(ROOT / "conf", folder / "project" / "conf")
    chance = random.Random(3)
    with (folder / "project" / "people.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("AGE", "SPENT", "CITY", "LEFT"))
        for _ in range(400):
            age, spent = chance.gauss(45, 12), chance.gauss(100, 30)
            leaves = age / 12 - spent / 30 + chance.gauss(0, 0.7) > 0.4
            writer.writerow((round(age, 1), round(spent, 2), chance.choice("ABC"), "yes" if leaves else "no"))
    return folder / "project"


def firnline(project: Path, *arguments: str, code: int = 0) -> str:
    environment = {**os.environ, "PYTHONPATH": str(project.parent / "site"), "COLUMNS": "160"}
    command = [sys.executable, "-m", "firnline", *arguments]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def planned(project: Path, *overrides: str) -> dict[str, dict[str, Any]]:
    plan = json.loads(firnline(project, "plan", "--json", *PIPELINE, *overrides))
    return {stage["name"]: stage for stage in plan["stages"]}


def test_it_is_listed_with_its_distribution_and_the_option_that_chooses_it(project: Path) -> None:
    assert "acme-bayes 1.2.0" in firnline(project, "plugins")
    page = firnline(project, "steps", "acme.naive_bayes")
    assert "train=naive_bayes" in page
    assert "acme-bayes 1.2.0" in page


@pytest.mark.slow
def test_swapped_in_by_config_alone_it_runs_the_whole_pipeline(project: Path) -> None:
    ours = planned(project)
    theirs = planned(project, "train=naive_bayes")
    assert ours["train"]["step"].startswith("train.")
    assert (theirs["train"]["step"], theirs["train"]["plugin"]) == ("acme.naive_bayes", "acme-bayes 1.2.0")
    # What comes before the swapped step is the same, and what comes after it is not.
    for name in ("ingest", "prepare", "split"):
        assert theirs[name]["key"] == ours[name]["key"]
    for name in ("train", "evaluate", "register", "score"):
        assert theirs[name]["key"] != ours[name]["key"]

    firnline(project, "run", "--quiet", *PIPELINE, "--only", "ingest")
    firnline(project, "run", "--quiet", *PIPELINE, "train=naive_bayes")
    store = Store(project / ".firnline")
    record = list_runs(store)[0]
    store.close()
    assert record.status == "finished"
    assert record.stages["ingest"].status == "reused"
    assert {stage.status for stage in record.stages.values()} == {"reused", "finished"}
    assert record.stages["train"].step == "acme.naive_bayes"
    # It learnt something, and its model went through registry and scoring like any other.
    assert record.metrics["evaluate.roc_auc"] > 0.8
    assert record.stages["score"].rows == 400
    assert record.stages["register"].outputs

    again = planned(project, "train=naive_bayes", "train.params.smoothing=1e-6")
    assert next(name for name, stage in again.items() if stage["action"] == "run") == "train"
    assert "smoothing" in again["train"]["reason"]


def test_a_wrong_param_of_it_is_told_like_one_of_ours(project: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(project.parent / "site")}
    arguments = ["run", *PIPELINE, "train=naive_bayes", "train.params.smoothing=-1", "train.params.smothing=1"]
    done = subprocess.run(
        [sys.executable, "-m", "firnline", *arguments], cwd=project, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "train.params.smoothing" in done.stderr
    assert "smothing" in done.stderr


def test_it_passes_the_kit(project: Path, tmp_path: Path) -> None:
    test = tmp_path / "test_acme.py"
    test.write_text("from firnline.testing import conformance\n\ntest_acme = conformance('acme-bayes')\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(project.parent / "site")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout
