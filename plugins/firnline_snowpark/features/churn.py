"""Compute what was known of each customer on several days, and whether they churned in the days after.

A snapshot stands for the end of its day. Everything that happened up to then may enter a feature, nothing later may;
the label looks only at what happened later, up to the horizon. A ticket's outcome counts once the ticket is resolved.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from snowflake.snowpark import functions as sf
from snowflake.snowpark.types import DateType, LongType, StructField, StructType

from firnline.domain import Grid, Metrics, Report, Text
from firnline.errors import DataError
from firnline_snowpark.columns import quoted, resolve_columns, unquoted
from firnline_snowpark.features.churn_history import CUSTOMER, DAY, SNAPSHOT, History, ticket_history, usage_history
from firnline_snowpark.tables import write_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snowflake.snowpark import Column, DataFrame

    from firnline.domain import Artifact, StepContext, Table
    from firnline_snowpark.features.churn_params import ChurnFeaturesParams

LABEL: Final = "CHURNED"
SIGNED_UP: Final = "SIGNED_UP_ON"
CANCELLED: Final = "CANCELLED_ON"
NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "customers": (CUSTOMER, SIGNED_UP, CANCELLED),
    "events": (CUSTOMER, "OCCURRED_AT", "SESSIONS", "MINUTES", "ERRORS", "DEVICE", "TOOLS"),
    "tickets": (CUSTOMER, "OPENED_AT", "RESOLVED_AT", "PRIORITY", "SATISFACTION"),
}


def run(
    context: StepContext, params: ChurnFeaturesParams, customers: Table, events: Table, tickets: Table
) -> Mapping[str, Artifact]:
    """Make one row a customer and snapshot, with features and the label."""
    session = context.session
    frames = {"customers": session.table(customers.name), "events": session.table(events.name)}
    frames["tickets"] = session.table(tickets.name)
    for port, frame in frames.items():
        resolve_columns(NEEDED[port], [unquoted(name) for name in frame.columns], where=f"{context.stage}: {port}")
    used = frames["events"].with_column(DAY, sf.to_date("OCCURRED_AT"))
    dates = _snapshots(context.stage, params, used)
    context.progress(f"computing features as of {len(dates)} days, {dates[0]} to {dates[-1]}")
    schema = StructType([StructField(SNAPSHOT, DateType())])
    days = session.create_dataframe([[date] for date in dates], schema=schema)
    features = _features(params, frames, used, days)
    table = write_table(context, features, "table")
    if not table.rows:
        raise DataError(
            f"{context.stage}: no customer was there on any of the snapshots {dates[0]} to {dates[-1]}",
            hint=f"look at {SIGNED_UP} and {CANCELLED} of the customers, and at snapshots and horizon_days",
        )
    context.progress("computed features", table.rows)
    return {"table": table} | _findings(session.table(table.name), params)


def _features(
    params: ChurnFeaturesParams, frames: Mapping[str, DataFrame], used: DataFrame, days: DataFrame
) -> DataFrame:
    customers, attributes = _customers(params, frames["customers"])
    alive = customers.cross_join(days).filter(
        (sf.col(SIGNED_UP) <= sf.col(SNAPSHOT)) & (sf.col(CANCELLED).is_null() | (sf.col(CANCELLED) > sf.col(SNAPSHOT)))
    )
    usage = usage_history(used, days, params.window_days)
    tickets = ticket_history(frames["tickets"], days, params.window_days)
    joined = alive
    for history in (usage, tickets):
        joined = joined.join(history.frame, on=[CUSTOMER, SNAPSHOT], how="left")
    label = []
    if params.label == "cancelled":
        label = [sf.iff(sf.col(CANCELLED) <= _after(params), sf.lit(1), sf.lit(0))]
    elif params.label == "inactive":
        joined = joined.join(_active_later(used, days, params), on=[CUSTOMER, SNAPSHOT], how="left")
        label = [sf.iff(sf.col("ACTIVE_LATER").is_null(), sf.lit(1), sf.lit(0))]
    tenure = sf.datediff("day", sf.col(SIGNED_UP), sf.col(SNAPSHOT))
    return joined.select(
        sf.col(CUSTOMER),
        sf.col(SNAPSHOT),
        *[sf.col(quoted(name)) for name in attributes],
        tenure.cast(LongType()).alias("TENURE_DAYS"),
        *_columns(usage),
        *_columns(tickets),
        *[value.cast(LongType()).alias(LABEL) for value in label],
    )


def _customers(params: ChurnFeaturesParams, customers: DataFrame) -> tuple[DataFrame, tuple[str, ...]]:
    """Return the customers with the attributes that are taken over, and their names."""
    columns = [unquoted(name) for name in customers.columns]
    attributes = tuple(name for name in columns if name not in NEEDED["customers"])
    if params.attributes is not None:
        attributes = resolve_columns(params.attributes, columns, where="attributes")
    chosen = [*NEEDED["customers"], *[name for name in attributes if name not in NEEDED["customers"]]]
    return customers.select(*[sf.col(quoted(name)) for name in chosen]), attributes


def _columns(history: History) -> list[Column]:
    """Return a history's columns; where nothing happened, counts are 0 and the rest stays NULL."""
    return [
        (sf.coalesce(sf.col(name), sf.lit(0)) if name in history.zero else sf.col(name)).alias(name)
        for name in history.columns
    ]


