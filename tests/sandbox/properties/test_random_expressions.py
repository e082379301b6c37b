"""The sandbox against Python's own arithmetic, text and calendar, over random expressions and tables."""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firnline_sandbox.engine import SandboxEngine
from tests.sandbox.properties.expressions import COLUMNS, Expression, Row, conditions, dates, numbers, rows, texts

_MODEST = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def cursor() -> Any:
    """A cursor of one sandbox for all examples."""
    with SandboxEngine.open() as engine, engine.connect() as connection:
        yield connection.cursor()


def _literal(value: Any, type_: str) -> str:
    match value:
        case None:
            written = "NULL"
        case str():
            written = "'" + value.replace("'", "''") + "'"
        case dt.date():
            written = f"'{value}'"
        case _:
            written = str(value)
    return f"{written}::{type_}"


def _source(table: list[Row]) -> str:
    body = ", ".join(f"({', '.join(_literal(row[name], type_) for name, type_ in COLUMNS.items())})" for row in table)
    return f"(SELECT * FROM VALUES {body} AS t ({', '.join(COLUMNS)}))"


def _check(cursor: Any, expression: Expression, table: list[Row]) -> None:
    sql = f"SELECT {expression.sql} AS x FROM {_source(table)}"
    found = [value for (value,) in cursor.execute(sql).fetchall()]
    assert found == [expression.value(row) for row in table], sql


@_MODEST
@given(expression=numbers(), table=rows())
def test_numbers(cursor: Any, expression: Expression, table: list[Row]) -> None:
    """NUMBER arithmetic is exact."""
    _check(cursor, expression, table)


@_MODEST
@given(expression=texts(), table=rows())
def test_texts(cursor: Any, expression: Expression, table: list[Row]) -> None:
    """Texts count by characters, and an empty one is not NULL."""
    _check(cursor, expression, table)


@_MODEST
@given(expression=dates(), table=rows())
def test_dates(cursor: Any, expression: Expression, table: list[Row]) -> None:
    """Dates follow the calendar, the end of a month included."""
    _check(cursor, expression, table)


@_MODEST
@given(expression=conditions(), table=rows())
def test_conditions(cursor: Any, expression: Expression, table: list[Row]) -> None:
    """Logic has three values."""
    _check(cursor, expression, table)


@_MODEST
@given(
    left=st.decimals(-9_999, 9_999, places=2),
    right=st.decimals(-99, 99, places=1).filter(bool),
)
def test_division(cursor: Any, left: Decimal, right: Decimal) -> None:
    """A quotient has six decimals more than the dividend, rounded half away from zero."""
    [(found,)] = cursor.execute(f"SELECT {left}::NUMBER(9,2) / {right}::NUMBER(5,1)").fetchall()
    assert found == (left / right).quantize(Decimal("0.00000001"), ROUND_HALF_UP)


@_MODEST
@given(table=rows())
def test_aggregates(cursor: Any, table: list[Row]) -> None:
    """NULLs are left out, and a sum of nothing is NULL."""
    present = [row["P"] for row in table if row["P"] is not None]
    sql = f"SELECT COUNT(*), COUNT(p), SUM(p), MIN(s), MAX(d), COUNT(DISTINCT n) FROM {_source(table)}"
    assert cursor.execute(sql).fetchall() == [
        (
            len(table),
            len(present),
            sum(present) if present else None,
            min((row["S"] for row in table if row["S"] is not None), default=None),
            max((row["D"] for row in table if row["D"] is not None), default=None),
            len({row["N"] for row in table} - {None}),
        )
    ]
