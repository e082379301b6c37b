"""SELECT from files of a stage: CSV, JSON and Parquet."""

from __future__ import annotations

import datetime as dt
import gzip
import io
from decimal import Decimal
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from snowflake.connector.errors import ProgrammingError

if TYPE_CHECKING:
    from tests.sandbox.stages.conftest import Warehouse


def parquet(**columns: pa.Array | list[object]) -> bytes:
    """Write a Parquet file in memory."""
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def test_csv_fields_are_texts_and_those_beyond_the_last_are_null(warehouse: Warehouse) -> None:
    warehouse.put("a.csv", "1,x\n2,y,z\n", compress=True)
    assert warehouse.rows("SELECT $1, $2, $3, $9 FROM @st") == [("1", "x", None, None), ("2", "y", "z", None)]


def test_csv_fields_are_cast_and_computed_with(warehouse: Warehouse) -> None:
    warehouse.put("a.csv", "1,2.50\n2,0.25\n")
    assert warehouse.rows("SELECT SUM(t.$1::INT), SUM($2::NUMBER(5, 2)) FROM @st/a.csv t") == [(3, Decimal("2.75"))]


@pytest.mark.parametrize(
    ("options", "text", "expected"),
    [
        ("FIELD_DELIMITER = '|'", "a|b\n", [("a", "b")]),
        ("FIELD_DELIMITER = '\\t'", "a\tb\n", [("a", "b")]),
        ("FIELD_DELIMITER = '::'", "a::b\n", [("a", "b")]),
        ("FIELD_DELIMITER = '0x01'", "a\x01b\n", [("a", "b")]),
        ("FIELD_DELIMITER = NONE", "a,b\n", [("a,b", None)]),
        ("RECORD_DELIMITER = ';'", "a,b;c,d", [("a", "b"), ("c", "d")]),
        ("SKIP_HEADER = 1", "x,y\na,b\n", [("a", "b")]),
        ("SKIP_BLANK_LINES = TRUE", "a,b\n\nc,d\n", [("a", "b"), ("c", "d")]),
        ("", "a,b\r\nc,d\r\n", [("a", "b"), ("c", "d")]),
        ("FIELD_OPTIONALLY_ENCLOSED_BY = '\"'", '"a ""q"", x","1\n2"\n', [('a "q", x', "1\n2")]),
        ("FIELD_OPTIONALLY_ENCLOSED_BY = '\"'", '"",\n', [("", None)]),
        ("FIELD_OPTIONALLY_ENCLOSED_BY = '\"' ESCAPE = '\\\\'", '"a\\"b",c\n', [('a"b', "c")]),
        ("", "a\\,b,\\N\n", [("a,b", None)]),
        ("ESCAPE_UNENCLOSED_FIELD = NONE", "a\\n,\\N\n", [("a\\n", None)]),
        ("NULL_IF = ('NULL', '-')", "NULL,-\n", [(None, None)]),
        ("EMPTY_FIELD_AS_NULL = FALSE", "a,\n", [("a", "")]),
        ("TRIM_SPACE = TRUE", "  a  , b\n", [("a", "b")]),
        ("TRIM_SPACE = TRUE FIELD_OPTIONALLY_ENCLOSED_BY = '\"'", ' " a" ,b\n', [(" a", "b")]),
    ],
)
def test_csv_options(warehouse: Warehouse, options: str, text: str, expected: list[tuple[object, ...]]) -> None:
    warehouse.put("a.csv", text)
    warehouse.rows(f"CREATE FILE FORMAT f TYPE = CSV {options}")
    assert warehouse.rows("SELECT $1, $2 FROM @st (FILE_FORMAT => f)") == expected


