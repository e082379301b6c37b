"""The way to a tracking store: its address, and a client that neither chatters nor waits for long."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from firnline.domain import TrackedRun
    from firnline_mlflow.params import MlflowParams

_SQLITE: Final = "sqlite:///"
_OPENING_TIMEOUT_S: Final = 120


def tracking_uri(params: MlflowParams, run: TrackedRun) -> str:
    """Return the address of the store: as configured, or of the environment, or a file of the project's records."""
    uri = params.tracking_uri or os.environ.get("MLFLOW_TRACKING_URI")
    if uri is None:
        return f"{_SQLITE}{run.store / 'mlflow.db'}"
    if uri.startswith(_SQLITE):
        return f"{_SQLITE}{run.project / uri.removeprefix(_SQLITE)}"
    return uri


def connect(params: MlflowParams, uri: str) -> Any:
    """Return MLflow's own client of a store, whose tables are there afterwards."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    # Run and progress stay readable, and a server that is down holds a run up for seconds, not for minutes.
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", str(params.timeout_s))
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    from mlflow import MlflowClient

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with _alone(uri):
        return MlflowClient(tracking_uri=uri)


@contextmanager
def _alone(uri: str) -> Iterator[None]:
    """Let one process at a time make the tables of a SQLite file: MLflow's migrations do not expect others."""
    if not uri.startswith(_SQLITE):
        yield
        return
    file = Path(uri.removeprefix(_SQLITE))
    file.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(f"{file}.opening", timeout=_OPENING_TIMEOUT_S, isolation_level=None)) as door:
        door.execute("BEGIN EXCLUSIVE")
        yield


def files_beside(uri: str) -> str | None:
    """Return a folder beside a SQLite file: MLflow would take one where the process happens to stand. None: no such."""
    if not uri.startswith(_SQLITE):
        return None
    return (Path(uri.removeprefix(_SQLITE)).resolve().parent / "mlflow-artifacts").as_uri()


def experiment_id(client: Any, name: str, location: str | None) -> str:
    """Return the id of an experiment, which is made where there is none."""
    from mlflow.exceptions import MlflowException

    known = client.get_experiment_by_name(name)
    if known is None:
        try:
            return str(client.create_experiment(name, artifact_location=location))
        except MlflowException:
            known = client.get_experiment_by_name(name)  # another run has just made it
            if known is None:
                raise
    return str(known.experiment_id)
