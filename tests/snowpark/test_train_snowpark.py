"""An estimator of Snowpark ML is fitted where the rows are, and is a model like any other afterwards."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from snowflake.ml.modeling.neural_network import MLPClassifier
from xgboost import XGBModel

from firnline.domain import Table
from firnline.errors import DataError
from firnline_snowpark.rows import LearningTask
from firnline_snowpark.train import in_platform
from firnline_snowpark.train.estimators import ESTIMATORS, Purpose, settings_problem, takes
from firnline_snowpark.train.preprocessing import numbers, transformer
from firnline_snowpark.train.roles import Roles
from firnline_snowpark.train.snowpark import UNWEIGHTED
from firnline_snowpark.train.snowpark_params import SnowparkParams
from tests.snowpark.churn_world import World
from tests.snowpark.fetched import count_fetched
from tests.snowpark.plans import FEATURES, ROWS, plans_table

# "X does not have valid feature names" and its like would be errors: the fitted pipelines must not warn at all.
pytestmark = pytest.mark.filterwarnings("default::FutureWarning", "default::DeprecationWarning")

COLUMNS = {"input_cols", "output_cols", "label_cols", "passthrough_cols", "drop_input_cols", "sample_weight_col"}
OFFERED: list[tuple[str, Purpose]] = [
    (name, purpose)
    for name, estimator in ESTIMATORS.items()
    for purpose in ("classification", "regression")
    if estimator.class_for(purpose) is not None
]
SOURCE = {"identifiers": ["ID"]}


@pytest.fixture(scope="module")
def table(world: World) -> Table:
    return plans_table(world)


def fit(world: World, table: Table, target: str, **params: Any) -> Any:
    others = [name for name in ("PLAN", "SPEND") if name != target]
    return world.run("train.snowpark", {**SOURCE, "target": target, "set_aside": others, **params}, train=table)


def measured(world: World, model: Any, table: Table) -> dict[str, float]:
    found = world.run("evaluate.holdout", {"resamples": 10}, model=model, test=table, train=table)
    return dict(found["metrics"].values)


def test_no_row_is_fetched_and_the_model_takes_the_tables_columns(world: World, table: Table) -> None:
    settings = {"n_estimators": 20}
    with count_fetched() as fetched, world.session.query_history() as history:
        outputs = fit(world, table, "PLAN", estimator="xgboost", settings=settings)
    # What is fetched: the kinds of the columns, the target's values with their counts, the procedure's answer.
    assert fetched.rows < ROWS / 4
    assert any("PROCEDURE" in query.sql_text.upper() for query in history.queries)
    model = outputs["model"]
    assert (model.framework, model.features, model.classes) == ("xgboost", FEATURES, ("$", "$$$", "it's"))
    assert model.params["settings"] == settings
    assert measured(world, model, table)["roc_auc"] > 0.8


@pytest.mark.filterwarnings("ignore:Null value detected")  # by the client, while it fits
@pytest.mark.filterwarnings("ignore:.*(converge|Maximum iterations)")  # the data are few, and so are the iterations
@pytest.mark.parametrize(("name", "purpose"), OFFERED)
def test_every_estimator_fits_and_predicts_silently(name: str, purpose: Purpose) -> None:
    """What the procedure does, in this process: with gaps and categories, and with weights where they are offered."""
    random = np.random.default_rng(3)
    size, kind = random.normal(size=90), random.choice(["a", "b", None], size=90)
    size[::7] = np.nan
    features = pd.DataFrame({"SIZE": size, "KIND": kind.astype(object)})
    amounts = np.nan_to_num(size) + (kind == "a")
    labels = (amounts > 0.3).astype(np.int64) if purpose == "classification" else amounts
    task = LearningTask(
        features=("SIZE", "KIND"), target="Y", task="binary" if purpose == "classification" else "regression"
    )
    roles = Roles(task=task, kinds={"SIZE": "number", "KIND": "text"}, order=(), left_out=())
    estimator = ESTIMATORS[name]
    scaled = not estimator.takes_gaps
    seeded = {"random_state": 0} if takes(estimator, "random_state", purpose) else {}
    order = {
        "front": transformer(roles, set(), numbers=numbers(scaled=scaled), scaled=scaled, seed=0),
        "estimator": (estimator.module, estimator.class_for(purpose)),
        "library": estimator.library,
        "settings": seeded | ({"verbose": -1} if name == "lightgbm" else {}),
        "balanced": purpose == "classification" and name not in UNWEIGHTED,
    }
    pipeline = in_platform._fit_one(order, features, labels)
    if purpose == "classification":
        said = pipeline.predict_proba(features)
        assert said.shape == (90, 2)
        assert ((said[:, 1] > 0.5) == labels).mean() > 0.6
    else:
        assert np.corrcoef(pipeline.predict(features), labels)[0, 1] > 0.3 or name in {"lasso", "elastic_net"}


def test_a_search_finds_the_better_setting_and_tells_all(world: World, table: Table) -> None:
    search = {"values": {"alpha": [0.1, 100_000.0]}, "folds": 3}
    outputs = fit(world, table, "SPEND", estimator="linear", search=search)
    [shown] = [section for section in outputs["report"].sections if section.title == "Search"]
    assert [row[0] for row in shown.rows] == ["0.1", "100000.0"]
    assert outputs["model"].load()[-1].alpha == 0.1
    assert measured(world, outputs["model"], table)["r2"] > 0.5


def test_a_random_search_tries_as_many_as_it_is_told(world: World, table: Table) -> None:
    search = {"kind": "random", "iterations": 2, "folds": 2, "values": {"max_depth": [1, 2, 3, 4]}}
    given = {"estimator": "decision_tree", "search": search, "imputer": "mean", "scaler": "min_max", "seed": 7}
    outputs = fit(world, table, "PLAN", **given)
    [shown] = [section for section in outputs["report"].sections if section.title == "Search"]
    tried = {int(row[0]) for row in shown.rows}
    assert len(tried) == 2
    assert outputs["model"].load()[-1].max_depth == int(shown.rows[0][0])


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"estimator": "xgbost"}, "did you mean 'xgboost'"),
        ({"settings": {"max_deph": 3}}, "did you mean 'max_depth'"),
        ({"estimator": "mlp", "settings": {"hidden_layers": [3]}}, "hidden_layer_sizes"),
        ({"search": {"values": {}}}, "at least 1 item"),
        ({"search": {"values": {"max_depth": []}}}, "no value to try for max_depth"),
        ({"settings": {"max_depth": 3}, "search": {"values": {"max_depth": [3]}}}, "both set and searched"),
        ({"class_weight": "balanced", "search": {"values": {"max_depth": [3]}}}, "a search cannot weigh rows"),
        ({"settings": {"input_cols": ["A"]}}, "take no 'input_cols'"),
    ],
)
def test_wrong_params_are_refused_while_planning(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        SnowparkParams.model_validate(params)
    assert message in str(refused.value)


def test_what_does_not_fit_the_target_or_the_library_is_refused(world: World, table: Table) -> None:
    with pytest.raises(DataError, match="lasso is not for classification") as refused:
        fit(world, table, "PLAN", estimator="lasso")
    assert "xgboost" in str(refused.value.hint)
    with pytest.raises(DataError, match=r"LogisticRegression .* take no 'alpha'"):
        fit(world, table, "PLAN", estimator="linear", settings={"alpha": 2.0})
    with pytest.raises(DataError, match=r"could not fit RandomForestClassifier: .*n_estimators"):
        fit(world, table, "PLAN", estimator="random_forest", settings={"n_estimators": -3})


def test_signatures_are_those_of_the_classes_and_are_read_without_importing_them() -> None:
    code = (
        "import sys\n"
        "from firnline_snowpark.train.snowpark_params import SnowparkParams\n"
        "SnowparkParams.model_validate({'estimator': 'xgboost', 'settings': {'max_depth': 3}})\n"
        "print([name for name in ('snowflake.ml', 'sklearn', 'xgboost') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "[]"
    assert settings_problem(ESTIMATORS["mlp"], inspect.signature(MLPClassifier).parameters.keys() - COLUMNS) is None
    assert (
        settings_problem(ESTIMATORS["xgboost"], inspect.signature(XGBModel).parameters.keys() - {"kwargs", "callbacks"})
        is None
    )
    for no_setting in ("kwargs", "self", "None", "Optional"):
        assert settings_problem(ESTIMATORS["mlp"], [no_setting]) is not None
    for name, estimator in ESTIMATORS.items():
        assert estimator.classes
        assert settings_problem(estimator, ["no_such_setting"]) is not None
        assert settings_problem(estimator, ["random_state"]) is None, name


def test_the_procedures_file_needs_nothing_of_ours() -> None:
    from firnline_snowpark.train import in_platform

    text = Path(str(in_platform.__file__)).read_text("utf-8")
    assert "firnline_snowpark" not in text
    assert "from firnline" not in text
