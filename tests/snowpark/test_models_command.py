"""The champion gate and `firnline models` as people use them: the real command line on a project's sandbox."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from firnline.cli.main import run_command
from tests.e2e.test_main_job import firnline, stages

PIPELINE = """
# @package _global_
defaults:
  - /ingest: files
  - /split: random
  - /train: logistic
  - /evaluate: holdout
  - /register: model
  - /promote: champion
  - _self_
pipeline:
  name: small
ingest:
  params: {path: rows.csv}
split:
  inputs: {table: ingest.table}
train:
  params: {target: BOUGHT, identifiers: [_ROW]}
evaluate:
  params: {resamples: 10, importance_rows: 0}
register:
  inputs: {features: ingest.table}
promote:
  params: {resamples: 100}
"""
NAME = "SMALL_BOUGHT"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a small pipeline of which one version is in production."""
    folder: Path = tmp_path_factory.mktemp("promote")
    firnline(folder, "init")
    (folder / "conf" / "pipeline").mkdir(exist_ok=True)
    (folder / "conf" / "pipeline" / "small.yaml").write_text(PIPELINE.lstrip(), encoding="utf-8")
    lines = [f"{n},{n * 7 % 50},{n * 13 % 31},{'yes' if n * 7 % 50 + n * 13 % 31 > 40 else 'no'}" for n in range(900)]
    (folder / "rows.csv").write_text("\n".join(["ID,A,B,BOUGHT", *lines]), encoding="utf-8")
    assert set(run(folder).values()) == {"finished"}
    return folder


def run(project: Path, *overrides: str, exit_code: int = 0) -> dict[str, str]:
    return stages(firnline(project, "run", "--json", "pipeline=small", *overrides, exit_code=exit_code))


def models(project: Path, *arguments: str, exit_code: int = 0) -> str:
    """Run a command in this process: one of its own would first load the SDKs, a dozen times in this file."""
    printed = io.StringIO()
    with contextlib.chdir(project), contextlib.redirect_stdout(printed), mock.patch.dict(os.environ, COLUMNS="200"):
        code = run_command(["models", *arguments, "pipeline=small"])
    assert code == exit_code, printed.getvalue()
    return printed.getvalue()


def lines(printed: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in printed.splitlines()]


def in_production(project: Path) -> str:
    [version] = [
        line["version"] for line in lines(models(project, "list", "--json")) if "PRODUCTION" in line["aliases"]
    ]
    return str(version)


def test_a_worse_candidate_stops_the_run_and_commands_tell_and_undo(project: Path) -> None:
    first = in_production(project)
    # The alias has moved, so it is decided anew, once: the version has it already.
    assert run(project)["promote"] == "finished"
    assert run(project)["promote"] == "reused"
    worse = "train.params.set_aside=[A,B]"
    assert run(project, worse, exit_code=4)["promote"] == "failed"
    assert in_production(project) == first

    listed = lines(models(project, "list", "--json"))
    assert len(listed) == 2
    candidate = listed[0]  # newest first
    assert (candidate["model"], candidate["aliases"]) == (NAME, ["CANDIDATE"])
    assert candidate["run_id"] != listed[1]["run_id"]
    assert candidate["data_version"] == listed[1]["data_version"]
    assert candidate["metrics"]["roc_auc"] < listed[1]["metrics"]["roc_auc"]
    table = models(project, "list")
    assert re.search(rf"{NAME} +{first} +PRODUCTION +ROC AUC [\d.]+", table)

    assert f"{first} → {candidate['version']}" in models(project, "promote", NAME, "candidate", "--note", "a trial")
    assert in_production(project) == candidate["version"]
    shown = models(project, "show", NAME)
    assert "a trial" in shown
    assert "by hand" in shown
    assert "lost" in shown
    [details] = lines(models(project, "show", f"{NAME}/{candidate['version']}", "--json"))
    assert [kept["verdict"] for kept in details["promotions"]] == ["lost", "by hand"]
    assert details["facts"]["target"] == "BOUGHT"
    assert details["comment"].endswith("PRODUCTION by hand: a trial.")
    assert "data version" in models(project, "show", f"{NAME.lower()}/production")

    # After somebody else's promotion the decision is not reused: the better one takes its place again.
    assert run(project)["promote"] == "finished"
    assert in_production(project) == first
    [undone] = lines(models(project, "rollback", NAME, "--json"))
    assert undone == {"model": NAME, "alias": "PRODUCTION", "from": first, "to": candidate["version"]}
    assert f"{first} is PRODUCTION" not in models(project, "rollback", NAME)
    assert in_production(project) == first


def test_what_is_not_there_is_named_with_the_nearest(project: Path) -> None:
    errors = {
        ("show", "SMALL_BUOGHT"): "did you mean SMALL_BOUGHT?",
        ("show", f"{NAME}/PRODUCTIN"): "did you mean PRODUCTION?",
        ("promote", NAME, "PRODUCTION", "--note", " "): "a note has 1 to 500 characters",
        ("list", "--connection", "x", "--sandbox", "y"): "exclude each other",
        ("list", "--sandbox", "nowhere"): "there is no sandbox in nowhere",
    }
    for arguments, told in errors.items():
        # With --json the error is printed as JSON on standard output.
        assert told in models(project, *arguments, "--json", exit_code=2)
    sandbox = next((project / ".firnline").glob("sandbox*"))
    assert len(lines(models(project, "list", "--json", "--sandbox", str(sandbox)))) >= 1
    assert "is PRODUCTION of" in models(project, "promote", NAME, "PRODUCTION", "--note", "again")


def test_without_a_model_the_list_says_so(tmp_path: Path) -> None:
    firnline(tmp_path, "init")
    assert "No model is registered" in firnline(tmp_path, "models", "list")
    assert "no model is registered" in firnline(tmp_path, "models", "show", "X", "--json", exit_code=2)
