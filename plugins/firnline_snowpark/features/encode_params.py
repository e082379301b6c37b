"""Params of ``features.encode``. Light: imported while planning."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field, FiniteFloat, model_validator

from firnline.domain import Params

Encoder: TypeAlias = Literal[
    "OneHotEncoder", "OrdinalEncoder", "StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler"
]
CATEGORICAL = frozenset({"OneHotEncoder", "OrdinalEncoder"})
OPTIONS = {
    "OneHotEncoder": frozenset[str](),
    "OrdinalEncoder": frozenset[str](),
    "StandardScaler": frozenset({"with_mean", "with_std"}),
    "MinMaxScaler": frozenset({"feature_range", "clip"}),
    "MaxAbsScaler": frozenset[str](),
    "RobustScaler": frozenset({"with_centering", "with_scaling", "quantile_range", "unit_variance"}),
}


class Encoding(Params):
    """One encoder or scaler of ``snowflake.ml.modeling.preprocessing``, and the columns that it takes."""

    use: Encoder = Field(
        description="Encoders take text; a value that the training rows lack, or none, is all zeros (one-hot) or -1 "
        "(ordinal). Scalers take numbers and flags; NULL stays NULL."
    )
    columns: tuple[str, ...] = Field(min_length=1, description="The columns, each of which it replaces.")
    options: dict[str, bool | FiniteFloat | tuple[FiniteFloat, FiniteFloat]] = Field(
        default_factory=dict, description="Its further arguments, e.g. feature_range of MinMaxScaler."
    )

    @model_validator(mode="after")
    def _known_options(self) -> Encoding:
        if unknown := sorted(set(self.options) - OPTIONS[self.use]):
            known = ", ".join(sorted(OPTIONS[self.use])) or "no options"
            raise ValueError(f"{self.use} has no option {unknown[0]!r}; it has {known}")
        return self


class EncodeParams(Params):
    """Encoders and scalers that are fitted on the training rows only, by the platform."""

    encoders: dict[str, Encoding] = Field(min_length=1, description="Name → encoder and its columns.")
    max_categories: int = Field(
        200, ge=2, le=5_000, description="A column with more values than this in the training rows is refused."
    )
    checked_rows: int = Field(
        100,
        ge=1,
        le=1_000,
        description="Training rows on which the encoders that go with the model must give what the platform gives.",
    )

    @model_validator(mode="after")
    def _each_once(self) -> EncodeParams:
        columns = [column for encoding in self.encoders.values() for column in encoding.columns]
        if twice := sorted({name for name in columns if columns.count(name) > 1}):
            raise ValueError(f"{twice[0]!r} is encoded twice")
        return self
