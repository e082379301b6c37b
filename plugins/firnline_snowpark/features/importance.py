"""How much each column helps a gradient-boosted model, which Snowpark ML fits on the platform."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firnline_snowpark.columns import quoted
from firnline_snowpark.literals import literal
from firnline_snowpark.rows import feature_sql, label_sql

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from snowflake.snowpark import Session

    from firnline_snowpark.rows import Kind
    from firnline_snowpark.tabular.profile import Target

TREES: Final = 60
DEPTH: Final = 5
BUCKETS: Final = 1_000
"""Text enters the model as one of so many numbers, by its hash."""
LABEL: Final = "Y"


def importances(
    session: Session,
    table: str,
    kinds: Mapping[str, Kind],
    target: Target,
    target_kind: Kind,
    *,
    rows: int,
    seed: int,
) -> dict[str, float]:
    """Return each column's share of the gain of all splits; they sum up to 1."""
    from snowflake.ml.modeling.xgboost import XGBClassifier, XGBRegressor

    inputs = [f"X{place}" for place in range(len(kinds))]
    columns = [f"{_coded(name, kind)} AS {x}" for x, (name, kind) in zip(inputs, kinds.items(), strict=True)]
    order = ", ".join([*(quoted(name) for name in list(kinds)[:20]), str(seed)])
    frame = session.sql(
        f"SELECT {', '.join(columns)}, {_label(target, target_kind)} AS {LABEL} FROM {table} "  # noqa: S608 (quoted)
        f"WHERE {quoted(target.name)} IS NOT NULL ORDER BY HASH({order}) LIMIT {rows}"
    )
    estimator = XGBRegressor if target.task == "regression" else XGBClassifier
    model = estimator(
        input_cols=inputs,
        label_cols=[LABEL],
        n_estimators=TREES,
        max_depth=DEPTH,
        importance_type="gain",
        n_jobs=1,
        random_state=seed,
    )
    model.fit(frame)
    return _shares(list(kinds), model.to_xgboost().feature_importances_.tolist())


def _shares(names: Sequence[str], gains: Sequence[float]) -> dict[str, float]:
    total = sum(gains) or 1.0
    return {name: float(gain) / total for name, gain in zip(names, gains, strict=True)}


def _coded(name: str, kind: Kind) -> str:
    value = feature_sql(name, kind)
    return f"CAST(MOD(HASH({value}), {BUCKETS}) AS FLOAT)" if kind == "text" else value


def _label(target: Target, kind: Kind) -> str:
    value = label_sql(target.name, kind)
    if target.task == "regression":
        return value
    cases = " ".join(f"WHEN {_constant(label)} THEN {code}" for code, label in enumerate(target.classes))
    return f"CASE {value} {cases} END"


def _constant(label: object) -> str:
    return literal(label) if isinstance(label, str) else literal(float(label))  # type: ignore[arg-type]
