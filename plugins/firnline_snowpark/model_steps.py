"""The steps from a file to a scored table and its report; the second half of any other pipeline, too."""

from __future__ import annotations

from typing import Final

from firnline.domain import Metrics, Model, Port, RegisteredModel, Report, StepSpec, Table, Value
from firnline_snowpark.evaluate.params import HoldoutParams
from firnline_snowpark.ingest.files_params import FilesParams
from firnline_snowpark.promote.params import ChampionParams
from firnline_snowpark.register.params import RegisterParams
from firnline_snowpark.report.params import SummaryParams
from firnline_snowpark.score.params import ScoreParams
from firnline_snowpark.tabular.params import TabularParams
from firnline_snowpark.train.local_params import LocalParams
from firnline_snowpark.train.params import LogisticParams, XGBoostParams
from firnline_snowpark.train.snowpark_params import SnowparkParams

_PLATFORM_MODULES: Final = ("snowflake.snowpark", "pyarrow")
_LEARNING_MODULES: Final = (*_PLATFORM_MODULES, "sklearn", "pandas")
_REGISTRY_MODULES: Final = ("snowflake.snowpark", "snowflake.ml", "sklearn", "pandas")

_PROFILE: Final = Port(kind=Value, optional=True, description="What each column is for, as prepare.tabular found it.")
_REPORT: Final = Port(kind=Report, description="What was done and found.")
_TRAIN_INPUTS: Final = {
    "train": Port(kind=Table, description="Rows to learn from."),
    "valid": Port(kind=Table, optional=True, description="Rows that tell when to stop."),
    "profile": _PROFILE,
}
_TRAIN_OUTPUTS: Final = {
    "model": Port(kind=Model, description="A scikit-learn pipeline that takes the columns as they are in the table."),
    "report": _REPORT,
}

_INGEST = StepSpec(
    id="ingest.files",
    run="firnline_snowpark.ingest.files:run",
    summary="Load a CSV or Parquet file into a table; types are found over all rows, and told.",
    params=FilesParams,
    outputs={
        "table": Port(kind=Table, description="The file's rows, with their place in the file."),
        "report": _REPORT,
    },
    platform=True,
    source="firnline_snowpark.ingest.files_params:file_state",
    modules=_PLATFORM_MODULES,
    extra="snowflake",
)

_PREPARE = StepSpec(
    id="prepare.tabular",
    run="firnline_snowpark.tabular.prepare:run",
    summary="Find out what each column is for, set aside what a model cannot use, and tell classes from amounts.",
    params=TabularParams,
    inputs={"table": Port(kind=Table, description="Any table with a column to predict.")},
    outputs={
        "table": Port(kind=Table, description="Rows whose target is known: what a model can learn from."),
        "rows": Port(kind=Table, description="All rows, those without a target too: what can be scored."),
        "profile": Port(kind=Value, description="What each column is for."),
        "report": _REPORT,
    },
    platform=True,
    modules=(*_PLATFORM_MODULES, "matplotlib"),
    extra="snowflake",
)

_TRAINERS = (
    StepSpec(
        id="train.xgboost",
        run="firnline_snowpark.train.boosted:run",
        summary="Fit gradient-boosted trees (XGBoost), stopped early on validation rows.",
        params=XGBoostParams,
        inputs=_TRAIN_INPUTS,
        outputs=_TRAIN_OUTPUTS,
        platform=True,
        modules=(*_LEARNING_MODULES, "xgboost", "matplotlib"),
        extra="snowflake",
    ),
    StepSpec(
        id="train.logistic",
        run="firnline_snowpark.train.linear:run",
        summary="Fit a linear model (scikit-learn): logistic regression for classes, ridge regression for amounts.",
        params=LogisticParams,
        inputs=_TRAIN_INPUTS,
        outputs=_TRAIN_OUTPUTS,
        platform=True,
        modules=(*_LEARNING_MODULES, "matplotlib"),
        extra="snowflake",
    ),
    StepSpec(
        id="train.local",
        run="firnline_snowpark.train.local:run",
        summary="Fit XGBoost, LightGBM or a linear model here, on more rows than the memory holds.",
        params=LocalParams,
        inputs=_TRAIN_INPUTS,
        outputs=_TRAIN_OUTPUTS,
        platform=True,
        modules=(*_LEARNING_MODULES, "matplotlib"),
        extra="snowflake",
    ),
    StepSpec(
        id="train.snowpark",
        run="firnline_snowpark.train.snowpark:run",
        summary="Let the platform fit an estimator of Snowpark ML by a stored procedure, with a search if wanted.",
        params=SnowparkParams,
        inputs=_TRAIN_INPUTS,
        outputs=_TRAIN_OUTPUTS,
        platform=True,
        modules=(*_LEARNING_MODULES, "snowflake.ml"),
        extra="snowflake",
    ),
)

