"""The generated world: who the customers are, how their weeks go, and why some of them leave.

Cause comes before effect. Each week a customer's engagement moves (autoregressive, so that a bad week lingers), and
support tickets come in. The odds of leaving in a week depend on the engagement of the weeks *before* it and on its
trend, on tickets of the four weeks before, on plan, contract and tenure. The rest is chance.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from snowflake.snowpark import Window
from snowflake.snowpark import functions as sf
from snowflake.snowpark.types import LongType

from firnline_snowpark.ingest.generated_draws import Draws, logistic, whole

if TYPE_CHECKING:
    from snowflake.snowpark import Column, DataFrame, Session

    from firnline_snowpark.ingest.generated_params import GeneratedParams

PLANS: Final = {"basic": 0.5, "standard": 0.35, "premium": 0.15}
CONTRACTS: Final = {"monthly": 0.65, "annual": 0.35}
COUNTRIES: Final = {"DE": 0.3, "US": 0.3, "FR": 0.15, "GB": 0.15, "JP": 0.1}
CHANNELS: Final = {"search": 0.4, "partner": 0.25, "referral": 0.2, "event": 0.15}
DEVICES: Final = {"web": 0.5, "ios": 0.28, "android": 0.22}
FEES: Final = {"basic": 19.0, "standard": 49.0, "premium": 119.0}

OLDEST_DAYS: Final = 900  # the longest tenure on the first day of usage
LATEST_SHARE: Final = 0.35  # of all customers, those who sign up during the period
PERSISTENCE: Final = 0.92  # how much of a week's engagement the next week keeps
PER_TEN_THOUSAND: Final = 10_000
TICKET_LOG_ODDS: Final = -3.4
LEAVE_LOG_ODDS: Final = -5.8


def row_numbers(session: Session, count: int, name: str) -> DataFrame:
    """Return the numbers 0 … count - 1 without gaps, which SEQ4 alone does not promise."""
    order = Window.order_by(sf.seq4())
    return session.generator((sf.row_number().over(order) - sf.lit(1)).cast(LongType()).alias(name), rowcount=count)


def people(session: Session, params: GeneratedParams) -> DataFrame:
    """Return one row a customer: number, plan, contract, …, SIGNUP (days after the start) and taste for use."""
    draws = Draws(params.seed)
    number = sf.col("CUSTOMER")
    timing = draws.uniform("signup", customer=number)
    before = -whole(timing / sf.lit(1 - LATEST_SHARE) * sf.lit(OLDEST_DAYS)) - sf.lit(1)
    within = whole((timing - sf.lit(1 - LATEST_SHARE)) / sf.lit(LATEST_SHARE) * sf.lit(params.days * 0.9))
    frame = row_numbers(session, params.customer_count, "CUSTOMER").select(
        number,
        draws.choice("plan", PLANS, customer=number).alias("PLAN"),
        draws.choice("contract", CONTRACTS, customer=number).alias("CONTRACT"),
        draws.choice("country", COUNTRIES, customer=number).alias("COUNTRY"),
        draws.choice("channel", CHANNELS, customer=number).alias("CHANNEL"),
        draws.choice("device", DEVICES, customer=number).alias("DEVICE"),
        sf.iff(timing < sf.lit(1 - LATEST_SHARE), before, within).alias("SIGNUP"),
        sf.round(draws.normal("taste", customer=number), 4).alias("TASTE"),
        sf.round(draws.normal("trouble", customer=number), 4).alias("TROUBLE"),
        draws.uniform("fee", customer=number).alias("FEE_DRAW"),
    )
    base = sf.iff(sf.col("PLAN") == sf.lit("basic"), sf.lit(FEES["basic"]), sf.lit(FEES["standard"]))
    fee = sf.iff(sf.col("PLAN") == sf.lit("premium"), sf.lit(FEES["premium"]), base)
    return frame.with_column("FEE", sf.round(fee * (sf.lit(0.85) + sf.lit(0.3) * sf.col("FEE_DRAW")), 2))


def weeks(session: Session, params: GeneratedParams, customers: DataFrame) -> DataFrame:
    """Return one row a customer and week: ENGAGEMENT, TICKET (0 or 1), LEAVES (0 or 1)."""
    draws = Draws(params.seed)
    keys = {"customer": sf.col("CUSTOMER"), "week": sf.col("WEEK")}
    count = (params.days + 6) // 7
    grid = customers.cross_join(row_numbers(session, count, "WEEK"))
    grid = grid.filter(sf.col("WEEK") * sf.lit(7) + sf.lit(6) >= sf.col("SIGNUP"))
    decay = sf.pow(sf.lit(PERSISTENCE), sf.col("WEEK"))
    so_far = Window.partition_by("CUSTOMER").order_by("WEEK").rows_between(Window.UNBOUNDED_PRECEDING, 0)
    spread = (1 - PERSISTENCE**2) ** 0.5
    engagement = sf.sum(draws.normal("shock", **keys) / decay).over(so_far) * decay * sf.lit(spread)
    ticket_odds = sf.lit(TICKET_LOG_ODDS) + sf.lit(0.7) * sf.col("TROUBLE")
    lived = grid.select(
        "CUSTOMER",
        "WEEK",
        "TASTE",
        "PLAN",
        "CONTRACT",
        "SIGNUP",
        sf.round(engagement, 4).alias("ENGAGEMENT"),
        sf.iff(draws.uniform("ticket", **keys) < logistic(ticket_odds), sf.lit(1), sf.lit(0)).alias("TICKET"),
    )
    leaves = sf.iff(draws.uniform("leave", **keys) < logistic(_leaving()), sf.lit(1), sf.lit(0))
    return lived.select("CUSTOMER", "WEEK", "TASTE", "ENGAGEMENT", "TICKET", leaves.alias("LEAVES"))


def _leaving() -> Column:
    """Return the log odds of leaving in a week, from what happened before it."""
    by_week = Window.partition_by("CUSTOMER").order_by("WEEK")
    recent = sf.coalesce(sf.avg(sf.col("ENGAGEMENT")).over(by_week.rows_between(-3, -1)), sf.lit(0.0))
    earlier = sf.coalesce(sf.avg(sf.col("ENGAGEMENT")).over(by_week.rows_between(-9, -4)), recent)
    tickets = sf.coalesce(sf.sum(sf.col("TICKET")).over(by_week.rows_between(-4, -1)), sf.lit(0))
    tenure = sf.greatest(sf.col("WEEK") * sf.lit(7) - sf.col("SIGNUP"), sf.lit(0))
    plan = sf.iff(sf.col("PLAN") == sf.lit("premium"), sf.lit(-0.9), sf.lit(0.0))
    plan = sf.iff(sf.col("PLAN") == sf.lit("basic"), sf.lit(0.6), plan)
    contract = sf.iff(sf.col("CONTRACT") == sf.lit("annual"), sf.lit(-1.6), sf.lit(0.0))
    newness = sf.lit(0.9) * sf.exp(-tenure / sf.lit(120.0))
    odds = sf.lit(LEAVE_LOG_ODDS) - sf.lit(2.1) * recent - sf.lit(0.9) * (recent - earlier)
    odds = odds + sf.lit(1.5) * tickets + plan + contract + newness
    return sf.iff(tenure < sf.lit(28), sf.lit(-20.0), odds)


def departures(lived: DataFrame, params: GeneratedParams) -> DataFrame:
    """Return CUSTOMER and LEFT: the day, counted from the start, on which those who leave are gone."""
    weekday = whole(Draws(params.seed).uniform("weekday", customer=sf.col("CUSTOMER")) * sf.lit(7.0))
    gone = lived.filter(sf.col("LEAVES") == sf.lit(1)).group_by("CUSTOMER").agg(sf.min("WEEK").alias("WEEK"))
    return gone.select("CUSTOMER", (sf.col("WEEK") * sf.lit(7) + weekday).alias("LEFT"))


def usage_odds(engagement: Column, taste: Column, drift: Column) -> Column:
    """Return, in ten-thousandths, how likely a customer is to show up on a working day."""
    odds = sf.lit(0.3) + sf.lit(0.5) * taste + sf.lit(1.1) * engagement - sf.lit(1.2) * drift
    return sf.round(logistic(odds) * sf.lit(float(PER_TEN_THOUSAND)), 0).cast(LongType())


def day_of(params: GeneratedParams, number: Column) -> Column:
    """Return the date that lies a number of days after the start."""
    return sf.dateadd("day", number, sf.lit(dt.date(params.start.year, params.start.month, params.start.day)))
