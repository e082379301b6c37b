"""RESULT_SCAN and INFER_SCHEMA."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pytest
from snowflake.connector.errors import ProgrammingError
from snowflake.connector.pandas_tools import write_pandas

from tests.sandbox.stages.test_staged_reading import parquet

if TYPE_CHECKING:
    from snowflake.snowpark import Session

    from tests.sandbox.stages.conftest import Warehouse

INFER = "SELECT * FROM TABLE(INFER_SCHEMA(LOCATION => '@st', FILE_FORMAT => 'f'))"


def test_the_last_result_keeps_its_types(warehouse: Warehouse) -> None:
    first = warehouse.rows("SELECT 1 a, 1.50 b, '2020-01-02'::DATE d, PARSE_JSON('{\"x\": [1, 2]}') v, NULL n, 'q' a")
    assert warehouse.rows("SELECT * FROM TABLE(RESULT_SCAN(LAST_QUERY_ID()))") == first
    assert warehouse.rows("SELECT v:x[1] + 1, d + 1, b * 2 FROM TABLE(RESULT_SCAN(LAST_QUERY_ID(-2)))") == [
        (3, dt.date(2020, 1, 3), Decimal("3.00"))
    ]


def test_results_of_listings_and_loads_are_scanned_by_their_lower_case_names(warehouse: Warehouse) -> None:
    warehouse.put("a.csv", "1\n")
    warehouse.rows("LIST @st")
    assert warehouse.rows('SELECT "name" FROM TABLE(RESULT_SCAN(LAST_QUERY_ID()))') == [("st/a.csv",)]
    warehouse.rows("CREATE TABLE t (a INT)")
    assert warehouse.rows('SELECT "status" FROM TABLE(RESULT_SCAN(LAST_QUERY_ID()))') == [
        ("Table T successfully created.",)
    ]
    warehouse.rows("COPY INTO t FROM @st")
    assert warehouse.rows('SELECT SUM("rows_loaded") FROM TABLE(RESULT_SCAN(LAST_QUERY_ID()))') == [(1,)]


def test_results_that_are_not_there_are_refused(warehouse: Warehouse) -> None:
    with pytest.raises(ProgrammingError, match="Statement nothing not found"):
        warehouse.rows("SELECT * FROM TABLE(RESULT_SCAN('nothing'))")
    with pytest.raises(ProgrammingError, match="Unknown table function NO_SUCH_FUNCTION"):
        warehouse.rows("SELECT * FROM TABLE(NO_SUCH_FUNCTION('x'))")


def test_parquet_fields_and_types(warehouse: Warehouse) -> None:
    warehouse.put(
        "a.parquet",
        parquet(
            i=[1],
            f=[0.5],
            n=pa.array([Decimal("1.5")], pa.decimal128(6, 2)),
            s=["x"],
            b=[True],
            d=[dt.date(2020, 1, 1)],
            l=[[1]],
            o=[{"k": 1}],
            **{"a b": [1]},
        ),
        into="in",
    )
    warehouse.rows("CREATE FILE FORMAT f TYPE = PARQUET")
    assert warehouse.rows(INFER) == [
        ("i", "NUMBER(38, 0)", True, "$1:i::NUMBER(38, 0)", "in/a.parquet", 0),
        ("f", "REAL", True, "$1:f::REAL", "in/a.parquet", 1),
        ("n", "NUMBER(6, 2)", True, "$1:n::NUMBER(6, 2)", "in/a.parquet", 2),
        ("s", "TEXT", True, "$1:s::TEXT", "in/a.parquet", 3),
        ("b", "BOOLEAN", True, "$1:b::BOOLEAN", "in/a.parquet", 4),
        ("d", "DATE", True, "$1:d::DATE", "in/a.parquet", 5),
        ("l", "VARIANT", True, "$1:l::VARIANT", "in/a.parquet", 6),
        ("o", "VARIANT", True, "$1:o::VARIANT", "in/a.parquet", 7),
        ("a b", "NUMBER(38, 0)", True, '$1:"a b"::NUMBER(38, 0)', "in/a.parquet", 8),
    ]


def test_csv_columns_and_types(warehouse: Warehouse) -> None:
    warehouse.put("a.csv", "id,price,day,at,ok,name,big\n1,2.50,2020-01-02,2020-01-02 03:04:05,true,x,1e3\n22,,,,,,2\n")
    warehouse.rows("CREATE FILE FORMAT f TYPE = CSV PARSE_HEADER = TRUE")
    found = [(row[0], row[1], row[3]) for row in warehouse.rows(INFER)]
    assert found == [
        ("id", "NUMBER(2, 0)", "$1::NUMBER(2, 0)"),
        ("price", "NUMBER(3, 2)", "$2::NUMBER(3, 2)"),
        ("day", "DATE", "$3::DATE"),
        ("at", "TIMESTAMP_NTZ", "$4::TIMESTAMP_NTZ"),
        ("ok", "BOOLEAN", "$5::BOOLEAN"),
        ("name", "TEXT", "$6::TEXT"),
        ("big", "REAL", "$7::REAL"),
    ]


def test_json_fields_and_types_by_name(warehouse: Warehouse) -> None:
    warehouse.put("a.json", '{"b": "x", "a": 1}\n{"a": 10.25, "c": [1], "d": {"e": null}}')
    warehouse.rows("CREATE FILE FORMAT f TYPE = JSON")
    assert [row[:2] for row in warehouse.rows(INFER)] == [
        ("a", "NUMBER(4, 2)"),
        ("b", "TEXT"),
        ("c", "ARRAY"),
        ("d", "OBJECT"),
    ]


def test_arguments_of_infer_schema(warehouse: Warehouse) -> None:
    warehouse.put("a.csv", "1\n1000\n")
    warehouse.rows("CREATE FILE FORMAT f TYPE = CSV")
    call = "SELECT COLUMN_NAME, TYPE FROM TABLE(INFER_SCHEMA(LOCATION => '@st', FILE_FORMAT => 'f', {}))"
    assert warehouse.rows(call.format("MAX_RECORDS_PER_FILE => 1")) == [("c1", "NUMBER(1, 0)")]
    assert warehouse.rows(call.format("IGNORE_CASE => TRUE")) == [("C1", "NUMBER(4, 0)")]
    assert warehouse.rows(call.format("FILES => 'a.csv'")) == [("c1", "NUMBER(4, 0)")]
    for wrong, message in (("FILES => 'b.csv'", "was not found"), ("NONSENSE => 1", "no argument NONSENSE")):
        with pytest.raises(ProgrammingError, match=message):
            warehouse.rows(call.format(wrong))


def test_the_connectors_own_write_pandas(warehouse: Warehouse) -> None:
    frame = pd.DataFrame({"id": [1, 2], 'na"me': ["x", None], "at": pd.to_datetime(["2020-01-02", None])})
    done, chunks, rows, _ = write_pandas(
        warehouse.connection, frame, "T", auto_create_table=True, use_logical_type=True, chunk_size=1
    )
    assert (done, chunks, rows) == (True, 2, 2)
    assert warehouse.rows('SELECT "id", "na""me", "at" FROM T ORDER BY 1') == [
        (1, "x", dt.datetime(2020, 1, 2)),  # noqa: DTZ001
        (2, None, None),
    ]
    write_pandas(warehouse.connection, frame, "T", overwrite=True)
    assert warehouse.rows("SELECT COUNT(*) FROM T") == [(2,)]


def test_snowparks_data_frames_from_pandas(snowpark_session: Session) -> None:
    frame = pd.DataFrame({"A": [1, 2], "B": ["x", None], "L": [[1, 2], None]})
    made = snowpark_session.create_dataframe(frame)
    assert [tuple(row) for row in made.sort("A").select("A", "B").collect()] == [(1, "x"), (2, None)]
    snowpark_session.write_pandas(frame[["A", "B"]], "T", auto_create_table=True, overwrite=True)
    assert snowpark_session.table("T").to_pandas().sort_values("A").to_numpy().tolist() == [[1, "x"], [2, None]]
