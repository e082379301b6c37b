"""What this plugin offers. Light: the SDKs are imported by the steps, at first use."""

from __future__ import annotations

from firnline.domain import StepSpec
from firnline.hooks.markers import hookimpl
from firnline_snowpark.churn_steps import STEPS as CHURN_STEPS

FIRNLINE_API = ">=1,<2"

STEPS: tuple[StepSpec, ...] = CHURN_STEPS


@hookimpl
def firnline_steps() -> tuple[StepSpec, ...]:
    """Offer the steps of the churn pipeline."""
    return STEPS
