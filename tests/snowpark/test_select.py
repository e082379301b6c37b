"""features.select: scores that agree with a computation in memory, verdicts, and wide tables in bounded statements."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from sklearn.metrics import mutual_info_score

from firnline.domain import Table
from firnline.errors import DataError
from firnline_snowpark.features.scores import COLUMNS_A_STATEMENT, column_scores
from firnline_snowpark.features.select_params import SelectParams
from firnline_snowpark.rows import column_kinds
from firnline_snowpark.tabular.target import examine_target
from tests.snowpark.churn_world import World
from tests.snowpark.fetched import count_fetched

ROWS = 3_000
COLUMNS = (
    "ID",
    "strong",
    "twin",
    "WEAK",
    "NOISE",
    "CONSTANT",
    "EMPTY",
    "MOSTLY_MISSING",
    "GAP_TELLS",
    "KIND",
    "MANY",
    "FLAG",
    "DAY",
    "Y",
    "AMOUNT",
)


@pytest.fixture(scope="module")
def arrays() -> dict[str, Any]:
    random = np.random.default_rng(3)
    strong, noise = random.normal(size=ROWS), random.normal(size=ROWS)
    label = strong + 0.3 * random.normal(size=ROWS) > 0
    return {
        "strong": strong,
        "twin": 3 * strong + 1e-3 * noise,
        "WEAK": label * 0.7 + random.normal(size=ROWS),
        "NOISE": noise,
        "KIND": np.where(label & (random.random(ROWS) < 0.5), "gold", np.where(noise > 0, "b's", "c")),
        "Y": np.where(label, "yes", "no"),
        "AMOUNT": strong * 2 + random.normal(size=ROWS) * 0.1,
    }


@pytest.fixture(scope="module")
def table(world: World, arrays: dict[str, Any]) -> Table:
    import pandas as pd

    label, day = arrays["Y"] == "yes", pd.Timestamp("2026-01-01").date()
    columns = {
        "ID": np.arange(ROWS),
        **arrays,
        "CONSTANT": 7,
        "EMPTY": pd.Series([None] * ROWS, dtype="object"),
        "MOSTLY_MISSING": np.where(np.arange(ROWS) < 10, 1.0, np.nan) * np.arange(ROWS),
        "GAP_TELLS": np.where(label, np.nan, 1.0),
        "MANY": [f"m{place}" for place in range(ROWS)],
        "FLAG": label ^ (np.arange(ROWS) % 5 == 0),
        "DAY": day,
    }
    name = world.context("given").table_name()
    frame = pd.DataFrame(columns)[list(COLUMNS)].replace({np.nan: None})
    world.session.create_dataframe(frame.astype({"ID": int})).write.save_as_table(name)
    return Table(name=name, rows=ROWS, columns=COLUMNS)


def test_information_is_what_scikit_learn_computes(world: World, table: Table, arrays: dict[str, Any]) -> None:
    kinds = column_kinds(world.session, table.name)
    chosen = {name: kinds[name] for name in ("strong", "WEAK", "NOISE", "KIND")}
    target = examine_target(world.session, table.name, "Y", kinds["Y"])
    scores = {s.name: s for s in column_scores(world.session, table.name, chosen, target, kinds["Y"], bins=10)}
    entropy = mutual_info_score(arrays["Y"], arrays["Y"])
    for name in chosen:
        values = arrays[name]
        if name != "KIND":
            values = np.searchsorted(np.quantile(values, np.arange(1, 10) / 10), values)
        chance = (len(set(values)) - 1) / (2 * ROWS)
        expected = max(mutual_info_score(values, arrays["Y"]) - chance, 0) / entropy
        assert scores[name].information == pytest.approx(expected, abs=0.01), name
    assert scores["strong"].information > 0.4
    assert scores["NOISE"].information < 0.005
    assert scores["strong"].variance == pytest.approx(np.var(arrays["strong"]))


def test_columns_are_kept_for_a_reason(world: World, table: Table) -> None:
    params = {"target": "y", "identifiers": ["ID"], "set_aside": ["AMOUNT"], "min_information": 0.01}
    with count_fetched() as fetched:
        found = world.run("features.select", params, table=table)
    assert fetched.rows < 40  # scores, never rows
    verdicts = {row[0]: row[3] for row in world.session.table(found["scores"].name).collect()}
    [better] = [name for name in ("strong", "twin") if verdicts[name] is None]
    kept = {better, "WEAK", "GAP_TELLS", "KIND", "FLAG"}
    assert {name for name, reason in verdicts.items() if reason is None} == kept
    assert any(str(reason).startswith(f"correlates with {better} (1.000)") for reason in verdicts.values())
    assert verdicts["CONSTANT"] == "has one value only"
    assert verdicts["EMPTY"].startswith("missing in 100.0%")
    assert verdicts["MOSTLY_MISSING"].startswith("missing in 99.7%")
    assert verdicts["NOISE"].startswith("explains 0.")
    # What is no candidate stays: identifiers, the target, dates.
    assert set(found["table"].columns) == {"ID", "Y", "AMOUNT", "DAY"} | kept
    assert found["table"].rows == ROWS
    profile = found["profile"].load()
    assert set(profile.features) == kept
    assert profile.identifiers == ("ID",)
    assert found["metrics"].values == {"columns": 11, "kept": 5}
    assert found["report"].sections[1].rows[0][0] in {better, "GAP_TELLS"}


def test_the_best_are_kept_and_those_that_must_be(world: World, table: Table) -> None:
    params = {"target": "AMOUNT", "identifiers": ["ID"], "set_aside": ["Y"], "keep": 2, "always": ["NOISE"]}
    profile = world.run("features.select", params, table=table)["profile"].load()
    assert profile.target.task == "regression"
    assert set(profile.features) & {"strong", "twin"}
    assert "NOISE" in profile.features
    assert len(profile.features) == 2


def test_a_trainer_reads_what_was_kept_and_a_profile_is_passed_on(world: World, table: Table) -> None:
    prepared = world.run("prepare.tabular", {"target": "Y"}, table=table)
    found = world.run(
        "features.select", {"keep": 3, "set_aside": ["AMOUNT"]}, table=prepared["table"], profile=prepared["profile"]
    )
    model = world.run("train.logistic", {}, train=prepared["table"], profile=found["profile"])["model"]
    assert len(model.features) == 3
    assert set(model.features) <= set(found["table"].columns)


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")
def test_importance_is_learned_on_the_platform(world: World, table: Table) -> None:
    params = {"target": "Y", "identifiers": ["ID"], "set_aside": ["AMOUNT", "MANY", "GAP_TELLS"], "keep": 2}
    with count_fetched() as fetched:
        found = world.run("features.select", params | {"rank_by": "importance"}, table=table)
    rows = {row["COLUMN_NAME"]: row for row in world.session.table(found["scores"].name).collect()}
    assert sum(row["IMPORTANCE"] or 0 for row in rows.values()) == pytest.approx(1)
    assert max(rows, key=lambda name: rows[name]["IMPORTANCE"] or 0) in {"strong", "twin"}
    assert fetched.rows < 400, fetched


def test_a_wide_table_is_scored_in_bounded_statements(world: World) -> None:
    wide = 520
    columns = ", ".join(f"MOD(SEQ4() * {7 + place}, {2 + place % 12}) AS C{place}" for place in range(wide))
    name = world.context("wide").table_name()
    world.session.sql(
        f"CREATE TABLE {name} AS SELECT MOD(SEQ4(), 2) AS Y, {columns} FROM TABLE(GENERATOR(ROWCOUNT => 300))"
    ).collect()
    with world.session.query_history() as history, count_fetched() as fetched:
        found = world.run("features.select", {"target": "Y", "keep": 10, "compared": 20}, table=Table(name=name))
    assert found["metrics"].values == {"columns": wide, "kept": 10}
    statements = [query.sql_text for query in history.queries]
    assert max(len(text) for text in statements) < 200_000
    assert len(statements) < 3 * (wide // COLUMNS_A_STATEMENT + 1) + 20
    assert fetched.rows < wide + 60  # one row a column is its score


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({}, "no target is named"),
        ({"target": "YY"}, "'YY' is not in the table"),
        ({"target": "Y", "always": ["DAY"]}, "'DAY' in always is no feature"),
        ({"target": "Y", "min_information": 1.0, "set_aside": ["GAP_TELLS"]}, "none of 12 columns is worth keeping"),
        ({"target": "Y", "set_aside": [name for name in COLUMNS if name != "Y"]}, "no column to select from"),
    ],
)
def test_what_cannot_be_selected_is_refused(world: World, table: Table, params: dict[str, Any], says: str) -> None:
    with pytest.raises(DataError, match=says):
        world.run("features.select", params, table=replace(table))


def test_a_column_has_one_role() -> None:
    with pytest.raises(ValidationError, match="'A' has two roles"):
        SelectParams(target="Y", identifiers=("A",), always=("A",))
