"""What comes in over HTTP may be anything; what is killed leaves nothing half-written."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import snowflake.connector
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import firnline_sandbox
from firnline_sandbox.server import control
from tests.sandbox.server.conftest import options

if TYPE_CHECKING:
    from collections.abc import Callable

    from snowflake.connector import SnowflakeConnection

    from firnline_sandbox import SandboxEngine

PATHS = [
    "/session/v1/login-request",
    "/queries/v1/query-request?requestId=x",
    "/session/token-request",
    "/firnline/v1/run",
    "/firnline/v1/open",
    "/chunks/abc/0",
    "/monitoring/queries/..%2f..",
]


def _send(engine: SandboxEngine, data: bytes, *, half_close: bool = True) -> bytes:
    """Send bytes as they are and read what comes back until the other side hangs up."""
    with socket.create_connection(("127.0.0.1", options(engine)["port"]), timeout=10) as caller:
        with contextlib.suppress(OSError):  # it may hang up before it has heard everything
            caller.sendall(data)
            if half_close:
                caller.shutdown(socket.SHUT_WR)
        answer = b""
        with contextlib.suppress(ConnectionError):
            while block := caller.recv(65536):
                answer += block
        return answer


def _works(engine: SandboxEngine) -> bool:
    with snowflake.connector.connect(**options(engine)) as connection:
        return bool(connection.cursor().execute("select 1").fetchone() == (1,))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=400))
def test_random_bytes_are_turned_away(served: SandboxEngine, data: bytes) -> None:
    _send(served, data)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(PATHS), body=st.binary(max_size=200), packed=st.booleans(), token=st.text(max_size=20))
def test_random_bodies_are_turned_away(served: SandboxEngine, path: str, body: bytes, packed: bool, token: str) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
    head += "Content-Encoding: gzip\r\n" if packed else ""
    head += f'Authorization: Snowflake Token="{token.encode("unicode_escape").decode()}"\r\n\r\n'
    answer = _send(served, head.encode("latin-1", "replace") + body)
    status = int(answer.split()[1])
    assert status < 500
    if status == 200:
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["success"] is (path.startswith("/telemetry"))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=10),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    )
)
@pytest.mark.parametrize("path", ["/queries/v1/query-request", "/session/v1/login-request", "/firnline/v1/run"])
def test_strange_documents_from_who_has_the_token(served: SandboxEngine, path: str, body: object) -> None:
    import requests

    with served.connect():
        token = options(served)["password"]
        url = f"http://127.0.0.1:{options(served)['port']}{path}"
        for header in (f"Bearer {token}", f'Snowflake Token="{token}"'):
            answer = requests.post(url, json=body, headers={"Authorization": header}, timeout=10)
            assert answer.status_code < 500


def test_strange_statements_in_a_session(served: SandboxEngine, log_in: Callable[..., SnowflakeConnection]) -> None:
    import requests

    connection = log_in()
    url = f"http://127.0.0.1:{options(served)['port']}/queries/v1/query-request"
    headers = {"Authorization": f'Snowflake Token="{connection.rest.token}"'}
    bodies = [
        {"sqlText": None},
        {"sqlText": "select 1", "bindings": []},
        {"sqlText": "select ?", "bindings": {"1": {"type": "FIXED", "value": "x"}}},
        {"sqlText": "select ?", "bindings": {"1": "text"}},
        {"sqlText": "select 1", "parameters": {"MULTI_STATEMENT_COUNT": "many"}},
        {"sqlText": "select 1", "parameters": []},
        {"sqlText": "put nonsense"},
        {"sqlText": "get @nowhere"},
        {"sqlText": "\x00"},
        {"sqlText": "select '" + "x" * 100_000},
    ]
    for number, body in enumerate(bodies):
        answer = requests.post(f"{url}?requestId=strange-{number}", json=body, headers=headers, timeout=30)
        assert answer.status_code < 500, body
        assert not answer.json()["success"] or body["sqlText"] == "select 1", body
    assert connection.cursor().execute("select 1").fetchone() == (1,)


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("huge header", b"GET /session HTTP/1.1\r\nX: " + b"a" * 200_000 + b"\r\n\r\n"),
        ("many headers", b"GET /session HTTP/1.1\r\n" + b"".join(b"X%d: 1\r\n" % n for n in range(500)) + b"\r\n"),
        ("huge body", b"POST /session HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n"),
        ("negative length", b"POST /session HTTP/1.1\r\nContent-Length: -5\r\n\r\n"),
        ("chunked", b"POST /session HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
        ("strange encoding", b"POST /session HTTP/1.1\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx"),
        ("cut off", b"POST /session HTTP/1.1\r\nContent-Length: 100\r\n\r\nxyz"),
    ],
)
def test_requests_out_of_bounds(served: SandboxEngine, name: str, head: bytes) -> None:
    answer = _send(served, head)
    assert not answer or 400 <= int(answer.split()[1]) < 500, name


def test_a_body_that_unpacks_without_end_is_refused(served: SandboxEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    from firnline_sandbox.server import web

    monkeypatch.setattr(web, "MOST_UNPACKED", 10_000)
    body = gzip.compress(b"0" * 1_000_000)
    caller = http.client.HTTPConnection("127.0.0.1", options(served)["port"], timeout=10)
    caller.request("POST", "/session/v1/login-request", body=body, headers={"Content-Encoding": "gzip"})
    assert caller.getresponse().status == 400
    caller.close()


def test_without_the_token_nothing_is_told(served: SandboxEngine, log_in: Callable[..., SnowflakeConnection]) -> None:
    connection = log_in()
    query_id = connection.cursor().execute("select 'secret'").sfqid
    for path in (f"/queries/{query_id}/result", f"/monitoring/queries/{query_id}", "/session?delete=true"):
        caller = http.client.HTTPConnection("127.0.0.1", options(served)["port"], timeout=10)
        caller.request("GET", path, headers={"Authorization": 'Snowflake Token="None"'})
        answer = json.loads(caller.getresponse().read())
        assert not answer["success"]
        assert "secret" not in json.dumps(answer)
        caller.close()
    assert connection.cursor().execute("select 1").fetchone() == (1,)


def test_many_callers_who_say_nothing_block_nobody(served: SandboxEngine) -> None:
    callers = [socket.create_connection(("127.0.0.1", options(served)["port"])) for _ in range(100)]
    assert _works(served)
    for caller in callers:
        caller.close()
    assert served.listener._host.connector.count <= 1  # type: ignore[union-attr]
    assert served.listener._host.gate.count == 0  # type: ignore[union-attr]


def test_writers_in_threads_wait_for_each_other(served: SandboxEngine) -> None:
    with served.connect() as connection:
        connection.cursor().execute("create or replace table contended (a int)")
        connection.cursor().execute("insert into contended values (0)")
    failures: list[Exception] = []

    def add(*, over_http: bool) -> None:
        try:
            opened = snowflake.connector.connect(**options(served)) if over_http else served.connect()
            for _ in range(10):
                opened.cursor().execute("update contended set a = a + 1")
            opened.close()
        except Exception as failure:  # noqa: BLE001 (whatever it is, the test shows it)
            failures.append(failure)

    threads = [threading.Thread(target=add, kwargs={"over_http": number % 2 == 0}) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    with served.connect() as connection:
        assert connection.cursor().execute("select a from contended").fetchone() == (60,)


CLIENT = """
import sys, snowflake.connector
port, token, name = sys.argv[1:]
connection = snowflake.connector.connect(
    user="u", password=token, account="sandbox", host="127.0.0.1", port=int(port), protocol="http", network_timeout=3,
    paramstyle="qmark",
)
cursor = connection.cursor()
number = 0
while True:
    cursor.execute("begin")
    cursor.execute("insert into pairs values (?, ?), (?, ?)", (name, number, name, number))
    cursor.execute("commit")
    cursor.execute(f"create table {name}_{number} as select * from pairs where name = ?", (name,))
    print(number, flush=True)
    number += 1
