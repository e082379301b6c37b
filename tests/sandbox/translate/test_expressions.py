"""Scalar and aggregate expressions: SQL, what it gives, and its type."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal

import pytest
from snowflake.connector.errors import ProgrammingError

from .warehouse import Warehouse

SCALARS = [
    ("SOUNDEX('Tymczak')", "T522", "VARCHAR(16777216)"),
    ("SOUNDEX('Pfister')", "P236", "VARCHAR(16777216)"),
    ("SOUNDEX('apple')", "a140", "VARCHAR(16777216)"),
    ("INITCAP('foo-bar;baz', '-')", "Foo-Bar;baz", "VARCHAR(16777216)"),
    ("REGEXP_REPLACE('a1b2c3', '[0-9]', '#', 1, 2)", "a1b#c3", "VARCHAR(16777216)"),
    ("REGEXP_COUNT('a\nb', '^b', 1, 'm')", 1, "NUMBER(38,0)"),
    ("TRUNC(3.14::FLOAT, n)", 3.1, "FLOAT"),
    (
        "DATE_TRUNC('msec', '2020-01-01 00:00:00.123456'::TIMESTAMP)",
        dt.datetime.fromisoformat("2020-01-01 00:00:00.123"),
        None,
    ),
    ("TO_DATE('15.2024.03', f)", dt.date(2024, 3, 15), "DATE"),
    ("TO_DATE('2024-03-15', 'AUTO')", dt.date(2024, 3, 15), "DATE"),
    ("TO_TIME('20:57:01+0700', 'HH24:MI:SSTZHTZM')", dt.time(20, 57, 1), "TIME(9)"),
    (
        "TO_TIMESTAMP_NTZ('Thu, 01 Feb 2024 00:00:00 -0600')",
        dt.datetime.fromisoformat("2024-02-01"),
        "TIMESTAMP_NTZ(9)",
    ),
    ("1.23456789012345E-10::NUMBER(38, 30)", Decimal("0.000000000123456789012345"), "NUMBER(38,30)"),
    ("TRY_CAST('yes' AS BOOLEAN)", True, "BOOLEAN"),
    ("TRY_CAST(f AS BOOLEAN)", None, "BOOLEAN"),
    ("HASH(*) = HASH(n, f)", True, "BOOLEAN"),
]


@pytest.fixture
def one_row(warehouse: Warehouse) -> Warehouse:
    """A table of one row with a number and a format."""
    warehouse.add("T", {"N": "INT", "F": "VARCHAR"}, "(1, 'DD.YYYY.MM')")
    return warehouse


@pytest.mark.parametrize(("expression", "expected", "type_"), SCALARS, ids=[case[0] for case in SCALARS])
def test_scalar(one_row: Warehouse, expression: str, expected: object, type_: str | None) -> None:
    """The value and the type are Snowflake's."""
    sql = f"SELECT {expression} FROM T"
    assert one_row.one(sql) == expected
    assert type_ is None or one_row.type_of(sql) == type_


AGGREGATES = [
    # A deviation is the root of the variance, which has six decimals more than the NUMBER.
    ("STDDEV_POP(x)", math.sqrt(0.666667), "FLOAT"),
    ("VAR_POP(x)", Decimal("0.666667"), "NUMBER(38,6)"),
    ("AVG(x)", Decimal("2.000000"), "NUMBER(38,6)"),
    ("CORR(x, one)", None, "FLOAT"),
    ("KURTOSIS(x)", None, "NUMBER(38,12)"),
]


@pytest.mark.parametrize(("expression", "expected", "type_"), AGGREGATES, ids=[case[0] for case in AGGREGATES])
def test_aggregate(warehouse: Warehouse, expression: str, expected: object, type_: str) -> None:
    """The value and the type are Snowflake's."""
    warehouse.add("T", {"X": "INT", "ONE": "INT"}, "(1, 1), (2, 1), (3, 1)")
    assert warehouse.one(f"SELECT {expression} FROM T") == expected
    assert warehouse.type_of(f"SELECT {expression} FROM T") == type_


def test_a_nan_has_a_correlation_that_is_none(warehouse: Warehouse) -> None:
    """A column that does not vary has no correlation: NULL."""
    warehouse.add("T", {"X": "FLOAT", "Y": "FLOAT"}, "(1, 2), ('NaN'::FLOAT, 3)")
    assert math.isnan(warehouse.one("SELECT CORR(x, y) FROM T"))


