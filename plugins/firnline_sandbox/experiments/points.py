"""Metrics and parameters of runs: rows beside the data, written in the statement's own transaction."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

from firnline_sandbox.errors import error

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb


def make_tables(cursor: duckdb.DuckDBPyConnection) -> None:
    """Make the tables if they are not there."""
    cursor.execute(
        "CREATE TABLE IF NOT EXISTS catalog.run_metrics"
        " (run VARCHAR, name VARCHAR, step BIGINT, value DOUBLE, logged TIMESTAMPTZ)"
    )
    cursor.execute("CREATE TABLE IF NOT EXISTS catalog.run_parameters (run VARCHAR, name VARCHAR, value VARCHAR)")


def add_metrics(cursor: duckdb.DuckDBPyConnection, run: str, text: str) -> None:
    """Add points from ``[{"name": ..., "value": ..., "step": ...}]``; a point of the same name and step is replaced.

    Raises:
        ProgrammingError: 100069, the text is not such JSON.
    """
    now = dt.datetime.now(dt.UTC)
    for point in _items(text, "name", "value", "step"):
        key = [run, str(point["name"]), int(point["step"])]
        cursor.execute("DELETE FROM catalog.run_metrics WHERE run = ? AND name = ? AND step = ?", key)
        cursor.execute("INSERT INTO catalog.run_metrics VALUES (?, ?, ?, ?, ?)", [*key, _number(point["value"]), now])


def add_parameters(cursor: duckdb.DuckDBPyConnection, run: str, text: str) -> None:
    """Add parameters from ``[{"name": ..., "value": ...}]``; one of the same name is replaced.

    Raises:
        ProgrammingError: 100069, the text is not such JSON.
    """
    for parameter in _items(text, "name", "value"):
        key = [run, str(parameter["name"])]
        cursor.execute("DELETE FROM catalog.run_parameters WHERE run = ? AND name = ?", key)
        cursor.execute("INSERT INTO catalog.run_parameters VALUES (?, ?, ?)", [*key, str(parameter["value"])])


def forget(cursor: duckdb.DuckDBPyConnection, runs: Sequence[str]) -> None:
    """Remove all rows of these runs."""
    for run in runs:
        cursor.execute("DELETE FROM catalog.run_metrics WHERE run = ?", [run])
        cursor.execute("DELETE FROM catalog.run_parameters WHERE run = ?", [run])


def last_metrics(cursor: duckdb.DuckDBPyConnection, run: str) -> list[tuple[str, float]]:
    """Give each metric's value at its highest step, by name."""
    query = "SELECT name, arg_max(value, step) FROM catalog.run_metrics WHERE run = ? GROUP BY name ORDER BY name"
    rows: list[tuple[str, float]] = cursor.execute(query, [run]).fetchall()
    return rows


def parameters(cursor: duckdb.DuckDBPyConnection, run: str) -> list[tuple[str, str]]:
    """Give the parameters, by name."""
    query = "SELECT name, value FROM catalog.run_parameters WHERE run = ? ORDER BY name"
    rows: list[tuple[str, str]] = cursor.execute(query, [run]).fetchall()
    return rows


def _items(text: str, *keys: str) -> list[dict[str, Any]]:
    try:
        items = json.loads(text)
    except ValueError as failure:
        raise error(100069, "22P02", f"Error parsing JSON: {failure}") from failure
    if not isinstance(items, list) or not all(isinstance(item, dict) and set(keys) <= set(item) for item in items):
        raise error(
            100069, "22P02", f"Error parsing JSON: expected an array of objects with the keys {', '.join(keys)}"
        )
    return items


def _number(value: object) -> float:
    if isinstance(value, int | float):
        return float(value)
    raise error(100038, "22018", f"Numeric value '{value}' is not recognized")
