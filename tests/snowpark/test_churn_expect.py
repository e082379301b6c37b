"""Expectations: each kind holds and fails as it should, and a gate says what failed, how often and where to look."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import ValidationError

from firnline.domain import Table
from firnline.errors import DataError, StoppedByGateError
from firnline_snowpark.checks.expectations import CheckTableParams
from tests.snowpark.churn_options import option_params
from tests.snowpark.churn_world import World


@pytest.fixture(scope="module")
def people(world: World) -> Table:
    return world.table(
        "ID INT, NAME TEXT, AGE INT, SINCE DATE",
        "1, 'ann', 30, '2025-01-01'",
        "2, 'bob', NULL, '2025-02-01'",
        "2, 'eve9', 300, '2025-03-01'",
        "4, NULL, 40, '2026-01-01'",
    )


@pytest.mark.parametrize(
    ("expectation", "failing"),
    [
        ({"kind": "not_null", "column": "ID"}, 0),
        ({"kind": "not_null", "column": "name"}, 1),
        ({"kind": "unique", "columns": ["ID", "NAME"]}, 0),
        ({"kind": "unique", "columns": ["ID"]}, 2),
        ({"kind": "between", "column": "AGE", "low": 0, "high": 300}, 0),
        ({"kind": "between", "column": "AGE", "high": 120}, 1),
        ({"kind": "between", "column": "AGE", "low": 35}, 1),
        ({"kind": "between", "column": "SINCE", "low": "2025-01-01", "high": "2025-12-31"}, 1),
        ({"kind": "in_set", "column": "NAME", "values": ["ann", "bob", "eve9"]}, 0),
        ({"kind": "in_set", "column": "NAME", "values": ["ann"]}, 2),
        ({"kind": "regex", "column": "NAME", "pattern": "[a-z]+"}, 1),
        ({"kind": "condition", "sql": "ID > 0"}, 0),
        ({"kind": "condition", "sql": "AGE < 100 OR NAME = 'ann'"}, 1),
        ({"kind": "row_count", "low": 4, "high": 4}, 0),
        ({"kind": "row_count", "low": 5}, 1),
        ({"kind": "row_count", "high": 3}, 1),
    ],
)
def test_each_kind_counts_what_fails(world: World, people: Table, expectation: dict[str, Any], failing: int) -> None:
    params = {"expect": {"it": expectation | {"severity": "warning"}}}
    outputs = world.run("check.expect_table", params, table=people)
    assert outputs["table"] == people
    assert outputs["metrics"].values == {
        "expectations": 1.0,
        "warnings": float(failing > 0),
        "failing_rows": float(failing),
    }
    [grid] = outputs["report"].sections
    assert grid.rows[0][-2:] == (failing, "not met (warning)" if failing else "met")


def test_a_gate_names_expectation_count_table_and_examples(world: World, people: Table) -> None:
    params = {
        "expect": {
            "grown": {"kind": "between", "column": "AGE", "high": 120},
            "one_each": {"kind": "unique", "columns": ["ID"]},
            "named": {"kind": "not_null", "column": "NAME", "tolerance": 0.3},
        }
    }
    with pytest.raises(StoppedByGateError) as caught:
        world.run("check.expect_table", params, table=people)
    message = str(caught.value)
    assert "check: 2 expectations not met" in message
    assert "table.grown: AGE is at most 120; 1 of 4 rows fail" in message
    assert "(ID=2, AGE=300)" in message
    assert "table.one_each: ID is unique; 2 of 4 rows fail" in message
    assert "named" not in message
    assert "hint: look at the kept rows" in message
    [kept] = set(re.findall(r"kept in (\S+),", message))
    rows = [tuple(row) for row in world.session.table(kept).select("FAILED_EXPECTATION", "ID", "AGE").collect()]
    assert sorted(rows, key=str) == [("grown", 2, 300), ("one_each", 2, 300), ("one_each", 2, None)]


def test_as_many_failing_rows_are_kept_as_asked_for(world: World, people: Table) -> None:
    expect = {"one_each": {"kind": "unique", "columns": ["ID"]}}
    with pytest.raises(StoppedByGateError) as caught:
        world.run("check.expect_table", {"expect": expect, "keep_rows": 1}, table=people)
    [kept] = re.findall(r"kept in (\S+),", str(caught.value))
    assert world.session.table(kept).count() == 1
    with pytest.raises(StoppedByGateError) as caught:
        world.run("check.expect_table", {"expect": expect, "keep_rows": 0}, table=people)
    assert "kept in" not in str(caught.value)


@pytest.mark.parametrize(
    ("expectation", "message"),
    [
        ({"kind": "not_null", "column": "NAMES"}, r"check\.params\.expect\.it: column 'NAMES' is not in the table"),
        ({"kind": "condition", "sql": "AGES > 3"}, r"it: the condition 'AGES > 3' cannot be evaluated"),
        ({"kind": "condition", "sql": "AGE >"}, r"it: the condition 'AGE >' cannot be evaluated"),
    ],
)
def test_expectations_that_make_no_sense_are_told(
    world: World, people: Table, expectation: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        world.run("check.expect_table", {"expect": {"it": expectation}}, table=people)


@pytest.mark.parametrize(
    "expectation",
    [
        {"kind": "nul"},
        {"kind": "not_null"},
        {"kind": "not_null", "column": "A", "columns": ["A"]},
        {"kind": "between", "column": "A"},
        {"kind": "in_set", "column": "A", "values": []},
        {"kind": "not_null", "column": "A", "tolerance": 1.5},
    ],
)
def test_malformed_expectations_are_refused(expectation: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CheckTableParams.model_validate({"expect": {"it": expectation}})


def test_clean_generated_tables_meet_what_the_option_file_expects(world: World, clean: Any) -> None:
    outputs = world.run("check.expect", option_params("check/expect.yaml"), **clean)
    assert {port: outputs[port] for port in clean} == clean
    assert outputs["metrics"].values["warnings"] == 0


def test_raw_generated_tables_do_not(world: World, clean: Any) -> None:
    params = option_params("check/expect.yaml")
    events = world.changed(clean["events"], "UPDATE {} SET SESSIONS = -1 WHERE DEVICE = 'ios'")
    with pytest.raises(StoppedByGateError, match=r"events\.sessions: SESSIONS is at least 1 and at most 100"):
        world.run("check.expect", params, **(clean | {"events": events}))
