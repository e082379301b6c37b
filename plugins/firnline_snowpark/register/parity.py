"""A registered version must predict what the model predicts: packaging may lose a type, a missing value, a library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from firnline.errors import DataError
from firnline_snowpark.calls import PREDICT, PREDICT_PROBA, PREDICTION, function_of, output_sql, probability
from firnline_snowpark.rows import feature_sql

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from snowflake.ml.model import ModelVersion

    from firnline.domain import Model, StepContext
    from firnline_snowpark.rows import Kind

RELATIVE: Final = 1e-4
ABSOLUTE: Final = 1e-6
"""Trees compute in single precision."""


def refuse_other_predictions(
    context: StepContext,
    version: ModelVersion,
    model: Model,
    estimator: Any,
    kinds: Mapping[str, Kind],
    *,
    table: str,
    rows: int,
) -> int:
    """Ask both about some rows; return how many were compared.

    Raises:
        DataError: they differ.
    """
    import numpy as np

    classes = model.task != "regression"
    call = function_of(version, PREDICT_PROBA if classes else PREDICT)
    outputs = [probability(code) for code in range(len(model.classes))] if classes else [PREDICTION]
    listed = [feature_sql(name, kinds[name]) for name in model.features]
    inner = ", ".join(f"{sql} AS C{index}" for index, sql in enumerate(listed))
    numbered = [f"C{index}" for index in range(len(listed))]
    outer = ", ".join([*numbered, *(output_sql("SAID", call, name) for name in outputs)])
    query = (
        f"SELECT {outer} FROM (SELECT {inner}, {call.sql(model.features, kinds)} AS SAID "  # noqa: S608 (all quoted)
        f"FROM (SELECT * FROM {table} LIMIT {rows}))"
    )
    frame = context.session.sql(query).to_arrow().to_pandas()
    features = frame.iloc[:, : len(listed)].set_axis(list(model.features), axis=1)
    said = frame.iloc[:, len(listed) :].to_numpy(dtype=np.float64)
    wanted = _local(estimator, features, classes=classes)
    different = ~np.isclose(said, wanted, rtol=RELATIVE, atol=ABSOLUTE, equal_nan=True).all(axis=1)
    if different.any():
        row = int(different.argmax())
        example = f"{said[row].tolist()} instead of {wanted[row].tolist()}"
        raise DataError(
            f"stage {context.stage}: the registered version predicts otherwise than the model in "
            f"{different.sum():,} of {len(frame):,} rows, for example {example}",
            hint="do the platform's libraries have the versions that fitted the model?",
        )
    return len(frame)


def _local(estimator: Any, features: Any, *, classes: bool) -> np.ndarray[Any, Any]:
    import numpy as np

    if classes:
        return np.asarray(estimator.predict_proba(features), dtype=np.float64)
    return np.asarray(estimator.predict(features), dtype=np.float64).reshape(-1, 1)
