"""The stored procedure of ``train.snowpark``. The platform gets this file alone, so it imports nothing of ours."""

from __future__ import annotations

import importlib
import json
import pickle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from snowflake.snowpark import Session

ORDER: Final = "order.pkl"
RESULT: Final = "model.pkl"
LABEL: Final = "LABEL"
WEIGHT: Final = "WEIGHT"
SHOWN: Final = 20
MODEL: Final = "model"


def fit(session: Session, folder: str) -> str:
    """Fit what the order in a folder of a stage asks for, and put the pipeline beside it.

    Args:
        session: the procedure's.
        folder: of the stage, with the order.

    Returns:
        JSON: ``rows``, ``absent`` (places of classes without a row; then nothing is fitted) and ``search``.
    """
    with TemporaryDirectory() as place:
        session.file.get(f"{folder}/{ORDER}", place)
        order = pickle.loads((Path(place) / ORDER).read_bytes())  # noqa: S301 (written by the step that calls this)
        features, labels = _rows(session, order)
        absent = sorted(set(range(len(order["classes"]))) - {int(code) for code in labels}) if order["classes"] else []
        told: dict[str, Any] = {"rows": len(labels), "absent": absent, "search": []}
        if not len(labels) or absent:
            return json.dumps(told)
        if order["search"] is None:
            pipeline = _fit_one(order, features, labels)
        else:
            pipeline, told["search"] = _search(order, features, labels)
        (Path(place) / RESULT).write_bytes(pickle.dumps(pipeline, protocol=pickle.HIGHEST_PROTOCOL))
        session.file.put(str(Path(place) / RESULT), folder, auto_compress=False, overwrite=True)
    return json.dumps(told)


def _rows(session: Session, order: dict[str, Any]) -> tuple[pd.DataFrame, np.ndarray[Any, Any]]:
    """Read features as numbers and text, and labels as codes or amounts."""
    import numpy as np

    frame = session.sql(order["query"]).to_pandas()
    names = list(order["features"])
    features = frame.iloc[:, : len(names)].set_axis(names, axis=1)
    for name in names:
        column = features[name]
        numbers = name in order["numbers"]
        features[name] = column.astype("float64") if numbers else column.astype(object).where(column.notna(), None)
    labels = frame.iloc[:, len(names)]
    if not order["classes"]:
        return features, labels.to_numpy(dtype=np.float64)
    codes = {label: code for code, label in enumerate(order["classes"])}
    found = np.fromiter((codes.get(label, -1) for label in labels), dtype=np.int64, count=len(labels))
    return features[found >= 0].reset_index(drop=True), found[found >= 0]


def _estimator(order: dict[str, Any]) -> Any:
    module, name = order["estimator"]
    return getattr(importlib.import_module(f"snowflake.ml.modeling.{module}"), name)(**order["settings"])


def _native(estimator: Any, library: str) -> Any:
    """Return the object of the library behind an estimator of Snowpark ML."""
    return getattr(estimator, {"sklearn": "to_sklearn", "xgboost": "to_xgboost", "lightgbm": "to_lightgbm"}[library])()


def _fit_one(order: dict[str, Any], features: pd.DataFrame, labels: np.ndarray[Any, Any]) -> Any:
    import pandas as pd
    from sklearn.pipeline import Pipeline

    front = order["front"]
    matrix = front.fit_transform(features, labels)
    # Numbered, for a library may refuse what a table's columns are called.
    names = [f"F{number}" for number in range(matrix.shape[1])]
    frame = pd.DataFrame(matrix, columns=names)
    frame[LABEL] = labels
    estimator = _estimator(order)
    estimator.set_input_cols(names).set_label_cols([LABEL]).set_output_cols(["PREDICTED"])
    if order["balanced"]:
        from sklearn.utils.class_weight import compute_sample_weight

        frame[WEIGHT] = compute_sample_weight("balanced", labels)
        estimator.set_sample_weight_col(WEIGHT)
    estimator.fit(frame)
    return Pipeline([("columns", front), (MODEL, _nameless(_native(estimator, order["library"]), order["library"]))])


def _nameless(fitted: Any, library: str) -> Any:
    """Let an estimator forget the numbered names: in the pipeline it is handed plain matrices."""
    if library == "xgboost":
        fitted.get_booster().feature_names = None
    elif library == "lightgbm":
        fitted._fitted_with_feature_names = False  # noqa: SLF001 (it has no public way)
    elif library == "sklearn" and hasattr(fitted, "feature_names_in_"):
        del fitted.feature_names_in_
    return fitted


def _search(
    order: dict[str, Any], features: pd.DataFrame, labels: np.ndarray[Any, Any]
) -> tuple[Any, list[dict[str, Any]]]:
    """Return the best pipeline, fitted on all rows, and the candidates, best first."""
    from sklearn.model_selection import KFold, StratifiedKFold
    from sklearn.pipeline import Pipeline
    from snowflake.ml.modeling.model_selection import GridSearchCV, RandomizedSearchCV

    asked = order["search"]
    pipeline = Pipeline([("columns", order["front"]), (MODEL, _native(_estimator(order), order["library"]))])
    folds = (StratifiedKFold if order["classes"] else KFold)(asked["folds"], shuffle=True, random_state=order["seed"])
    options = {
        "estimator": pipeline,
        "cv": folds,
        "scoring": asked["scoring"],
        "n_jobs": 1,
        "error_score": "raise",
        "input_cols": list(features.columns),
        "label_cols": [LABEL],
        "output_cols": ["PREDICTED"],
    }
    values = {f"{MODEL}__{name}": tried for name, tried in asked["values"].items()}
    if asked["kind"] == "grid":
        search = GridSearchCV(param_grid=values, **options)
    else:
        search = RandomizedSearchCV(
            param_distributions=values, n_iter=asked["iterations"], random_state=order["seed"], **options
        )
    search.fit(features.assign(**{LABEL: labels}))
    found = search.to_sklearn()
    results = found.cv_results_
    ranked = sorted(range(len(results["params"])), key=lambda index: int(results["rank_test_score"][index]))
    listed = [
        {
            "settings": {name.removeprefix(f"{MODEL}__"): value for name, value in results["params"][index].items()},
            "mean": float(results["mean_test_score"][index]),
            "deviation": float(results["std_test_score"][index]),
        }
        for index in ranked[:SHOWN]
    ]
    return found.best_estimator_, listed
