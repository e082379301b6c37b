"""How long a client waits, beside what one would write oneself: FastAPI around the native model.

Client and servers run on this machine. Each client keeps one connection and asks about one row at a time; the numbers
are of whole requests, as a client sees them. Run it with ``make bench-serve``.
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import os
import pickle
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

PLAIN = """
import pickle, sys
from typing import Optional
import pandas as pd, uvicorn
from fastapi import FastAPI
from pydantic import create_model

model = pickle.load(open(sys.argv[1], "rb"))
kinds = {"AGE": float, "SPEND": float, "TICKETS": float, "PLAN": str, "CITY": str}
Row = create_model("Row", **{name: (Optional[kind], ...) for name, kind in kinds.items()})
app = FastAPI()

@app.post("/predict")
def predict(row: Row):
    return {"probability": float(model.predict_proba(pd.DataFrame([row.model_dump()]))[0, 1])}

@app.get("/ready")
def ready():
    return {}

uvicorn.run(app, port=int(sys.argv[2]), log_level="error", access_log=False)
"""


def main() -> None:
    """Fit, export, serve both ways, ask, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--seconds", type=float, default=8.0, help="of each measurement")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = prepare(folder)
        for title, start in (("firnline serve", start_ours), ("FastAPI + native model", start_plain)):
            process, port = start(folder)
            try:
                for clients in options.clients:
                    show(title, clients, measure(port, rows, clients, options.seconds))
            finally:
                process.terminate()
                process.wait(30)


def prepare(folder: Path) -> list[bytes]:
    """Fit XGBoost as the trainer does, export it; return bodies of requests."""
    import warnings

    from sklearn.pipeline import Pipeline
    from xgboost import XGBClassifier

    from tests.onnx.serving import export_folder, records
    from tests.onnx.test_convert import front
    from tests.onnx.world import KINDS, customers, labels

    warnings.simplefilter("ignore")
    frame = customers(4_000)
    columns = front(frame, "binary", scaled=False, one_hot_limit=30)
    model = Pipeline([("columns", columns), ("trees", XGBClassifier(n_estimators=200, max_depth=4, n_jobs=1))])
    model.fit(frame, labels(frame))
    (folder / "model.pkl").write_bytes(pickle.dumps(model))
    (folder / "plain.py").write_text(PLAIN)
    export_folder(folder / "export", model, KINDS)
    return [json.dumps(row).encode() for row in records(frame.head(500))]


def start_ours(folder: Path) -> tuple[subprocess.Popen[str], int]:
    """Start ``firnline serve``."""
    process = subprocess.Popen(
        [sys.executable, "-m", "firnline", "serve", "export", "--port", "0"],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    found = re.search(r":(\d+)/predict", process.stdout.readline())
    assert found is not None
    return _ready(process, int(found[1]))


def start_plain(folder: Path) -> tuple[subprocess.Popen[str], int]:
    """Start the service that one would write oneself."""
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "plain.py", "model.pkl", str(port)], cwd=folder, text=True)
    return _ready(process, port)


def _ready(process: subprocess.Popen[str], port: int) -> tuple[subprocess.Popen[str], int]:
    end = time.monotonic() + 60
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/ready")
            if connection.getresponse().status == 200:
                return process, port
        except OSError:
            pass
        if time.monotonic() > end or process.poll() is not None:
            raise RuntimeError("the server did not get ready")
        time.sleep(0.1)


def measure(port: int, rows: list[bytes], clients: int, seconds: float) -> tuple[np.ndarray[Any, Any], float]:
    """Return the latency of each request, and requests a second."""
    processes = min(clients, max(1, (os.cpu_count() or 2) // 2))
    shares = [clients // processes + (number < clients % processes) for number in range(processes)]
    context = multiprocessing.get_context("fork")
    with context.Pool(processes) as pool:
        found = pool.starmap(_ask, [(port, rows, share, seconds) for share in shares])
    latencies = np.concatenate([latency for latency, _ in found])
    return latencies, sum(len(latency) / taken for latency, taken in found)


def _ask(port: int, rows: list[bytes], clients: int, seconds: float) -> tuple[np.ndarray[Any, Any], float]:
    import asyncio

    return asyncio.run(_ask_at_once(port, rows, clients, seconds))


async def _ask_at_once(port: int, rows: list[bytes], clients: int, seconds: float) -> Any:
    import asyncio

    latencies: list[float] = []
    started = time.perf_counter()

    async def client(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        place = number
        while time.perf_counter() - started < seconds:
            body = rows[place % len(rows)]
            place += 1
            before = time.perf_counter()
            writer.write(
                b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: "
                + str(len(body)).encode()
                + b"\r\n\r\n"
                + body
            )
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            assert length is not None
            await reader.readexactly(int(length[1]))
            latencies.append(time.perf_counter() - before)
        writer.close()

    await asyncio.gather(*(client(number) for number in range(clients)))
    return np.array(latencies), time.perf_counter() - started


def show(title: str, clients: int, found: tuple[np.ndarray[Any, Any], float]) -> None:
    """Print one line."""
    latencies, rate = found
    median, high = (float(np.quantile(latencies, share)) * 1_000 for share in (0.5, 0.99))
    print(f"{title:24} {clients:3} clients   p50 {median:8.2f} ms   p99 {high:8.2f} ms   {rate:8,.0f} requests/s")


if __name__ == "__main__":
    main()