_EVALUATE = StepSpec(
    id="evaluate.holdout",
    run="firnline_snowpark.evaluate.holdout:run",
    summary="Measure a model on held-out rows: metrics with intervals, baseline, slices, plots.",
    params=HoldoutParams,
    inputs={
        "model": Port(kind=Model, description="The model to measure."),
        "test": Port(kind=Table, description="Rows that the model has not seen."),
        "train": Port(kind=Table, optional=True, description="The training rows: what the plain baseline knows."),
    },
    outputs={
        "metrics": Port(kind=Metrics, description="The numbers."),
        "report": _REPORT,
        "details": Port(kind=Value, description="Baseline, intervals, importances and slices as plain data."),
    },
    platform=True,
    modules=(*_LEARNING_MODULES, "matplotlib"),
    extra="snowflake",
)

_REGISTER = StepSpec(
    id="register.model",
    run="firnline_snowpark.register.model:run",
    summary="Log a model version in the Model Registry, with data version, feature version and metrics.",
    params=RegisterParams,
    inputs={
        "model": Port(kind=Model, description="The model."),
        "metrics": Port(kind=Metrics, description="How good it is; mandatory metadata."),
        "data": Port(kind=Table, description="The rows it learned from; their version is mandatory metadata."),
        "features": Port(kind=Table, description="What the feature pipeline made; its version is mandatory metadata."),
    },
    outputs={
        "registered": Port(kind=RegisteredModel, description="Name and version in the registry."),
        "report": _REPORT,
    },
    platform=True,
    modules=_REGISTRY_MODULES,
    extra="snowflake",
)

_PROMOTE = StepSpec(
    id="promote.champion",
    run="firnline_snowpark.promote.champion:run",
    summary="Let a version take the place of the one in production only if it wins on the same rows; else stop.",
    params=ChampionParams,
    inputs={
        "registered": Port(kind=RegisteredModel, description="The candidate."),
        "test": Port(kind=Table, description="Rows that neither version has learned from."),
        "metrics": Port(kind=Metrics, optional=True, description="This run's evaluation, shown beside."),
    },
    outputs={
        "promoted": Port(kind=RegisteredModel, description="The version that has the alias now: the candidate."),
        "metrics": Port(kind=Metrics, description="Both values, the gain and p; none where nothing was compared."),
        "report": _REPORT,
    },
    platform=True,
    source="firnline_snowpark.promote.params:production_state",
    modules=_REGISTRY_MODULES,
    extra="snowflake",
)

_SCORE = StepSpec(
    id="score.model",
    run="firnline_snowpark.score.model:run",
    summary="Let the registered model predict from SQL, into a results table.",
    params=ScoreParams,
    inputs={
        "model": Port(kind=RegisteredModel, description="The version to ask."),
        "table": Port(kind=Table, description="Rows to score."),
        "profile": _PROFILE,
    },
    outputs={
        "predictions": Port(kind=Table, description="Identifiers, prediction, probability, model version, time."),
        "report": _REPORT,
    },
    platform=True,
    modules=(*_REGISTRY_MODULES, "matplotlib"),
    extra="snowflake",
)

_SUMMARY = StepSpec(
    id="report.summary",
    run="firnline_snowpark.report.summary:run",
    summary="Sum up data, model, metrics against a plain baseline, and the most important features.",
    params=SummaryParams,
    inputs={
        "model": Port(kind=Model, description="The model."),
        "metrics": Port(kind=Metrics, description="How good it is."),
        "details": Port(kind=Value, description="Details of the evaluation."),
        "registered": Port(kind=RegisteredModel, optional=True, description="Its version in the registry."),
        "predictions": Port(kind=Table, optional=True, description="The scored table."),
        "profile": _PROFILE,
    },
    outputs={"report": _REPORT},
    modules=("matplotlib",),
    extra="snowflake",
)

STEPS: Final = (_INGEST, _PREPARE, *_TRAINERS, _EVALUATE, _REGISTER, _PROMOTE, _SCORE, _SUMMARY)
