"""A small table of customers with everything that a column may hold, and models of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from firnline.domain import Metrics, Model, Table
from tests.snowpark.churn_world import World

COLUMNS = 'ID INT, "select" TEXT, "Größe in m" FLOAT, ACTIVE BOOLEAN, AGE INT, PLAN TEXT, SPEND FLOAT'
ROWS = 240
FEATURES = ("select", "Größe in m", "ACTIVE", "AGE")


@dataclass(frozen=True)
class Trained:
    """A table, a model of it, and how good it is."""

    table: Table
    model: Model
    metrics: Metrics
    details: Any


def plans_table(world: World) -> Table:
    """Make the table: about a tenth of the values are missing; PLAN and SPEND follow from the others."""
    random = np.random.default_rng(5)
    rows = []
    for number in range(ROWS):
        kind, size = random.choice(["a", "b", "c's"]), round(float(random.normal(1.7, 0.1)), 3)
        active, age = bool(random.random() < 0.5), int(random.integers(18, 90))
        drawn = age / 90 + (kind == "a") + 0.5 * active + random.normal(0, 0.3)
        plan = "$$$" if drawn > 1.5 else "$" if drawn < 0.8 else "it's"
        cells = [kind, size, active, age]
        known = [None if random.random() < 0.1 else cell for cell in cells]
        rows.append((number, *known, plan, round(float(drawn), 3)))
    name = world.context("given").table_name()
    world.session.sql(f"CREATE TABLE {name} ({COLUMNS})").collect()
    literals = ", ".join(f"({', '.join(_literal(cell) for cell in row)})" for row in rows)
    world.session.sql(f"INSERT INTO {name} VALUES {literals}").collect()
    names = [column.rpartition(" ")[0].strip(chr(34)) for column in COLUMNS.split(", ")]
    return Table(name=name, rows=ROWS, columns=tuple(names))


def train(world: World, table: Table, target: str, step: str = "train.logistic", **params: Any) -> Trained:
    """Fit and measure a model that predicts a column from the others."""
    others = {"PLAN", "SPEND"} - {target}
    given = {"target": target, "identifiers": ["ID"], "set_aside": [name for name in others if name in table.columns]}
    model = world.run(step, {**given, **params}, train=table)["model"]
    found = world.run("evaluate.holdout", {"resamples": 50}, model=model, test=table, train=table)
    return Trained(table=table, model=model, metrics=found["metrics"], details=found["details"])


def _literal(cell: Any) -> str:
    if cell is None:
        return "NULL"
    return "'" + cell.replace("'", "''") + "'" if isinstance(cell, str) else str(cell).upper()