"""


def test_a_killed_server_leaves_everything_committed_and_nothing_half_written(tmp_path: Path) -> None:
    folder = tmp_path / "sandbox"
    with firnline_sandbox.connect(folder) as connection:
        connection.cursor().execute("create table pairs (name varchar, number int)")
        connection.cursor().execute("create stage kept")
    chance = random.Random(7)
    told: dict[str, int] = {}
    for round_number in range(3):
        server = control.start(folder).endpoint
        clients = {}
        for letter in "ab":
            name = f"{letter}{round_number}"
            clients[name] = subprocess.Popen(
                [sys.executable, "-c", CLIENT, str(server.port), server.token, name],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        for client in clients.values():
            assert client.stdout is not None
            assert client.stdout.readline()
        time.sleep(chance.uniform(0.1, 0.8))
        os.kill(server.pid, signal.SIGKILL)
        for name, client in clients.items():
            client.kill()
            output, _ = client.communicate()
            told[name] = len(output.split()) + 1
    with firnline_sandbox.connect(folder) as connection:
        cursor = connection.cursor()
        counts = cursor.execute("select name, number, count(*) from pairs group by all").fetchall()
        assert {count for _, _, count in counts} == {2}
        tables = {row[1] for row in cursor.execute("show tables").fetchall()}
        for name, number in told.items():
            assert {(name, done, 2) for done in range(number)} <= set(counts)
            for done in range(number):
                assert f"{name}_{done}".upper() in tables
                found = cursor.execute(f"select count(*) from {name}_{done}").fetchone()
                assert found == (2 * (done + 1),)
        assert cursor.execute("list @kept").fetchall() == []
