"""What this plugin offers. Light: numpy, SciPy, Evidently and Apprise are imported by the step, at first use."""

from __future__ import annotations

from typing import Final

from firnline.domain import Files, Metrics, Port, RegisteredModel, Report, StepSpec, Table
from firnline.hooks.markers import hookimpl
from firnline_evidently.params import MonitorParams

FIRNLINE_API = ">=1,<2"

STEPS: Final = (
    StepSpec(
        id="monitor.evidently",
        run="firnline_evidently.monitor:run",
        summary="Tell how far the rows of today are from those that the model learned from, and how the model does.",
        params=MonitorParams,
        inputs={
            "reference": Port(kind=Table, description="The rows that the model learned from."),
            "current": Port(kind=Table, description="The rows of today."),
            "model": Port(
                kind=RegisteredModel,
                optional=True,
                description="The version in whose metadata the reference's counts are kept.",
            ),
            "predictions": Port(kind=Table, optional=True, description="The rows of today, as the model scored them."),
            "reference_predictions": Port(
                kind=Table, optional=True, description="The reference's rows, or others of its time, as it scored them."
            ),
            "labels": Port(kind=Table, optional=True, description="What turned out to be true, with the rows' keys."),
            "evaluated": Port(kind=Metrics, optional=True, description="The model's metrics when it was evaluated."),
        },
        outputs={
            "metrics": Port(kind=Metrics, description="Share of drifted columns, the worst values, 1 if it is drift."),
            "report": Port(kind=Report, description="Each column's numbers; the worst columns' two distributions."),
            "table": Port(kind=Table, description="One row a column and segment: every measure and the verdict."),
            "page": Port(kind=Files, description="Evidently's page, made of a sample, with the numbers of all rows."),
        },
        platform=True,
        modules=("snowflake.snowpark", "pandas", "scipy", "evidently"),
        extra="monitor",
    ),
)


@hookimpl
def firnline_steps() -> tuple[StepSpec, ...]:
    """Offer the monitor."""
    return STEPS
