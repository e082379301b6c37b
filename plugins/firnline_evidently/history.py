"""The verdicts as tables: of this run, and over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from firnline.domain import Table, quote_constant, quote_name

if TYPE_CHECKING:
    import datetime as dt

    from firnline.domain import StepContext
    from firnline_evidently.verdict import ColumnVerdict, MetricVerdict, PairVerdict, Verdict

_COLUMNS: Final = {
    "KIND": "VARCHAR",  # feature, prediction, label, correlation or performance
    "COLUMN_NAME": "VARCHAR",
    "SEGMENT": "VARCHAR",
    "METHOD": "VARCHAR",
    "VALUE": "FLOAT",
    "THRESHOLD": "FLOAT",
    "DRIFTED": "BOOLEAN",
    "VALUE_BEFORE": "FLOAT",  # of a correlation, and of a metric at its evaluation
    "VALUE_NOW": "FLOAT",
    "MISSING_CHANGE": "FLOAT",
    "MISSING_DRIFTED": "BOOLEAN",
    "POPULATION_STABILITY_INDEX": "FLOAT",
    "JENSEN_SHANNON": "FLOAT",
    "WASSERSTEIN": "FLOAT",
    "KOLMOGOROV_SMIRNOV": "FLOAT",
    "CHI_SQUARE": "FLOAT",
    "SEGMENT_ROWS": "NUMBER",
}
_OF_RUN: Final = {
    "RUN_ID": "VARCHAR",
    "STAGE_KEY": "VARCHAR",
    "PIPELINE": "VARCHAR",
    "STAGE": "VARCHAR",
    "MEASURED_AT": "TIMESTAMP_NTZ",
    "ROWS_MEASURED": "NUMBER",
}
_SHOWN_RUNS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One measurement; the threshold is None where nothing was decided."""

    at: dt.datetime
    value: float
    threshold: float | None


def write_verdicts(context: StepContext, verdict: Verdict) -> Table:
    """Make the table of an attempt: one row a column and segment, a pair of columns, a metric."""
    name = context.table_name("table")
    listed = ", ".join(f"{column} {kind}" for column, kind in _COLUMNS.items())
    context.session.sql(f"CREATE TABLE {name} ({listed})").collect()
    performance = verdict.performance
    rows = [_row(found) for found in (*verdict.columns, *verdict.slices, *verdict.predictions)]
    rows += [_pair_row(found) for found in verdict.pairs]
    rows += [_metric_row(found, performance.labelled) for found in performance.metrics] if performance else []
    values = ", ".join(f"({', '.join(quote_constant(value) for value in row)})" for row in rows)
    context.session.sql(f"INSERT INTO {name} VALUES {values}").collect()  # noqa: S608 (constants are quoted)
    return Table(name=name, rows=len(rows), columns=tuple(_COLUMNS))


def keep_history(context: StepContext, history: str, table: Table, rows: int) -> dict[tuple[str, str], list[Point]]:
    """Add the verdicts to the table that keeps them over time, once for each content key of the stage.

    Returns:
        (kind, name) → the latest measurements of this stage, oldest first.
    """
    session = context.session
    name = f"{context.schema}.{quote_name(history)}"
    everything = {**_OF_RUN, **_COLUMNS}
    listed = ", ".join(f"{column} {kind}" for column, kind in everything.items())
    session.sql(f"CREATE TABLE IF NOT EXISTS {name} ({listed})").collect()
    facts = (context.run_id, context.key, context.pipeline, context.stage)
    of_run = ", ".join(quote_constant(fact) for fact in facts)
    columns = ", ".join(_COLUMNS)
    # One statement: a measurement that is repeated after a crash is not there twice.
    session.sql(
        f"INSERT INTO {name} ({', '.join(everything)}) "  # noqa: S608 (quoted)
        f"SELECT {of_run}, CURRENT_TIMESTAMP()::TIMESTAMP_NTZ, {rows}, {columns} FROM {table.name} "
        f"WHERE NOT EXISTS (SELECT 1 FROM {name} WHERE STAGE_KEY = {quote_constant(context.key)})"
    ).collect()
    found = session.sql(
        f"SELECT KIND, COLUMN_NAME, MEASURED_AT, VALUE, THRESHOLD FROM {name} "  # noqa: S608 (quoted)
        f"WHERE SEGMENT = '' AND PIPELINE = {quote_constant(context.pipeline)} "
        f"AND STAGE = {quote_constant(context.stage)} "
        f"QUALIFY ROW_NUMBER() OVER (PARTITION BY KIND, COLUMN_NAME ORDER BY MEASURED_AT DESC) <= {_SHOWN_RUNS} "
        "ORDER BY KIND, COLUMN_NAME, MEASURED_AT"
    ).collect()
    points: dict[tuple[str, str], list[Point]] = {}
    for kind, column, at, value, threshold in found:
        if value is not None:  # an infinite one is kept as NULL
            point = Point(at=at, value=float(value), threshold=None if threshold is None else float(threshold))
            points.setdefault((str(kind), str(column)), []).append(point)
    return points


def _row(found: ColumnVerdict) -> tuple[Any, ...]:
    measures = found.measures
    return (
        found.kind,
        found.column,
        found.segment,
        found.method,
        _finite(found.value),
        _finite(found.threshold),
        found.drifted,
        None,
        None,
        found.missing_change,
        found.missing_drifted,
        _finite(measures.psi),
        _finite(measures.jensen_shannon),
        _finite(measures.wasserstein),
        _finite(measures.kolmogorov_smirnov),
        _finite(measures.chi_square),
        found.rows,
    )


def _pair_row(found: PairVerdict) -> tuple[Any, ...]:
    facts = ("correlation", found.name, "", "correlation", found.change, found.threshold, found.is_drift)
    return (*facts, found.before, found.now, *(None,) * 7, found.rows)


def _metric_row(found: MetricVerdict, rows: int) -> tuple[Any, ...]:
    facts = ("performance", found.name, "", "metric", found.value, found.bound, found.is_drift)
    return (*facts, found.evaluated, found.value, *(None,) * 7, rows)


def _finite(value: float | None) -> float | None:
    return None if value is None or value in (float("inf"), float("-inf")) else float(value)
