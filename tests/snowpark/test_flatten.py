"""prepare.flatten: paths to typed columns, arrays to rows, and an account of what would not cast."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from pydantic import ValidationError

from firnline.domain import Table
from firnline.errors import DataError
from firnline_snowpark.prepare.flatten_params import FlattenParams, path_parts
from tests.snowpark.churn_world import World
from tests.snowpark.fetched import count_fetched

ITEMS = '[{"sku": "a", "tags": ["t1", "t2"]}, {"sku": "b"}]'
VALUES = (
    f'{{"os": {{"name": "ios", "odd key": "x"}}, "n": "3", "on": "05.01.2026", "ok": true, "items": {ITEMS}}}',
    '{"os": {"name": null}, "n": 2.5, "on": "2026-02-30", "ok": "maybe", "items": []}',
    '{"n": null, "on": "2026-01-07", "items": [{"sku": "it\'\'s", "tags": ["t3"]}]}',
)
NESTED = {
    "arrays": {
        "item": {"column": "PAYLOAD", "path": "items", "index": "ITEM_NO"},
        "tag": {"column": "item", "path": "tags"},
    },
    "columns": {
        "sku": {"column": "item", "path": "sku", "type": "text"},
        "TAG": {"column": "tag", "type": "text"},
        "OS": {"column": "payload", "path": "os.name", "type": "text"},
    },
}


@pytest.fixture(scope="module")
def calls(world: World) -> Table:
    rows = [f"{number}, PARSE_JSON('{text}')" for number, text in enumerate(VALUES, 1)]
    return world.table("ID INT, PAYLOAD VARIANT", *rows, "4, NULL")


def test_paths_become_typed_columns_and_what_fails_is_told(world: World, calls: Table) -> None:
    params = {
        "columns": {
            "OS": {"column": "PAYLOAD", "path": "os.name", "type": "text"},
            "ODD": {"column": "PAYLOAD", "path": 'os["odd key"]', "type": "text"},
            "N": {"column": "PAYLOAD", "path": "n", "type": "integer"},
            "F": {"column": "PAYLOAD", "path": "n", "type": "number"},
            "ON_DAY": {"column": "PAYLOAD", "path": "on", "type": "date", "formats": ["DD.MM.YYYY"]},
            "OK": {"column": "PAYLOAD", "path": "ok", "type": "boolean"},
            "ITEMS": {"column": "PAYLOAD", "path": "items", "type": "size"},
            "FIRST_SKU": {"column": "PAYLOAD", "path": "items[0].sku", "type": "text"},
        }
    }
    with count_fetched() as fetched:
        found = world.run("prepare.flatten", params, table=calls)
    assert fetched.rows <= 4  # two of counts, the answer to CREATE TABLE, the rows' number
    january = dt.date(2026, 1, 5)
    assert world.rows(found["table"]) == [
        (1, "ios", "x", 3, 3.0, january, True, 2, "a"),
        (2, None, None, None, 2.5, None, None, 0, None),
        (3, None, None, None, None, dt.date(2026, 1, 7), None, 1, "it's"),
        (4, None, None, None, None, None, None, None, None),
    ]
    told = {row[0]: row[2:] for row in found["report"].sections[1].rows}
    assert told["N"] == (2, 1, "2.5")  # a cast to NUMBER would have rounded it
    assert told["ON_DAY"] == (3, 1, "2026-02-30")
    assert told["OK"] == (2, 1, "maybe")
    assert told["F"] == (2, 0, "")
    assert found["metrics"].values == {"rows": 4, "rows_before": 4, "failed": 3, "no_json": 0}


def test_arrays_in_arrays_become_rows(world: World, calls: Table) -> None:
    found = world.run("prepare.flatten", NESTED, table=calls)["table"]
    assert found.columns == ("ID", "ITEM_NO", "SKU", "TAG", "OS")
    assert sorted(world.rows(found), key=str) == [
        (1, 0, "a", "t1", "ios"),
        (1, 0, "a", "t2", "ios"),
        (1, 1, "b", None, "ios"),
        (2, None, None, None, None),
        (3, 0, "it's", "t3", None),
        (4, None, None, None, None),
    ]


def test_rows_without_elements_can_be_left_out(world: World, calls: Table) -> None:
    arrays = {name: array | {"keep_empty": False} for name, array in NESTED["arrays"].items()}
    found = world.run("prepare.flatten", NESTED | {"arrays": arrays, "keep": []}, table=calls)
    assert sorted(world.rows(found["table"])) == [
        (0, "a", "t1", "ios"),
        (0, "a", "t2", "ios"),
        (0, "it's", "t3", None),
    ]
    assert found["metrics"].values["rows"] == 3


def test_text_that_holds_json_is_parsed_and_counted(world: World) -> None:
    table = world.table("ID INT, BODY TEXT", "1, '{\"a\": 1}'", "2, '{broken'", "3, ''", "4, NULL")
    found = world.run(
        "prepare.flatten", {"columns": {"A": {"column": "BODY", "path": "a", "type": "integer"}}}, table=table
    )
    assert world.rows(found["table"]) == [(1, 1), (2, None), (3, None), (4, None)]
    assert found["metrics"].values["no_json"] == 1
    assert "1 texts in BODY" in found["report"].sections[0].body


def test_too_many_malformed_values_stop(world: World, calls: Table) -> None:
    params: dict[str, Any] = {"columns": {"N": {"column": "PAYLOAD", "path": "n", "type": "integer"}}}
    assert world.run("prepare.flatten", params | {"max_failed": 0.5}, table=calls)["table"].rows == 4
    with pytest.raises(DataError, match=r"N \(integer\): 1 of 2, e.g. '2.5'"):
        world.run("prepare.flatten", params | {"max_failed": 0.4}, table=calls)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"columns": {"A": {"column": "PAYLAOD", "type": "text"}}}, "PAYLAOD"),
        ({"columns": {"A": {"column": "ID", "type": "text"}}}, "'ID' holds no structure"),
        ({"columns": {"id": {"column": "PAYLOAD", "path": "n", "type": "text"}}}, "'ID' is there already"),
        ({"arrays": {"PAYLOAD": {"column": "PAYLOAD", "path": "items"}}}, "'PAYLOAD' is there already"),
        ({"arrays": {"a": {"column": "b", "path": "items"}}}, "'b' is not in the table"),
    ],
)
def test_what_is_not_there_is_refused(world: World, calls: Table, change: dict[str, Any], says: str) -> None:
    params = {"columns": {"N": {"column": "PAYLOAD", "path": "n", "type": "integer"}}} | change
    with pytest.raises(DataError, match=says):
        world.run("prepare.flatten", params, table=calls)


def test_paths() -> None:
    assert path_parts('a.b[0]["x "]') == ("a", "b", 0, "x ")
    assert path_parts("[2].a") == (2, "a")
    assert path_parts("") == ()
    for wrong in ("a..b", "a b", "a[", ".a.", "a['b']"):
        with pytest.raises(ValueError, match="is no path"):
            path_parts(wrong)
    with pytest.raises(ValidationError, match="formats are for dates"):
        FlattenParams.model_validate({"columns": {"A": {"column": "B", "type": "text", "formats": ["X"]}}})
