"""Runs are told to a real MLflow store, and read back with MLflow's own client."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from firnline.app import Installed, RunOptions, run_pipeline
from firnline.domain import Event, ObserverFailed
from firnline.loading import FoundEntry, Hooks, Selection, build_registry, load_plugins
from firnline.testing import conformance
from firnline_mlflow.connecting import connect
from firnline_mlflow.params import MlflowParams
from tests.core.conftest import TOY, Project

# MLflow's own, at import and while it makes its tables.
pytestmark = pytest.mark.filterwarnings("ignore")

ENTRIES = [
    TOY,
    FoundEntry(name="mlflow", value="firnline_mlflow.plugin", distribution="firnline", version="1"),
    FoundEntry(name="tracked", value="tests.mlflow.steps", distribution="firnline-tracked", version="1"),
    FoundEntry(name="tracker", value="tests.core.toy_tracker", distribution="firnline-toy-tracker", version="1"),
]
FILES = ("config.yaml", "plan.json", "environment.json", "overrides.json", "events.jsonl")
FIT = {"fit": {"uses": "tracked.fit", "params": {"alpha": 0.5, "options": {"depth": 3}}}}

test_conformance = conformance("mlflow", module="firnline_mlflow.plugin", conf="firnline_mlflow.conf")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store whose tables are made once; tests use an experiment each."""
    file = tmp_path_factory.mktemp("mlflow") / "runs.db"
    connect(MlflowParams(), f"sqlite:///{file}")
    return file


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    loaded = load_plugins(entries=ENTRIES, selection=Selection())
    hooks = Hooks(loaded)
    return Project(tmp_path, Installed(hooks=hooks, registry=build_registry(loaded, hooks)))


def tracked(project: Project, store: Path, experiment: str, *overrides: str, **settings: Any) -> list[Event]:
    seen: list[Event] = []
    params = {
        "tracking_uri": f"sqlite:///{store}",
        "experiment": experiment,
        "artifact_location": (store.parent / experiment).as_uri(),
    }
    project.write(FIT, tracker={"mlflow": {**params, **settings}})
    project.run(*overrides, seen=seen)
    return seen


def runs(store: Path, experiment: str) -> tuple[Any, list[Any]]:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{store}")
    known = client.get_experiment_by_name(experiment)
    return client, list(client.search_runs([known.experiment_id], order_by=["attributes.start_time ASC"]))


def test_a_run_is_read_back_with_mlflows_client(project: Project, store: Path, tmp_path: Path) -> None:
    import mlflow.sklearn

    seen = tracked(project, store, "all", "+pipeline.name=ridge", tags={"team": "growth"})
    assert not [event for event in seen if isinstance(event, ObserverFailed)]
    client, [run] = runs(store, "all")
    assert run.info.status == "FINISHED"
    assert run.data.params == {"fit.uses": "tracked.fit", "fit.alpha": "0.5", "fit.options.depth": "3"}
    assert run.data.metrics.keys() == {"fit.loss", "fit.rows_most", "fit.seconds"}
    assert run.data.metrics["fit.loss"] == 0.25
    tags = run.data.tags
    assert (tags["team"], tags["firnline.pipeline"], tags["firnline.run_id"]) == ("growth", "ridge", run.info.run_name)
    assert tags["firnline.registered.fit"] == "DB.S.RIDGE V_1"
    names = {entry.path for entry in client.list_artifacts(run.info.run_id, "firnline")}
    assert names == {
        f"firnline/{name}"
        for name in ("config.yaml", "plan.json", "environment.json", "overrides.json", "events.jsonl")
    }
    (tmp_path / "back").mkdir()
    curve = client.download_artifacts(run.info.run_id, "fit/files/curve.txt", str(tmp_path / "back"))
    assert Path(curve).read_text() == "up"
    model = mlflow.sklearn.load_model(client.download_artifacts(run.info.run_id, "fit/model", str(tmp_path / "back")))
    assert model.alpha == 0.5


