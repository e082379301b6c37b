"""Session variables: SET, UNSET, ``$name`` in queries, names and other statements."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from snowflake.connector.errors import ProgrammingError

if TYPE_CHECKING:
    from firnline_sandbox import SandboxEngine
    from tests.sandbox.conftest import Run


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("5", 5),
        ("-5", -5),
        ("1.25", Decimal("1.25")),
        ("1e3", 1000.0),
        ("'it''s; a $x'", "it's; a $x"),
        ("TRUE", True),
        ("NULL", None),
        ("'2024-01-02'::DATE", dt.date(2024, 1, 2)),
        ("TO_BINARY('6162', 'HEX')", b"ab"),
        ("(SELECT MAX(column1) FROM VALUES (1), (7))", 7),
    ],
)
def test_a_variable_keeps_its_value_and_type(run: Run, given: str, expected: Any) -> None:
    run(f"SET v = {given}")
    ((value,),) = (row.values() for row in run("SELECT $V AS x"))
    assert value == expected
    assert type(value) is type(expected) or isinstance(value, bytearray)


def test_several_variables_are_set_at_once(run: Run) -> None:
    run("SET (a, b) = ('u', 2)")
    assert run("SELECT $a AS a, $b + 1 AS b") == [{"A": "u", "B": 3}]
    run("SET (a, b) = (SELECT 1, 2)")
    assert run("SELECT $a AS a, - $b AS b") == [{"A": 1, "B": -2}]
    with pytest.raises(ProgrammingError, match="as many values, got 1"):
        run("SET (a, b) = (1)")


def test_a_variable_names_a_table(run: Run) -> None:
    run("SET (name, tag) = ('t', 'told')")
    run("CREATE TABLE IDENTIFIER($name) (a INT)")
    run("INSERT INTO IDENTIFIER($name) SELECT 3")
    assert run("SELECT a FROM IDENTIFIER($name)") == run("SELECT a FROM TABLE($name)") == [{"A": 3}]
    run("ALTER SESSION SET QUERY_TAG = $tag")
    assert run("SHOW PARAMETERS LIKE 'QUERY_TAG'")[0]["value"] == "told"


def test_variables_are_listed_and_unset(run: Run) -> None:
    run("SET (n, t) = (1.5, 'x')")
    assert [(row["name"], row["value"], row["type"]) for row in run("SHOW VARIABLES")] == [
        ("N", "1.5", "fixed"),
        ("T", "x", "text"),
    ]
    run("UNSET (n, t)")
    assert run("SHOW VARIABLES") == []
    with pytest.raises(ProgrammingError, match=r"Session variable '\$N' does not exist") as raised:
        run("SELECT $n")
    assert raised.value.errno == 2211
    with pytest.raises(ProgrammingError, match=r"Session variable '\$N' does not exist"):
        run("USE SCHEMA IDENTIFIER($n)")


def test_another_session_has_its_own(run: Run, engine: SandboxEngine) -> None:
    run("SET v = 1")
    with engine.connect() as other, pytest.raises(ProgrammingError, match="does not exist"):
        other.cursor().execute("SELECT $v")
