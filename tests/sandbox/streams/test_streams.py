"""Streams: net changes, offsets that move with the transaction that consumes them, and what ends a stream."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from snowflake.connector.errors import ProgrammingError

from firnline_sandbox import connect
from firnline_sandbox.sessions import snowpark_session

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from firnline_sandbox import SandboxEngine
    from firnline_sandbox.connection import SandboxConnection

    Run = Callable[..., list[dict[str, Any]]]

_CHANGES = "SELECT id, n, METADATA$ACTION AS act, METADATA$ISUPDATE AS upd FROM s ORDER BY id, act"


@pytest.fixture
def source(run: Run) -> None:
    """A table of two rows with a stream."""
    run("CREATE TABLE t (id INT, n VARCHAR, more ARRAY)")
    run("INSERT INTO t SELECT column1, column2, ARRAY_CONSTRUCT(1) FROM VALUES (1, 'a'), (2, 'b')")
    run("CREATE STREAM s ON TABLE t")


def changes(run: Run) -> list[tuple[Any, ...]]:
    """Read the stream without consuming it."""
    return [tuple(row.values()) for row in run(_CHANGES)]


@pytest.mark.usefixtures("source")
def test_a_stream_shows_the_net_of_all_changes(run: Run) -> None:
    assert changes(run) == []
    run("INSERT INTO t (id, n) VALUES (3, 'c'), (4, 'd')")
    run("UPDATE t SET n = 'c2' WHERE id = 3")
    run("UPDATE t SET n = 'a2' WHERE id = 1")
    run("UPDATE t SET n = 'a3' WHERE id = 1")
    run("DELETE FROM t WHERE id IN (2, 4)")
    assert changes(run) == [
        (1, "a", "DELETE", True),
        (1, "a3", "INSERT", True),
        (2, "b", "DELETE", False),
        (3, "c2", "INSERT", False),
    ]
    identities = run("SELECT COUNT(DISTINCT METADATA$ROW_ID) AS n FROM s WHERE METADATA$ISUPDATE")
    assert identities == [{"N": 1}]


@pytest.mark.usefixtures("source")
@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("TRUNCATE TABLE t", [(1, "a", "DELETE", False), (2, "b", "DELETE", False)]),
        (
            "INSERT OVERWRITE INTO t (id, n) SELECT 1, 'z'",
            [(1, "a", "DELETE", False), (1, "z", "INSERT", False), (2, "b", "DELETE", False)],
        ),
        (
            (
                "MERGE INTO t USING (SELECT 1 AS id UNION ALL SELECT 9) AS q ON t.id = q.id "
                "WHEN MATCHED THEN UPDATE SET n = 'm' WHEN NOT MATCHED THEN INSERT (id, n) VALUES (q.id, 'new')"
            ),
            [(1, "a", "DELETE", True), (1, "m", "INSERT", True), (9, "new", "INSERT", False)],
        ),
        ("DELETE FROM t USING (SELECT 2 AS i) AS q WHERE t.id = q.i", [(2, "b", "DELETE", False)]),
        ("DELETE FROM t", [(1, "a", "DELETE", False), (2, "b", "DELETE", False)]),
    ],
)
def test_each_statement_that_writes_is_seen(run: Run, statement: str, expected: list[tuple[Any, ...]]) -> None:
    run(statement)
    assert changes(run) == expected


@pytest.mark.usefixtures("source")
def test_loaded_files_and_data_frames_are_seen(run: Run, connection: SandboxConnection) -> None:
    run("CREATE STAGE st")
    run("COPY INTO @st/x FROM (SELECT 5, 'e', NULL) FILE_FORMAT = (TYPE = CSV)")
    run("COPY INTO t FROM @st FILE_FORMAT = (TYPE = CSV)")
    snowpark_session(connection).write_pandas(pd.DataFrame({"ID": [6], "N": ["f"]}), "T")
    assert changes(run) == [(5, "e", "INSERT", False), (6, "f", "INSERT", False)]


@pytest.mark.usefixtures("source")
def test_the_offset_moves_with_the_transaction_that_consumes(run: Run) -> None:
    run("CREATE TABLE target (id INT)")
    run("INSERT INTO t (id) VALUES (3)")
    run("CREATE VIEW over_stream AS SELECT id FROM s")
    assert run("SELECT SYSTEM$STREAM_HAS_DATA('s') AS yes") == [{"YES": True}]
    run("BEGIN")
    run("INSERT INTO target SELECT id FROM s")
    run("ROLLBACK")
    assert len(changes(run)) == 1
    with pytest.raises(ProgrammingError):
        run("INSERT INTO target SELECT 1 / (id - 3) FROM s")
    assert len(changes(run)) == 1
    run("BEGIN")
    run("INSERT INTO t (id) VALUES (4)")
    run("INSERT INTO target SELECT id FROM s")
    run("INSERT INTO target SELECT id FROM over_stream")
    assert [row[0] for row in changes(run)] == [3]
    run("COMMIT")
    assert [row[0] for row in changes(run)] == [4]
    run("INSERT INTO target SELECT id FROM s WHERE FALSE")
    assert changes(run) == []
    assert run("SELECT SYSTEM$STREAM_HAS_DATA('s') AS yes") == [{"YES": False}]
    assert run("SELECT id FROM target") == [{"ID": 3}, {"ID": 3}]


@pytest.mark.usefixtures("source")
def test_what_commits_while_a_transaction_is_open_comes_after_it(
    run: Run, engine: SandboxEngine, connection: SandboxConnection
) -> None:
    run("CREATE TABLE target (id INT)")
    run("INSERT INTO t (id) VALUES (3)")
    run("BEGIN")
    with engine.connect(schema=connection.schema) as other:
        other.cursor().execute("INSERT INTO t (id) VALUES (4)")
    run("INSERT INTO target SELECT id FROM s")
    run("COMMIT")
    assert run("SELECT id FROM target") == [{"ID": 3}]
    assert [row[0] for row in changes(run)] == [4]


@pytest.mark.usefixtures("source")
def test_append_only_and_initial_rows(run: Run) -> None:
    run("CREATE STREAM a ON TABLE t APPEND_ONLY = TRUE")
    run("CREATE STREAM i ON TABLE t SHOW_INITIAL_ROWS = TRUE")
    run("INSERT INTO t (id) VALUES (3)")
    run("UPDATE t SET n = 'x'")
    run("DELETE FROM t WHERE id = 3")
    assert run("SELECT id, n, METADATA$ISUPDATE AS u FROM a") == [{"ID": 3, "N": None, "U": False}]
    assert run("SELECT id, n FROM i ORDER BY id") == [{"ID": 1, "N": "x"}, {"ID": 2, "N": "x"}]
    run("CREATE TABLE target AS SELECT id FROM i")
    assert run("SELECT * FROM i") == []
    assert len(changes(run)) == 4


@pytest.mark.usefixtures("source")
def test_a_stream_follows_the_columns_of_its_table(run: Run) -> None:
    run("INSERT INTO t (id) VALUES (3)")
    run("ALTER TABLE t ADD COLUMN z INT")
    run("ALTER TABLE t ADD COLUMN w INT DEFAULT 7")
    run("ALTER TABLE t DROP COLUMN more")
    run("ALTER TABLE t RENAME TO renamed")
    run("INSERT INTO renamed (id, z) VALUES (4, 1)")
    assert run("SELECT * EXCLUDE METADATA$ROW_ID FROM s ORDER BY id") == [
        {"ID": 3, "N": None, "Z": None, "W": None, "METADATA$ACTION": "INSERT", "METADATA$ISUPDATE": False},
        {"ID": 4, "N": None, "Z": 1, "W": 7, "METADATA$ACTION": "INSERT", "METADATA$ISUPDATE": False},
    ]


@pytest.mark.usefixtures("source")
def test_streams_are_shown_and_dropped(run: Run, connection: SandboxConnection) -> None:
    (row,) = run("SHOW STREAMS LIKE 's'")
    assert (row["mode"], row["stale"], row["type"]) == ("DEFAULT", "false", "DELTA")
    assert row["table_name"] == f"FIRNLINE.{connection.schema}.T"
    assert run("DESCRIBE STREAM s")[0]["name"] == "S"
    with pytest.raises(ProgrammingError, match="already exists"):
        run("CREATE STREAM s ON TABLE t")
    run("CREATE STREAM IF NOT EXISTS s ON TABLE t")
    run("INSERT INTO t (id) VALUES (3)")
    run("CREATE OR REPLACE STREAM s ON TABLE t COMMENT = 'again'")
    assert changes(run) == []
    run("CREATE OR REPLACE TABLE t (id INT, n VARCHAR)")
    with pytest.raises(ProgrammingError, match="cannot read from stream 'S'"):
        changes(run)
    run("DROP STREAM s")
    assert run("SHOW STREAMS") == []
    with pytest.raises(ProgrammingError, match="does not exist"):
        run("DROP STREAM s")


@pytest.mark.usefixtures("source")
def test_a_table_without_streams_keeps_no_changes(run: Run, engine: SandboxEngine) -> None:
    def kept() -> int:
        count = "SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'changes'"
        return int(engine.database.cursor().execute(count).fetchall()[0][0])

    before = kept()
    run("CREATE STREAM other ON TABLE t")
    run("DROP STREAM s")
    assert kept() == before
    run("DROP STREAM other")
    assert kept() == before - 1
    run("INSERT INTO t (id) VALUES (3)")
    assert run("SELECT id FROM t ORDER BY id") == [{"ID": 1}, {"ID": 2}, {"ID": 3}]


_CONSUMER = """
import sys
from firnline_sandbox import connect
cursor = connect(sys.argv[1]).cursor()
for number in range(int(sys.argv[2]), 1_000_000):
    cursor.execute(f"INSERT INTO source VALUES ({number})")
    cursor.execute("INSERT INTO target SELECT id FROM changes")
    print(number, flush=True)
"""


def test_a_consumer_that_is_killed_loses_and_doubles_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "sandbox"
    with connect(folder) as connection:
        for statement in (
            "CREATE TABLE source (id INT)",
            "CREATE TABLE target (id INT)",
            "CREATE STREAM changes ON TABLE source",
        ):
            connection.cursor().execute(statement)
    for start in (0, 1_000):
        process = subprocess.Popen(
            [sys.executable, "-c", _CONSUMER, str(folder), str(start)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        for _ in range(20):
            assert process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    with connect(folder) as connection:
        cursor = connection.cursor()
        cursor.execute("INSERT INTO target SELECT id FROM changes")
        source = cursor.execute("SELECT id FROM source ORDER BY id").fetchall()
        target = cursor.execute("SELECT id FROM target ORDER BY id").fetchall()
        assert target == source
        assert len(source) >= 40
