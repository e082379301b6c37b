"""A real server process, real exports for it, and a client that counts on nothing but HTTP."""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from firnline.domain import Task
from firnline_onnx.conversion.convert import convert
from firnline_onnx.conversion.graph import MISSING_TEXT
from firnline_onnx.export import write_files
from firnline_onnx.signature import Input, Kind, Signature
from tests.onnx.world import described

JSON = "application/json"
ARROW = "application/vnd.apache.arrow.stream"


def export_folder(
    folder: Path, estimator: Any, kinds: Mapping[str, Kind], task: Task = "binary", version: str = "V1", **changes: Any
) -> Path:
    """Export a model as the step does, without a platform."""
    model = described(kinds, task)
    converted = convert(estimator, model, kinds)
    signature = Signature(
        name="DB.SCHEMA.LEAVERS",
        version=version,
        task=task,
        target=model.target,
        classes=model.classes,
        inputs=tuple(
            Input(name=name, kind=kind, categories=converted.closed.get(name, ())) for name, kind in kinds.items()
        ),
        missing_text=MISSING_TEXT,
    )
    write_files(folder, converted, replace(signature, **changes))
    return folder


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as data."""
        return json.loads(self.body)


class Client:
    """One connection that stays open."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(self, method: str, path: str, body: Any = None, kind: str = JSON, **headers: str) -> Answer:
        """Send a request; data becomes JSON."""
        content = body if isinstance(body, bytes | type(None)) else json.dumps(body).encode()
        given = {"Content-Type": kind} if content is not None else {}
        self._connection.request(method, path, content, given | headers)
        response = self._connection.getresponse()
        return Answer(response.status, {key.lower(): value for key, value in response.getheaders()}, response.read())

    def predict(self, rows: Any, kind: str = JSON, **headers: str) -> Answer:
        """Ask for predictions."""
        return self.ask("POST", "/predict", rows, kind, **headers)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


@dataclass
class Server:
    """A process that serves."""

    process: subprocess.Popen[str]
    port: int
    errors: Path

    def client(self) -> Client:
        """Open a connection."""
        return Client(self.port)

    def ask(self, method: str, path: str, body: Any = None, kind: str = JSON) -> Answer:
        """Send one request."""
        client = self.client()
        try:
            return client.ask(method, path, body, kind)
        finally:
            client.close()

    def figure(self, name: str) -> float:
        """Return a number of /metrics."""
        text = self.ask("GET", "/metrics").body.decode()
        found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Tell it to end and wait for it."""
        self.process.send_signal(how)
        return self.process.wait(30)


@contextmanager
def serving(model: str | Path, folder: Path, *options: str) -> Iterator[Server]:
    """Start ``firnline serve`` on a free port, in a folder."""
    errors = folder / f"errors-{time.monotonic_ns()}.txt"
    with errors.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "firnline", "serve", str(model), "--port", "0", *options],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"answers on http://127\.0\.0\.1:(\d+)/predict", line)
        assert found, f"{line}\n{errors.read_text()}"
        server = Server(process, int(found[1]), errors)
        wait_for(lambda: server.ask("GET", "/ready").status == 200)
        yield server
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        assert process.stdout is not None
        process.stdout.close()


def wait_for(condition: Any, seconds: float = 20.0) -> None:
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as JSON has them: null for what is missing."""
    return [
        {name: None if pd.isna(value) else value for name, value in row.items()} for row in frame.to_dict("records")
    ]


def in_threads(count: int, work: Any) -> list[Any]:
    """Run ``work(number)`` in so many threads at once and return what each returned or raised."""
    results: list[Any] = [None] * count
    start = threading.Barrier(count)

    def run(number: int) -> None:
        start.wait()
        try:
            results[number] = work(number)
        except (OSError, http.client.HTTPException, ValueError) as error:
            results[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
