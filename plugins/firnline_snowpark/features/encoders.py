"""Fitted encoders as plain scikit-learn: what goes with the model, so that it takes the table's own columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from firnline_snowpark.train.preprocessing import MISSING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

UNKNOWN: Final = -1
"""The code that an ordinal encoder gives to missing values and to those that it has not seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedEncoder:
    """One encoder with what it learned from the training rows.

    Attributes:
        name: of the encoder in the params.
        use: its class.
        columns: what it takes, in order.
        outputs: of each of them, the columns that it becomes.
        categories: of an encoder: the values of each column, in the order of their codes; None is a missing value.
        state: of a scaler: the fitted attributes of scikit-learn's.
        options: its arguments.
    """

    name: str
    use: str
    columns: tuple[str, ...]
    outputs: tuple[tuple[str, ...], ...]
    categories: tuple[tuple[str | None, ...], ...] = ()
    state: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


def one_hot_name(column: str, category: str | None) -> str:
    """Return what scikit-learn calls the column of a category."""
    return f"{column}_{MISSING if category is None else category}"


def front(encoders: Sequence[FittedEncoder], others: Sequence[str]) -> Any:
    """Return a fitted ColumnTransformer from raw columns to a data frame of encoded ones; ``others`` stay as they are.

    No row is needed: an encoder knows its categories, and a scaler gets what the platform has computed.
    """
    import pandas as pd
    from sklearn.compose import ColumnTransformer

    parts = [(encoder.name, _unfitted(encoder), list(encoder.columns)) for encoder in encoders]
    parts += [("as_is", "passthrough", list(others))] if others else []
    transformer = ColumnTransformer(parts, verbose_feature_names_out=False, sparse_threshold=0.0)
    transformer.set_output(transform="pandas")
    examples: dict[str, list[Any]] = {name: [0.0, 1.0] for name in others}
    for encoder in encoders:
        for place, column in enumerate(encoder.columns):
            known = encoder.categories[place][0] or MISSING if encoder.categories else None
            examples[column] = [0.0, 1.0] if known is None else [known, known]
    transformer.fit(pd.DataFrame(examples))
    for encoder in encoders:
        for attribute, value in encoder.state.items():
            setattr(transformer.named_transformers_[encoder.name], attribute, value)
    return transformer


def _unfitted(encoder: FittedEncoder) -> Any:
    import pandas as pd
    from sklearn import preprocessing
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline

    if not encoder.categories:
        return getattr(preprocessing, encoder.use)(**encoder.options)
    # pandas.NA stands for every kind of missing value: None, NaN and NA.
    filled = SimpleImputer(missing_values=pd.NA, strategy="constant", fill_value=MISSING)
    if encoder.use == "OrdinalEncoder":
        known = [[value for value in values if value is not None] for values in encoder.categories]
        coded: Any = preprocessing.OrdinalEncoder(
            categories=known, handle_unknown="use_encoded_value", unknown_value=UNKNOWN
        )
    else:
        known = [[MISSING if value is None else value for value in values] for values in encoder.categories]
        coded = preprocessing.OneHotEncoder(categories=known, handle_unknown="ignore", sparse_output=False)
    return make_pipeline(filled, coded)


FITTED_ATTRIBUTES: Final = {
    "StandardScaler": ("mean_", "scale_", "var_"),
    "MinMaxScaler": ("min_", "scale_", "data_min_", "data_max_", "data_range_"),
    "MaxAbsScaler": ("scale_", "max_abs_"),
    "RobustScaler": ("center_", "scale_"),
}