@pytest.mark.parametrize(
    ("options", "content"),
    [
        ("COMPRESSION = GZIP", gzip.compress(b"a,b\n", mtime=0)),
        ("COMPRESSION = AUTO", gzip.compress(b"a,b\n", mtime=0)),
        ("ENCODING = 'UTF-16LE'", "a,b\n".encode("utf-16-le")),
        ("", b"\xef\xbb\xbfa,b\n"),
    ],
)
def test_csv_bytes(warehouse: Warehouse, options: str, content: bytes) -> None:
    warehouse.put("a.csv", content)
    warehouse.rows(f"CREATE FILE FORMAT f TYPE = CSV {options}")
    assert warehouse.rows("SELECT $1, $2 FROM @st (FILE_FORMAT => f)") == [("a", "b")]


def test_bytes_that_are_no_text_are_refused(warehouse: Warehouse) -> None:
    warehouse.put("a.csv", b"a,\xff\n")
    with pytest.raises(ProgrammingError, match="Invalid UTF-8 detected in string: 0xff"):
        warehouse.rows("SELECT $1 FROM @st")


def test_metadata_columns_are_there_but_not_in_a_star(warehouse: Warehouse) -> None:
    warehouse.put("a.csv", "x\ny\n", into="in")
    warehouse.put("b.csv", "z\n", into="in")
    found = warehouse.rows("SELECT METADATA$FILENAME, METADATA$FILE_ROW_NUMBER, * FROM @st/in ORDER BY 1, 2")
    assert found == [("in/a.csv", 1, "x"), ("in/a.csv", 2, "y"), ("in/b.csv", 1, "z")]
    (changed, same, scanned), *_ = warehouse.rows(
        "SELECT METADATA$FILE_LAST_MODIFIED, COUNT(DISTINCT METADATA$FILE_CONTENT_KEY),"
        " MAX(METADATA$START_SCAN_TIME) FROM @st/in/a.csv GROUP BY 1"
    )
    assert abs(scanned.replace(tzinfo=None) - changed) < dt.timedelta(hours=24)
    assert same == 1


def test_a_pattern_chooses_files(warehouse: Warehouse) -> None:
    warehouse.put("a1.csv", "1\n")
    warehouse.put("a2.csv", "2\n")
    warehouse.put("b1.csv", "3\n")
    assert warehouse.rows("SELECT $1 FROM @st (PATTERN => '.*a.*[.]csv') ORDER BY 1") == [("1",), ("2",)]


@pytest.mark.parametrize(
    ("options", "text", "expected"),
    [
        ("", '{"a": 1}\n{"a": 2}\n', ["1", "2"]),
        ("", '{"a": 1} {"a": 2},{"a":\n3}', ["1", "2", "3"]),
        ("STRIP_OUTER_ARRAY = TRUE", '[{"a": 1}, {"a": 2}]', ["1", "2"]),
        ("", '{"a": null}', ["null"]),
        ("STRIP_NULL_VALUES = TRUE", '{"a": null}', [None]),
        ("", '{"a": 1234567890.12345}', ["1234567890.12345"]),
    ],
)
def test_json_documents(warehouse: Warehouse, options: str, text: str, expected: list[str | None]) -> None:
    warehouse.put("a.json", text, compress=True)
    warehouse.rows(f"CREATE FILE FORMAT f TYPE = JSON {options}")
    assert [row[0] for row in warehouse.rows("SELECT $1:a FROM @st (FILE_FORMAT => f)")] == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1}\n{"a": nope}', "Error parsing JSON.*line 2, character 7"),
        ('{"a": 1, "a": 2}', "duplicate object attribute"),
        ('{"a": NaN}', "unknown keyword"),
    ],
)
def test_what_is_no_json_is_refused(warehouse: Warehouse, text: str, message: str) -> None:
    warehouse.put("a.json", text)
    warehouse.rows("CREATE FILE FORMAT f TYPE = JSON")
    with pytest.raises(ProgrammingError, match=f"(?s){message}"):
        warehouse.rows("SELECT $1:a FROM @st (FILE_FORMAT => f)")


