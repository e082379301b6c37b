"""What stands in front of an estimator, so that the whole pipeline takes the table's own columns.

Everything is plain scikit-learn: the registered model needs no code of ours, and an exporter finds what it knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Collection

    import pandas as pd

    from firnline.domain import Task
    from firnline_snowpark.train.roles import Roles

MISSING: Final = "(missing)"


def preprocessing(roles: Roles, features: pd.DataFrame, *, one_hot_limit: int, scaled: bool, seed: int) -> Any:
    """Return an unfitted ColumnTransformer for these columns.

    Args:
        roles: which columns are numbers and which are text.
        features: the training rows, looked at for the number of different values only.
        one_hot_limit: text columns with more values are encoded by the mean of the target.
        scaled: impute and scale, as linear models want it; trees take numbers, and gaps in them, as they are.
        seed: of the folds in which target means are computed.
    """
    many = {name for name in roles.texts if features[name].nunique(dropna=False) > one_hot_limit}
    return transformer(roles, many, numbers=numbers(scaled=scaled), scaled=scaled, seed=seed)


def transformer(roles: Roles, many_valued: Collection[str], *, numbers: Any, scaled: bool, seed: int) -> Any:
    """Return an unfitted ColumnTransformer.

    Args:
        roles: which columns are numbers and which are text.
        many_valued: text columns that are encoded by the mean of the target.
        numbers: what becomes of the numbers, unfitted.
        scaled: scale the means of the target, too.
        seed: of the folds in which they are computed.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    few = [name for name in roles.texts if name not in many_valued]
    many = [name for name in roles.texts if name in many_valued]
    # Dense on purpose: trees take the zeros of a sparse matrix for missing values, an exported model does not.
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    encoder = _target_encoder(roles.task.task, seed)
    parts: list[tuple[str, Any, list[str]]] = [
        ("number", numbers, roles.numbers),
        ("category", _pipeline(_imputer(), one_hot), few),
        ("many", _pipeline(_imputer(), encoder, *([StandardScaler()] if scaled else [])), many),
    ]
    return ColumnTransformer([part for part in parts if part[2]], sparse_threshold=0.0, verbose_feature_names_out=False)


def numbers(*, scaled: bool) -> Any:
    """Return what makes numbers fit for an estimator: imputed and scaled, or as they are, gaps included."""
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import StandardScaler

    if not scaled:
        # Changes no value; it makes floats with NaN of whatever kind of column a caller hands in.
        return StandardScaler(with_mean=False, with_std=False)
    return _pipeline(SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True), StandardScaler())


def _imputer() -> Any:
    import pandas as pd
    from sklearn.impute import SimpleImputer

    # pandas.NA stands for every kind of missing value: None, NaN and NA.
    return SimpleImputer(missing_values=pd.NA, strategy="constant", fill_value=MISSING)


def _pipeline(*steps: Any) -> Any:
    from sklearn.pipeline import make_pipeline

    return make_pipeline(*steps)


def _target_encoder(task: Task, seed: int) -> Any:
    from sklearn.model_selection import KFold
    from sklearn.preprocessing import TargetEncoder

    kind = {"binary": "binary", "multiclass": "multiclass", "regression": "continuous"}[task]
    if TargetEncoder().get_params()["random_state"] != "deprecated":  # scikit-learn before 1.9
        return TargetEncoder(target_type=kind, random_state=seed)
    return TargetEncoder(target_type=kind, cv=KFold(5, shuffle=True, random_state=seed))
