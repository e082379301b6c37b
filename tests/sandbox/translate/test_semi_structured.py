"""What VARIANT, OBJECT and ARRAY keep and show: SQL, what it gives, and its type."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from snowflake.connector.errors import ProgrammingError

from .warehouse import Warehouse

SCALARS = [
    # A scalar keeps its type inside a VARIANT.
    ("TYPEOF(TO_VARIANT('2020-01-02'::DATE))", "DATE", "VARCHAR(16777216)"),
    ("TYPEOF(TO_VARIANT('10:00:00'::TIME))", "TIME", "VARCHAR(16777216)"),
    ("TYPEOF(TO_VARIANT('2020-01-02 03:04:05'::TIMESTAMP_NTZ))", "TIMESTAMP_NTZ", "VARCHAR(16777216)"),
    ("TYPEOF(TO_VARIANT(x'ab'))", "BINARY", "VARCHAR(16777216)"),
    ("TYPEOF(TO_VARIANT('a'))", "VARCHAR", "VARCHAR(16777216)"),
    ("IS_DATE(TO_VARIANT('2020-01-02'::DATE))", True, "BOOLEAN"),
    ("IS_VARCHAR(TO_VARIANT('2020-01-02'::DATE))", False, "BOOLEAN"),
    ("AS_DATE(TO_VARIANT('2020-01-02'::DATE))", dt.date(2020, 1, 2), "DATE"),
    ("AS_DATE(TO_VARIANT('2020-01-02'))", None, "DATE"),
    ("TO_VARIANT('2020-01-02'::DATE)::DATE", dt.date(2020, 1, 2), "DATE"),
    ("TO_VARIANT('2020-01-02'::DATE)::VARCHAR", "2020-01-02", "VARCHAR(16777216)"),
    ("AS_BINARY(TO_VARIANT(x'ab'))", b"\xab", "BINARY(8388608)"),
    ("AS_INTEGER(PARSE_JSON('1.7'))", 2, "NUMBER(38,0)"),
    ("AS_INTEGER(PARSE_JSON('\"7\"'))", None, "NUMBER(38,0)"),
    # NULL makes no array of one element.
    ("NULL::VARIANT::ARRAY", None, "ARRAY"),
    ("ARRAY_MIN([NULL])", None, "VARIANT"),
    ("ARRAY_FLATTEN([[1], NULL])", None, "ARRAY"),
    ("ARRAY_TO_STRING([1, 'b', 2], s)", "1-b-2", "VARCHAR(16777216)"),
    ('GET_PATH(PARSE_JSON(\'{"a": {"b": 2}}\'), p)::INT', 2, "NUMBER(38,0)"),
    ("JSON_EXTRACT_PATH_TEXT('{\"a\": null}', 'a')", None, "VARCHAR(16777216)"),
]


@pytest.fixture
def one_row(warehouse: Warehouse) -> Warehouse:
    """A table of one row with a separator and a path."""
    warehouse.add("T", {"S": "VARCHAR", "P": "VARCHAR"}, "('-', 'a.b')")
    return warehouse


@pytest.mark.parametrize(("expression", "expected", "type_"), SCALARS, ids=[case[0] for case in SCALARS])
def test_scalar(one_row: Warehouse, expression: str, expected: object, type_: str) -> None:
    """The value and the type are Snowflake's."""
    sql = f"SELECT {expression} FROM T"
    assert one_row.one(sql) == expected
    assert one_row.type_of(sql) == type_


