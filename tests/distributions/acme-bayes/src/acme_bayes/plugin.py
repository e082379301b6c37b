"""What this plugin offers."""

from __future__ import annotations

from pydantic import Field

from firnline.domain import Model, Params, Port, StepSpec, Table, Value
from firnline.hooks import hookimpl

FIRNLINE_API = ">=1,<2"


class NaiveBayesParams(Params):
    """Params of the trainer."""

    target: str = Field(description="The column to predict.")
    identifiers: tuple[str, ...] = Field((), description="Columns that name a row, and are no features.")
    smoothing: float = Field(1e-9, gt=0, description="Share of the largest variance that is added to all variances.")


NAIVE_BAYES = StepSpec(
    id="acme.naive_bayes",
    run="acme_bayes.train:run",
    summary="Fit Gaussian naive Bayes on the numeric columns.",
    params=NaiveBayesParams,
    inputs={
        "train": Port(kind=Table, description="Rows to learn from."),
        "valid": Port(kind=Table, optional=True, description="Not used."),
        "profile": Port(kind=Value, optional=True, description="Not used."),
    },
    outputs={"model": Port(kind=Model, description="The fitted model.")},
    platform=True,
    modules=("sklearn", "pandas"),
    extra="snowflake",
)


@hookimpl
def firnline_steps() -> list[StepSpec]:
    """Offer the trainer."""
    return [NAIVE_BAYES]
