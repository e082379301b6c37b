"""A sandbox session, tables with and without planted drift, and the monitor run on them."""

from __future__ import annotations

import importlib
import json
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from snowflake.snowpark import Session

from firnline.domain import Table
from firnline.testing import step_context
from firnline_evidently import monitor
from firnline_evidently.params import MonitorParams

SCHEMA = "FIRNLINE.PUBLIC"
INPUTS = ("predictions", "reference_predictions", "labels", "evaluated")
Monitor = Callable[..., Mapping[str, Any]]


def customers(rows: int, seed: int) -> pd.DataFrame:
    """Draw customers: a bell curve, a long tail with gaps, small counts, categories and a flag."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "AGE": rng.normal(45, 12, rows),
            "SPEND": rng.exponential(30, rows),
            "TICKETS": rng.poisson(1.2, rows),
            "PLAN": rng.choice(["basic", "plus", "pro"], rows, p=[0.5, 0.3, 0.2]),
            "ACTIVE": rng.random(rows) < 0.7,
            "DAY": pd.Timestamp("2026-01-05") + pd.to_timedelta(rng.integers(0, 70, rows), unit="D"),
        }
    )
    frame.loc[rng.random(rows) < 0.1, "SPEND"] = None
    frame["DAY"] = frame["DAY"].dt.date
    return frame


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    """Give a session in memory."""
    import firnline_sandbox

    opened = firnline_sandbox.session()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def reference(session: Session) -> Table:
    """Give 20,000 rows that a model might have learned from."""
    return store(session, customers(20_000, seed=0), "REFERENCE")


@pytest.fixture
def run_monitor(session: Session, reference: Table, tmp_path: Path) -> Monitor:
    """Give a function that compares a frame with the reference."""

    def run(frame: pd.DataFrame, *, model: Any = None, before: Table = reference, **params: Any) -> Mapping[str, Any]:
        settings = {"page": False, "history": None, "ignore": ("DAY",)} | params
        given = {port: settings.pop(port) for port in INPUTS if port in settings}
        context = step_context(tmp_path, stage="monitor", schema=SCHEMA, session=lambda: session)
        current = store(session, frame, "CURRENT_ROWS")
        return monitor.run(context, MonitorParams(**settings), before, current, model, **given)

    return run


@pytest.fixture(scope="session")
def imported_quietly() -> None:
    """Import what warns of others' deprecations at import, once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for module in ("apprise.plugins.email", "evidently", "evidently.legacy.calculations.stattests.psi"):
            importlib.import_module(module)


def store(session: Session, frame: pd.DataFrame, name: str) -> Table:
    """Put a frame into a table."""
    session.write_pandas(frame, name, auto_create_table=True, overwrite=True)
    return Table(name=f"{SCHEMA}.{name}", rows=len(frame), columns=tuple(frame.columns))


def drifted(outputs: Mapping[str, Any]) -> set[str]:
    """Return the columns that the report calls drifted."""
    [grid] = [section for section in outputs["report"].sections if section.title == "Columns"]
    return {row[0] for row in grid.rows if row[1]}


@contextmanager
def receiving() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Serve a webhook; gives its Apprise URL, and what it has received."""
    bodies: list[dict[str, str]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"json://127.0.0.1:{server.server_port}/", bodies
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
