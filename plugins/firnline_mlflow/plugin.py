"""What this plugin offers: the tracker ``mlflow``. Light: MLflow is imported when a run begins."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from firnline.domain import TrackerSpec
from firnline.hooks.markers import hookimpl
from firnline_mlflow.params import MlflowParams

if TYPE_CHECKING:
    from firnline.domain import TrackedRun, Tracker

FIRNLINE_API = ">=1,<2"

# Whoever imports MLflow first in this process (a client of a platform may), it must not phone home.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")


def open_tracker(params: MlflowParams, run: TrackedRun) -> Tracker:
    """Open the tracker for one run; it connects at once."""
    from firnline_mlflow.tracker import MlflowTracker

    return MlflowTracker(params, run)


MLFLOW: Final = TrackerSpec(
    name="mlflow",
    summary="Tell runs to MLflow: params, metrics, artifacts and models.",
    params=MlflowParams,
    open=open_tracker,
    modules=("mlflow", "sqlalchemy", "alembic"),
    extra="mlflow",
)


@hookimpl
def firnline_trackers() -> tuple[TrackerSpec, ...]:
    """Offer the tracker."""
    return (MLFLOW,)