def test_parquet_fields_keep_their_types(warehouse: Warehouse) -> None:
    warehouse.put(
        "a.parquet",
        parquet(
            A=[1, None],
            a=["x", "y"],
            n=pa.array([Decimal("1.50"), None], pa.decimal128(5, 2)),
            l=[[1, 2], None],
            d=[dt.date(2020, 1, 2), None],
        ),
    )
    warehouse.rows("CREATE FILE FORMAT f TYPE = PARQUET")
    found = warehouse.rows(
        'SELECT $1:"A"::INT, $1:a::STRING, $1:n::NUMBER(5, 2), $1:l[1]::INT, $1:d::DATE, $1:missing'
        " FROM @st (FILE_FORMAT => f)"
    )
    assert found == [
        (1, "x", Decimal("1.50"), 2, dt.date(2020, 1, 2), None),
        (None, "y", None, None, None, None),
    ]
    assert warehouse.rows("SELECT $1:A + 1, $1:a || '!' FROM @st (FILE_FORMAT => f) LIMIT 1") == [(2, "x!")]
    whole = warehouse.rows("SELECT OBJECT_KEYS($1) FROM @st (FILE_FORMAT => f) LIMIT 1")
    assert [name in whole[0][0] for name in ('"A"', '"a"', '"n"', '"l"', '"d"')] == [True] * 5


@pytest.mark.parametrize(("logical", "kind"), [(True, "TIMESTAMP_NTZ"), (False, "NUMBER(38, 0)")])
def test_timestamps_without_a_zone_need_logical_types(warehouse: Warehouse, logical: bool, kind: str) -> None:
    warehouse.put("a.parquet", parquet(t=pa.array([dt.datetime(2020, 1, 2)], pa.timestamp("us"))))  # noqa: DTZ001
    warehouse.rows(f"CREATE FILE FORMAT f TYPE = PARQUET USE_LOGICAL_TYPE = {logical}")
    found = warehouse.rows("SELECT TYPE FROM TABLE(INFER_SCHEMA(LOCATION => '@st', FILE_FORMAT => 'f'))")
    assert found == [(kind,)]
    assert warehouse.rows("SELECT $1:t::TIMESTAMP_NTZ FROM @st (FILE_FORMAT => f)") == [
        (dt.datetime(2020, 1, 2),)  # noqa: DTZ001
    ]


def test_parquet_files_with_different_fields_are_read_together(warehouse: Warehouse) -> None:
    warehouse.put("a.parquet", parquet(x=[1]))
    warehouse.put("b.parquet", parquet(y=["q"], x=[2]))
    warehouse.rows("CREATE FILE FORMAT f TYPE = PARQUET")
    assert warehouse.rows("SELECT $1:x::INT, $1:y::STRING FROM @st (FILE_FORMAT => f) ORDER BY 1") == [
        (1, None),
        (2, "q"),
    ]


def test_a_broken_parquet_file_is_refused_by_name(warehouse: Warehouse) -> None:
    warehouse.put("a.parquet", b"PAR1 no parquet")
    warehouse.rows("CREATE FILE FORMAT f TYPE = PARQUET")
    with pytest.raises(ProgrammingError, match=r"Invalid Parquet file: st/a\.parquet"):
        warehouse.rows("SELECT $1 FROM @st (FILE_FORMAT => f)")


@pytest.mark.parametrize("kind", ["AVRO", "ORC", "XML"])
def test_formats_that_the_sandbox_lacks_are_refused_by_name(warehouse: Warehouse, kind: str) -> None:
    with pytest.raises(ProgrammingError, match=f"TYPE = {kind}.*not supported by the sandbox"):
        warehouse.rows(f"CREATE FILE FORMAT f TYPE = {kind}")


def test_staged_files_join_tables(warehouse: Warehouse) -> None:
    warehouse.put("a.csv", "1,x\n2,y\n")
    warehouse.rows("CREATE TABLE t (id INT, v INT)")
    warehouse.rows("INSERT INTO t VALUES (2, 20)")
    assert warehouse.rows("SELECT s.$2, t.v FROM @st/a.csv s JOIN t ON s.$1 = t.id") == [("y", 20)]
