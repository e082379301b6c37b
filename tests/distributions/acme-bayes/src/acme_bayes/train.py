"""Fit Gaussian naive Bayes on the numeric columns of a table."""

from __future__ import annotations

import pickle

from sklearn.impute import SimpleImputer
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from snowflake.snowpark.functions import col
from snowflake.snowpark.types import BooleanType, DecimalType, DoubleType, FloatType, LongType

from acme_bayes.plugin import NaiveBayesParams
from firnline.domain import Model, StepContext, Table, Value
from firnline.errors import DataError

NUMERIC = (BooleanType, DecimalType, DoubleType, FloatType, LongType)


def run(
    context: StepContext,
    params: NaiveBayesParams,
    train: Table,
    valid: Table | None = None,
    profile: Value | None = None,
) -> Model:
    """Return the fitted model; it predicts the place of a label among the classes."""
    table = context.session.table(train.name)
    numeric = [field.name.strip('"') for field in table.schema.fields if isinstance(field.datatype, NUMERIC)]
    features = [name for name in numeric if name not in {params.target, *params.identifiers}]
    if not features:
        raise DataError(f"{train.name} has no numeric column to learn from")
    context.progress("reading", train.rows)
    frame = table.select(*(col(f'"{name}"') for name in features), col(f'"{params.target}"')).to_pandas()
    labels = frame.iloc[:, -1]
    classes = tuple(sorted(labels.dropna().unique().tolist()))
    known = labels.notna()
    model = make_pipeline(SimpleImputer(strategy="median"), GaussianNB(var_smoothing=params.smoothing))
    model.fit(frame[known].iloc[:, :-1].astype("float64").set_axis(features, axis=1), labels[known].map(classes.index))
    path = context.directory / "model.pkl"
    with path.open("wb") as file:
        pickle.dump(model, file)
    return Model(
        path=path,
        framework="sklearn",
        task="binary" if len(classes) == 2 else "multiclass",
        features=tuple(features),
        target=params.target,
        classes=classes,
    )
