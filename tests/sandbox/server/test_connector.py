"""The real connector over HTTP gives what the in-process connection gives."""

from __future__ import annotations

import datetime as dt
import decimal
import io
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from snowflake.connector.constants import QueryStatus
from snowflake.connector.errors import DatabaseError, ProgrammingError
from snowflake.connector.pandas_tools import write_pandas

from tests.sandbox.server.conftest import options

if TYPE_CHECKING:
    from firnline_sandbox import SandboxEngine

LogIn = Any  # a callable that gives a SnowflakeConnection

VALUES = """
select 1 as a, 'x' as b, 1.25::number(10, 2) as c, true as d, '2020-01-02'::date as e,
    '1960-01-02 03:04:05.123456'::timestamp_ntz as f, '2020-01-02 03:04:05.5'::timestamp_ltz as g,
    '03:04:05.25'::time as h, parse_json('{"k": [1, null]}') as i, 2.5::float as j, to_binary('AB01') as k,
    null as l, -7 as m
union all
select null, null, null, null, null, null, null, null, null, null, null, null, null
"""


def test_rows_and_columns_are_those_of_the_in_process_connection(served: SandboxEngine, log_in: LogIn) -> None:
    remote = log_in().cursor().execute(VALUES)
    with served.connect() as connection:
        local = connection.cursor().execute(VALUES)
        assert [_plain(row) for row in remote.fetchall()] == [_plain(row) for row in local.fetchall()]
        assert [tuple(column) for column in remote.description] == [tuple(column) for column in local.description or ()]
        local_frame = local.execute(VALUES).fetch_pandas_all()
    frame = log_in().cursor().execute(VALUES).fetch_pandas_all()
    pd.testing.assert_frame_equal(_with_none(frame), _with_none(local_frame))


