"""Cleaning by rules: what is removed is counted, what cannot be read becomes NULL, and wrong rules are told."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from firnline.domain import Grid, Table
from firnline.errors import DataError
from tests.snowpark.churn_world import World

COLUMNS = 'ID INT, NAME TEXT, BORN TEXT, AMOUNT TEXT, SEEN TIMESTAMP_NTZ, DATA VARIANT, "select" TEXT'


@pytest.fixture(scope="module")
def untidy(world: World) -> Table:
    return world.table(
        COLUMNS,
        """1, ' Ann ', '1990-01-31', '12.5', '2025-01-01 10:00:00', PARSE_JSON('{"a": {"b": "7"}, "l": [1, 2]}'), 'x'""",  # noqa: E501
        """1, 'Ann', '1990-01-31', '12.5', '2025-01-02 10:00:00', PARSE_JSON('{"a": {"b": "8"}, "l": []}'), 'x'""",
        """2, 'BOB', '28.02.1991', 'n/a', '2025-01-01 10:00:00', PARSE_JSON('{"a": {"b": "seven"}}'), ''""",
        """NULL, 'Eve', 'soon', '', '2025-01-01 10:00:00', NULL, 'y'""",
        """3, '  ', '1992-02-29', '1e3', '2025-01-01 10:00:00', PARSE_JSON('{"a": 5}'), 'é'""",
    )


RULES: dict[str, Any] = {
    "keys": ["id"],
    "order_by": "seen",
    "lower": ["name"],
    "casts": {"born": {"type": "date", "formats": ["DD.MM.YYYY"]}, "amount": {"type": "number"}},
    "extract": {
        "b": {"column": "data", "path": "a.b", "type": "integer"},
        "first": {"column": "data", "path": "l[0]", "type": "number"},
        "length": {"column": "data", "path": "l", "type": "size"},
    },
    "fill": {"name": "nobody"},
    "required": ["id"],
    "drop": ["data", "seen"],
}


def test_rules_are_carried_out(world: World, untidy: Table) -> None:
    clean = world.run("prepare.clean_table", {"rules": RULES}, table=untidy)["table"]
    assert clean.columns == ("ID", "NAME", "BORN", "AMOUNT", "select", "B", "FIRST", "LENGTH")
    assert clean.rows == 3
    assert world.rows(clean) == [
        (1, "ann", dt.date(1990, 1, 31), 12.5, "x", 7, 1.0, 2),
        (2, "bob", dt.date(1991, 2, 28), None, None, None, None, None),
        (3, "nobody", dt.date(1992, 2, 29), 1000.0, "é", None, None, None),
    ]


def test_everything_removed_is_counted(world: World, untidy: Table) -> None:
    outputs = world.run("prepare.clean_table", {"rules": RULES}, table=untidy)
    assert outputs["metrics"].values == {
        "table_rows": 3.0,
        "table_duplicates": 1.0,
        "table_incomplete": 1.0,
        "table_malformed": 3.0,
    }
    rows, values = outputs["report"].sections
    assert isinstance(rows, Grid)
    assert rows.rows == (("table", 5, 1, 1, 3),)
    assert set(values.rows) == {
        ("table", "AMOUNT", 1, 0),
        ("table", "BORN", 1, 0),
        ("table", "B", 1, 0),
        ("table", "NAME", 0, 1),
    }


def test_the_last_duplicate_can_be_kept(world: World, untidy: Table) -> None:
    clean = world.run("prepare.clean_table", {"rules": RULES | {"keep": "last"}}, table=untidy)["table"]
    assert world.rows(clean, "ID", "B")[0] == (1, 8)


def test_without_rules_text_is_trimmed_and_nothing_is_lost(world: World, untidy: Table) -> None:
    outputs = world.run("prepare.clean_table", table=untidy)
    assert outputs["table"].rows == 5
    assert outputs["table"].columns == untidy.columns or outputs["table"].columns[-1] == "select"
    names = {row[0] for row in world.rows(outputs["table"], "NAME")}
    assert names == {"Ann", "BOB", "Eve", None}


@pytest.mark.parametrize(
    ("rules", "message", "hint"),
    [
        ({"keys": ["idd"]}, r"prepare\.params\.rules\.keys: column 'idd' is not in the table", "did you mean 'ID'"),
        ({"casts": {"AMOUT": {"type": "number"}}}, "'AMOUT' is not in the table", "did you mean 'AMOUNT'"),
        ({"extract": {"x": {"column": "name", "path": "a", "type": "text"}}}, "'NAME' is no VARIANT", "casts"),
        (
            {"extract": {"name": {"column": "data", "path": "a", "type": "text"}}},
            "column 'NAME' is there already",
            "another name",
        ),
    ],
)
def test_rules_about_unknown_columns_are_told(
    world: World, untidy: Table, rules: dict[str, Any], message: str, hint: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        world.run("prepare.clean_table", {"rules": rules}, table=untidy)
    assert hint in (caught.value.hint or "")
