"""What this plugin offers. Light: torch is imported by the trainer's own process, and by the estimator."""

from __future__ import annotations

from typing import Final

from firnline.domain import Model, Port, Report, StepSpec, Table, Value
from firnline.hooks.markers import hookimpl
from firnline_torch.params import TorchParams

FIRNLINE_API = ">=1,<2"

STEPS: Final = (
    StepSpec(
        id="train.torch",
        run="firnline_torch.train:run",
        summary="Export the rows and fit a neural network (PyTorch) outside of the platform, on a GPU if there is one.",
        params=TorchParams,
        inputs={
            "train": Port(kind=Table, description="Rows to learn from."),
            "valid": Port(kind=Table, optional=True, description="Rows that tell when to stop."),
            "profile": Port(
                kind=Value, optional=True, description="What each column is for, as prepare.tabular found it."
            ),
        },
        outputs={
            "model": Port(kind=Model, description="An estimator that takes the columns as they are in the table."),
            "report": Port(kind=Report, description="How the training went."),
        },
        platform=True,
        modules=("snowflake.snowpark", "torch", "pyarrow", "pandas", "sklearn", "cloudpickle"),
        extra="torch",
    ),
)


@hookimpl
def firnline_steps() -> tuple[StepSpec, ...]:
    """Offer the trainer."""
    return STEPS