def test_a_sliding_mean_has_three_decimals_cut_off(warehouse: Warehouse) -> None:
    """The mean over a whole partition has six, rounded."""
    warehouse.add("T", {"X": "INT"}, "(1), (2), (2)")
    sliding = "SELECT AVG(x) OVER (ORDER BY x ROWS BETWEEN CURRENT ROW AND 2 FOLLOWING) FROM T ORDER BY x LIMIT 1"
    assert warehouse.one(sliding) == Decimal("1.666")
    assert warehouse.one("SELECT AVG(x) OVER () FROM T LIMIT 1") == Decimal("1.666667")


def test_constants_can_be_grouped_by(warehouse: Warehouse) -> None:
    """A constant in GROUP BY that is cast is no position."""
    warehouse.add("T", {"X": "INT"}, "(1), (2)")
    assert warehouse.rows("SELECT 3 :: INT, 4 :: INT, SUM(x) FROM T GROUP BY 3 :: INT, 4 :: INT") == [(3, 4, 3)]
    assert warehouse.rows("SELECT 3, 4, SUM(x) FROM T GROUP BY 1, 2") == [(3, 4, 3)]


def test_positions_count_through_a_join(warehouse: Warehouse) -> None:
    """``$3`` is the first column of the second relation if the first has two."""
    warehouse.add("L", {"A": "INT", "B": "INT"}, "(1, 2)")
    warehouse.add("R", {"C": "INT"}, "(3)")
    assert warehouse.rows('SELECT $3, "$1" FROM L JOIN R') == [(3, 1)]


def test_pivot_finds_its_columns(warehouse: Warehouse) -> None:
    """ANY and a query say which values become columns."""
    warehouse.add("T", {"K": "VARCHAR", "V": "INT"}, "('a', 1), ('b', 2), ('a', 3)")
    assert warehouse.names("SELECT * FROM T PIVOT (SUM(v) FOR k IN (ANY ORDER BY k))") == ["'a'", "'b'"]
    assert warehouse.rows("SELECT * FROM T PIVOT (SUM(v) FOR k IN (ANY ORDER BY k))") == [(4, 2)]
    assert warehouse.rows("SELECT * FROM T PIVOT (SUM(v) FOR k IN (SELECT k FROM T WHERE v = 2))") == [(2,)]
    filled = "SELECT * FROM T PIVOT (SUM(v) FOR k IN ('a', 'c') DEFAULT ON NULL (1.5))"
    assert warehouse.rows(filled) == [(Decimal("4.0"), Decimal("1.5"))]


REFUSED = [
    ("SELECT SQRT(-1)", "Invalid floating point operation: sqrt\\(-1\\)"),
    ("SELECT COALESCE(x) FROM T", "not enough arguments for function \\[COALESCE\\]"),
    ("SELECT ROW_NUMBER() OVER (PARTITION BY x) FROM T", "requires ORDER BY in window specification"),
    ("SELECT SUM(x) OVER (ORDER BY x ROWS BETWEEN 1 FOLLOWING AND CURRENT ROW) FROM T", "Invalid window frame"),
    (
        "SELECT SUM(x) OVER (ORDER BY x RANGE BETWEEN INTERVAL '1 DAY' PRECEDING AND CURRENT ROW) FROM T",
        "numeric ORDER BY clause only allows numeric window frame boundaries",
    ),
    ("SELECT x FROM T WHERE SUM(x) > 1", "Invalid aggregate function in where clause"),
    ("SELECT SUM(x) FROM T GROUP BY SUM(x)", "is not a valid group by expression"),
    ("SELECT x, SUM(x) FROM T GROUP BY CUBE ()", "syntax error"),
    ("SELECT * ILIKE '%q%' FROM T", "SELECT with no columns"),
    ("SELECT AVG(x AS y) FROM T", "unexpected 'AS'"),
    ("SELECT (x AS y + 1) FROM T", "unexpected 'AS'"),
    ("SELECT REGEXP_LIKE('a', '+a') FROM T", "Invalid regular expression"),
    ("SELECT * FROM T SAMPLE (1000001 ROWS)", "invalid sample size"),
]


@pytest.mark.parametrize(("sql", "message"), REFUSED, ids=[case[0] for case in REFUSED])
def test_refused(warehouse: Warehouse, sql: str, message: str) -> None:
    """The error is Snowflake's."""
    warehouse.add("T", {"X": "INT"}, "(1), (2)")
    with pytest.raises(ProgrammingError, match=message):
        warehouse.rows(sql)
