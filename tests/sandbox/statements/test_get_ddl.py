"""GET_DDL: what it writes makes the same object again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from snowflake.connector.errors import ProgrammingError

if TYPE_CHECKING:
    from collections.abc import Callable

    from firnline_sandbox.connection import SandboxConnection

    Run = Callable[..., list[dict[str, Any]]]

TABLE = """
    CREATE TABLE "Odd t" (
        id INT NOT NULL PRIMARY KEY, "Case" VARCHAR(10) DEFAULT 'it''s' COMMENT 'a ''quoted'' one',
        n NUMBER(10, 2) UNIQUE, v VARIANT, at TIMESTAMP_LTZ, i INT AUTOINCREMENT START 5 INCREMENT 2
    ) CLUSTER BY (id) COMMENT = 'c'
"""


def ddl(run: Run, kind: str, name: str, *rest: str) -> str:
    arguments = ", ".join([f"'{kind}'", f"'{name}'", *rest])
    return str(run(f"SELECT GET_DDL({arguments}) AS ddl")[0]["DDL"])


def test_a_table_is_made_again(run: Run) -> None:
    run(TABLE)
    before = run('DESC TABLE "Odd t"'), run("SHOW TABLES")[0]["cluster_by"], run("SHOW TABLES")[0]["comment"]
    text = ddl(run, "TABLE", '"Odd t"')
    assert text.startswith('create or replace TABLE "Odd t" cluster by (id) (\n\tID NUMBER(38,0) NOT NULL,\n')
    run(text)
    assert (run('DESC TABLE "Odd t"'), run("SHOW TABLES")[0]["cluster_by"], run("SHOW TABLES")[0]["comment"]) == before


def test_a_view_is_made_again(run: Run, connection: SandboxConnection) -> None:
    run("CREATE TABLE t AS SELECT 1 AS a, 2 AS b")
    run("CREATE VIEW v (x COMMENT 'ex', y) COMMENT = 'c' AS SELECT a, b FROM t WHERE b > 0")
    text = ddl(run, "VIEW", "v")
    assert text == (
        "create or replace view V(\n\tX COMMENT 'ex',\n\tY\n) COMMENT='c' as SELECT a, b FROM t WHERE b > 0;"
    )
    run(text)
    assert run("SELECT * FROM v") == [{"X": 1, "Y": 2}]
    assert f"FIRNLINE.{connection.schema}.V(" in ddl(run, "VIEW", "v", "TRUE")


def test_other_objects_are_made_again(run: Run) -> None:
    run("CREATE SEQUENCE q START 5 INCREMENT 3 COMMENT = 'c'")
    run("CREATE FILE FORMAT f TYPE = CSV SKIP_HEADER = 1 FIELD_DELIMITER = ';' NULL_IF = ('', 'x') TRIM_SPACE = TRUE")
    run("CREATE TAG g ALLOWED_VALUES 'a', 'b' COMMENT = 'c'")
    before = [run("DESC FILE FORMAT f"), run("SHOW TAGS")[0]["allowed_values"], run("SHOW SEQUENCES")[0]["next_value"]]
    for kind, name in (("SEQUENCE", "q"), ("FILE_FORMAT", "f"), ("TAG", "g")):
        run(ddl(run, kind, name))
    after = [run("DESC FILE FORMAT f"), run("SHOW TAGS")[0]["allowed_values"], run("SHOW SEQUENCES")[0]["next_value"]]
    assert after == before
    assert ddl(run, "SEQUENCE", "q") == (
        "create or replace sequence Q start with 5 increment by 3 noorder COMMENT='c';"
    )


def test_a_schema_lists_what_is_in_it(run: Run, connection: SandboxConnection) -> None:
    run("CREATE TABLE t (a INT)")
    run("CREATE SEQUENCE q")
    text = ddl(run, "SCHEMA", str(connection.schema))
    assert [line for line in text.splitlines() if line.startswith("create")] == [
        f"create or replace schema {connection.schema};",
        "create or replace TABLE T (",
        "create or replace sequence Q start with 1 increment by 1 noorder;",
    ]
    assert "create or replace TABLE T (" in ddl(run, "DATABASE", "FIRNLINE")


def test_what_is_absent_or_unknown_is_refused(run: Run) -> None:
    with pytest.raises(ProgrammingError, match="does not exist"):
        ddl(run, "TABLE", "absent")
    with pytest.raises(ProgrammingError, match="Unsupported feature 'GET_DDL of a pipe'"):
        ddl(run, "PIPE", "p")
