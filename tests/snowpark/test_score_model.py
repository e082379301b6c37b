"""The registered version predicts from SQL what the fitted model predicts here, and no row comes to the client."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest

from firnline.domain import RegisteredModel, Table
from firnline.errors import DataError
from firnline_snowpark.evaluate.predictions import learning_task
from firnline_snowpark.rows import read_all
from tests.snowpark.churn_world import World
from tests.snowpark.fetched import count_fetched
from tests.snowpark.plans import ROWS, Trained, plans_table, train

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")


@pytest.fixture(scope="module")
def table(world: World) -> Table:
    return plans_table(world)


def registered(world: World, trained: Trained, name: str) -> RegisteredModel:
    ports = {"model": trained.model, "metrics": trained.metrics, "data": trained.table, "features": trained.table}
    return world.run("register.model", {"name": name}, **ports)["registered"]


def local(world: World, trained: Trained) -> Any:
    """Return what the model says here, row by row in the order of ID."""
    task = learning_task(trained.model)
    rows = read_all(world.session, trained.table.name, task, order=["ID"])
    estimator = trained.model.load()
    return estimator.predict(rows.features) if task.task == "regression" else estimator.predict_proba(rows.features)


def test_classes(world: World, table: Table) -> None:
    trained = train(world, table, "PLAN", step="train.xgboost", rounds=30)
    model = registered(world, trained, "score_classes")
    outputs = world.run("score.model", {"identifiers": ["id"]}, model=model, table=table)
    assert outputs["predictions"].rows == ROWS
    assert outputs["predictions"].columns == (
        "ID", "PREDICTION", "PROBABILITY", "MODEL_NAME", "MODEL_VERSION", "SCORED_AT",
    )  # fmt: skip
    rows = world.rows(outputs["predictions"], order_by="ID")
    said = local(world, trained)
    assert [row[1] for row in rows] == [trained.model.classes[code] for code in said.argmax(axis=1)]
    assert [row[2] for row in rows] == pytest.approx(said.max(axis=1).tolist(), rel=1e-6)
    assert {row[3:5] for row in rows} == {("SCORE_CLASSES", model.version)}
    assert all(isinstance(row[5], dt.datetime) for row in rows)


def test_two_classes_and_the_threshold(world: World, table: Table) -> None:
    two = world.changed(table, "UPDATE {} SET PLAN = IFF(PLAN = '$$$', 'yes', 'no')")
    trained = train(world, two, "PLAN", set_aside=["SPEND"])
    model = registered(world, trained, "score_two")
    outputs = world.run("score.model", {"identifiers": ["ID"], "threshold": 0.3}, model=model, table=two)
    rows = world.rows(outputs["predictions"], order_by="ID")
    said = local(world, trained)[:, 1]
    assert [row[2] for row in rows] == pytest.approx(said.tolist(), rel=1e-6)
    assert [row[1] for row in rows] == ["yes" if p >= 0.3 else "no" for p in said]
    _, predicted, _, highest = outputs["report"].sections
    assert sum(int(row[1]) for row in predicted.rows) == ROWS
    assert highest.columns == ("ID", "PREDICTION", "PROBABILITY")
    assert len(highest.rows) == 10


def test_amounts(world: World, table: Table) -> None:
    trained = train(world, table, "SPEND")
    outputs = world.run(
        "score.model", {"identifiers": ["ID"]}, model=registered(world, trained, "score_amounts"), table=table
    )
    rows = world.rows(outputs["predictions"], "ID", "PREDICTION", order_by="ID")
    assert np.array([row[1] for row in rows]) == pytest.approx(local(world, trained), rel=1e-9)
    assert "PROBABILITY" not in outputs["predictions"].columns


@pytest.fixture(scope="module")
def model(world: World, table: Table) -> RegisteredModel:
    return registered(world, train(world, table, "PLAN"), "score_refusals")


def test_tables_that_cannot_be_scored_are_told(world: World, table: Table, model: RegisteredModel) -> None:
    narrower = world.changed(table, "ALTER TABLE {} DROP COLUMN AGE")
    with pytest.raises(DataError, match=r"cannot score .*: it lacks AGE"):
        world.run("score.model", model=model, table=narrower)
    with pytest.raises(DataError, match="column 'IDD' is not in the table"):
        world.run("score.model", {"identifiers": ["IDD"]}, model=model, table=table)
    scored = world.changed(table, "ALTER TABLE {} RENAME COLUMN SPEND TO PREDICTION")
    with pytest.raises(DataError, match="own PREDICTION cannot stand beside"):
        world.run("score.model", model=model, table=scored)


def test_a_version_that_is_gone_is_told(world: World, table: Table, model: RegisteredModel) -> None:
    gone = RegisteredModel(name=model.name, version="V_GONE")
    with pytest.raises(DataError, match="has no version V_GONE in the registry") as caught:
        world.run("score.model", model=gone, table=table)
    assert "--from register" in str(caught.value.hint)


def test_rows_stay_on_the_platform(world: World, model: RegisteredModel) -> None:
    """However many rows are scored, the client fetches a few dozen: counts, bins, the highest scores."""
    larger = world.context("given").table_name()
    few = plans_table(world)
    world.session.sql(
        f"CREATE TABLE {larger} AS SELECT t.* FROM {few.name} t, TABLE(GENERATOR(ROWCOUNT => 40)) g"
    ).collect()
    with count_fetched() as fetched:
        outputs = world.run(
            "score.model", {"identifiers": ["ID"]}, model=model, table=Table(name=larger, rows=40 * ROWS)
        )
    assert outputs["predictions"].rows == 40 * ROWS
    assert fetched.rows < 300
