"""ALTER and COMMENT of tables, views, schemas, databases and the objects of schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from snowflake.connector.errors import ProgrammingError

from firnline_sandbox import SandboxEngine

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from firnline_sandbox.connection import SandboxConnection

    Run = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def filled(run: Run) -> Run:
    """A table with two rows."""
    run("CREATE TABLE t (a INT, b VARCHAR(5), p NUMBER(8, 2))")
    run("INSERT INTO t VALUES (1, 'x', 1.25), (2, NULL, 99)")
    return run


def described(run: Run, table: str = "t") -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in run(f"DESC TABLE {table}")}


def refused(run: Run, sql: str, message: str) -> int:
    with pytest.raises(ProgrammingError, match=message) as caught:
        run(sql)
    assert caught.value.errno is not None
    return caught.value.errno


# -- columns


def test_added_columns_are_null_or_have_their_default(filled: Run) -> None:
    filled("ALTER TABLE t ADD COLUMN c INT")
    filled("ALTER TABLE t ADD d VARCHAR DEFAULT 'new' NOT NULL, e DATE")
    assert filled("SELECT * FROM t ORDER BY a")[0] == {"A": 1, "B": "x", "P": 1.25, "C": None, "D": "new", "E": None}
    filled("INSERT INTO t (a) VALUES (3)")
    assert filled("SELECT d FROM t WHERE a = 3") == [{"D": "new"}]
    assert described(filled)["D"]["null?"] == "N"
    filled("ALTER TABLE t ADD COLUMN IF NOT EXISTS c FLOAT")
    assert described(filled)["C"]["type"] == "NUMBER(38,0)"
    assert refused(filled, "ALTER TABLE t ADD COLUMN c FLOAT", "column 'C' already exists") == 1430


def test_a_column_that_cannot_be_null_needs_a_default_or_an_empty_table(filled: Run) -> None:
    refused(filled, "ALTER TABLE t ADD COLUMN c INT NOT NULL", "cannot be added to non-empty table 'T'")
    refused(filled, "ALTER TABLE t ADD COLUMN c INT AUTOINCREMENT", "non-empty table")
    filled("TRUNCATE TABLE t")
    filled("ALTER TABLE t ADD COLUMN c INT NOT NULL")
    filled("ALTER TABLE t ADD COLUMN n INT AUTOINCREMENT START 7")
    filled("INSERT INTO t (a, c) VALUES (1, 2)")
    assert filled("SELECT c, n FROM t") == [{"C": 2, "N": 7}]
    refused(filled, "INSERT INTO t (a) VALUES (1)", "NULL result in a non-nullable column")


def test_names_that_differ_in_case_alone_are_different_columns(filled: Run) -> None:
    filled('ALTER TABLE t ADD COLUMN "a" VARCHAR')
    filled("UPDATE t SET \"a\" = 'lower' WHERE a = 1")
    assert filled('SELECT a, "a" FROM t WHERE a = 1') == [{"A": 1, "a": "lower"}]
    filled("ALTER TABLE t DROP COLUMN A")
    assert list(described(filled)) == ["B", "P", "a"]


def test_columns_are_dropped_and_renamed(filled: Run) -> None:
    filled("CREATE VIEW v AS SELECT b FROM t")
    filled("ALTER TABLE t DROP COLUMN a, p")
    assert filled("SELECT * FROM t WHERE b IS NOT NULL") == [{"B": "x"}]
    filled("ALTER TABLE t RENAME COLUMN b TO bee")
    assert filled("SELECT bee FROM t WHERE bee = 'x'") == [{"BEE": "x"}]
    refused(filled, "SELECT * FROM v", "invalid identifier 'B'")
    refused(filled, "ALTER TABLE t DROP COLUMN absent", "invalid identifier 'ABSENT'")
    refused(filled, "ALTER TABLE t DROP COLUMN bee", "Cannot drop all columns")


def test_types_may_grow_only(filled: Run) -> None:
    filled("ALTER TABLE t ALTER COLUMN b SET DATA TYPE VARCHAR(100), COLUMN p TYPE NUMBER(20, 2)")
    assert described(filled)["B"]["type"] == "VARCHAR(100)"
    filled("UPDATE t SET p = 123456789012345.25 WHERE a = 1")
    assert filled("SELECT p::VARCHAR AS p FROM t WHERE a = 1") == [{"P": "123456789012345.25"}]
    assert refused(filled, "ALTER TABLE t ALTER b TYPE VARCHAR(2)", "reducing the byte-length of a varchar") == 2108
    refused(filled, "ALTER TABLE t MODIFY p TYPE NUMBER(20, 3)", "changing the scale")
    refused(filled, "ALTER TABLE t MODIFY COLUMN a TYPE VARCHAR", "incompatible types")
    refused(filled, "ALTER TABLE t MODIFY COLUMN p TYPE NUMBER(9, 2)", "more digits")
    assert described(filled)["P"]["type"] == "NUMBER(20,2)"


def test_not_null_is_set_checked_and_dropped(filled: Run) -> None:
    refused(filled, "ALTER TABLE t ALTER COLUMN b SET NOT NULL", "contains null values")
    filled("ALTER TABLE t MODIFY COLUMN a SET NOT NULL")
    refused(filled, "INSERT INTO t (b) VALUES ('y')", "non-nullable column")
    filled("ALTER TABLE t ALTER a DROP NOT NULL")
    filled("INSERT INTO t (b) VALUES ('y')")
    assert filled("SELECT count(*) AS n FROM t") == [{"N": 3}]


def test_defaults_and_comments_of_columns(filled: Run) -> None:
    filled("CREATE SEQUENCE ids START 10")
    filled("ALTER TABLE t ALTER a SET DEFAULT ids.NEXTVAL")
    filled("INSERT INTO t (b) VALUES ('new')")
    assert filled("SELECT a FROM t WHERE b = 'new'") == [{"A": 10}]
    filled("ALTER TABLE t ALTER a DROP DEFAULT, b COMMENT 'the b'")
    assert (described(filled)["A"]["default"], described(filled)["B"]["comment"]) == (None, "the b")
    filled("COMMENT ON COLUMN t.b IS 'other'")
    assert described(filled)["B"]["comment"] == "other"
    refused(filled, "ALTER TABLE t ALTER b SET DEFAULT 'x'", "Alter Column Set Default")
    refused(filled, "ALTER TABLE t ALTER b SET MASKING POLICY m", "Unsupported feature")


def test_keys(filled: Run) -> None:
    refused(filled, "ALTER TABLE t ADD PRIMARY KEY (b)", "contains null values")
    filled("ALTER TABLE t ADD CONSTRAINT pk PRIMARY KEY (a)")
    filled("ALTER TABLE t ADD UNIQUE (b)")
    assert (described(filled)["A"]["primary key"], described(filled)["A"]["null?"]) == ("Y", "N")
    assert described(filled)["B"]["unique key"] == "Y"
    filled("ALTER TABLE t DROP PRIMARY KEY")
    filled("ALTER TABLE t DROP UNIQUE (b)")
    assert {row["primary key"] + row["unique key"] for row in described(filled).values()} == {"NN"}


# -- tables


def test_tables_are_renamed_moved_and_swapped(filled: Run, connection: SandboxConnection) -> None:
    filled("ALTER TABLE t RENAME TO u")
    assert filled("SELECT count(*) AS n FROM u") == [{"N": 2}]
    refused(filled, "SELECT * FROM t", "does not exist")
    filled("CREATE TABLE other AS SELECT 7 AS only_column")
    filled("ALTER TABLE u SWAP WITH other")
    assert filled("SELECT * FROM u") == [{"ONLY_COLUMN": 7}]
    assert filled("SELECT count(*) AS n FROM other") == [{"N": 2}]
    assert refused(filled, "ALTER TABLE u RENAME TO other", "already exists") == 2002
    home = connection.schema
    filled(f"CREATE SCHEMA {home}_2")
    filled(f"ALTER TABLE FIRNLINE.{home}.u RENAME TO FIRNLINE.{home}_2.u")
    assert filled("SELECT * FROM u") == [{"ONLY_COLUMN": 7}]


def test_table_options(filled: Run) -> None:
    filled("ALTER TABLE t SET COMMENT = 'new' DATA_RETENTION_TIME_IN_DAYS = 3")
    filled("ALTER TABLE t CLUSTER BY (a, b)")
    (shown,) = filled("SHOW TABLES LIKE 't'")
    assert (shown["comment"], shown["cluster_by"]) == ("new", "LINEAR(a, b)")
    filled("ALTER TABLE t DROP CLUSTERING KEY")
    filled("ALTER TABLE t UNSET COMMENT")
    (shown,) = filled("SHOW TABLES LIKE 't'")
    assert (shown["comment"], shown["cluster_by"]) == ("", "")
    assert refused(filled, "ALTER TABLE t ADD SEARCH OPTIMIZATION", "Unsupported feature") == 2
    refused(filled, "ALTER TABLE t SET NO_SUCH_OPTION = 1", "Unsupported feature")
    filled("ALTER TABLE IF EXISTS absent RENAME TO x")
    assert refused(filled, "ALTER TABLE absent RENAME TO x", "does not exist") == 2003


def test_a_refused_change_leaves_everything_as_it_was(filled: Run) -> None:
    refused(filled, "ALTER TABLE t ADD COLUMN c INT, d INT NOT NULL", "non-empty table")
    assert list(described(filled)) == ["A", "B", "P"]
    filled("INSERT INTO t VALUES (3, 'z', 5)")


def test_altered_tables_survive_a_restart(tmp_path: Path) -> None:
    with SandboxEngine.open(tmp_path) as engine, engine.connect() as connection:
        for sql in (
            "CREATE TABLE t AS SELECT 1 AS a",
            "ALTER TABLE t ADD COLUMN b INT DEFAULT 5",
            "ALTER TABLE t ALTER a SET NOT NULL",
            "ALTER TABLE t RENAME TO u",
        ):
            connection.cursor().execute(sql)
    with SandboxEngine.open(tmp_path) as engine, engine.connect() as connection:
        assert connection.cursor().execute("SELECT a, b FROM u").fetchall() == [(1, 5)]
        assert connection.cursor().execute("DESC TABLE u").fetchall()[0][3] == "N"


# -- other objects


def test_views(filled: Run) -> None:
    filled("CREATE VIEW v AS SELECT a FROM t")
    filled("ALTER VIEW v SET COMMENT = 'seen'")
    filled("ALTER VIEW v SET SECURE")
    filled("ALTER VIEW v RENAME TO w")
    (shown,) = filled("SHOW VIEWS")
    assert (shown["name"], shown["comment"], shown["is_secure"]) == ("W", "seen", "true")
    assert len(filled("SELECT * FROM w")) == 2
    filled("ALTER VIEW w UNSET COMMENT")
    filled("COMMENT ON VIEW w IS 'again'")
    assert filled("SHOW VIEWS")[0]["comment"] == "again"
    refused(filled, "ALTER TABLE w ADD COLUMN x INT", "is of type 'VIEW'")


def test_a_renamed_schema_takes_its_objects_along(filled: Run, connection: SandboxConnection) -> None:
    home = connection.schema
    filled("CREATE TAG kind")
    filled("ALTER TABLE t SET TAG kind = 'facts'")
    filled("CREATE VIEW v AS SELECT count(*) AS n FROM t")
    filled(f"ALTER SCHEMA {home} RENAME TO {home}_new")
    assert connection.schema == f"{home}_NEW"
    assert filled("SELECT n FROM v") == [{"N": 2}]
    assert filled("SELECT SYSTEM$GET_TAG('kind', 't', 'TABLE') AS v") == [{"V": "facts"}]
    filled(f"CREATE SCHEMA {home}")
    filled("CREATE TABLE t AS SELECT 'second' AS b")
    filled(f"ALTER SCHEMA {home} SWAP WITH {home}_new")
    assert filled("SELECT n FROM v") == [{"N": 2}]
    filled(f"ALTER SCHEMA {home} SET COMMENT = 'c'")
    assert filled(f"SHOW SCHEMAS LIKE '{home}'")[0]["comment"] == "c"


def test_a_renamed_database_takes_its_schemas_along(run: Run, connection: SandboxConnection) -> None:
    run("CREATE DATABASE first")
    run("CREATE TABLE t AS SELECT 1 AS a")
    run("CREATE VIEW v AS SELECT a FROM t")
    run("ALTER DATABASE first RENAME TO second")
    assert (connection.database, connection.schema) == ("SECOND", "PUBLIC")
    assert run("SELECT * FROM second.public.v") == [{"A": 1}]
    run("CREATE DATABASE third")
    run("ALTER DATABASE third SWAP WITH second")
    assert run("SELECT * FROM third.public.v") == [{"A": 1}]
    run("ALTER DATABASE third SET COMMENT = 'c'")
    assert run("SHOW DATABASES LIKE 'third'")[0]["comment"] == "c"


def test_stages_file_formats_and_sequences(run: Run, tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("1\n", "utf-8")
    run("CREATE STAGE s")
    run(f"PUT 'file://{tmp_path}/f.csv' @s AUTO_COMPRESS = FALSE")
    run("ALTER STAGE s SET FILE_FORMAT = (TYPE = JSON) COMMENT = 'c'")
    run("ALTER STAGE s RENAME TO z")
    assert [row["name"] for row in run("LIST @z")] == ["z/f.csv"]
    assert run("SHOW STAGES")[0]["comment"] == "c"
    run("CREATE FILE FORMAT f TYPE = CSV SKIP_HEADER = 1 COMMENT = 'kept'")
    run("ALTER FILE FORMAT f SET FIELD_DELIMITER = ';'")
    values = {row["property"]: row["property_value"] for row in run("DESC FILE FORMAT f")}
    assert (values["FIELD_DELIMITER"], values["SKIP_HEADER"]) == (";", "1")
    assert run("SHOW FILE FORMATS")[0]["comment"] == "kept"
    run("CREATE SEQUENCE q START 1 INCREMENT 1")
    run("SELECT q.NEXTVAL")
    run("ALTER SEQUENCE q SET INCREMENT 10")
    assert [run("SELECT q.NEXTVAL AS n")[0]["N"] for _ in range(2)] == [11, 21]


# -- tags


def test_tags_are_inherited_and_listed(filled: Run, connection: SandboxConnection) -> None:
    filled("CREATE TAG cost ALLOWED_VALUES 'high', 'low'")
    filled(f"ALTER SCHEMA {connection.schema} SET TAG cost = 'low'")
    assert filled("SELECT SYSTEM$GET_TAG('cost', 't', 'TABLE') AS v") == [{"V": "low"}]
    filled("ALTER TABLE t SET TAG cost = 'high'")
    references = "SELECT tag_name, tag_value, level FROM TABLE(INFORMATION_SCHEMA.TAG_REFERENCES('t', 'TABLE'))"
    assert filled(references) == [{"TAG_NAME": "COST", "TAG_VALUE": "high", "LEVEL": "TABLE"}]
    filled("ALTER TABLE t UNSET TAG cost")
    assert filled(references) == [{"TAG_NAME": "COST", "TAG_VALUE": "low", "LEVEL": "SCHEMA"}]
    assert refused(filled, "ALTER TABLE t SET TAG cost = 'odd'", "not allowed") == 391801
    assert refused(filled, "ALTER TABLE t SET TAG absent = 'x'", "does not exist") == 2003
    refused(filled, "SELECT SYSTEM$GET_TAG('cost', 't', 'COLUMN')", "Unsupported feature 'tags of a column'")


def test_tags_are_altered(filled: Run) -> None:
    filled("CREATE TAG cost ALLOWED_VALUES 'high'")
    filled("ALTER TABLE t SET TAG cost = 'high'")
    filled("ALTER TAG cost ADD ALLOWED_VALUES 'low', 'none'")
    filled("ALTER TAG cost DROP ALLOWED_VALUES 'none'")
    filled("ALTER TAG cost SET COMMENT = 'c'")
    filled("ALTER TAG cost RENAME TO price")
    (shown,) = filled("SHOW TAGS")
    assert (shown["name"], shown["allowed_values"], shown["comment"]) == ("PRICE", '["high", "low"]', "c")
    assert filled("SELECT SYSTEM$GET_TAG('price', 't', 'TABLE') AS v") == [{"V": "high"}]
    filled("ALTER TAG price UNSET ALLOWED_VALUES")
    assert filled("SHOW TAGS")[0]["allowed_values"] is None
