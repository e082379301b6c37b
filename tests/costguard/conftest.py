"""A sandbox that this process holds, with a clock that tests move, and real ``firnline`` processes that use it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from firnline_sandbox import SandboxEngine
from firnline_sandbox.clock import MovableClock
from tests.core.terminal import Terminal

LONG_QUERY = "select count(*) from table(generator(rowcount => 2000000000000))"
FIRST = {"uses": "toy.rows", "params": {"rows": 2000}}
RUNAWAY = {"uses": "toy.query", "params": {"sql": LONG_QUERY}}
SHORT = {"uses": "toy.query", "params": {"sql": "select count(*) from table(generator(rowcount => 10))"}}


@dataclass(frozen=True)
class World:
    """A project, its sandbox, and the sandbox's clock."""

    project: Path
    engine: SandboxEngine
    clock: MovableClock
    start: Callable[..., Terminal]

    def sql(self, statement: str) -> list[dict[str, Any]]:
        """Run a statement as somebody else would, beside the runs."""
        with self.engine.connect() as connection:
            cursor = connection.cursor()
            # What is asked here must not be charged to the warehouse that is looked at.
            cursor.execute("CREATE WAREHOUSE IF NOT EXISTS LOOKING_WH")
            cursor.execute("USE WAREHOUSE LOOKING_WH")
            cursor.execute(statement)
            names = [column.name for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def statements(self) -> list[str]:
        """Return the texts of all statements that have ended."""
        return [row["QUERY_TEXT"] for row in self.sql("SELECT QUERY_TEXT FROM SNOWFLAKE.ACCOUNT_USAGE.QUERY_HISTORY")]

    def monitors(self) -> list[str]:
        return [row["name"] for row in self.sql("SHOW RESOURCE MONITORS")]

    def warehouse(self) -> dict[str, Any]:
        [row] = self.sql("SHOW WAREHOUSES LIKE 'COMPUTE_WH'")
        return row

    def credits(self) -> float:
        """Return what the warehouse has used in all, as Snowflake bills it."""
        [row] = self.sql(
            "SELECT SUM(CREDITS_USED)::FLOAT AS N FROM SNOWFLAKE.ACCOUNT_USAGE.WAREHOUSE_METERING_HISTORY "
            "WHERE WAREHOUSE_NAME = 'COMPUTE_WH'"
        )
        return float(row["N"] or 0.0)

    def run(self, stages: dict[str, Any], *arguments: str, seconds: float = 60) -> tuple[int, str]:
        """Run a command to its end; return its exit code and what it printed."""
        terminal = self.start(stages, *arguments)
        code = terminal.wait(seconds)
        return code, terminal.output


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A project whose sandbox is held here, and that knows the toy steps and the guard."""
    site = tmp_path / "site" / "firnline_toy-1.2.3.dist-info"
    site.mkdir(parents=True)
    (site / "METADATA").write_text("Metadata-Version: 2.1\nName: firnline-toy\nVersion: 1.2.3\n")
    (site / "entry_points.txt").write_text("[firnline.plugins]\ntoy = tests.core.toy\n")
    project = tmp_path / "project"
    (project / "conf").mkdir(parents=True)
    paths = [str(site.parent), str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "FIRNLINE_PLUGINS_ALLOW": "toy,sandbox,costguard,cost,advise",
        "COLUMNS": "200",
    }
    started: list[Terminal] = []

    def start(stages: dict[str, Any], *arguments: str) -> Terminal:
        body = {
            "defaults": ["firnline", "_self_"],
            "pipeline": {"name": "nightly"},
            "executor": {"workers": 1},
            **stages,
        }
        (project / "conf" / "config.yaml").write_text(yaml.safe_dump(body, sort_keys=False))
        started.append(Terminal(project, environment, *(arguments or ("run",))))
        return started[-1]

    clock = MovableClock()
    with SandboxEngine.open(project / ".firnline" / "sandbox", clock=clock) as engine:
        yield World(project, engine, clock, start)
        for terminal in started:
            for process in terminal.members():
                os.kill(process, signal.SIGKILL)
            terminal.process.wait()
            if terminal.process.stdout is not None:
                terminal.process.stdout.close()
