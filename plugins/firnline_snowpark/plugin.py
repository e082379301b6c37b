"""What this plugin offers. Light: the SDKs are imported by the steps, at first use."""

from __future__ import annotations

from firnline.domain import PlatformSpec, StepSpec
from firnline.hooks.markers import hookimpl
from firnline_snowpark.churn_steps import STEPS as CHURN_STEPS
from firnline_snowpark.feature_steps import STEPS as FEATURE_STEPS
from firnline_snowpark.model_steps import STEPS as MODEL_STEPS
from firnline_snowpark.platform import SNOWFLAKE

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
