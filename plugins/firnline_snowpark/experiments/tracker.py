"""Tell a run to Snowflake Experiments as it goes on: its beginning, each stage, its end."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from firnline.domain import Event, RunFinished, RunStarted, StageFailed, StageFinished, StageReused, plan_params
from firnline.errors import UsageError
from firnline_snowpark.object_names import split_name, written

if TYPE_CHECKING:
    from snowflake.ml.experiment import ExperimentTracking
    from snowflake.snowpark import Session

    from firnline.domain import TrackedRun
    from firnline_snowpark.experiments.params import ExperimentsParams

_AT_THE_BEGINNING: Final = ("config.yaml", "plan.json", "environment.json")
_STATUS: Final = {"finished": "FINISHED"}


class ExperimentsTracker:
    """One run of an experiment for one of ours."""

    def __init__(self, params: ExperimentsParams, run: TrackedRun) -> None:
        if run.open_platform is None:
            raise UsageError(
                "no stage uses the platform, so there is no account to tell", hint="take the tracker out of this run"
            )
        self._params = params
        self._run = run
        platform = run.open_platform()
        self._session = platform.session("firnline tracker")
        self._name = run_name(run.run_id)
        self._client = _client(self._session, platform.schema())

    def on_event(self, event: Event) -> None:
        """Tell the account what is of interest there."""
        match event:
            case RunStarted():
                self._begin(event)
            case StageFinished() | StageReused():
                self._tell_stage(event)
            case StageFailed():
                self._client.log_params(
                    {"firnline.failed_stage": event.stage, "firnline.error": _text(f"{event.kind}: {event.message}")}
                )
            case RunFinished():
                try:
                    self._client.end_run(self._name, status=_STATUS.get(event.status, "FAILED"))
                finally:
                    self._session.close()
            case _:
                pass

    def _begin(self, event: RunStarted) -> None:
        plain = re.sub(r"\W", "_", event.pipeline)
        self._client.set_experiment(self._params.experiment or (f"_{plain}" if plain[0].isdigit() else plain))
        self._client.start_run(self._name)
        facts = {"run_id": event.run_id, "plan": event.plan_hash, "sweep_id": event.sweep_id, "job": event.job}
        known = {f"firnline.{name}": str(value) for name, value in facts.items() if value is not None}
        self._client.log_params(known | {name: _text(value) for name, value in plan_params(self._run.plan)})
        for name in _AT_THE_BEGINNING if self._params.artifacts else ():
            if (self._run.folder / name).exists():
                self._client.log_artifact(str(self._run.folder / name), "firnline")

    def _tell_stage(self, event: StageFinished | StageReused) -> None:
        numbers = {f"{event.stage}.{name}": value for name, value in event.metrics.items()}
        if isinstance(event, StageFinished):
            numbers[f"{event.stage}.seconds"] = event.seconds
        finite = {name: float(value) for name, value in numbers.items() if math.isfinite(value)}
        if finite:
            self._client.log_metrics(finite)
        registered = {
            f"{event.stage}.registered": f"{data['name']} {data['version']}"
            for data in event.outputs.values()
            if data["kind"] == "RegisteredModel"
        }
        if registered:
            self._client.log_params(registered)


def run_name(run_id: str) -> str:
    """Return the run's id as an identifier."""
    return f"RUN_{re.sub(r'[^A-Za-z0-9]', '_', run_id)}".upper()


def _text(value: str) -> str:
    """Return a text that the client may put between ``$$`` and ``$$``."""
    return re.sub(r"\$(?=\$)", "$ ", value)


def _client(session: Session, schema: str) -> ExperimentTracking:
    from snowflake.ml.experiment import ExperimentTracking

    database, name = split_name(schema)
    # It is a singleton that keeps the first session for ever; a process may have many runs, each with its own.
    ExperimentTracking._instance = None  # noqa: SLF001
    return ExperimentTracking(
        session, database_name=written(database), schema_name=written(name), capture_source_info=False
    )
