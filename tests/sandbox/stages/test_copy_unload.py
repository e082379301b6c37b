"""COPY INTO a location: file names, formats, sizes, partitions, and that what was written can be read again."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest
from snowflake.connector.errors import ProgrammingError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox.stages.conftest import Warehouse

ROWS = [(1, 'a "q", b', '{\n  "k": [\n    1\n  ]\n}'), (2, None, None), (3, "two\nlines\\", None)]


@pytest.fixture
def table(warehouse: Warehouse) -> Warehouse:
    """Make a table with texts that need quotes or escapes."""
    warehouse.rows("CREATE TABLE t (id INT, name STRING, data VARIANT)")
    warehouse.rows("INSERT INTO t SELECT 1, 'a \"q\", b', PARSE_JSON('{\"k\": [1]}')")
    warehouse.rows("INSERT INTO t SELECT 2, NULL, NULL UNION ALL SELECT 3, 'two\\nlines\\\\', NULL")
    return warehouse


def fetched(warehouse: Warehouse, location: str) -> dict[str, Path]:
    """GET what is at a location."""
    target = warehouse.folder / "out"
    target.mkdir(exist_ok=True)
    warehouse.rows(f"GET {location} file://{target}/")
    return {path.relative_to(target).as_posix(): path for path in sorted(target.rglob("*")) if path.is_file()}


@pytest.mark.parametrize(
    "options",
    [
        "",
        "FIELD_OPTIONALLY_ENCLOSED_BY = '\"'",
        "FIELD_DELIMITER = '|' COMPRESSION = NONE",
        "FIELD_OPTIONALLY_ENCLOSED_BY = '\\'' ESCAPE = '\\\\' COMPRESSION = ZSTD",
        "RECORD_DELIMITER = '~' NULL_IF = ('nothing')",
    ],
)
def test_csv_comes_back_as_it_was(table: Warehouse, options: str) -> None:
    table.rows(f"CREATE FILE FORMAT f TYPE = CSV {options}")
    assert table.rows("COPY INTO @st/x/ FROM t FILE_FORMAT = (FORMAT_NAME = f)")[0][0] == 3
    table.rows("CREATE TABLE back LIKE t")
    table.rows("COPY INTO back FROM @st/x FILE_FORMAT = (FORMAT_NAME = f)")
    assert table.rows("SELECT * FROM back ORDER BY id") == ROWS


def test_csv_text_of_a_query_with_a_header(table: Warehouse) -> None:
    answer = table.rows(
        "COPY INTO @st/x/ FROM (SELECT id, name, 1.50 price FROM t WHERE id <= ? ORDER BY id) HEADER = TRUE"
        " FILE_FORMAT = (TYPE = CSV FIELD_OPTIONALLY_ENCLOSED_BY = '\"') DETAILED_OUTPUT = TRUE",
        [2],
    )
    files = fetched(table, "@st/x/")
    assert list(files) == ["data_0_0_0.csv.gz"]
    data = files["data_0_0_0.csv.gz"].read_bytes()
    assert answer == [("data_0_0_0.csv.gz", len(data), 2)]
    assert gzip.decompress(data).decode() == '"ID","NAME","PRICE"\n1,"a ""q"", b",1.50\n2,\\N,1.50\n'


def test_json_lines(table: Warehouse) -> None:
    table.rows("COPY INTO @st/x FROM (SELECT OBJECT_CONSTRUCT(*) FROM t WHERE id = 1) FILE_FORMAT = (TYPE = JSON)")
    (path,) = fetched(table, "@st/x").values()
    assert path.name == "x_0_0_0.json.gz"
    assert json.loads(gzip.decompress(path.read_bytes())) == {"ID": 1, "NAME": 'a "q", b', "DATA": {"k": [1]}}
    with pytest.raises(ProgrammingError, match="one column alone"):
        table.rows("COPY INTO @st/y FROM t FILE_FORMAT = (TYPE = JSON)")


@pytest.mark.parametrize(
    ("header", "names"), [("TRUE", ["ID", "NAME", "DATA"]), ("FALSE", ["_COL_0", "_COL_1", "_COL_2"])]
)
def test_parquet(table: Warehouse, header: str, names: list[str]) -> None:
    table.rows(f"COPY INTO @st/x.parquet FROM t FILE_FORMAT = (TYPE = PARQUET) SINGLE = TRUE HEADER = {header}")
    read = pq.read_table(fetched(table, "@st/x.parquet")["x.parquet"])
    assert read.column_names == names
    assert sorted(read.column(0).to_pylist()) == [1, 2, 3]
    assert '{"k":[1]}' in read.column(2).to_pylist()


def test_large_results_become_several_files(warehouse: Warehouse) -> None:
    query = "SELECT SEQ4() n, RANDSTR(20, RANDOM()) s FROM TABLE(GENERATOR(ROWCOUNT => 100000))"
    answer = warehouse.rows(
        f"COPY INTO @st/x/ FROM ({query}) FILE_FORMAT = (COMPRESSION = NONE) MAX_FILE_SIZE = 1000000"
    )
    sizes = [row[1] for row in warehouse.rows("LIST @st/x/")]
    assert len(sizes) == 3
    assert sum(sizes) == answer[0][2]
    assert warehouse.rows("SELECT COUNT(*), SUM($1::INT) FROM @st/x/") == [(100_000, 4_999_950_000)]


def test_partitions_are_folders(table: Warehouse) -> None:
    table.rows("COPY INTO @st/p FROM t PARTITION BY ('id=' || IFF(id > 2, NULL, id)) FILE_FORMAT = (TYPE = PARQUET)")
    files = fetched(table, "@st/p/")
    assert sorted(name.split("/")[0] for name in files) == ["__NULL__", "id=1", "id=2"]
    assert pq.read_table(next(path for name, path in files.items() if "id=1" in name)).num_rows == 1


def test_files_are_overwritten_only_when_told(table: Warehouse) -> None:
    table.rows("COPY INTO @st/x/ FROM t")
    with pytest.raises(ProgrammingError, match="Files already existing") as raised:
        table.rows("COPY INTO @st/x/ FROM t")
    assert raised.value.errno == 1062
    assert table.rows("COPY INTO @st/x/ FROM (SELECT 1) OVERWRITE = TRUE")[0][0] == 1
    assert table.rows("SELECT $1 FROM @st/x/") == [("1",)]


def test_a_failing_unload_leaves_nothing(table: Warehouse) -> None:
    with pytest.raises(ProgrammingError, match="Division by zero"):
        table.rows("COPY INTO @st/x/ FROM (SELECT 1 / (id - 3) FROM t)")
    assert table.rows("LIST @st") == []


def test_return_rows_writes_nothing(table: Warehouse) -> None:
    assert len(table.rows("COPY INTO @st/x/ FROM t VALIDATION_MODE = RETURN_ROWS")) == 3
    assert table.rows("LIST @st") == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("FILE_FORMAT = (TYPE = CSV ENCODING = 'UTF-16')", "unloading with ENCODING"),
        ("PARTITION BY (id) OVERWRITE = TRUE", "PARTITION BY goes neither"),
        ("SOMETHING = TRUE", "COPY INTO location option SOMETHING"),
    ],
)
def test_options_that_do_not_go_are_refused(table: Warehouse, options: str, message: str) -> None:
    with pytest.raises(ProgrammingError, match=message):
        table.rows(f"COPY INTO @st/x/ FROM t {options}")


def test_files_are_copied_between_stages(warehouse: Warehouse) -> None:
    warehouse.put("a.csv", "1\n", into="in")
    warehouse.put("b.csv", "2\n", into="in")
    warehouse.rows("CREATE STAGE other")
    assert warehouse.rows("COPY FILES INTO @other/to FROM @st/in FILES = ('b.csv')") == [("to/b.csv",)]
    assert [row[0] for row in warehouse.rows("LIST @other")] == ["other/to/b.csv"]
    with pytest.raises(ProgrammingError, match=r"Remote file '@st/in/c\.csv' was not found"):
        warehouse.rows("COPY FILES INTO @other FROM @st/in FILES = ('c.csv')")
