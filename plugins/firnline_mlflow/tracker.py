"""Tell a run to MLflow as it goes on: its beginning, each stage, its end."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from firnline.domain import (
    Event,
    Files,
    Model,
    RegisteredModel,
    RunFinished,
    RunStarted,
    StageFailed,
    StageFinished,
    StageReused,
    artifact_from_json,
    plan_params,
)
from firnline_mlflow.connecting import connect, experiment_id, files_beside, tracking_uri
from firnline_mlflow.model_files import write_model

if TYPE_CHECKING:
    from firnline.domain import TrackedRun
    from firnline_mlflow.params import MlflowParams

_MOST_AT_ONCE: Final = 100
_LONGEST_PARAM: Final = 6_000
_LONGEST_TAG: Final = 5_000
_LONGEST_KEY: Final = 250
_STATUS: Final = {
    "finished": "FINISHED",
    "failed": "FAILED",
    "stopped": "FAILED",
    "interrupted": "KILLED",
    "pruned": "KILLED",
}
_AT_THE_BEGINNING: Final = ("config.yaml", "plan.json", "environment.json", "overrides.json")


class MlflowTracker:
    """One run of MLflow's for one of ours."""

    def __init__(self, params: MlflowParams, run: TrackedRun) -> None:
        self._params = params
        self._run = run
        self._uri = tracking_uri(params, run)
        self._client = connect(params, self._uri)
        self._id = ""

    def on_event(self, event: Event) -> None:
        """Tell MLflow what is of interest there."""
        match event:
            case RunStarted():
                self._begin(event)
            case StageFinished() | StageReused():
                self._tell_stage(event)
            case StageFailed():
                self._client.set_tag(self._id, "firnline.failed_stage", event.stage)
                self._client.set_tag(self._id, "firnline.error", f"{event.kind}: {event.message}"[:_LONGEST_TAG])
            case RunFinished():
                self._log_files(["events.jsonl"])
                self._client.set_terminated(self._id, _STATUS.get(event.status, "FAILED"), int(event.at * 1_000))
            case _:
                pass

    def _begin(self, event: RunStarted) -> None:
        name = self._params.experiment or event.pipeline
        experiment = experiment_id(self._client, name, self._params.artifact_location or files_beside(self._uri))
        made = self._client.create_run(
            experiment, start_time=int(event.at * 1_000), tags=self._tags(event), run_name=event.run_id
        )
        self._id = made.info.run_id
        from mlflow.entities import Param

        params = [Param(_key(name), text[:_LONGEST_PARAM]) for name, text in plan_params(self._run.plan)]
        for some in _some(params):
            self._client.log_batch(self._id, params=some)
        self._log_files(_AT_THE_BEGINNING)

    def _tags(self, event: RunStarted) -> dict[str, str]:
        """Return tags by which the run is found again; jobs of a multirun share ``firnline.sweep_id``."""
        facts = {
            "run_id": event.run_id,
            "pipeline": event.pipeline,
            "platform": event.platform,
            "plan": event.plan_hash,
            "overrides": " ".join(event.overrides)[:_LONGEST_TAG],
            "sweep_id": event.sweep_id,
            "job": event.job,
        }
        known = {f"firnline.{name}": str(value) for name, value in facts.items() if value is not None}
        return known | self._params.tags

    def _tell_stage(self, event: StageFinished | StageReused) -> None:
        from mlflow.entities import Metric

        at = int(event.at * 1_000)
        numbers = {f"{event.stage}.{name}": value for name, value in event.metrics.items()}
        if isinstance(event, StageFinished):
            numbers[f"{event.stage}.seconds"] = event.seconds
        else:
            self._client.set_tag(self._id, f"firnline.reused.{_key(event.stage)}", event.from_run)
        metrics = [Metric(_key(name), value, at, 0) for name, value in numbers.items() if math.isfinite(value)]
        for some in _some(metrics):
            self._client.log_batch(self._id, metrics=some)
        for port, data in event.outputs.items():
            self._tell_output(event.stage, port, data)

    def _tell_output(self, stage: str, port: str, data: Mapping[str, Any]) -> None:
        if data["kind"] not in {"Files", "Model", "RegisteredModel"}:
            return  # tables stay on the platform, numbers are metrics, reports stand in the run's own page
        artifact = artifact_from_json(data, self._run.store)
        match artifact:
            case RegisteredModel():
                self._client.set_tag(
                    self._id, f"firnline.registered.{_key(stage)}", f"{artifact.name} {artifact.version}"
                )
            case Files():
                self._client.log_artifacts(self._id, str(artifact.path), f"{stage}/{port}")
            case Model() if self._params.models:
                with TemporaryDirectory() as place:
                    write_model(artifact, Path(place) / port)
                    self._client.log_artifacts(self._id, str(Path(place) / port), f"{stage}/{port}")
            case _:
                pass

    def _log_files(self, names: Iterable[str]) -> None:
        for name in names:
            if (self._run.folder / name).exists():
                self._client.log_artifact(self._id, str(self._run.folder / name), "firnline")


def _some(items: Sequence[Any]) -> Iterator[list[Any]]:
    """Yield as many as the store takes at once."""
    for start in range(0, len(items), _MOST_AT_ONCE):
        yield list(items[start : start + _MOST_AT_ONCE])


def _key(name: str) -> str:
    """Return a name of letters that MLflow takes."""
    return re.sub(r"[^\w\-. :/]", "_", name)[:_LONGEST_KEY]