def _after(params: ChurnFeaturesParams) -> Column:
    """Return the last day that the label looks at."""
    return sf.dateadd("day", sf.lit(params.horizon_days), sf.col(SNAPSHOT))


def _active_later(used: DataFrame, days: DataFrame, params: ChurnFeaturesParams) -> DataFrame:
    later = used.select(CUSTOMER, DAY).join(days, (sf.col(DAY) > sf.col(SNAPSHOT)) & (sf.col(DAY) <= _after(params)))
    return later.group_by(CUSTOMER, SNAPSHOT).agg(sf.count(sf.lit(1)).alias("ACTIVE_LATER"))


def _snapshots(stage: str, params: ChurnFeaturesParams, used: DataFrame) -> list[dt.date]:
    """Return the snapshot dates in order, having made sure that each one's label is known."""
    [row] = used.agg(sf.min(DAY), sf.max(DAY)).collect()
    first, last = row[0], row[1]
    if first is None:
        raise DataError(f"{stage}: there are no events", hint="look at what the stages before it removed")
    step, reach = dt.timedelta(days=params.horizon_days), dt.timedelta(days=params.window_days[-1] - 1)
    horizon = dt.timedelta(0) if params.label == "none" else step
    if isinstance(params.snapshots, int):
        dates = [last - horizon - step * place for place in reversed(range(params.snapshots))]
        fitting = max((last - horizon - first - reach) // step + 1, 0)
        if fitting < params.snapshots:
            raise DataError(
                f"{stage}: {params.snapshots} snapshots do not fit into the days with events, {first} to {last}: each "
                f"needs {params.window_days[-1]} days up to it, and {horizon.days} days after it for its label",
                hint=f"{stage}.params.snapshots={fitting} would fit"
                if fitting
                else "shorten window_days or horizon_days, or bring events of a longer time",
            )
        return dates
    dates = sorted(params.snapshots)
    unknown = [date for date in dates if date < first or date + horizon > last]
    if unknown:
        raise DataError(
            f"{stage}: no label can be known for the snapshots {', '.join(map(str, unknown[:10]))}: there are events "
            f"from {first} to {last}, and the label looks {params.horizon_days} days ahead",
            hint=f"take dates from {first} to {last - horizon}",
        )
    return dates


def _findings(table: DataFrame, params: ChurnFeaturesParams) -> dict[str, Artifact]:
    labelled = params.label != "none"
    churned = sf.sum(LABEL) if labelled else sf.lit(0)
    by_day = table.group_by(SNAPSHOT).agg(sf.count(sf.lit(1)).alias("N"), churned.alias("GONE")).sort(SNAPSHOT)
    rows = [(str(day), int(count), int(gone)) for day, count, gone in by_day.collect()]
    total = sum(row[1] for row in rows)
    features = len(table.columns) - len((CUSTOMER, SNAPSHOT)) - labelled
    metrics = {"rows": float(total), "snapshots": float(len(rows)), "features": float(features)}
    text = (
        f"{features} features of what was known at the end of each snapshot day, over windows of "
        f"{', '.join(map(str, params.window_days))} days."
    )
    columns: tuple[str, ...] = ("snapshot", "customers")
    lines: tuple[tuple[Any, ...], ...] = tuple(row[:2] for row in rows)
    if labelled:
        metrics["churn_rate"] = sum(row[2] for row in rows) / total
        what = "cancelled" if params.label == "cancelled" else "did not show up once"
        text += f" Churned are those who {what} in the {params.horizon_days} days after it."
        columns = (*columns, "churned", "churn rate")
        lines = tuple((day, f"{count:,}", f"{gone:,}", f"{gone / count:.1%}") for day, count, gone in rows)
    return {
        "metrics": Metrics(values=metrics),
        "report": Report(
            title="Features", sections=(Text(body=text), Grid(title="Snapshots", columns=columns, rows=lines))
        ),
    }
