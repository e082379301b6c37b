"""INFORMATION_SCHEMA as queries see it."""

from __future__ import annotations

import importlib.metadata
import sys
from typing import TYPE_CHECKING, Any

import pytest
from snowflake.connector.errors import ProgrammingError

from firnline_sandbox.sessions import snowpark_session

if TYPE_CHECKING:
    from collections.abc import Callable

    from firnline_sandbox.connection import SandboxConnection

    Run = Callable[..., list[dict[str, Any]]]


def test_tables_tell_rows_kinds_and_times(run: Run) -> None:
    run("CREATE TABLE t (a INT, b VARCHAR) CLUSTER BY (a) COMMENT = 'c'")
    run("INSERT INTO t VALUES (1, 'x'), (2, 'y')")
    run("CREATE TEMPORARY TABLE passing (a INT)")
    run("CREATE VIEW v AS SELECT a FROM t")
    rows = run(
        "SELECT * FROM INFORMATION_SCHEMA.TABLES WHERE table_schema = CURRENT_SCHEMA() ORDER BY table_name",
    )
    assert [(row["TABLE_NAME"], row["TABLE_TYPE"], row["ROW_COUNT"]) for row in rows] == [
        ("PASSING", "TEMPORARY TABLE", 0),
        ("T", "BASE TABLE", 2),
        ("V", "VIEW", None),
    ]
    table = rows[1]
    assert (table["CLUSTERING_KEY"], table["COMMENT"], table["IS_INSERTABLE_INTO"]) == ("LINEAR(a)", "c", "YES")
    assert table["BYTES"] > 0
    before = table["LAST_ALTERED"]
    run("INSERT INTO t VALUES (3, 'z')")
    after = run("SELECT last_altered AS at FROM INFORMATION_SCHEMA.TABLES WHERE table_name = 'T'")[0]["AT"]
    assert after > before >= table["CREATED"]


def test_columns_have_snowflakes_types(run: Run) -> None:
    run(
        "CREATE TABLE t (a INT NOT NULL, p NUMBER(10, 2) DEFAULT 5, b VARCHAR(10) COMMENT 'bee', f FLOAT, d DATE,"
        " s TIMESTAMP_NTZ, v VARIANT, x BINARY(5), i INT AUTOINCREMENT START 3 INCREMENT 2)"
    )
    rows = run(
        "SELECT * FROM INFORMATION_SCHEMA.COLUMNS WHERE table_name = 'T' AND table_schema = CURRENT_SCHEMA()"
        " ORDER BY ordinal_position"
    )
    assert [(row["COLUMN_NAME"], row["DATA_TYPE"]) for row in rows] == [
        ("A", "NUMBER"),
        ("P", "NUMBER"),
        ("B", "TEXT"),
        ("F", "FLOAT"),
        ("D", "DATE"),
        ("S", "TIMESTAMP_NTZ"),
        ("V", "VARIANT"),
        ("X", "BINARY"),
        ("I", "NUMBER"),
    ]
    a, p, b, *_, x, i = rows
    assert (a["IS_NULLABLE"], a["NUMERIC_PRECISION"], a["NUMERIC_SCALE"]) == ("NO", 38, 0)
    assert (p["NUMERIC_PRECISION"], p["NUMERIC_SCALE"], p["COLUMN_DEFAULT"]) == (10, 2, "5")
    assert (b["CHARACTER_MAXIMUM_LENGTH"], b["CHARACTER_OCTET_LENGTH"], b["COMMENT"]) == (10, 40, "bee")
    assert (x["CHARACTER_MAXIMUM_LENGTH"], i["IDENTITY_START"], i["IDENTITY_INCREMENT"]) == (5, "3", "2")


