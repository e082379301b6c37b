"""COPY INTO a table: conversions, errors and what ON_ERROR makes of them, load history."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from snowflake.connector.errors import ProgrammingError

from firnline_sandbox.sessions import connect
from tests.sandbox.stages.test_staged_reading import parquet

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox.stages.conftest import Warehouse

BAD = "1,a,2\nx,b,3\n3,ccc,4,5\n4,d,nope\n5,e,1\n"


def result(warehouse: Warehouse, sql: str) -> list[dict[str, Any]]:
    """Run a statement and give its rows with the names of their columns."""
    with warehouse.connection.cursor() as cursor:
        cursor.execute(sql)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def test_rows_are_converted_to_the_columns_types(warehouse: Warehouse) -> None:
    warehouse.rows("CREATE TABLE t (i INT, n NUMBER(6, 2), d DATE, ts TIMESTAMP_NTZ, b BOOLEAN, v VARIANT, x BINARY)")
    warehouse.put("a.csv", '7|1.005|2020-01-02|2020-01-02 03:04:05|true|{"k": [1]}|ff00\n|||||\\N|\n', compress=True)
    (row,) = result(warehouse, "COPY INTO t FROM @st FILE_FORMAT = (TYPE = CSV FIELD_DELIMITER = '|')")
    assert row == {
        "file": "st/a.csv.gz",
        "status": "LOADED",
        "rows_parsed": 2,
        "rows_loaded": 2,
        "error_limit": 1,
        "errors_seen": 0,
        "first_error": None,
        "first_error_line": None,
        "first_error_character": None,
        "first_error_column_name": None,
    }
    found = warehouse.rows("SELECT i, n::STRING, d, ts, b, v:k[0]::INT, x FROM t WHERE i IS NOT NULL")
    stamp = dt.datetime(2020, 1, 2, 3, 4, 5)  # noqa: DTZ001
    assert found == [(7, "1.01", stamp.date(), stamp, True, 1, bytearray(b"\xff\x00"))]
    assert warehouse.rows("SELECT COUNT(*) FROM t WHERE i IS NULL AND v IS NULL AND x IS NULL") == [(1,)]


def test_a_list_of_columns_leaves_the_others_to_their_defaults(warehouse: Warehouse) -> None:
    warehouse.rows("CREATE TABLE t (a INT, b STRING DEFAULT 'none', c INT AUTOINCREMENT)")
    warehouse.put("a.csv", "1\n2\n")
    warehouse.rows("COPY INTO t (a) FROM @st")
    assert warehouse.rows("SELECT a, b, COUNT(c) OVER () FROM t ORDER BY 1") == [(1, "none", 2), (2, "none", 2)]


def test_a_transformation_computes_columns(warehouse: Warehouse) -> None:
    warehouse.rows("CREATE TABLE t (a INT, b STRING, f STRING)")
    warehouse.put("a.csv", "1,x\n2,y\n", into="in")
    sql = "COPY INTO t FROM (SELECT s.$1::INT * ?, UPPER(s.$2), METADATA$FILENAME FROM @st/in s) ON_ERROR = ?"
    warehouse.rows(sql, [10, "CONTINUE"])
    assert warehouse.rows("SELECT * FROM t ORDER BY 1") == [(10, "X", "in/a.csv"), (20, "Y", "in/a.csv")]


@pytest.mark.parametrize("clause", ["WHERE $1 > 1", "LIMIT 1", "GROUP BY 1", "ORDER BY 1"])
def test_a_transformation_is_a_plain_select(warehouse: Warehouse, clause: str) -> None:
    warehouse.rows("CREATE TABLE t (a INT)")
    warehouse.put("a.csv", "1\n")
    with pytest.raises(ProgrammingError, match="only supports simple SELECT"):
        warehouse.rows(f"COPY INTO t FROM (SELECT $1 FROM @st {clause})")


@pytest.mark.parametrize(
    ("on_error", "status", "loaded"),
    [
        ("CONTINUE", "PARTIALLY_LOADED", 2),
        ("SKIP_FILE", "LOAD_FAILED", 0),
        ("SKIP_FILE_3", "LOAD_FAILED", 0),
        ("SKIP_FILE_4", "PARTIALLY_LOADED", 2),
        ("'SKIP_FILE_50%'", "LOAD_FAILED", 0),
        ("'SKIP_FILE_60%'", "PARTIALLY_LOADED", 2),
    ],
)
def test_on_error(warehouse: Warehouse, on_error: str, status: str, loaded: int) -> None:
    warehouse.rows("CREATE TABLE t (a INT, b STRING, c NUMBER(5, 1))")
    warehouse.put("good.csv", "7,g,7\n")
    warehouse.put("bad.csv", BAD)
    bad, good = result(warehouse, f"COPY INTO t FROM @st ON_ERROR = {on_error}")
    assert (good["file"], good["status"], good["rows_loaded"]) == ("st/good.csv", "LOADED", 1)
    assert (bad["status"], bad["rows_parsed"], bad["rows_loaded"], bad["errors_seen"]) == (status, 5, loaded, 3)
    assert bad["first_error"] == "Numeric value 'x' is not recognized"
    assert (bad["first_error_line"], bad["first_error_character"]) == (2, 1)
    assert bad["first_error_column_name"] == '"T"["A":1]'
    assert warehouse.rows("SELECT COUNT(*) FROM t") == [(loaded + 1,)]


def test_the_first_error_aborts_and_nothing_is_loaded(warehouse: Warehouse) -> None:
    warehouse.rows("CREATE TABLE t (a INT, b STRING, c NUMBER(5, 1))")
    warehouse.put("a.csv", "1,a,1\n")
    warehouse.put("bad.csv", BAD)
    with pytest.raises(ProgrammingError, match="Numeric value 'x' is not recognized") as raised:
        warehouse.rows("COPY INTO t FROM @st")
    assert raised.value.errno == 100038
    assert "File 'st/bad.csv', line 2, character 1" in str(raised.value)
    assert 'Row 2, column "T"["A":1]' in str(raised.value)
    assert warehouse.rows("SELECT COUNT(*) FROM t") == [(0,)]


def test_a_failed_load_undoes_itself_alone_inside_of_a_transaction(warehouse: Warehouse) -> None:
    warehouse.rows("CREATE TABLE t (a INT, b STRING, c NUMBER(5, 1))")
    warehouse.put("bad.csv", BAD)
    warehouse.rows("BEGIN")
    warehouse.rows("INSERT INTO t VALUES (0, 'kept', 0)")
    with pytest.raises(ProgrammingError, match="is not recognized"):
        warehouse.rows("COPY INTO t FROM @st")
    assert result(warehouse, "COPY INTO t FROM @st ON_ERROR = CONTINUE")[0]["rows_loaded"] == 2
    warehouse.rows("COMMIT")
    assert warehouse.rows("SELECT a FROM t ORDER BY 1") == [(0,), (1,), (5,)]


def test_not_null_and_lengths_are_errors_of_their_rows(warehouse: Warehouse) -> None:
    warehouse.rows("CREATE TABLE t (a INT NOT NULL, b VARCHAR(2))")
    warehouse.put("a.csv", "1,xy\n,xy\n3,xyz\n")
    (row,) = result(warehouse, "COPY INTO t FROM @st ON_ERROR = CONTINUE")
    assert (row["rows_loaded"], row["errors_seen"]) == (1, 2)
    assert "NULL result in a non-nullable column" in row["first_error"]
    assert (
        result(warehouse, "COPY INTO t FROM @st ON_ERROR = CONTINUE FORCE = TRUE TRUNCATECOLUMNS = TRUE")[0][
            "rows_loaded"
        ]
        == 2
    )


def test_the_number_of_columns_is_checked_unless_told_otherwise(warehouse: Warehouse) -> None:
    warehouse.rows("CREATE TABLE t (a INT, b STRING)")
    warehouse.put("a.csv", "1,x,extra\n2\n")
    with pytest.raises(ProgrammingError, match=r"Number of columns in file \(3\) does not match") as raised:
        warehouse.rows("COPY INTO t FROM @st")
    assert raised.value.errno == 100080
    warehouse.rows("COPY INTO t FROM @st FILE_FORMAT = (TYPE = CSV ERROR_ON_COLUMN_COUNT_MISMATCH = FALSE)")
    assert warehouse.rows("SELECT * FROM t ORDER BY 1") == [(1, "x"), (2, None)]


def test_a_file_is_loaded_once(warehouse: Warehouse) -> None:
    warehouse.rows("CREATE TABLE t (a INT)")
    warehouse.put("a.csv", "1\n")
    warehouse.rows("COPY INTO t FROM @st")
    assert warehouse.rows("COPY INTO t FROM @st") == [("Copy executed with 0 files processed.",)]
    assert warehouse.rows("COPY INTO t FROM @st FORCE = TRUE")[0][1] == "LOADED"
    warehouse.put("a.csv", "2\n")
    assert warehouse.rows("COPY INTO t FROM @st")[0][1] == "LOADED"  # it was written again
    warehouse.rows("TRUNCATE TABLE t")
    assert warehouse.rows("COPY INTO t FROM @st")[0][1] == "LOADED"


def test_the_load_history_is_rolled_back_with_the_rows(warehouse: Warehouse) -> None:
    warehouse.rows("CREATE TABLE t (a INT)")
    warehouse.put("a.csv", "1\n")
    warehouse.rows("BEGIN")
    warehouse.rows("COPY INTO t FROM @st")
    warehouse.rows("ROLLBACK")
    assert warehouse.rows("COPY INTO t FROM @st")[0][1] == "LOADED"
    assert warehouse.rows("SELECT * FROM t") == [(1,)]


def test_the_load_history_outlives_the_process(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1\n")
    for expected in ("LOADED", "Copy executed with 0 files processed."):
        with connect(tmp_path / "sandbox") as connection, connection.cursor() as cursor:
            cursor.execute("CREATE STAGE IF NOT EXISTS st")
            cursor.execute("CREATE TABLE IF NOT EXISTS t (a INT)")
            cursor.execute(f"PUT file://{tmp_path}/a.csv @st")
            assert expected in cursor.execute("COPY INTO t FROM @st").fetchone()


def test_a_failed_file_may_be_loaded_again(warehouse: Warehouse) -> None:
    warehouse.rows("CREATE TABLE t (a INT)")
    warehouse.put("a.csv", "x\n")
    for _ in range(2):
        assert result(warehouse, "COPY INTO t FROM @st ON_ERROR = SKIP_FILE")[0]["status"] == "LOAD_FAILED"


def test_files_and_patterns_choose(warehouse: Warehouse) -> None:
    warehouse.rows("CREATE TABLE t (a INT)")
    for number in range(4):
        warehouse.put(f"f{number}.csv", f"{number}\n", into="in")
    warehouse.rows("COPY INTO t FROM @st/in FILES = ('f1.csv', 'f3.csv')")
    warehouse.rows("COPY INTO t FROM @st/in PATTERN = '.*f0[.]csv'")
    assert warehouse.rows("SELECT a FROM t ORDER BY 1") == [(0,), (1,), (3,)]
    with pytest.raises(ProgrammingError, match=r"Remote file '@st/in/none\.csv' was not found"):
        warehouse.rows("COPY INTO t FROM @st/in FILES = ('none.csv')")


def test_purge_removes_what_was_loaded_and_nothing_else(warehouse: Warehouse) -> None:
    warehouse.rows("CREATE TABLE t (a INT)")
    warehouse.put("good.csv", "1\n")
    warehouse.put("bad.csv", "x\n")
    warehouse.rows("COPY INTO t FROM @st ON_ERROR = SKIP_FILE PURGE = TRUE")
    assert [row[0] for row in warehouse.rows("LIST @st")] == ["st/bad.csv"]


def test_size_limit_stops_after_the_file_that_reaches_it(warehouse: Warehouse) -> None:
    warehouse.rows("CREATE TABLE t (a INT)")
    for number in range(3):
        warehouse.put(f"f{number}.csv", f"{number}\n" * 10)
    assert len(result(warehouse, "COPY INTO t FROM @st SIZE_LIMIT = 25")) == 2


@pytest.mark.parametrize(
    ("match", "expected"), [("CASE_INSENSITIVE", (1, "x", None)), ("CASE_SENSITIVE", (None, "x", None))]
)
def test_parquet_fields_match_columns_by_name(warehouse: Warehouse, match: str, expected: tuple[object, ...]) -> None:
    warehouse.rows('CREATE TABLE t (id INT, "name" STRING, other INT)')
    warehouse.put("a.parquet", parquet(name=["x"], id=[1], unused=[0]))
    warehouse.rows(f"COPY INTO t FROM @st FILE_FORMAT = (TYPE = PARQUET) MATCH_BY_COLUMN_NAME = {match}")
    assert warehouse.rows("SELECT * FROM t") == [expected]


def test_json_and_csv_headers_match_columns_by_name(warehouse: Warehouse) -> None:
    warehouse.rows("CREATE TABLE t (id INT, name STRING)")
    warehouse.put("a.json", '{"NAME": "x", "id": 1}')
    warehouse.put("b.csv", "name,ID\ny,2\n")
    warehouse.rows("COPY INTO t FROM @st/a.json FILE_FORMAT = (TYPE = JSON) MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE")
    warehouse.rows(
        "COPY INTO t FROM @st/b.csv FILE_FORMAT = (TYPE = CSV PARSE_HEADER = TRUE)"
        " MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE"
    )
    assert warehouse.rows("SELECT * FROM t ORDER BY 1") == [(1, "x"), (2, "y")]


def test_json_without_columns_goes_into_one_variant(warehouse: Warehouse) -> None:
    warehouse.rows("CREATE TABLE v (d VARIANT)")
    warehouse.rows("CREATE TABLE two (a INT, b INT)")
    warehouse.put("a.json", '{"a": 1}')
    warehouse.rows("COPY INTO v FROM @st FILE_FORMAT = (TYPE = JSON)")
    assert warehouse.rows("SELECT d:a::INT FROM v") == [(1,)]
    with pytest.raises(ProgrammingError, match="one and only one column of type variant"):
        warehouse.rows("COPY INTO two FROM @st FILE_FORMAT = (TYPE = JSON)")


def test_validation_modes_load_nothing(warehouse: Warehouse) -> None:
    warehouse.rows("CREATE TABLE t (a INT, b STRING, c NUMBER(5, 1))")
    warehouse.put("bad.csv", BAD)
    errors = result(warehouse, "COPY INTO t FROM @st VALIDATION_MODE = RETURN_ERRORS")
    assert [(row["ROW_NUMBER"], row["LINE"], row["CODE"], row["REJECTED_RECORD"]) for row in errors] == [
        (2, 2, 100038, "x,b,3"),
        (3, 3, 100080, "3,ccc,4,5"),
        (4, 4, 100038, "4,d,nope"),
    ]
    assert [(row["CHARACTER"], row["BYTE_OFFSET"], row["CATEGORY"]) for row in errors] == [
        (1, 6, "conversion"),
        (7, 12, "parsing"),
        (5, 22, "conversion"),
    ]
    assert result(warehouse, "COPY INTO t FROM @st VALIDATION_MODE = RETURN_1_ROWS")[0]["A"] == 1
    with pytest.raises(ProgrammingError, match="Numeric value 'x'"):
        warehouse.rows("COPY INTO t FROM @st VALIDATION_MODE = RETURN_2_ROWS")
    assert warehouse.rows("SELECT COUNT(*) FROM t") == [(0,)]


def test_validate_shows_the_errors_of_an_earlier_load(warehouse: Warehouse) -> None:
    warehouse.rows("CREATE TABLE t (a INT)")
    warehouse.put("a.csv", "1\nx\n")
    with warehouse.connection.cursor() as cursor:
        cursor.execute("COPY INTO t FROM @st ON_ERROR = CONTINUE")
        query_id = cursor.sfqid
    expected = [("Numeric value 'x' is not recognized", 2)]
    for job in ("_last", query_id):
        for table in ("t", 'PUBLIC."T"'):
            found = warehouse.rows(f"SELECT error, row_number FROM TABLE(VALIDATE({table}, JOB_ID => '{job}'))")
            assert found == expected


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("ON_ERROR = PERHAPS", "invalid value 'PERHAPS'"),
        ("FILE_PROCESSOR = (SCANNER = x)", "COPY INTO option FILE_PROCESSOR"),
        ("VALIDATION_MODE = RETURN_MANY", "invalid value 'RETURN_MANY'"),
        ("LOAD_MODE = ADD_FILES_COPY", "LOAD_MODE"),
    ],
)
def test_options_that_do_not_exist_here_are_refused(warehouse: Warehouse, option: str, message: str) -> None:
    warehouse.rows("CREATE TABLE t (a INT)")
    with pytest.raises(ProgrammingError, match=message):
        warehouse.rows(f"COPY INTO t FROM @st {option}")


def test_formats_of_dates_and_times_are_obeyed(warehouse: Warehouse) -> None:
    warehouse.rows("CREATE TABLE t (d DATE, s TIMESTAMP_NTZ)")
    warehouse.put("a.csv", "02/01/2020,20200102030405\n")
    warehouse.rows(
        "COPY INTO t FROM @st FILE_FORMAT = (TYPE = CSV DATE_FORMAT = 'DD/MM/YYYY'"
        " TIMESTAMP_FORMAT = 'YYYYMMDDHH24MISS')"
    )
    stamp = dt.datetime(2020, 1, 2, 3, 4, 5)  # noqa: DTZ001
    assert warehouse.rows("SELECT * FROM t") == [(stamp.date(), stamp)]


def test_a_large_parquet_load_counts_every_row(warehouse: Warehouse) -> None:
    warehouse.rows("CREATE TABLE t (a INT, b FLOAT)")
    for part in range(3):
        warehouse.put(f"p{part}.parquet", parquet(a=pa.array(range(10_000)), b=pa.array([0.5] * 10_000)))
    sql = 'COPY INTO t FROM (SELECT $1:"a"::INT, $1:"b"::FLOAT FROM @st) FILE_FORMAT = (TYPE = PARQUET)'
    rows = result(warehouse, sql)
    assert [row["rows_loaded"] for row in rows] == [10_000] * 3
    assert warehouse.rows("SELECT COUNT(*), SUM(a), SUM(b) FROM t") == [(30_000, 3 * 49_995_000, 15_000.0)]
