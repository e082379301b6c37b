"""Any table: on real files the models are as good as plain scikit-learn on the very same rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from firnline.domain import Table
from tests.snowpark.churn_world import World

TELCO = Path(__file__).parents[3] / "shared" / "data" / "telco-customer-churn.csv"
SCORES = {"binary": ("roc_auc", 0.01), "multiclass": ("accuracy", 0.03), "regression": ("r2", 0.03)}
"""The measure that is compared, and by how much chance may move it: a few rows of the smaller files."""


def bundled(name: str) -> pd.DataFrame:
    """Return a data set that comes with scikit-learn, with classes by name."""
    from sklearn import datasets

    found = getattr(datasets, f"load_{name}")(as_frame=True)
    frame = found.frame
    if hasattr(found, "target_names"):
        frame["target"] = [str(found.target_names[code]) for code in found.target]
    return frame


def telco() -> pd.DataFrame:
    """Return the real file, for the baseline."""
    return pd.read_csv(TELCO)


CASES = {
    "telco": (TELCO, "Churn", "binary", 2),
    "breast_cancer": ("breast_cancer", "target", "binary", 1),
    "wine": ("wine", "target", "multiclass", 1),
    "diabetes": ("diabetes", "target", "regression", 1),
}


@pytest.fixture(scope="module", params=list(CASES))
def prepared(request: pytest.FixtureRequest, world: World, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Load, look at and split a file: telco as it is, one as CSV, the others as Parquet."""
    source, target, task, identifiers = CASES[request.param]
    if isinstance(source, Path):
        if not source.exists():
            pytest.skip(f"{source} is not here")
        path = source
    else:
        path = tmp_path_factory.mktemp("files") / f"{source}.{'csv' if source == 'wine' else 'parquet'}"
        frame = bundled(source)
        frame.to_csv(path, index=False) if path.suffix == ".csv" else frame.to_parquet(path, index=False)
    loaded = world.run("ingest.files", {"path": str(path)})["table"]
    found = world.run("prepare.tabular", {"target": target}, table=loaded)
    profile = found["profile"].load()
    assert profile.target.task == task
    assert len(profile.identifiers) == identifiers  # the row's place, and telco's customerID
    sets = world.run("split.random", {"seed": 7}, table=found["table"])
    return {"profile": found["profile"], "task": task, "target": target, **sets}


@pytest.mark.parametrize("step", ["train.xgboost", "train.logistic"])
def test_as_good_as_plain_scikit_learn(world: World, prepared: Any, step: str) -> None:
    ports = {name: prepared[name] for name in ("train", "valid", "profile")}
    model = world.run(step, **ports)["model"]
    found = world.run("evaluate.holdout", {"resamples": 0, "importance_rows": 0}, model=model, test=prepared["test"])[
        "metrics"
    ]
    measure, slack = SCORES[prepared["task"]]
    assert found.values[measure] >= plain_score(world, prepared, step) - slack


def plain_score(world: World, prepared: Any, step: str) -> float:
    """Fit what one writes in a notebook on the same rows, and score it on the same rows."""
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.metrics import accuracy_score, r2_score, roc_auc_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    classes = prepared["task"] != "regression"
    trees = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    linear = LogisticRegression(max_iter=2_000) if classes else Ridge()
    estimator = trees(random_state=0) if step == "train.xgboost" else linear
    front = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), make_column_selector(dtype_include=object)),
        (make_pipeline(SimpleImputer(), StandardScaler()), make_column_selector(dtype_include=np.number)),
    )
    features = list(prepared["profile"].load().features)
    x, y = frame_of(world, prepared["train"], features, prepared["target"])
    x_test, y_test = frame_of(world, prepared["test"], features, prepared["target"])
    plain = make_pipeline(front, estimator).fit(x, y)
    match prepared["task"]:
        case "binary":
            return float(roc_auc_score(y_test, plain.predict_proba(x_test)[:, 1]))
        case "multiclass":
            return float(accuracy_score(y_test, plain.predict(x_test)))
        case _:
            return float(r2_score(y_test, plain.predict(x_test)))


def frame_of(world: World, table: Table, features: list[str], target: str) -> tuple[pd.DataFrame, pd.Series[Any]]:
    """Return the rows of a set."""
    frame = world.session.table(table.name).to_pandas()
    numbers = {name: float for name in features if pd.api.types.is_numeric_dtype(frame[name])}
    return frame[features].astype(numbers), frame[target]


def test_blanks_in_a_numeric_column_are_missing_values(world: World) -> None:
    """Telco's TotalCharges has eleven blanks; the column stays a number."""
    if not TELCO.exists():
        pytest.skip(f"{TELCO} is not here")
    loaded = world.run("ingest.files", {"path": str(TELCO)})["table"]
    profile = world.run("prepare.tabular", {"target": "churn"}, table=loaded)["profile"].load()
    [charges] = [column for column in profile.columns if column.name == "TotalCharges"]
    assert (charges.kind, charges.missing, charges.role) == ("number", 11, "feature")
    assert profile.target.classes == ("No", "Yes")
    assert set(profile.identifiers) == {"_ROW", "customerID"}