def test_other_views(run: Run, connection: SandboxConnection) -> None:
    run("CREATE TABLE t (a INT PRIMARY KEY, b INT UNIQUE)")
    run("CREATE VIEW v AS SELECT a FROM t")
    run("CREATE STAGE s")
    run("CREATE FILE FORMAT f TYPE = CSV SKIP_HEADER = 2")
    run("CREATE SEQUENCE q START 4")
    mine = f"= '{connection.schema}'"
    assert run(f"SELECT view_definition AS d FROM INFORMATION_SCHEMA.VIEWS WHERE table_schema {mine}") == [
        {"D": "CREATE VIEW v AS SELECT a FROM t"}
    ]
    assert run(f"SELECT stage_name AS n FROM INFORMATION_SCHEMA.STAGES WHERE stage_schema {mine}") == [{"N": "S"}]
    formats = run(f"SELECT skip_header AS n FROM INFORMATION_SCHEMA.FILE_FORMATS WHERE file_format_schema {mine}")
    assert formats == [{"N": 2}]
    sequences = run(f"SELECT next_value AS n FROM INFORMATION_SCHEMA.SEQUENCES WHERE sequence_schema {mine}")
    assert sequences == [{"N": "4"}]
    constraints = run(
        f"SELECT constraint_type AS k FROM INFORMATION_SCHEMA.TABLE_CONSTRAINTS WHERE table_schema {mine} ORDER BY 1"
    )
    assert constraints == [{"K": "PRIMARY KEY"}, {"K": "UNIQUE"}]
    schemas = run("SELECT schema_name AS n FROM FIRNLINE.INFORMATION_SCHEMA.SCHEMATA")
    assert {"INFORMATION_SCHEMA", "PUBLIC", connection.schema} <= {row["N"] for row in schemas}
    assert {"N": "FIRNLINE"} in run("SELECT database_name AS n FROM INFORMATION_SCHEMA.DATABASES")


def test_packages_are_those_that_are_installed(run: Run) -> None:
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    rows = run(
        "SELECT PACKAGE_NAME, VERSION FROM information_schema.packages WHERE package_name = 'snowflake-ml-python'"
        f" AND language = 'python' AND (runtime_version = '{python}' OR runtime_version IS NULL)"
    )
    version = importlib.metadata.version("snowflake-ml-python")
    assert rows == [{"PACKAGE_NAME": "snowflake-ml-python", "VERSION": version}]


def test_views_join_and_are_read_by_snowpark(run: Run, connection: SandboxConnection) -> None:
    run("CREATE TABLE t (a INT, b INT)")
    joined = run(
        "SELECT t.table_name AS t, count(*) AS n FROM INFORMATION_SCHEMA.TABLES t JOIN INFORMATION_SCHEMA.COLUMNS c"
        " ON t.table_name = c.table_name AND t.table_schema = c.table_schema"
        f" WHERE t.table_schema = '{connection.schema}' GROUP BY t.table_name"
    )
    assert joined == [{"T": "T", "N": 2}]
    session = snowpark_session(connection)
    frame = session.table("INFORMATION_SCHEMA.TABLES").filter(f"table_schema = '{connection.schema}'")
    assert [row["TABLE_NAME"] for row in frame.collect()] == ["T"]


def test_a_transaction_sees_its_own_rows(run: Run, connection: SandboxConnection) -> None:
    run("CREATE TABLE t (a INT)")
    run("BEGIN")
    run("INSERT INTO t VALUES (1)")
    count = "SELECT row_count AS n FROM INFORMATION_SCHEMA.TABLES WHERE table_name = 'T' AND table_schema = '{}'"
    assert run(count.format(connection.schema)) == [{"N": 1}]
    with connection.engine.connect(schema=connection.schema) as other:
        assert run(count.format(connection.schema), on=other) == [{"N": 0}]
    run("ROLLBACK")
    assert run(count.format(connection.schema)) == [{"N": 0}]


def test_views_that_are_lacking_are_refused(run: Run) -> None:
    with pytest.raises(ProgrammingError, match=r"Unsupported feature 'INFORMATION_SCHEMA\.REPLICATION_DATABASES'"):
        run("SELECT * FROM INFORMATION_SCHEMA.REPLICATION_DATABASES")
    with pytest.raises(ProgrammingError, match="does not exist"):
        run("SELECT * FROM absent.INFORMATION_SCHEMA.TABLES")
