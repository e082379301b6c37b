"""features.encode and features.attach: fitted on train alone, the same in SQL and in the model that is served."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from firnline.domain import Table
from firnline.errors import DataError
from firnline_snowpark.features.encode_params import EncodeParams
from tests.snowpark.churn_world import World
from tests.snowpark.fetched import count_fetched
from tests.snowpark.plans import plans_table

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")

ENCODERS = {
    "kinds": {"use": "OneHotEncoder", "columns": ["select"]},
    "sizes": {"use": "StandardScaler", "columns": ["größe in m", "ACTIVE"]},
    "ages": {"use": "MinMaxScaler", "columns": ["AGE"], "options": {"feature_range": [-1, 1]}},
}


@pytest.fixture(scope="module")
def sets(world: World) -> dict[str, Table]:
    table = plans_table(world)
    later = "UPDATE {} SET \"select\" = 'new', AGE = 500 WHERE ID < 10"  # what train has never seen
    return {"train": table, "valid": table, "test": world.changed(table, later)}


@pytest.fixture(scope="module")
def encoded(world: World, sets: dict[str, Table]) -> Any:
    with count_fetched() as fetched:
        found = world.run("features.encode", {"encoders": ENCODERS, "checked_rows": 20}, **sets)
    assert fetched.rows < 120  # what was learned, answers to statements and 20 rows to compare, of 720
    return found


def test_encoders_learn_from_the_training_rows_alone(world: World, sets: dict[str, Table], encoded: Any) -> None:
    hot = ("select_a", "select_b", "select_c's", "select_(missing)")
    assert encoded["train"].columns == ("ID", *hot, "Größe in m", "ACTIVE", "AGE", "PLAN", "SPEND")
    assert encoded["test"].columns == encoded["train"].columns
    unseen = world.session.table(encoded["test"].name).filter("ID < 10").select(*[f'"{name}"' for name in hot], "AGE")
    low, high = world.session.table(sets["train"].name).select_expr("MIN(AGE)", "MAX(AGE)").collect()[0]
    for row in unseen.collect():
        assert tuple(row)[:4] == (0, 0, 0, 0)
        assert row[4] == pytest.approx(-1 + 2 * (500 - low) / (high - low))
    size = 'AVG("Größe in m")', 'STDDEV_POP("Größe in m")'
    [moments] = world.session.table(encoded["train"].name).select_expr(*size).collect()
    assert tuple(moments) == pytest.approx((0, 1), abs=1e-9)


def test_the_model_with_its_encoders_takes_raw_columns(world: World, sets: dict[str, Table], encoded: Any) -> None:
    params = {"target": "PLAN", "identifiers": ["ID"], "set_aside": ["SPEND"]}
    model = world.run("train.logistic", params, train=encoded["train"])["model"]
    whole = world.run("features.attach", {}, model=model, encoder=encoded["encoder"])["model"]
    assert set(whole.features) == {"select", "Größe in m", "ACTIVE", "AGE"}
    inside = world.run("evaluate.holdout", {"resamples": 20}, model=model, test=encoded["test"])["metrics"]
    outside = world.run("evaluate.holdout", {"resamples": 20}, model=whole, test=sets["test"])["metrics"]
    assert outside.values == pytest.approx(inside.values, abs=1e-6)
    registered = world.run(
        "register.model", {"sample_rows": 20}, model=whole, metrics=outside, data=sets["train"], features=sets["train"]
    )["registered"]
    scored = world.run("score.model", {"identifiers": ["ID"]}, model=registered, table=sets["test"])["predictions"]
    assert scored.rows == sets["test"].rows


def test_ordinal_codes_say_minus_one_for_what_is_not_known(world: World, sets: dict[str, Table]) -> None:
    encoders = {
        "codes": {"use": "OrdinalEncoder", "columns": ["select", "PLAN"]},
        "robust": {"use": "RobustScaler", "columns": ["SPEND"]},
        "most": {"use": "MaxAbsScaler", "columns": ["AGE"]},
    }
    found = world.run("features.encode", {"encoders": encoders}, **sets)
    query = 'SELECT DISTINCT T."select", E."select" FROM {} T JOIN {} E ON T.ID = E.ID ORDER BY 2, 1'
    rows = world.session.sql(query.format(sets["test"].name, found["test"].name)).collect()
    assert {tuple(row) for row in rows} == {(None, -1), ("new", -1), ("a", 0), ("b", 1), ("c's", 2)}


@pytest.mark.parametrize(
    ("encoder", "says"),
    [
        ({"use": "OneHotEncoder", "columns": ["AGE"]}, "takes text, and 'AGE' holds number"),
        ({"use": "StandardScaler", "columns": ["select"]}, "takes flag or number, and 'select' holds text"),
        ({"use": "OneHotEncoder", "columns": ["selct"]}, "'selct' is not in the table"),
    ],
)
def test_columns_that_do_not_fit_are_refused(
    world: World, sets: dict[str, Table], encoder: dict[str, Any], says: str
) -> None:
    with pytest.raises(DataError, match=says):
        world.run("features.encode", {"encoders": {"x": encoder}}, **sets)


def test_too_many_categories_are_refused(world: World, sets: dict[str, Table]) -> None:
    params = {"encoders": {"x": {"use": "OneHotEncoder", "columns": ["select"]}}, "max_categories": 2}
    with pytest.raises(DataError, match="'select' has 3 values"):
        world.run("features.encode", params, **sets)


def test_what_was_not_trained_behind_encoders_is_refused(world: World, sets: dict[str, Table], encoded: Any) -> None:
    params = {"target": "SPEND", "identifiers": ["ID"], "set_aside": ["PLAN", "select", "Größe in m", "ACTIVE", "AGE"]}
    more = world.changed(sets["train"], "ALTER TABLE {} ADD COLUMN OTHER FLOAT", "UPDATE {} SET OTHER = SPEND")
    model = world.run("train.logistic", params, train=more)["model"]
    with pytest.raises(DataError, match="none of the encoded columns"):
        world.run("features.attach", {}, model=model, encoder=encoded["encoder"])
    with pytest.raises(DataError, match="holds no encoders"):
        world.run("features.attach", {}, model=model, encoder=world.context("x").save(3))


@pytest.mark.parametrize(
    ("encoders", "says"),
    [
        ({"a": {"use": "Normalizer", "columns": ["A"]}}, "Input should be"),
        ({"a": {"use": "MinMaxScaler", "columns": ["A"], "options": {"rnage": True}}}, "no option 'rnage'"),
        ({"a": {"use": "MinMaxScaler", "columns": ["A"]}, "b": {"use": "MaxAbsScaler", "columns": ["A"]}}, "twice"),
    ],
)
def test_params_that_do_not_fit_are_refused(encoders: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        EncodeParams.model_validate({"encoders": encoders})
