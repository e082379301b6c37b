"""What only the database engine below the sandbox knows is answered as Snowflake answers it: with an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from snowflake.connector.errors import ProgrammingError

import firnline_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from firnline_sandbox.connection import SandboxConnection

SYNTAX, UNKNOWN, UNKNOWN_TABLE, MISSING, UNSUPPORTED, IDENTIFIER = 1003, 2140, 2141, 2003, 2, 904


@pytest.fixture(scope="module")
def connection() -> Iterator[SandboxConnection]:
    with firnline_sandbox.connect() as opened:
        opened.cursor().execute("CREATE TABLE t (a INT, v VARIANT, d DATE)")
        yield opened


def refusal(connection: SandboxConnection, sql: str) -> ProgrammingError:
    """Run what has to fail, and see that the engine below is not heard of."""
    with pytest.raises(ProgrammingError) as raised:
        connection.cursor().execute(sql)
    message = str(raised.value)
    assert "database engine" not in message
    assert "Catalog Error" not in message
    assert "Binder Error" not in message
    return raised.value


@pytest.mark.parametrize(
    "name",
    [
        *[
            "read_text('x')",
            "list_value(1, 2)",
            "range(5)",
            "generate_series(1, 3)",
            "unnest([1, 2])",
            "getenv('HOME')",
        ],
        *["current_setting('threads')", "error('x')", "nextval('x')", "strftime(d, '%Y')", "epoch(d)", "list(a)"],
        *["first(a)", "arg_max(a, a)", "histogram(a)", "quantile_cont(a, 0.5)", "columns('a')", "pg_typeof(1)"],
        *["version()", "md5_number('a')", "regexp_matches('a', 'a')", "json_extract(v, '$.a')", "sf_split('a', 'b')"],
        *["try_strptime('a', '%Y')", "struct_pack(1)", "row(1, 2)", "ord('a')", "jaccard('a', 'b')", "no_such(1)"],
    ],
)
def test_functions_of_the_engine_are_unknown(connection: SandboxConnection, name: str) -> None:
    failure = refusal(connection, f"SELECT {name} FROM t")
    assert failure.errno == UNKNOWN
    assert f"Unknown function {name.partition('(')[0].upper()}" in str(failure)


@pytest.mark.parametrize(
    "name",
    [
        *["read_csv('x')", "read_parquet('x')", "read_json('x')", "read_blob('x')", "glob('*')", "range(5)"],
        *["duckdb_tables()", "duckdb_functions()", "duckdb_settings()", "pragma_table_info('t')", "sniff_csv('x')"],
        *["arrow_scan(1)", "query('SELECT 1')", "query_table('t')", "summary('t')", "no_such()"],
    ],
)
@pytest.mark.parametrize("form", ["{}", "TABLE({})", "t, LATERAL {}"])
def test_table_functions_of_the_engine_are_unknown(connection: SandboxConnection, name: str, form: str) -> None:
    failure = refusal(connection, f"SELECT * FROM {form.format(name)}")
    assert failure.errno == UNKNOWN_TABLE
    assert f"Unknown table function {name.partition('(')[0].upper()}" in str(failure)


@pytest.mark.parametrize(
    "sql",
    [
        *["PRAGMA database_list", "ATTACH ':memory:' AS x", "DETACH x", "INSTALL httpfs", "LOAD httpfs", "CHECKPOINT"],
        *["VACUUM", "EXPORT DATABASE 'x'", "IMPORT DATABASE 'x'", "SUMMARIZE t", "SUMMARIZE SELECT 1", "RESET threads"],
        *["FROM t", "FROM t SELECT a", "PIVOT t ON a USING SUM(a)", "UNPIVOT t ON a INTO NAME n VALUE v", "ANALYZE t"],
        *["INSERT OR REPLACE INTO t (a) VALUES (1)", "INSERT INTO t BY NAME SELECT 1 AS a"],
        *["INSERT INTO t (a) VALUES (1) ON CONFLICT DO NOTHING", "INSERT INTO t (a) VALUES (1) RETURNING a"],
        *["DELETE FROM t RETURNING a", "UPDATE t SET a = 1 RETURNING a", "EXPLAIN ANALYZE SELECT 1"],
        *["SELECT a FROM t LIMIT 10%", "SELECT a FROM t LIMIT (SELECT 1)", "SELECT a FROM t TABLESAMPLE RESERVOIR (1)"],
        *["SELECT a FROM t FETCH FIRST 10 PERCENT ROWS ONLY", "SELECT a FROM t FETCH FIRST 1 ROWS WITH TIES"],
        *[
            "SELECT 1 <=> 1",
            "SELECT v -> 'k' FROM t",
            "SELECT v ->> 'k' FROM t",
            "SELECT 'a' ~ 'b'",
            "SELECT 'a' ~~ 'b'",
        ],
        *["SELECT 'a' ~~* 'b'", "SELECT 'a' GLOB 'b'", "SELECT 2 ** 3", "SELECT e'a'", "SELECT LAMBDA x: x + 1"],
        *["SELECT 1::UBIGINT", "SELECT CAST('1' AS INT FORMAT 'x')", "SELECT `a` FROM t", "SELECT a FROM t # c"],
        *["SELECT * FROM t AT TIME 1", "SELECT * FROM '/etc/hostname'", "SELECT * FROM 'a/*.csv'"],
    ],
)
def test_syntax_of_the_engine_is_a_syntax_error(connection: SandboxConnection, sql: str) -> None:
    assert refusal(connection, sql).errno == SYNTAX


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("COPY t TO 'x.csv'", "COPY T TO"),
        ("COPY (SELECT 1) TO 'x.csv'", "COPY"),
        ("COPY t FROM 'x.csv'", "COPY T FROM"),
        ("DESCRIBE SELECT 1", "DESCRIBE SELECT"),
        ("DESCRIBE t", "DESCRIBE T"),
        ("SHOW ALL TABLES", "SHOW ALL TABLES"),
        ("CREATE MACRO f (a) AS a + 1", "CREATE MACRO F"),
        ("CREATE TYPE mood AS ENUM ('a')", "CREATE TYPE MOOD"),
        ("CREATE INDEX i ON t (a)", "CREATE INDEX I"),
        ("CREATE SECRET x (TYPE s3)", "CREATE SECRET X"),
        ("SELECT [x + 1 FOR x IN [1, 2]]", "x + 1 FOR x"),
        ("SELECT list_transform([1], x -> x + 1)", "x -> x + 1"),
        ("SELECT struct_pack(a := 1)", "a := 1"),
        ("SELECT * FROM unnest([1, 2])", "FROM value"),
        ("SELECT * FROM t SEMI JOIN t AS u ON t.a = u.a", "SEMI JOIN"),
        ("SELECT * FROM t ANTI JOIN t AS u ON t.a = u.a", "ANTI JOIN"),
        ("SELECT DISTINCT ON (a) a FROM t", "DISTINCT ON"),
        ("SELECT a FROM t USING SAMPLE 10", "SAMPLE"),
        ("SELECT 'a' SIMILAR TO 'b'", "'a' SIMILAR TO"),
        ("SELECT 1::HUGEINT", "data type INT128"),
        ("SELECT 'x'::UUID", "data type UUID"),
        ("SELECT 1::BIT", "data type BIT"),
        ("SELECT (1, 2)", "a column of type ROW"),
        ("SELECT INTERVAL '1 day'", "a column of type INTERVAL"),
    ],
)
def test_what_is_no_error_of_syntax_is_refused_by_name(connection: SandboxConnection, sql: str, named: str) -> None:
    failure = refusal(connection, sql)
    assert failure.errno == UNSUPPORTED
    assert f"Unsupported feature '{named}" in str(failure)


@pytest.mark.parametrize(
    "name",
    [
        *["duckdb_tables", "sqlite_master", "pragma_database_list", "main.t", "temp.t", "memory.main.t"],
        *['"file.parquet"', '"/etc/hostname"', "'file.parquet'", "pg_catalog.pg_class", "catalog.objects", "data.t"],
    ],
)
def test_relations_of_the_engine_do_not_exist(connection: SandboxConnection, name: str) -> None:
    failure = refusal(connection, f"SELECT * FROM {name}")
    assert failure.errno == MISSING
    assert "does not exist or not authorized" in str(failure)


@pytest.mark.parametrize("name", ["rowid", "t.rowid", "filename"])
def test_columns_of_the_engine_do_not_exist(connection: SandboxConnection, name: str) -> None:
    assert refusal(connection, f"SELECT {name} FROM t").errno == IDENTIFIER


def test_files_beside_the_sandbox_are_out_of_reach(connection: SandboxConnection, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n", encoding="utf-8")
    for sql in (
        f"SELECT * FROM '{secret}'",
        f'SELECT * FROM "{secret}"',
        f"SELECT * FROM IDENTIFIER('{secret}')",
        f"SELECT * FROM IDENTIFIER('\"{secret}\"')",
        f"SELECT * FROM TABLE('\"{secret}\"')",
        f"SELECT * FROM read_csv('{secret}')",
        f"SELECT COUNT(*) FROM @'{secret}'",
        f"COPY INTO t FROM '{secret}'",
        f"COPY INTO t FROM 'file://{secret}'",
    ):
        refusal(connection, sql)
