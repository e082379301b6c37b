"""Split a table by date: the past trains, what comes later tests."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from snowflake.snowpark import functions as sf
from snowflake.snowpark.types import DateType

from firnline.errors import DataError
from firnline_snowpark.columns import quoted, resolve_column, unquoted
from firnline_snowpark.split_sets import SETS, write_sets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from firnline.domain import Artifact, StepContext, Table
    from firnline_snowpark.split_params import TimeSplitParams


def run(context: StepContext, params: TimeSplitParams, table: Table) -> Mapping[str, Artifact]:
    """Cut the dates into training, validation and test, with a gap before each cut."""
    frame = context.session.table(table.name)
    columns = [unquoted(name) for name in frame.columns]
    column = resolve_column(params.date_column, columns, where=f"{context.stage}.params.date_column")
    date = sf.col(quoted(column)).cast(DateType())
    by_date = frame.group_by(date.alias("ON_DATE")).agg(sf.count(sf.lit(1)).alias("N")).sort("ON_DATE").collect()
    counts = {row[0]: int(row[1]) for row in by_date if row[0] is not None}
    spans = cut(context.stage, params, list(counts))
    frames = {name: frame.filter((date >= sf.lit(spans[name][0])) & (date <= sf.lit(spans[name][1]))) for name in SETS}
    ranges = {name: " to ".join(dict.fromkeys(str(day) for day in spans[name])) for name in SETS}
    how = (
        f"Split by {column}: the past trains, what comes later tests. Each set ends at least {params.gap_days} days "
        "before the next one begins, so that no label of one looks into the days of the next."
    )
    return write_sets(context, frames, ranges, how, sum(int(row[1]) for row in by_date))


def cut(stage: str, params: TimeSplitParams, dates: Sequence[dt.date]) -> dict[str, tuple[dt.date, dt.date]]:
    """Return the first and last date of each set.

    Args:
        stage: who asks, for messages.
        params: where to cut.
        dates: the distinct dates, rising.

    Raises:
        DataError: if a set would have no date.
    """
    test = [day for day in dates if day >= (params.test_from or _from(dates, params.test_share))]
    before_test = _before(dates, test, params.gap_days)
    share = params.valid_share * len(dates) / max(len(before_test), 1)
    valid_from = params.valid_from or _from(before_test, min(share, 1.0))
    valid = [day for day in before_test if day >= valid_from]
    train = _before(before_test, valid, params.gap_days)
    sets = {"train": train, "valid": valid, "test": test}
    empty = [name for name, days in sets.items() if not days]
    if empty:
        span = f"{dates[0]} to {dates[-1]}" if dates else "none"
        raise DataError(
            f"{stage}: no dates are left for {' and '.join(empty)}: {params.date_column} has {len(dates)} distinct "
            f"dates ({span}), and {params.gap_days} days lie between two sets",
            hint="bring more dates (features.params.snapshots), shorten gap_days, or split at random",
        )
    return {name: (days[0], days[-1]) for name, days in sets.items()}


def _from(dates: Sequence[dt.date], share: float) -> dt.date:
    """Return the first date of the last ``share`` of the dates, at least one of them."""
    if not dates:
        return dt.date.max
    return dates[-min(max(round(share * len(dates)), 1), len(dates))]


def _before(dates: Sequence[dt.date], later: Sequence[dt.date], gap_days: int) -> list[dt.date]:
    """Return the dates that lie at least the gap, and at least a day, before the later set."""
    if not later:
        return []
    return [day for day in dates if day <= later[0] - dt.timedelta(days=max(gap_days, 1))]
