"""SHOW and DESCRIBE through the connector's cursor and through Snowpark."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest
from snowflake.connector.errors import ProgrammingError
from snowflake.snowpark.types import DecimalType, LongType, StringType

from firnline_sandbox.sessions import snowpark_session

if TYPE_CHECKING:
    from collections.abc import Callable

    from firnline_sandbox.connection import SandboxConnection

    Run = Callable[..., list[dict[str, Any]]]

ORDERS = """
    CREATE TABLE orders (
        id INT NOT NULL PRIMARY KEY, name VARCHAR(10) DEFAULT 'x' COMMENT 'who', price NUMBER(10, 2) UNIQUE,
        extra VARIANT, number INT AUTOINCREMENT START 5 INCREMENT 2
    ) COMMENT = 'what was bought' CLUSTER BY (id)
"""


def names(rows: list[dict[str, Any]]) -> list[str]:
    return [row["name"] for row in rows]


def test_show_tables_counts_rows_and_names_the_kind(run: Run) -> None:
    run(ORDERS)
    run("CREATE TEMPORARY TABLE passing (a INT)")
    run("INSERT INTO orders (id) VALUES (1), (2), (3)")
    passing, orders = sorted(run("SHOW TABLES"), key=lambda row: row["name"], reverse=True)
    assert (orders["name"], orders["kind"], orders["rows"]) == ("ORDERS", "TABLE", 3)
    assert (orders["comment"], orders["cluster_by"]) == ("what was bought", "LINEAR(id)")
    assert (passing["name"], passing["kind"], passing["rows"], passing["bytes"]) == ("PASSING", "TEMPORARY", 0, 0)
    assert isinstance(orders["created_on"], dt.datetime)
    assert [row["kind"] for row in run("SHOW TERSE TABLES LIKE 'ord%'")] == ["TABLE"]
    assert list(run("SHOW TERSE TABLES")[0]) == ["created_on", "name", "kind", "database_name", "schema_name"]


def test_other_sessions_temporary_tables_are_not_shown(run: Run, connection: SandboxConnection) -> None:
    run("CREATE TEMPORARY TABLE mine (a INT)")
    with connection.engine.connect(schema=connection.schema) as other:
        assert names(run("SHOW TABLES", on=other)) == []
    assert names(run("SHOW TABLES")) == ["MINE"]


def test_show_filters_by_pattern_prefix_limit_and_cursor(run: Run) -> None:
    for name in ("alpha", "beta", "gamma", '"Beta"'):
        run(f"CREATE TABLE {name} (a INT)")
    assert names(run("SHOW TABLES LIKE 'B%'")) == ["BETA", "Beta"]
    assert names(run("SHOW TABLES STARTS WITH 'B'")) == ["BETA", "Beta"]
    assert names(run("SHOW TABLES LIKE '%a' STARTS WITH 'Be'")) == ["Beta"]
    assert names(run("SHOW TABLES LIMIT 2")) == ["ALPHA", "BETA"]
    assert names(run("SHOW TABLES LIMIT 2 FROM 'ALPHA'")) == ["BETA", "Beta"]
    assert names(run("SHOW TABLES LIKE 'al\\\\_ha'")) == []


def test_show_takes_a_database_a_schema_or_the_account(run: Run, connection: SandboxConnection) -> None:
    run("CREATE TABLE here_only (a INT)")
    home = connection.schema
    for scope in ("", f"IN {home}", f"IN SCHEMA FIRNLINE.{home}", "IN DATABASE", "IN DATABASE firnline", "IN ACCOUNT"):
        assert "HERE_ONLY" in names(run(f"SHOW TABLES LIKE 'here%' {scope}")), scope
    assert names(run("SHOW TABLES IN SCHEMA PUBLIC")) == []
    with pytest.raises(ProgrammingError, match="does not exist") as caught:
        run("SHOW TABLES IN SCHEMA absent")
    assert caught.value.errno == 2043


def test_show_views_and_objects(run: Run) -> None:
    run("CREATE TABLE base (a INT)")
    run("CREATE SECURE VIEW seen COMMENT = 'c' AS SELECT a FROM base")
    (view,) = run("SHOW VIEWS")
    assert view["text"] == "CREATE SECURE VIEW seen COMMENT = 'c' AS SELECT a FROM base"
    assert (view["is_secure"], view["comment"]) == ("true", "c")
    assert [(row["name"], row["kind"]) for row in run("SHOW OBJECTS")] == [("BASE", "TABLE"), ("SEEN", "VIEW")]


def test_show_columns_writes_types_as_json(run: Run) -> None:
    run(ORDERS)
    by_name = {row["column_name"]: row for row in run("SHOW COLUMNS IN TABLE orders")}
    assert json.loads(by_name["PRICE"]["data_type"]) == {
        "type": "FIXED",
        "precision": 10,
        "scale": 2,
        "nullable": True,
    }
    assert json.loads(by_name["NAME"]["data_type"])["length"] == 10
    assert (by_name["ID"]["null?"], by_name["NAME"]["null?"]) == ("NOT_NULL", "true")
    assert by_name["NAME"]["default"] == "'x'"
    assert by_name["NUMBER"]["autoincrement"] == "IDENTITY START 5 INCREMENT 2 NOORDER"
    assert [row["column_name"] for row in run("SHOW COLUMNS LIKE 'P%' IN orders")] == ["PRICE"]
    with pytest.raises(ProgrammingError, match="does not exist"):
        run("SHOW COLUMNS IN TABLE absent")


def test_show_keys(run: Run) -> None:
    run("CREATE TABLE pairs (a INT, b INT, c INT UNIQUE, PRIMARY KEY (a, b))")
    primary = run("SHOW PRIMARY KEYS IN TABLE pairs")
    assert [(row["column_name"], row["key_sequence"]) for row in primary] == [("A", 1), ("B", 2)]
    assert len({row["constraint_name"] for row in primary}) == 1
    assert [row["column_name"] for row in run("SHOW UNIQUE KEYS")] == ["C"]
    with pytest.raises(ProgrammingError, match="Unsupported feature 'SHOW IMPORTED KEYS'"):
        run("SHOW IMPORTED KEYS IN TABLE pairs")


def test_show_databases_and_schemas(run: Run, connection: SandboxConnection) -> None:
    (database,) = run("SHOW DATABASES LIKE 'FIRNLINE' STARTS WITH 'FIRNLINE'")
    assert (database["is_current"], database["kind"], database["owner"]) == ("Y", "STANDARD", "ACCOUNTADMIN")
    (schema,) = run(f"SHOW SCHEMAS LIKE '{connection.schema}' IN DATABASE FIRNLINE")
    assert (schema["database_name"], schema["is_current"]) == ("FIRNLINE", "Y")
    assert "INFORMATION_SCHEMA" in names(run("SHOW TERSE SCHEMAS"))
    assert names(run("SHOW SCHEMAS LIKE 'PUB%' IN firnline")) == ["PUBLIC"]
    assert run("SHOW SCHEMAS IN DATABASE firnline STARTS WITH 'x'") == []


def test_show_objects_of_a_schema(run: Run) -> None:
    run("CREATE STAGE landing DIRECTORY = (ENABLE = TRUE) COMMENT = 'in'")
    run("CREATE FILE FORMAT lines TYPE = CSV SKIP_HEADER = 1")
    run("CREATE TAG colour ALLOWED_VALUES 'red', 'blue' COMMENT = 'c'")
    (stage,) = run("SHOW STAGES")
    assert (stage["name"], stage["type"], stage["directory_enabled"]) == ("LANDING", "INTERNAL", "Y")
    (format_,) = run("SHOW FILE FORMATS")
    assert json.loads(format_["format_options"])["SKIP_HEADER"] == 1
    (tag,) = run("SHOW TAGS LIKE 'COL%'")
    assert json.loads(tag["allowed_values"]) == ["red", "blue"]


def test_a_sequence_shows_its_next_value_without_taking_it(run: Run) -> None:
    run("CREATE SEQUENCE ids START 5 INCREMENT 3")
    assert run("SHOW SEQUENCES")[0]["next_value"] == 5
    assert run("SELECT ids.NEXTVAL AS n") == [{"N": 5}]
    assert run("DESC SEQUENCE ids")[0]["next_value"] == 8
    assert run("SELECT ids.NEXTVAL AS n") == [{"N": 8}]


def test_show_parameters(run: Run) -> None:
    (parameter,) = run("SHOW PARAMETERS LIKE 'QUOTED_IDENTIFIERS_IGNORE_CASE' IN SESSION")
    assert (parameter["value"], parameter["default"], parameter["type"]) == ("false", "false", "BOOLEAN")
    run("ALTER SESSION SET QUERY_TAG = 'nightly'")
    (tag,) = run("SHOW PARAMETERS LIKE 'query_tag'")
    assert (tag["value"], tag["default"], tag["level"]) == ("nightly", "", "SESSION")


def test_show_transactions(run: Run, connection: SandboxConnection) -> None:
    assert run("SHOW TRANSACTIONS") == []
    run("BEGIN")
    (transaction,) = run("SHOW TRANSACTIONS")
    run("ROLLBACK")
    assert (transaction["session"], transaction["state"]) == (connection.session_id, "running")


def test_describe_table_and_view(run: Run) -> None:
    run(ORDERS)
    run("CREATE VIEW cheap AS SELECT id, name FROM orders WHERE price < 5")
    rows = run("DESCRIBE TABLE orders")
    assert [row["type"] for row in rows] == [
        "NUMBER(38,0)",
        "VARCHAR(10)",
        "NUMBER(10,2)",
        "VARIANT",
        "NUMBER(38,0)",
    ]
    assert (rows[0]["null?"], rows[0]["primary key"], rows[2]["unique key"]) == ("N", "Y", "Y")
    assert (rows[1]["default"], rows[1]["comment"]) == ("'x'", "who")
    assert names(run("DESC VIEW cheap")) == ["ID", "NAME"]
    with pytest.raises(ProgrammingError) as caught:
        run("DESC TABLE absent")
    assert caught.value.errno == 2003


def test_describe_stage_file_format_schema_and_database(run: Run, connection: SandboxConnection) -> None:
    run("CREATE FILE FORMAT f TYPE = JSON STRIP_OUTER_ARRAY = TRUE")
    run("CREATE STAGE s FILE_FORMAT = (FORMAT_NAME = 'f')")
    values = {row["property"]: row["property_value"] for row in run("DESC STAGE s")}
    assert (values["TYPE"], values["STRIP_OUTER_ARRAY"], values["FORMAT_NAME"]) == ("JSON", "true", "f")
    assert {row["property"]: row["property_value"] for row in run("DESC FILE FORMAT f")}["TYPE"] == "JSON"
    run("CREATE TABLE t (a INT)")
    assert names(run(f"DESCRIBE SCHEMA {connection.schema}")) == ["T"]
    assert "PUBLIC" in names(run("DESCRIBE DATABASE firnline"))


def test_describe_result(run: Run, connection: SandboxConnection) -> None:
    cursor = connection.cursor().execute("SELECT 1 AS a, 'x' AS b")
    assert [row["name"] for row in run(f"DESC RESULT '{cursor.sfqid}'")] == ["A", "B"]
    with pytest.raises(ProgrammingError, match="not found"):
        run("DESC RESULT 'no-such-query'")


def test_snowpark_reads_schemas_and_shows(run: Run, connection: SandboxConnection) -> None:
    run(ORDERS)
    session = snowpark_session(connection)
    fields = session.table("orders").schema.fields
    assert [field.datatype for field in fields[:3]] == [LongType(), StringType(10), DecimalType(10, 2)]
    assert [field.nullable for field in fields[:2]] == [False, True]
    (row,) = session.sql("SHOW TABLES LIKE 'orders'").collect()
    assert (row["name"], row["rows"]) == ("ORDERS", 0)
    assert session.sql("SHOW TABLES").select('"name"').collect()[0][0] == "ORDERS"
    session.create_dataframe([[1]], schema=["id"]).write.save_as_table("orders", mode="ignore")
    assert session.table("orders").count() == 0
