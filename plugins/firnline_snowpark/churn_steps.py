"""What the churn pipeline is made of: the specs of its steps, from raw tables to the split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from firnline.domain import Metrics, Port, Report, StepSpec, Table
from firnline_snowpark.checks.expectations import CheckTableParams, ExpectParams
from firnline_snowpark.features.churn_params import ChurnFeaturesParams
from firnline_snowpark.ingest.generated_params import GeneratedParams
from firnline_snowpark.prepare.rules import CleanParams, CleanTableParams
from firnline_snowpark.split_params import RandomSplitParams, TimeSplitParams

ON_SNOWPARK: Final[Mapping[str, Any]] = {
    "platform": True,
    "modules": ("snowflake.snowpark",),
    "extra": "snowflake",
}

CUSTOMERS: Final = Port(kind=Table, description="one row a customer: plan, contract, sign-up, cancellation")
EVENTS: Final = Port(kind=Table, description="one row a customer and day of usage")
TICKETS: Final = Port(kind=Table, description="one row a support ticket")
TABLE: Final = Port(kind=Table, description="the table")
METRICS: Final = Port(kind=Metrics, description="counts of what was done or found")
REPORT: Final = Port(kind=Report, description="the same counts, for the run's report")

SUBSCRIPTION: Final[Mapping[str, Port]] = {"customers": CUSTOMERS, "events": EVENTS, "tickets": TICKETS}
FINDINGS: Final[Mapping[str, Port]] = {"metrics": METRICS, "report": REPORT}
SETS: Final[Mapping[str, Port]] = {
    "train": Port(kind=Table, description="rows to fit on"),
    "valid": Port(kind=Table, description="rows to tune and to stop on"),
    "test": Port(kind=Table, description="rows that only the evaluation sees"),
}

STEPS: Final[tuple[StepSpec, ...]] = (
    StepSpec(
        id="ingest.generated",
        run="firnline_snowpark.ingest.generated:run",
        summary="Generate a subscription business in the platform: customers, usage events and support tickets.",
        params=GeneratedParams,
        outputs=SUBSCRIPTION,
        **ON_SNOWPARK,
    ),
    StepSpec(
        id="prepare.clean",
        run="firnline_snowpark.prepare.clean:run",
        summary="Deduplicate, cast, parse VARIANT and drop incomplete rows of customers, events and tickets.",
        params=CleanParams,
        inputs=SUBSCRIPTION,
        outputs={**SUBSCRIPTION, **FINDINGS},
        **ON_SNOWPARK,
    ),
    StepSpec(
        id="prepare.clean_table",
        run="firnline_snowpark.prepare.clean:run_table",
        summary="Deduplicate, cast, parse VARIANT and drop incomplete rows of one table.",
        params=CleanTableParams,
        inputs={"table": TABLE},
        outputs={"table": TABLE, **FINDINGS},
        **ON_SNOWPARK,
    ),
    StepSpec(
        id="check.expect",
        run="firnline_snowpark.checks.expect:run",
        summary="Stop the pipeline unless customers, events and tickets are as expected; failing rows are kept.",
        params=ExpectParams,
        inputs=SUBSCRIPTION,
        outputs={**SUBSCRIPTION, **FINDINGS},
        **ON_SNOWPARK,
    ),
    StepSpec(
        id="check.expect_table",
        run="firnline_snowpark.checks.expect:run_table",
        summary="Stop the pipeline unless one table is as expected; failing rows are kept.",
        params=CheckTableParams,
        inputs={"table": TABLE},
        outputs={"table": TABLE, **FINDINGS},
        **ON_SNOWPARK,
    ),
    StepSpec(
        id="features.churn",
        run="firnline_snowpark.features.churn:run",
        summary="Compute what was known of each customer on several days, and whether they churned afterwards.",
        params=ChurnFeaturesParams,
        inputs=SUBSCRIPTION,
        outputs={
            "table": Port(kind=Table, description="one row a customer and snapshot: features and the label CHURNED"),
            **FINDINGS,
        },
        **ON_SNOWPARK,
    ),
    StepSpec(
        id="split.time",
        run="firnline_snowpark.split_time:run",
        summary="Split by date, with a gap so that no label of one set reaches into the next.",
        params=TimeSplitParams,
        inputs={"table": TABLE},
        outputs={**SETS, **FINDINGS},
        **ON_SNOWPARK,
    ),
    StepSpec(
        id="split.random",
        run="firnline_snowpark.split_random:run",
        summary="Split by a hash of each row or group, stratified where asked; always the same way.",
        params=RandomSplitParams,
        inputs={"table": TABLE},
        outputs={**SETS, **FINDINGS},
        **ON_SNOWPARK,
    ),
)