def test_a_reused_stage_is_told_with_its_numbers_and_models_may_be_left_out(project: Project, store: Path) -> None:
    tracked(project, store, "again", models=False)
    tracked(project, store, "again", models=False)
    client, [first, second] = runs(store, "again")
    assert second.data.tags["firnline.reused.fit"] == first.info.run_name
    assert second.data.metrics["fit.loss"] == 0.25
    assert {entry.path for entry in client.list_artifacts(first.info.run_id, "fit")} == {"fit/files"}


def test_the_jobs_of_a_multirun_are_found_by_its_tag(project: Project, store: Path) -> None:
    project.write(FIT, tracker={"mlflow": {"tracking_uri": f"sqlite:///{store}", "experiment": "jobs"}})
    for sweep, alpha in (("s1", 1.0), ("s1", 2.0), ("s2", 3.0)):
        run_pipeline(project.compose(f"fit.params.alpha={alpha}"), project.installed, RunOptions(sweep_id=sweep))
    client, runs_of = runs(store, "jobs")
    found = client.search_runs([runs_of[0].info.experiment_id], "tags.`firnline.sweep_id` = 's1'")
    assert {run.data.params["fit.alpha"] for run in found} == {"1.0", "2.0"}


def test_a_failed_run_is_failed_there(project: Project, store: Path) -> None:
    project.write(
        {"broken": {"uses": "toy.fail"}},
        tracker={"mlflow": {"tracking_uri": f"sqlite:///{store}", "experiment": "failed"}, "toy": {}},
    )
    assert project.run().exit_code == 1
    _, [run] = runs(store, "failed")
    assert (run.info.status, run.data.tags["firnline.failed_stage"]) == ("FAILED", "broken")
    assert "a bug in the step" in run.data.tags["firnline.error"]
    # The other tracker has listened as well.
    assert "StageFailed" in (project.path / ".firnline" / "heard.txt").read_text()


def test_a_store_that_is_not_there_is_an_event_and_the_run_goes_on(project: Project, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    seen: list[Event] = []
    project.write(FIT, tracker={"mlflow": {"tracking_uri": "sqlite:///file/runs.db"}})
    assert project.run(seen=seen).exit_code == 0
    [failure] = [event for event in seen if isinstance(event, ObserverFailed)]
    assert failure.hook == "tracker mlflow"


def test_by_default_the_store_stands_beside_the_records(project: Project) -> None:
    project.write(FIT, tracker="mlflow")
    assert project.run("+pipeline.name=ridge").exit_code == 0
    _, [run] = runs(project.path / ".firnline" / "mlflow.db", "ridge")
    assert run.info.artifact_uri.startswith((project.path / ".firnline" / "mlflow-artifacts").as_uri())


def printed(code: str, *arguments: str) -> str:
    command = [sys.executable, "-W", "ignore", "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=250, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_runs_that_begin_at_once_share_a_new_store(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path / 'new.db'}"
    code = (
        "import sys\n"
        "from firnline_mlflow.connecting import connect, experiment_id\n"
        "from firnline_mlflow.params import MlflowParams\n"
        "print(experiment_id(connect(MlflowParams(), sys.argv[1]), 'shared', None))"
    )

    def begin(_: int) -> str:
        done = subprocess.run(
            [sys.executable, "-c", code, uri], capture_output=True, text=True, timeout=250, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    with ThreadPoolExecutor(2) as pool:
        assert len(set(pool.map(begin, range(2)))) == 1


def test_a_password_is_refused_in_the_config() -> None:
    with pytest.raises(ValidationError, match="MLFLOW_TRACKING_URI"):
        MlflowParams(tracking_uri="https://me:secret@example.com")  # type: ignore[call-arg]


def test_it_does_not_phone_home() -> None:
    code = (
        "import firnline_mlflow.plugin, mlflow\n"
        "from mlflow.telemetry.client import get_telemetry_client\n"
        "print(get_telemetry_client())"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True, timeout=250
    )
    assert done.stdout.strip() == "None"
