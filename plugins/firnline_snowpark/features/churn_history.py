"""What customers did in the days before each snapshot: usage and support tickets over rolling windows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from snowflake.snowpark import Window
from snowflake.snowpark import functions as sf
from snowflake.snowpark.types import DoubleType, LongType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snowflake.snowpark import Column, DataFrame

CUSTOMER: Final = "CUSTOMER_ID"
SNAPSHOT: Final = "SNAPSHOT_ON"
DAY: Final = "DAY"
MOBILE: Final = ("ios", "android")
_AGE: Final = "AGE"  # days between what happened and the snapshot: 0 on its own day
_GAP: Final = "GAP"


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Features by customer and snapshot.

    Attributes:
        frame: CUSTOMER_ID, SNAPSHOT_ON and the columns below, for those to whom something happened.
        columns: the features, in order.
        zero: those that are 0 rather than unknown when nothing happened.
    """

    frame: DataFrame
    columns: tuple[str, ...]
    zero: frozenset[str]


def usage_history(used: DataFrame, days: DataFrame, windows: Sequence[int]) -> History:
    """Summarise usage events (with their DAY) over the windows before each snapshot."""
    in_order = Window.partition_by(CUSTOMER).order_by("OCCURRED_AT")
    gap = sf.datediff("day", sf.lag(sf.col(DAY)).over(in_order), sf.col(DAY))
    events = used.select(
        CUSTOMER,
        DAY,
        "SESSIONS",
        "MINUTES",
        "ERRORS",
        "TOOLS",
        sf.iff(sf.col("DEVICE").in_(list(MOBILE)), sf.lit(1), sf.lit(0)).alias("MOBILE"),
        gap.alias(_GAP),
    )
    known = _known(events, days, max(windows[-1], 2 * windows[-2]))
    sums = {
        f"{what}_{window}D": _sum(value, 0, window)
        for window in windows
        for what, value in (
            ("EVENTS", sf.lit(1)),
            ("SESSIONS", sf.col("SESSIONS")),
            ("MINUTES", sf.col("MINUTES")),
            ("ERRORS", sf.col("ERRORS")),
        )
    }
    before = {f"EVENTS_{window}D_BEFORE": _sum(sf.lit(1), window, 2 * window) for window in windows[:-1]}
    longest, middle = windows[-1], windows[-2]
    others = {
        "DAYS_SINCE_EVENT": sf.min(sf.col(_AGE)).cast(LongType()),
        f"LONGEST_GAP_{longest}D": sf.max(_within(sf.col(_GAP), 0, longest)).cast(LongType()),
        f"TOOLS_{middle}D": sf.avg(_within(sf.col("TOOLS"), 0, middle)).cast(DoubleType()),
        f"MOBILE_SHARE_{middle}D": sf.avg(_within(sf.col("MOBILE"), 0, middle)).cast(DoubleType()),
        f"MINUTES_SPREAD_{longest}D": sf.stddev_pop(_within(sf.col("MINUTES"), 0, longest)).cast(DoubleType()),
    }
    summed = known.group_by(CUSTOMER, SNAPSHOT).agg(
        *[value.alias(name) for name, value in {**sums, **before, **others}.items()]
    )
    trends = {
        **{
            f"EVENTS_{window}D_TREND": _ratio(f"EVENTS_{window}D", window, f"EVENTS_{longest}D", longest)
            for window in windows[:-1]
        },
        **{
            f"MINUTES_{window}D_TREND": _ratio(f"MINUTES_{window}D", window, f"MINUTES_{longest}D", longest)
            for window in windows[:-1]
        },
        **{
            f"EVENTS_{window}D_CHANGE": sf.col(f"EVENTS_{window}D") - sf.col(f"EVENTS_{window}D_BEFORE")
            for window in windows[:-1]
        },
    }
    frame = summed.with_columns(list(trends), list(trends.values()))
    columns = (*sums, *before, *others, *trends)
    changes = {name for name in trends if name.endswith("_CHANGE")}
    return History(frame=frame, columns=columns, zero=frozenset({*sums, *before, *changes}))


def ticket_history(tickets: DataFrame, days: DataFrame, windows: Sequence[int]) -> History:
    """Summarise support tickets before each snapshot; what became of one counts from its resolution on."""
    resolved = sf.col("RESOLVED_AT").is_not_null() & (sf.to_date("RESOLVED_AT") <= sf.col(SNAPSHOT))
    opened = tickets.with_column(DAY, sf.to_date("OPENED_AT"))
    known = _known(opened, days, windows[-1])
    high = sf.iff(sf.col("PRIORITY") == sf.lit("high"), sf.lit(1), sf.lit(0))
    hours = sf.datediff("hour", sf.col("OPENED_AT"), sf.col("RESOLVED_AT"))
    counts = {f"TICKETS_{window}D": _sum(sf.lit(1), 0, window) for window in windows}
    counts[f"HIGH_TICKETS_{windows[-1]}D"] = _sum(high, 0, windows[-1])
    counts[f"OPEN_TICKETS_{windows[-1]}D"] = sf.sum(sf.iff(resolved, sf.lit(0), sf.lit(1))).cast(DoubleType())
    others = {
        "DAYS_SINCE_TICKET": sf.min(sf.col(_AGE)).cast(LongType()),
        f"SATISFACTION_{windows[-1]}D": sf.avg(sf.iff(resolved, sf.col("SATISFACTION"), sf.lit(None))),
        f"HOURS_TO_RESOLVE_{windows[-1]}D": sf.avg(sf.iff(resolved, hours, sf.lit(None))),
    }
    both = {**counts, **{name: value.cast(DoubleType()) for name, value in others.items()}}
    frame = known.group_by(CUSTOMER, SNAPSHOT).agg(*[value.alias(name) for name, value in both.items()])
    return History(frame=frame, columns=tuple(both), zero=frozenset(counts))


def _known(happened: DataFrame, days: DataFrame, reach: int) -> DataFrame:
    """Pair what happened with each snapshot that can see it: on its day or in the days before, up to ``reach``."""
    age = sf.datediff("day", sf.col(DAY), sf.col(SNAPSHOT))
    seen = (sf.col(DAY) <= sf.col(SNAPSHOT)) & (sf.col(DAY) > sf.dateadd("day", sf.lit(-reach), sf.col(SNAPSHOT)))
    return happened.join(days, seen).with_column(_AGE, age)


def _within(value: Column, newest: int, oldest: int) -> Column:
    """Return the value where its age in days lies in [newest, oldest), else NULL."""
    return sf.iff((sf.col(_AGE) >= sf.lit(newest)) & (sf.col(_AGE) < sf.lit(oldest)), value, sf.lit(None))


def _sum(value: Column, newest: int, oldest: int) -> Column:
    return sf.coalesce(sf.sum(_within(value, newest, oldest)), sf.lit(0)).cast(DoubleType())


def _ratio(recent: str, recent_days: int, long: str, long_days: int) -> Column:
    """Compare the daily rate of a short window with that of the longest: 1 is steady; NULL if there was nothing."""
    rate = sf.col(long) / sf.lit(float(long_days))
    return sf.iff(rate == sf.lit(0.0), sf.lit(None), sf.col(recent) / sf.lit(float(recent_days)) / rate)
