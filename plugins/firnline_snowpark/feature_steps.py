"""Steps that a user shapes to their own tables: queries, functions, selection, encoders, checks of others."""

from __future__ import annotations

from typing import Final

from firnline.domain import Metrics, Model, Port, Report, StepSpec, Table, Value
from firnline_snowpark.checks.dbt_params import DbtParams
from firnline_snowpark.churn_steps import FINDINGS, ON_SNOWPARK, SETS, TABLE
from firnline_snowpark.features.attach_params import AttachParams
from firnline_snowpark.features.dynamic_params import DynamicParams
from firnline_snowpark.features.encode_params import EncodeParams
from firnline_snowpark.features.select_params import SelectParams
from firnline_snowpark.ingest.stage_params import StageParams
from firnline_snowpark.ingest.table_params import TableParams
from firnline_snowpark.prepare.flatten_params import FlattenParams
from firnline_snowpark.query.function_params import ColumnFunctionsParams, FrameFunctionParams
from firnline_snowpark.query.params import SqlParams

_REPORT: Final = Port(kind=Report, description="What was done and found.")
_TABLES: Final = Port(
    kind=Table, many=True, description="The tables to work on; params.names says what each is called."
)

_SQL: Final = tuple(
    StepSpec(
        id=id_,
        run="firnline_snowpark.query.select:run",
        summary=summary,
        params=SqlParams,
        inputs={"tables": _TABLES},
        outputs={"table": Port(kind=Table, description="What the query selects."), "report": _REPORT},
        source="firnline_snowpark.query.params:query_state",
        **ON_SNOWPARK,
    )
    for id_, summary in (
        ("features.sql", "Compute features by a SELECT of your own, from the config or a .sql file."),
        ("prepare.sql", "Prepare tables by a SELECT of your own, from the config or a .sql file."),
    )
)

_DYNAMIC = StepSpec(
    id="features.dynamic",
    run="firnline_snowpark.features.dynamic:run",
    summary="Have the platform keep a SELECT of your own computed: a dynamic table with a target lag.",
    params=DynamicParams,
    inputs={"tables": _TABLES},
    outputs={
        "table": Port(kind=Table, description="The dynamic table, under the name of the config."),
        "report": _REPORT,
    },
    source="firnline_snowpark.query.params:query_state",
    **ON_SNOWPARK,
)

_SNOWPARK = StepSpec(
    id="features.snowpark",
    run="firnline_snowpark.query.frames:run",
    summary="Compute features by a Python function of Snowpark data frames from your project.",
    params=FrameFunctionParams,
    inputs={"tables": _TABLES},
    outputs={"table": Port(kind=Table, description="What the function's data frame describes."), "report": _REPORT},
    source="firnline_snowpark.query.function_params:frame_function_state",
    **ON_SNOWPARK,
)

_UDF = StepSpec(
    id="features.udf",
    run="firnline_snowpark.query.column_functions:run",
    summary="Add columns by Python functions from your project, registered as UDFs, vectorised or row by row.",
    params=ColumnFunctionsParams,
    inputs={"table": TABLE},
    outputs={"table": Port(kind=Table, description="The table with the new columns."), "report": _REPORT},
    source="firnline_snowpark.query.function_params:column_functions_state",
    **ON_SNOWPARK,
)

_FLATTEN = StepSpec(
    id="prepare.flatten",
    run="firnline_snowpark.prepare.flatten:run",
    summary="Turn paths into VARIANT values into typed columns, and arrays into rows; what would not cast is told.",
    params=FlattenParams,
    inputs={"table": TABLE},
    outputs={"table": Port(kind=Table, description="The flat table."), **FINDINGS},
    **ON_SNOWPARK,
)

_INGEST_TABLE = StepSpec(
    id="ingest.table",
    run="firnline_snowpark.ingest.table:run",
    summary="Begin with a table that is in the platform already, or shared with it, as it is or as it was.",
    params=TableParams,
    outputs={"table": Port(kind=Table, description="The rows that were taken."), "report": _REPORT},
    source="firnline_snowpark.ingest.table_params:table_state",
    **ON_SNOWPARK,
)

_PROFILE: Final = Port(kind=Value, optional=True, description="What each column is for, as prepare.tabular found it.")

_SELECT = StepSpec(
    id="features.select",
    run="firnline_snowpark.features.select:run",
    summary="Keep the columns worth keeping: by missing values, variance, correlation, what they tell of the target.",
    params=SelectParams,
    inputs={
        "table": Port(kind=Table, description="Rows to score the columns on; after a split, those to train on."),
        "profile": _PROFILE,
    },
    outputs={
        "table": Port(kind=Table, description="The same rows without the columns that are not worth keeping."),
        "scores": Port(kind=Table, description="One row a column: its scores, and what became of it."),
        "profile": Port(kind=Value, description="What each column is for: trainers learn from those that are kept."),
        "metrics": Port(kind=Metrics, description="How many columns there were, and how many are kept."),
        "report": _REPORT,
    },
    **ON_SNOWPARK,
)

_ENCODE = StepSpec(
    id="features.encode",
    run="firnline_snowpark.features.encode:run",
    summary="Encode and scale columns by Snowpark ML, fitted on the training rows only.",
    params=EncodeParams,
    inputs=SETS,
    outputs={
        **SETS,
        "encoder": Port(kind=Value, description="What was learned: for features.attach."),
        "report": _REPORT,
    },
    platform=True,
    modules=("snowflake.snowpark", "snowflake.ml", "sklearn", "pandas"),
    extra="snowflake",
)

_ATTACH = StepSpec(
    id="features.attach",
    run="firnline_snowpark.features.attach:run",
    summary="Put encoders in front of the model that was trained behind them, so that it takes the raw columns.",
    params=AttachParams,
    inputs={
        "model": Port(kind=Model, description="Trained on the encoded rows."),
        "encoder": Port(kind=Value, description="What features.encode has learned."),
    },
    outputs={"model": Port(kind=Model, description="A model of the raw columns."), "report": _REPORT},
    modules=("sklearn", "pandas"),
    extra="snowflake",
)

_DBT = StepSpec(
    id="check.dbt",
    run="firnline_snowpark.checks.dbt:run",
    summary="Stop the pipeline unless dbt's tests have passed: read from its run_results.json.",
    params=DbtParams,
    inputs={"table": Port(kind=Table, description="The table that dbt has tested; it passes as it is.")},
    outputs={"table": Port(kind=Table, description="The same table."), **FINDINGS},
    source="firnline_snowpark.checks.dbt_params:dbt_state",
)

_INGEST_STAGE = StepSpec(
    id="ingest.stage",
    run="firnline_snowpark.ingest.stage:run",
    summary="Load CSV, JSON or Parquet by COPY INTO from a stage, an S3 or Azure address, or files of the project.",
    params=StageParams,
    outputs={
        "table": Port(kind=Table, description="The rows."),
        "rejected": Port(kind=Table, description="The rows that did not fit, with file, line and error."),
        **FINDINGS,
    },
    source="firnline_snowpark.ingest.stage_params:files_state",
    **ON_SNOWPARK,
)

STEPS: Final[tuple[StepSpec, ...]] = (
    _INGEST_TABLE,
    _INGEST_STAGE,
    *_SQL,
    _DYNAMIC,
    _SNOWPARK,
    _UDF,
    _FLATTEN,
    _SELECT,
    _ENCODE,
    _ATTACH,
    _DBT,
)
