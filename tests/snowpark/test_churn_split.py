"""The splits: past before future with a gap, and the same dice every time."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from pydantic import ValidationError

from firnline.domain import Table
from firnline.errors import DataError
from firnline_snowpark.split_params import RandomSplitParams, TimeSplitParams
from firnline_snowpark.split_time import cut
from tests.snowpark.churn_world import World

SETS = ("train", "valid", "test")
MONTHS = [dt.date(2025, 1, 1) + dt.timedelta(days=30 * place) for place in range(10)]


@pytest.fixture(scope="module")
def table(world: World) -> Table:
    """300 rows of 50 customers on ten dates; a tenth of the rows is of the rare kind."""
    name = world.context("given").table_name()
    world.session.sql(
        f"CREATE TABLE {name} AS SELECT N AS ID, MOD(N, 50) AS CUSTOMER, IFF(MOD(N, 10) = 0, 'rare', 'usual') AS KIND, "
        "DATEADD('day', 30 * MOD(N, 10), '2025-01-01'::DATE) AS SNAPSHOT_ON "
        "FROM (SELECT ROW_NUMBER() OVER (ORDER BY SEQ4()) - 1 AS N FROM TABLE(GENERATOR(ROWCOUNT => 300)))"
    ).collect()
    return Table(name=name, rows=300, columns=tuple(world.session.table(name).columns))


def _ids(world: World, outputs: Any) -> dict[str, set[Any]]:
    return {name: {row[0] for row in world.rows(outputs[name], "ID")} for name in SETS}


def test_time_split_keeps_the_past_from_the_future(world: World, table: Table) -> None:
    outputs = world.run("split.time", {"gap_days": 60}, table=table)
    days = {name: {row[0] for row in world.rows(outputs[name], "SNAPSHOT_ON")} for name in SETS}
    gap = dt.timedelta(days=60)
    assert max(days["train"]) + gap <= min(days["valid"])
    assert max(days["valid"]) + gap <= min(days["test"])
    counts = outputs["metrics"].values
    assert counts == {"train_rows": 120.0, "valid_rows": 60.0, "test_rows": 60.0, "unused_rows": 60.0}
    assert outputs["report"].sections[1].rows[-1][0] == "unused"


def test_with_a_gap_of_the_spacing_no_date_is_lost() -> None:
    spans = cut("split", TimeSplitParams(gap_days=30, valid_share=0.2, test_share=0.2), MONTHS)
    assert spans == {"train": (MONTHS[0], MONTHS[5]), "valid": (MONTHS[6], MONTHS[7]), "test": (MONTHS[8], MONTHS[9])}


def test_dates_can_be_named() -> None:
    params = TimeSplitParams(gap_days=1, valid_from=MONTHS[3], test_from=MONTHS[5])
    assert cut("split", params, MONTHS) == {
        "train": (MONTHS[0], MONTHS[2]),
        "valid": (MONTHS[3], MONTHS[4]),
        "test": (MONTHS[5], MONTHS[9]),
    }


@pytest.mark.parametrize(
    ("params", "dates", "empty"),
    [
        ({"gap_days": 30}, MONTHS[:2], "train"),
        ({"gap_days": 700}, MONTHS, "train and valid"),
        ({"gap_days": 0, "test_from": dt.date(2030, 1, 1)}, MONTHS, "test"),
        ({"gap_days": 0}, [], "train and valid and test"),
    ],
)
def test_too_few_dates_are_told(params: dict[str, Any], dates: list[dt.date], empty: str) -> None:
    with pytest.raises(DataError, match=f"no dates are left for .*{empty}"):
        cut("split", TimeSplitParams(**params), dates)


def test_an_unknown_date_column_is_told(world: World, table: Table) -> None:
    with pytest.raises(DataError, match=r"split\.params\.date_column: column 'SNAPSHOT' is not in the table"):
        world.run("split.time", {"date_column": "SNAPSHOT"}, table=table)


def test_random_split_deals_all_rows_always_the_same_way(world: World, table: Table) -> None:
    first, second = (_ids(world, world.run("split.random", table=table)) for _ in range(2))
    assert first == second
    assert set.union(*first.values()) == set(range(300))
    assert sum(map(len, first.values())) == 300
    assert len(first["test"]) == pytest.approx(60, abs=20)
    other = _ids(world, world.run("split.random", {"seed": 8}, table=table))
    assert other != first


def test_a_rows_set_depends_on_its_key_alone(world: World, table: Table) -> None:
    """Rows that come later move no earlier row to another set."""
    fewer = world.changed(table, "DELETE FROM {} WHERE ID >= 200")
    whole = _ids(world, world.run("split.random", {"key": ["ID"]}, table=table))
    part = _ids(world, world.run("split.random", {"key": ["ID"]}, table=fewer))
    assert all(part[name] == {number for number in whole[name] if number < 200} for name in SETS)


def test_groups_stay_together(world: World, table: Table) -> None:
    outputs = world.run("split.random", {"group": ["CUSTOMER"]}, table=table)
    groups = [{row[0] for row in world.rows(outputs[name], "CUSTOMER")} for name in SETS]
    assert sum(map(len, groups)) == len(set.union(*groups)) == 50


def test_strata_have_the_same_shares_in_each_set(world: World, table: Table) -> None:
    outputs = world.run("split.random", {"stratify": "KIND"}, table=table)
    rare = {name: [row[0] for row in world.rows(outputs[name], "KIND")].count("rare") for name in SETS}
    assert rare == {"train": 18, "valid": 6, "test": 6}
    assert {name: outputs[name].rows for name in SETS} == {"train": 180, "valid": 60, "test": 60}


def test_missing_values_can_be_hashed(world: World) -> None:
    table = world.table("ID INT, NAME TEXT", *[f"{number}, NULL" for number in range(40)])
    assert sum(world.run("split.random", table=table)[name].rows for name in SETS) == 40


def test_a_table_too_small_to_split_is_told(world: World) -> None:
    with pytest.raises(DataError, match="no rows are left for"):
        world.run("split.random", table=world.table("ID INT", "1"))


@pytest.mark.parametrize(
    "params",
    [{"valid_share": 0.6, "test_share": 0.5}, {"group": ["A"], "stratify": "B"}, {"test_share": 0}],
)
def test_impossible_shares_are_refused(params: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RandomSplitParams.model_validate(params)
    with pytest.raises(ValidationError):
        TimeSplitParams(valid_from=dt.date(2025, 2, 1), test_from=dt.date(2025, 1, 1))
