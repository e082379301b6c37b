"""Runs are told to Snowflake Experiments by the real client, and read back with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import firnline_sandbox
from firnline.app import Installed
from firnline.domain import Event, ObserverFailed
from firnline.loading import FoundEntry, Hooks, Selection, build_registry, load_plugins
from firnline_snowpark.experiments.tracker import run_name
from tests.core.conftest import TOY, Project

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")

ENTRIES = [
    TOY,
    FoundEntry(name="sandbox", value="firnline_sandbox.plugin", distribution="firnline", version="1"),
    FoundEntry(name="snowpark", value="firnline_snowpark.plugin", distribution="firnline", version="1"),
]
STAGES = {
    "ingest": {"uses": "ingest.files", "params": {"path": "rows.csv"}},
    "check": {"uses": "check.expect_table", "inputs": {"table": "ingest.table"}, "params": {}},
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("project")
    (folder / "rows.csv").write_text("id,price\n1,$$\n2,$$$\n", encoding="utf-8")
    loaded = load_plugins(entries=ENTRIES, selection=Selection())
    hooks = Hooks(loaded)
    return Project(folder, Installed(hooks=hooks, registry=build_registry(loaded, hooks)))


def read_back(project: Project, experiment: str) -> dict[str, dict[str, Any]]:
    """Return run → status, params, metrics and names of files, as the client lists them."""
    from snowflake.ml.experiment import ExperimentTracking

    session = firnline_sandbox.session(str(next((project.path / ".firnline").glob("sandbox*"))))
    try:
        ExperimentTracking._instance = None
        client = ExperimentTracking(session)
        client.set_experiment(experiment)
        statuses = {
            row["name"]: json.loads(row["metadata"])["status"]
            for row in session.sql(f"SHOW RUNS IN EXPERIMENT {experiment}").collect()
        }
        return {
            name: {
                "status": status,
                "params": _values(client.list_params(name)),
                "metrics": _values(client.list_metrics(name)),
                "files": [entry.name for entry in client.list_artifacts(name, "firnline")],
            }
            for name, status in statuses.items()
        }
    finally:
        session.close()


def _values(frame: Any) -> dict[str, Any]:
    [row] = frame.to_pandas().to_dict("records")
    return {name.strip('"'): value for name, value in row.items()}


def test_runs_are_read_back_with_the_client(project: Project) -> None:
    expect = {"price_known": {"kind": "not_null", "column": "PRICE"}}
    stages = {**STAGES, "check": {**STAGES["check"], "params": {"expect": expect}}}
    project.write(stages, platform={"name": "sandbox"}, tracker="experiments")
    seen: list[Event] = []
    finished = project.run("+pipeline.name=prices", seen=seen)
    assert finished.exit_code == 0
    assert not [event for event in seen if isinstance(event, ObserverFailed)]
    failed = project.run("+pipeline.name=prices", "check.params.expect.price_known.column=PRIZE", seen=seen)
    assert failed.exit_code == 1
    told = read_back(project, "PRICES")
    first, second = (told[run_name(outcome.record.run_id)] for outcome in (finished, failed))
    assert (first["status"], second["status"]) == ("FINISHED", "FAILED")
    assert (first["params"]["ingest.uses"], first["params"]["ingest.path"]) == ("ingest.files", "rows.csv")
    assert first["metrics"]["ingest.seconds"] > 0
    assert second["params"]["firnline.failed_stage"] == "check"
    assert {Path(name).name for name in first["files"]} == {"config.yaml", "plan.json", "environment.json"}


def test_without_a_platform_it_is_an_event_that_says_so(project: Project) -> None:
    project.write({"start": {"uses": "toy.source"}}, platform={"name": "toy"}, tracker="experiments")
    seen: list[Event] = []
    assert project.run(seen=seen).exit_code == 0
    [failure] = [event for event in seen if isinstance(event, ObserverFailed)]
    assert "no stage uses the platform" in failure.message