def _with_none(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.astype(object).where(frame.notna(), None)


def _plain(row: tuple[Any, ...]) -> list[Any]:
    return [value.astimezone(dt.UTC) if isinstance(value, dt.datetime) and value.tzinfo else value for value in row]


def test_statements_without_rows_of_a_query_are_told_as_in_process(log_in: LogIn) -> None:
    cursor = log_in().cursor()
    assert cursor.execute("create or replace table counted (a int)").fetchone() == (
        "Table COUNTED successfully created.",
    )
    assert cursor.execute("insert into counted values (1), (2)").rowcount == 2
    assert cursor.execute("update counted set a = a + 1").rowcount == 2
    assert cursor.execute("delete from counted where a = 2").rowcount == 1
    cursor.execute("show tables like 'counted'")
    row = dict(zip([column.name for column in cursor.description], cursor.fetchone(), strict=True))
    assert row["name"] == "COUNTED"
    assert isinstance(row["created_on"], dt.datetime)


def test_errors_have_snowflakes_numbers(log_in: LogIn) -> None:
    with pytest.raises(ProgrammingError, match="does not exist or not authorized") as caught:
        log_in().cursor().execute("select * from nobody_made_this")
    assert (caught.value.errno, caught.value.sqlstate) == (2003, "42S02")
    assert caught.value.sfqid


@pytest.mark.parametrize(
    "value",
    [
        1,
        -(2**40),
        2.5,
        "it's",
        True,
        None,
        b"\x01\xff",
        decimal.Decimal("12.50"),
        dt.date(1969, 12, 31),
        dt.datetime.fromisoformat("1959-01-02T03:04:05.000678"),
        dt.time(23, 59, 59, 5),
    ],
    ids=repr,
)
def test_bound_values_come_back(log_in: LogIn, value: object) -> None:
    cursor = log_in(paramstyle="qmark").cursor()
    assert cursor.execute("select ?", [value]).fetchone() == (value,)


def test_many_rows_are_inserted_at_once(log_in: LogIn) -> None:
    cursor = log_in(paramstyle="qmark").cursor()
    cursor.execute("create or replace table bulk (a int, b varchar, c timestamp_ntz)")
    rows = [
        (number, f"t{number}", dt.datetime.fromisoformat("2020-01-01") + dt.timedelta(hours=number))
        for number in range(500)
    ]
    assert cursor.executemany("insert into bulk values (?, ?, ?)", rows).rowcount == 500
    assert cursor.execute("select * from bulk order by a").fetchall() == rows


def test_only_described_statements_are_not_carried_out(log_in: LogIn) -> None:
    cursor = log_in().cursor()
    cursor.execute("create or replace table described (a int, b number(10, 2))")
    columns = cursor.describe("select b, a from described")
    assert [(column.name, column.precision, column.scale) for column in columns] == [("B", 10, 2), ("A", 38, 0)]
    cursor.describe("insert into described values (1, 2)")
    assert cursor.execute("select count(*) from described").fetchone() == (0,)


def test_several_statements_in_one_request(log_in: LogIn) -> None:
    cursor = log_in().cursor()
    cursor.execute("select 1; select 2 union all select 3 order by 1", num_statements=2)
    assert cursor.fetchall() == [(1,)]
    assert cursor.nextset() is cursor
    assert cursor.fetchall() == [(2,), (3,)]
    assert cursor.nextset() is None
    with pytest.raises(ProgrammingError, match="Actual statement count 1 did not match"):
        cursor.execute("select 1", num_statements=2)


def test_queries_in_the_background(log_in: LogIn) -> None:
    connection = log_in()
    cursor = connection.cursor()
    query_id = cursor.execute_async("select count(*) from table(generator(rowcount => 1000))")["queryId"]
    cursor.get_results_from_sfqid(query_id)
    assert cursor.fetchall() == [(1000,)]
    assert connection.get_query_status(query_id) == QueryStatus.SUCCESS
    failing = cursor.execute_async("select 1 / 0 from table(generator(rowcount => 1))")["queryId"]
    cursor.get_results_from_sfqid(failing)
    with pytest.raises(DatabaseError, match="Division by zero"):
        cursor.fetchall()
    assert connection.is_an_error(connection.get_query_status(failing))


def test_a_query_can_be_cancelled_from_another_thread(log_in: LogIn) -> None:
    connection = log_in()
    cursor = connection.cursor()
    slow = "select count(*) from table(generator(rowcount => 3000000000)) a, table(generator(rowcount => 1000)) b"
    query_id = cursor.execute_async(slow)["queryId"]
    assert connection.is_still_running(connection.get_query_status(query_id))
    assert cursor.abort_query(query_id)
    cursor.get_results_from_sfqid(query_id)
    with pytest.raises(DatabaseError, match="canceled"):
        cursor.fetchall()
    # Nothing of it reaches the statements that follow on the same DuckDB cursor.
    for _ in range(30):
        assert cursor.execute("select count(*) from table(generator(rowcount => 200000))").fetchone() == (200_000,)
    assert not [thread for thread in threading.enumerate() if thread.name == "firnline-sandbox-cancel"]


def test_a_client_that_waits_too_long_aborts_its_query(served: SandboxEngine, log_in: LogIn) -> None:
    slow = "select count(*) from table(generator(rowcount => 3000000001)) a, table(generator(rowcount => 1000)) b"
    with pytest.raises(ProgrammingError):
        log_in().cursor().execute(slow, timeout=1)
    deadline = time.monotonic() + 20
    while any(record.text == slow and record.ended is None for record in served.history.records()):
        assert time.monotonic() < deadline, "the query goes on"
        time.sleep(0.05)


def test_files_go_into_a_stage_and_come_out(log_in: LogIn, tmp_path: Path) -> None:
    cursor = log_in().cursor()
    cursor.execute("create or replace stage carried")
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    uploaded = cursor.execute(f"put file://{tmp_path}/a.csv @carried/in auto_compress = false").fetchone()
    assert uploaded[:2] == ("a.csv", "a.csv")
    assert uploaded[6] == "UPLOADED"
    assert cursor.execute("list @carried").fetchone()[0] == "carried/in/a.csv"
    (tmp_path / "a.csv").write_text("x,y\n3,4\n")
    cursor.execute(f"put file://{tmp_path}/a.csv @carried/in auto_compress = false")  # it is there already
    (tmp_path / "out").mkdir()
    assert cursor.execute(f"get @carried/in file://{tmp_path}/out").fetchone()[2] == "DOWNLOADED"
    assert (tmp_path / "out/a.csv").read_text() == "x,y\n1,2\n"
    cursor.execute(f"put file://{tmp_path}/a.csv @carried/in auto_compress = false overwrite = true")
    cursor.execute(f"get @carried/in file://{tmp_path}/out")
    assert (tmp_path / "out/a.csv").read_text() == "x,y\n3,4\n"
    cursor._upload_stream(io.BytesIO(b"from memory"), "@carried/in/b.txt", {"auto_compress": False})
    assert [row[0] for row in cursor.execute("list @carried").fetchall()] == ["carried/in/a.csv", "carried/in/b.txt"]
    cursor.execute("remove @carried")
    assert cursor.execute("list @carried").fetchall() == []


def test_the_connectors_own_write_pandas(log_in: LogIn) -> None:
    frame = pd.DataFrame({"A": [1, 2, 3], "B": ["x", None, "z"]})
    assert write_pandas(log_in(), frame, "WRITTEN", auto_create_table=True, overwrite=True)[0]
    assert log_in().cursor().execute("select sum(a), count(b) from written").fetchone() == (6, 2)


def test_large_results_come_in_parts(log_in: LogIn) -> None:
    cursor = log_in().cursor()
    cursor.execute("select seq8() as a, 'row ' || seq8() as b from table(generator(rowcount => 2500000))")
    sizes = []
    total = 0
    for frame in cursor.fetch_pandas_batches():
        sizes.append(len(frame))
        total += int(frame["A"].sum())
    assert sum(sizes) == 2_500_000
    assert total == 2_500_000 * 2_499_999 // 2
    assert len(sizes) > 3


def test_sessions_are_apart(log_in: LogIn) -> None:
    first, second = log_in(), log_in()
    first.cursor().execute("create or replace temporary table mine as select 1 as a")
    first.cursor().execute("create schema if not exists elsewhere")
    first.cursor().execute("use schema elsewhere")
    assert first.schema == "ELSEWHERE"
    with pytest.raises(ProgrammingError, match="does not exist"):
        second.cursor().execute("select * from public.mine")
    assert second.cursor().execute("select current_schema()").fetchone() == ("PUBLIC",)
    assert first.session_id != second.session_id


def test_temporary_objects_go_with_their_session(served: SandboxEngine, log_in: LogIn) -> None:
    connection = log_in()
    connection.cursor().execute("create temporary table short_lived as select 1 as a")
    assert any(entry.name == "SHORT_LIVED" for entry in served.catalog)
    connection.close()
    assert not any(entry.name == "SHORT_LIVED" for entry in served.catalog)


def test_transactions(log_in: LogIn) -> None:
    writer, reader = log_in(), log_in()
    writer.cursor().execute("create or replace table ledger (a int)")
    writer.cursor().execute("begin")
    writer.cursor().execute("insert into ledger values (1)")
    assert reader.cursor().execute("select count(*) from ledger").fetchone() == (0,)
    writer.commit()
    assert reader.cursor().execute("select count(*) from ledger").fetchone() == (1,)


@pytest.mark.parametrize("secret", [{"password": "wrong"}, {"password": ""}, {"password": "x" * 10_000}])
def test_a_wrong_password_is_refused(served: SandboxEngine, log_in: LogIn, secret: dict[str, str]) -> None:
    before = served.next_session_id()
    with pytest.raises(DatabaseError):
        log_in(**secret, login_timeout=5)
    assert served.next_session_id() == before + 1, "a session was opened"


def test_tokens_are_renewed_by_the_client(
    served: SandboxEngine, log_in: LogIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    front = served.listener._host.connector  # type: ignore[union-attr]
    monkeypatch.setattr(front, "session_s", 0.3)
    connection = log_in()
    connection.cursor().execute("create or replace temporary table kept as select 7 as a")
    first_token = connection.rest.token
    time.sleep(0.5)
    assert connection.cursor().execute("select a from kept").fetchone() == (7,)
    assert connection.rest.token != first_token


def test_a_newer_generation_of_the_connector_is_told_so(served: SandboxEngine) -> None:
    import requests

    endpoint = served.listener.endpoint  # type: ignore[union-attr]
    data = {"PASSWORD": endpoint.token, "CLIENT_APP_ID": "PythonConnector", "CLIENT_APP_VERSION": "5.2.0"}
    answer = requests.post(
        f"http://127.0.0.1:{endpoint.port}/session/v1/login-request", json={"data": data}, timeout=10
    ).json()
    assert not answer["success"]
    assert "5.2.0 is not supported" in answer["message"]


def test_the_same_request_is_carried_out_once(served: SandboxEngine, log_in: LogIn) -> None:
    import requests

    connection = log_in()
    connection.cursor().execute("create or replace table once (a int)")
    url = f"http://127.0.0.1:{options(served)['port']}/queries/v1/query-request?requestId=same"
    headers = {"Authorization": f'Snowflake Token="{connection.rest.token}"'}
    answers = []

    def send() -> None:
        body = {"sqlText": "insert into once values (1)"}
        answers.append(requests.post(url, json=body, headers=headers, timeout=30).json()["data"]["queryId"])

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(answers)) == 1
    assert connection.cursor().execute("select count(*) from once").fetchone() == (1,)


def test_a_client_that_dies_in_a_transaction_keeps_nobody_waiting(served: SandboxEngine, log_in: LogIn) -> None:
    connection = log_in()
    connection.cursor().execute("create or replace table freed (a int)")
    connection.cursor().execute("begin")
    connection.cursor().execute("insert into freed values (1)")
    connection.rest.session_manager.close()  # as if its process had ended
    started = time.monotonic()
    log_in().cursor().execute("insert into freed values (2)")
    assert time.monotonic() - started < 30
    with pytest.raises(ProgrammingError, match="hung up in the middle"):
        connection.cursor().execute("commit")
    assert log_in().cursor().execute("select a from freed").fetchall() == [(2,)]
