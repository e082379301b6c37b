"""What this plugin offers. Light: the SDKs are imported by the steps, at first use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firnline.domain import PlatformSpec, StepSpec, TrackerSpec
from firnline.hooks.markers import hookimpl
from firnline_snowpark.churn_steps import STEPS as CHURN_STEPS
from firnline_snowpark.experiments.params import ExperimentsParams
from firnline_snowpark.feature_steps import STEPS as FEATURE_STEPS
from firnline_snowpark.model_steps import STEPS as MODEL_STEPS
from firnline_snowpark.platform import SNOWFLAKE

if TYPE_CHECKING:
    from firnline.domain import TrackedRun, Tracker

FIRNLINE_API = ">=1,<2"

STEPS: tuple[StepSpec, ...] = (*CHURN_STEPS, *FEATURE_STEPS, *MODEL_STEPS)


@hookimpl
def firnline_steps() -> tuple[StepSpec, ...]:
    """Offer every step of this plugin."""
    return STEPS


@hookimpl
def firnline_platforms() -> tuple[PlatformSpec, ...]:
    """Offer the real Snowflake account."""
    return (SNOWFLAKE,)


def open_experiments(params: ExperimentsParams, run: TrackedRun) -> Tracker:
    """Open the tracker for one run, on a session of its own."""
    from firnline_snowpark.experiments.tracker import ExperimentsTracker

    return ExperimentsTracker(params, run)


EXPERIMENTS: Final = TrackerSpec(
    name="experiments",
    summary="Tell runs to Snowflake Experiments: params, metrics and artifacts.",
    params=ExperimentsParams,
    open=open_experiments,
    modules=("snowflake.ml", "snowflake.snowpark"),
    extra="snowflake",
)


@hookimpl
def firnline_trackers() -> tuple[TrackerSpec, ...]:
    """Offer the tracker of Snowflake Experiments."""
    return (EXPERIMENTS,)