DOCUMENTS = [
    ("PARSE_JSON('[{a: 1}]')", [{"a": 1}]),
    ("OBJECT_CONSTRUCT_KEEP_NULL('a', NULL, 'b', 1)", {"a": None, "b": 1}),
    ("OBJECT_CONSTRUCT('a', NULL, 'b', 1)", {"b": 1}),
    ('OBJECT_KEYS(PARSE_JSON(\'{"b": 1, "a": 2}\'))', ["a", "b"]),
    ("OBJECT_INSERT(PARSE_JSON('{\"a\": 1}')::OBJECT, 'a', 2, TRUE)", {"a": 2}),
    ("GET_IGNORE_CASE(PARSE_JSON('{\"Aa\": [1]}'), 'aA')", [1]),
    ("FILTER([1, 2, 3], x -> x > 1)", [2, 3]),
    ("TRANSFORM([1, 2], x -> x::INT * 2)", [2, 4]),
    ("ARRAYS_ZIP([1, 2], ['a'])", [{"$1": 1, "$2": "a"}, {"$1": 2, "$2": None}]),
    ("ARRAY_FLATTEN([[1], [2, 3]])", [1, 2, 3]),
]


@pytest.mark.parametrize(("expression", "expected"), DOCUMENTS, ids=[case[0] for case in DOCUMENTS])
def test_document(warehouse: Warehouse, expression: str, expected: object) -> None:
    """The document is the one that Snowflake gives."""
    assert json.loads(warehouse.one(f"SELECT {expression}")) == expected


def test_a_float_column_is_written_with_all_digits(warehouse: Warehouse) -> None:
    """Constants are written as they are."""
    warehouse.add("T", {"X": "FLOAT"}, "(3.14)")
    assert warehouse.one("SELECT TO_VARIANT(x) FROM T") == "3.140000000000000e+00"
    assert warehouse.one("SELECT TO_VARIANT(x)::VARCHAR FROM T") == "3.14"
    assert warehouse.one("SELECT TO_VARIANT(1.2::FLOAT)") == "1.2"


def test_recursive_flatten_walks_depth_first(warehouse: Warehouse) -> None:
    """Each element comes before what is in it, with its path."""
    sql = """SELECT path FROM TABLE(FLATTEN(INPUT => PARSE_JSON('{"a": [1, {"b": 2}]}'), RECURSIVE => TRUE))"""
    assert warehouse.rows(sql) == [("a",), ("a[0]",), ("a[1]",), ("a[1].b",)]


def test_the_kind_of_a_plain_value_is_not_asked(warehouse: Warehouse) -> None:
    """IS_ and AS_ functions take semi-structured values alone."""
    with pytest.raises(ProgrammingError, match="Invalid argument types for function 'IS_DATE'"):
        warehouse.rows("SELECT IS_DATE(1)")


def test_a_digest_gives_back_percentiles(warehouse: Warehouse) -> None:
    """Digests can be put together."""
    warehouse.add("T", {"G": "INT", "X": "INT"}, "(1, 1), (1, 2), (2, 4), (2, 9)")
    combined = (
        "SELECT APPROX_PERCENTILE_ESTIMATE(APPROX_PERCENTILE_COMBINE(s), 0.5) FROM"
        " (SELECT APPROX_PERCENTILE_ACCUMULATE(x) AS s FROM T GROUP BY g)"
    )
    assert warehouse.one(combined) == 3.0
    with pytest.raises(ProgrammingError, match=r"Invalid value \[-1\.0\]"):
        warehouse.rows("SELECT APPROX_PERCENTILE_ESTIMATE(APPROX_PERCENTILE_ACCUMULATE(x), -1) FROM T")


@pytest.mark.parametrize(
    ("type_", "shown"), [("INT", "FIXED"), ("FLOAT", "REAL"), ("BOOLEAN", "BOOLEAN"), ("DATE", "DATE")]
)
def test_a_cast_that_fails_names_value_and_type(warehouse: Warehouse, type_: str, shown: str) -> None:
    """TRY_CAST of the same gives NULL; a JSON null becomes NULL."""
    with pytest.raises(ProgrammingError, match=f'Failed to cast variant value "red" to {shown}'):
        warehouse.rows(f"SELECT TO_VARIANT('red')::{type_}")
    assert warehouse.one(f"SELECT PARSE_JSON('null')::{type_}") is None
