"""An estimator is fitted here, a part of the rows in memory at a time, and stops when the validation loss says so."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError
from sklearn.compose import ColumnTransformer

from firnline.domain import Table
from firnline.errors import DataError
from firnline_snowpark import rows
from firnline_snowpark.train.local_params import LocalParams
from firnline_snowpark.train.spool import Spool
from tests.snowpark.churn_world import World
from tests.snowpark.plans import FEATURES, ROWS, plans_table

# The fitted pipelines must not warn when they are asked.
pytestmark = pytest.mark.filterwarnings("default::FutureWarning", "default::DeprecationWarning")

COPIES = 20
BATCH, SAMPLE = 500, 700


@pytest.fixture(scope="module")
def table(world: World) -> Table:
    return plans_table(world)


@pytest.fixture(scope="module")
def large(world: World, table: Table) -> Table:
    """Return the table many times over."""
    name = world.context("given").table_name()
    copies = f"TABLE(GENERATOR(ROWCOUNT => {COPIES}))"
    world.session.sql(f"CREATE TABLE {name} AS SELECT t.* FROM {table.name} t, {copies}").collect()
    return Table(name=name, rows=ROWS * COPIES, columns=table.columns)


@pytest.fixture(scope="module")
def halves(world: World, table: Table) -> dict[str, Table]:
    """Return rows to learn from and others to stop by."""
    return {
        "train": world.changed(table, "DELETE FROM {} WHERE MOD(ID, 2) = 0"),
        "valid": world.changed(table, "DELETE FROM {} WHERE MOD(ID, 2) = 1"),
    }


def fit(world: World, target: str, ports: dict[str, Table], **params: Any) -> Any:
    others = [name for name in ("PLAN", "SPEND") if name != target]
    return world.run("train.local", {"target": target, "identifiers": ["ID"], "set_aside": others, **params}, **ports)


def measured(world: World, model: Any, table: Table) -> dict[str, float]:
    found = world.run("evaluate.holdout", {"resamples": 10, "importance_rows": 0}, model=model, test=table, train=table)
    return dict(found["metrics"].values)


@pytest.mark.parametrize("estimator", ["xgboost", "lightgbm", "linear"])
def test_a_part_of_the_rows_is_held_at_a_time(
    world: World, large: Table, estimator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Count at every door: rows converted from Arrow, fitted on, encoded, and read back for the library."""
    held: dict[str, list[int]] = {"converted": [], "fitted": [], "encoded": [], "learned": []}

    def counting(owner: Any, name: str, what: str, place: int) -> None:
        original = getattr(owner, name)

        def counted(*arguments: Any, **options: Any) -> Any:
            found = original(*arguments, **options)
            held[what].append(len(found if place < 0 else arguments[place]))
            return found

        monkeypatch.setattr(owner, name, counted)

    counting(rows, "label_codes", "converted", 0)
    counting(ColumnTransformer, "fit_transform", "fitted", 1)
    counting(ColumnTransformer, "transform", "encoded", 1)
    counting(Spool, "part", "learned", -1)
    outputs = fit(world, "PLAN", {"train": large}, estimator=estimator, rounds=3, batch_rows=BATCH, sample_rows=SAMPLE)
    assert max(held["converted"]) <= BATCH
    assert sum(held["converted"]) == ROWS * COPIES + SAMPLE
    assert held["fitted"] == [SAMPLE]
    assert max(held["encoded"]) <= BATCH
    assert sum(held["encoded"]) == ROWS * COPIES
    assert max(held["learned"]) <= BATCH
    assert sum(held["learned"]) >= ROWS * COPIES
    assert f"{ROWS * COPIES:,} rows" in outputs["report"].sections[0].body


@pytest.mark.parametrize(
    ("estimator", "library"), [("xgboost", "xgboost"), ("lightgbm", "lightgbm"), ("linear", "sklearn")]
)
def test_classes_and_amounts_are_learned(
    world: World, table: Table, halves: dict[str, Table], estimator: str, library: str
) -> None:
    given = {"estimator": estimator, "batch_rows": 100, "rounds": 200 if estimator != "linear" else 50}
    classes = fit(world, "PLAN", halves, **given, class_weight="balanced")["model"]
    assert (classes.framework, classes.features, classes.classes) == (library, FEATURES, ("$", "$$$", "it's"))
    assert measured(world, classes, halves["valid"])["roc_auc"] > 0.75
    amounts = fit(world, "SPEND", halves, **given)["model"]
    assert measured(world, amounts, halves["valid"])["r2"] > 0.5


def test_trees_stop_where_the_validation_loss_was_smallest(world: World, halves: dict[str, Table]) -> None:
    given = {"rounds": 500, "early_stopping_rounds": 5, "learning_rate": 0.3}
    boosted = fit(world, "PLAN", halves, **given)
    rounds = boosted["model"].load()[-1].get_booster().num_boosted_rounds()
    assert rounds < 500
    assert f"smallest after {rounds:,} rounds" in boosted["report"].sections[0].body
    lighter = fit(world, "PLAN", halves, **given, estimator="lightgbm", settings={"min_child_samples": 5})
    trees = lighter["model"].load()[-1].booster_.num_trees()
    assert trees % 3 == 0  # one a class
    assert f"smallest after {trees // 3:,} rounds" in lighter["report"].sections[0].body


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"estimator": "catboost"}, "lightgbm"),
        ({"settings": {"max_deph": 3}}, "did you mean 'max_depth'"),
        ({"settings": {"n_estimators": 3}}, "say it by the params rounds"),
        ({"estimator": "linear", "settings": {"penaltie": "l1"}}, "did you mean 'penalty'"),
        ({"batch_rows": 1}, "greater than or equal to 100"),
    ],
)
def test_wrong_params_are_refused_while_planning(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        LocalParams.model_validate(params)
    assert message in str(refused.value)


def test_a_category_with_a_value_for_each_row_teaches_nothing(world: World, table: Table, halves: Any) -> None:
    """Were rows encoded by a mean that holds their own target, the training loss would be zero, and the model void."""
    change = ("ALTER TABLE {} ADD COLUMN NAME TEXT", "UPDATE {} SET NAME = 'n' || ID")
    named = {port: world.changed(half, *change) for port, half in halves.items()}
    model = fit(world, "SPEND", named, one_hot_limit=10, rounds=200)["model"]
    assert "NAME" in model.features
    assert measured(world, model, named["valid"])["r2"] > 0.4


def test_rows_without_a_class_are_refused(world: World, table: Table) -> None:
    empty = world.changed(table, "DELETE FROM {}")
    with pytest.raises(DataError, match="has no value in any"):
        fit(world, "PLAN", {"train": empty})
