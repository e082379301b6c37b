"""Generate a subscription business in the platform, by SQL alone: no row passes through this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from snowflake.snowpark import functions as sf
from snowflake.snowpark.types import StringType, TimestampTimeZone, TimestampType

from firnline_snowpark.ingest.generated_draws import Draws, whole
from firnline_snowpark.ingest.generated_world import (
    PER_TEN_THOUSAND,
    day_of,
    departures,
    people,
    row_numbers,
    usage_odds,
    weeks,
)
from firnline_snowpark.tables import stop_if_cancelled, write_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snowflake.snowpark import Column, DataFrame

    from firnline.domain import StepContext, Table
    from firnline_snowpark.ingest.generated_params import GeneratedParams

DAYS_PER_CUSTOMER: Final = 4_096  # room for the days in an event's number
WEEKEND: Final = 0.7
NTZ: Final = TimestampType(TimestampTimeZone.NTZ)


def run(context: StepContext, params: GeneratedParams) -> Mapping[str, Table]:
    """Generate customers, usage events and support tickets."""
    stop_if_cancelled(context)
    session = context.session
    context.progress(f"generating {params.customer_count:,} customers")
    with people(session, params).cache_result() as known, weeks(session, params, known).cache_result() as lived:
        fates = known.join(departures(lived, params), on="CUSTOMER", how="left")
        with fates.cache_result() as fated:
            customers = write_table(context, _customers(params, fated), "customers")
            context.progress(f"generating about {params.events:,} usage events", customers.rows)
            days = _alive_days(params, fated, lived)
            intensity = _intensity(params, days)
            events = write_table(context, _events(params, days, intensity), "events")
            context.progress("generating support tickets", events.rows)
            tickets = write_table(context, _tickets(params, fated, lived), "tickets")
    return {"customers": customers, "events": events, "tickets": tickets}


def _customers(params: GeneratedParams, fated: DataFrame) -> DataFrame:
    """Return the raw customers, untidy as they come out of a billing system."""
    dirty = _Dirt(params, customer=sf.col("CUSTOMER"))
    plan = sf.iff(dirty("plan", times=5), sf.concat(sf.lit(" "), sf.initcap("PLAN")), sf.col("PLAN"))
    fee = sf.iff(dirty("fee"), sf.lit(" "), sf.col("FEE").cast(StringType()))
    signed_up = day_of(params, sf.col("SIGNUP"))
    text = sf.iff(dirty("date", times=3), sf.to_char(signed_up, "DD.MM.YYYY"), sf.to_char(signed_up, "YYYY-MM-DD"))
    raw = fated.select(
        _customer_id(sf.col("CUSTOMER")).alias("CUSTOMER_ID"),
        plan.alias("PLAN"),
        sf.col("CONTRACT"),
        sf.iff(dirty("country", times=2), sf.lit(None), sf.col("COUNTRY")).alias("COUNTRY"),
        sf.col("CHANNEL"),
        fee.alias("MONTHLY_FEE"),
        text.alias("SIGNED_UP_ON"),
        day_of(params, sf.col("LEFT")).alias("CANCELLED_ON"),
        sf.col("CUSTOMER"),
    )
    twice = raw.filter(dirty("twice"))
    return raw.union_all(twice).drop("CUSTOMER")


def _alive_days(params: GeneratedParams, fated: DataFrame, lived: DataFrame) -> DataFrame:
    """Return one row a customer and day on which an event may happen, with its ODDS in ten-thousandths."""
    person = fated.select("CUSTOMER", "SIGNUP", "LEFT", "DEVICE")
    week = lived.select("CUSTOMER", "WEEK", "TASTE", "ENGAGEMENT").join(person, on="CUSTOMER")
    weekday = row_numbers(fated.session, 7, "WEEKDAY")
    day = (sf.col("WEEK") * sf.lit(7) + sf.col("WEEKDAY")).alias("DAY")
    spread = week.cross_join(weekday).with_column("DAY", day)
    last = sf.coalesce(sf.col("LEFT") - sf.lit(1), sf.lit(params.days - 1))
    alive = (sf.col("DAY") >= sf.col("SIGNUP")) & (sf.col("DAY") <= sf.least(last, sf.lit(params.days - 1)))
    drift = sf.lit(0.0)
    if params.drift:
        since = (params.drift_start - params.start).days if params.drift_start else 0
        drift = sf.iff(sf.col("DAY") >= sf.lit(since), sf.lit(params.drift), sf.lit(0.0))
    odds = usage_odds(sf.col("ENGAGEMENT"), sf.col("TASTE"), drift)
    quiet = sf.iff(
        (sf.col("DAY") + sf.lit(params.start.weekday())) % sf.lit(7) >= sf.lit(5), sf.lit(WEEKEND), sf.lit(1.0)
    )
    return spread.filter(alive).select(
        "CUSTOMER", "DAY", "ENGAGEMENT", "DEVICE", drift.alias("DRIFT"), odds.alias("ODDS"), quiet.alias("QUIET")
    )


def _intensity(params: GeneratedParams, days: DataFrame) -> float:
    """Return the factor on all odds that makes as many events as were asked for."""
    [row] = days.agg(sf.sum(sf.col("ODDS") * sf.iff(sf.col("QUIET") < sf.lit(1.0), sf.lit(7), sf.lit(10)))).collect()
    expected = int(row[0]) / 10 / PER_TEN_THOUSAND
    return round(params.events / expected, 6)


def _events(params: GeneratedParams, days: DataFrame, intensity: float) -> DataFrame:
    """Return the raw events: about one in a hundred is delivered twice, lacks its customer or says nonsense."""
    draws = Draws(params.seed)
    keys = {"customer": sf.col("CUSTOMER"), "day": sf.col("DAY")}
    dirty = _Dirt(params, **keys)
    chance = sf.col("ODDS") * sf.col("QUIET") * sf.lit(intensity / PER_TEN_THOUSAND)
    shown_up = days.filter(draws.uniform("event", **keys) < chance)
    number = sf.col("CUSTOMER") * sf.lit(DAYS_PER_CUSTOMER) + sf.col("DAY")
    second = whole(draws.uniform("second", **keys) * sf.lit(86_400.0))
    at = sf.dateadd("second", second, day_of(params, sf.col("DAY")).cast(NTZ))
    raw = shown_up.select(
        number.alias("EVENT_ID"),
        sf.iff(dirty("customer", times=0.3), sf.lit(None), _customer_id(sf.col("CUSTOMER"))).alias("CUSTOMER_ID"),
        at.alias("OCCURRED_AT"),
        _payload(draws, dirty, keys).alias("PAYLOAD"),
        sf.dateadd("minute", sf.lit(5), at).alias("LOADED_AT"),
        sf.col("CUSTOMER"),
        sf.col("DAY"),
    )
    return raw.select(*_EVENT_COLUMNS).union_all(
        raw.filter(dirty("twice")).select(
            "EVENT_ID",
            "CUSTOMER_ID",
            "OCCURRED_AT",
            "PAYLOAD",
            sf.dateadd("hour", sf.lit(26), sf.col("LOADED_AT")).alias("LOADED_AT"),
        )
    )


_EVENT_COLUMNS: Final = ("EVENT_ID", "CUSTOMER_ID", "OCCURRED_AT", "PAYLOAD", "LOADED_AT")


def _payload(draws: Draws, dirty: _Dirt, keys: Mapping[str, Column]) -> Column:
    """Return the VARIANT of an event: nested, with numbers that old clients sent as text."""
    sessions = sf.lit(1) + whole(sf.pow(draws.uniform("sessions", **keys), sf.lit(2.0)) * sf.lit(6.0))
    pace = sf.exp(sf.lit(0.35) * sf.col("ENGAGEMENT") + sf.lit(0.4) * draws.normal("minutes", **keys))
    minutes = sf.round(sessions * sf.lit(8.0) * pace * (sf.lit(1.0) - sf.lit(0.5) * sf.col("DRIFT")), 1)
    errors = whole(sf.pow(draws.uniform("errors", **keys), sf.lit(8.0)) * sf.lit(4.0))
    moved = draws.uniform("device", **keys) < sf.lit(0.12) + sf.lit(0.5) * sf.col("DRIFT")
    device = sf.iff(moved, draws.choice("other device", {"ios": 0.5, "android": 0.5}, **keys), sf.col("DEVICE"))
    version = sf.iff(draws.uniform("version", **keys) < sf.lit(0.8), sf.lit("5.2"), sf.lit("5.1"))
    sent = sf.iff(dirty("text minutes", times=5), sf.to_variant(minutes.cast(StringType())), sf.to_variant(minutes))
    sent = sf.iff(dirty("no minutes", times=0.5), sf.to_variant(sf.lit("n/a")), sent)
    used = sf.col("ENGAGEMENT") + draws.normal("tools", **keys)
    few = sf.array_construct(sf.lit("reports"))
    some = sf.array_construct(sf.lit("reports"), sf.lit("export"))
    many = sf.array_construct(sf.lit("reports"), sf.lit("export"), sf.lit("alerts"))
    return sf.to_variant(
        sf.object_construct(
            sf.lit("sessions"),
            sf.to_variant(sessions),
            sf.lit("minutes"),
            sent,
            sf.lit("errors"),
            sf.to_variant(errors),
            sf.lit("device"),
            sf.to_variant(sf.object_construct(sf.lit("os"), device, sf.lit("version"), version)),
            sf.lit("tools"),
            sf.to_variant(sf.iff(used > sf.lit(0.7), many, sf.iff(used > sf.lit(-0.5), some, few))),
        )
    )


def _tickets(params: GeneratedParams, fated: DataFrame, lived: DataFrame) -> DataFrame:
    """Return the raw support tickets."""
    draws = Draws(params.seed)
    keys = {"customer": sf.col("CUSTOMER"), "week": sf.col("WEEK")}
    dirty = _Dirt(params, **keys)
    day = sf.col("WEEK") * sf.lit(7) + whole(draws.uniform("ticket day", **keys) * sf.lit(7.0))
    opened = lived.filter(sf.col("TICKET") == sf.lit(1)).join(fated.select("CUSTOMER", "SIGNUP", "LEFT"), on="CUSTOMER")
    opened = opened.with_column("DAY", day)
    last = sf.coalesce(sf.col("LEFT") - sf.lit(1), sf.lit(params.days - 1))
    alive = (sf.col("DAY") >= sf.col("SIGNUP")) & (sf.col("DAY") <= sf.least(last, sf.lit(params.days - 1)))
    second = whole(draws.uniform("ticket second", **keys) * sf.lit(86_400.0))
    at = sf.dateadd("second", second, day_of(params, sf.col("DAY")).cast(NTZ))
    hours = whole(sf.lit(1.0) + sf.lit(120.0) * sf.pow(draws.uniform("resolution", **keys), sf.lit(3.0)))
    priority = draws.choice("priority", {"low": 0.5, "normal": 0.35, "high": 0.15}, **keys)
    score = (sf.lit(1) + whole(draws.uniform("score", **keys) * sf.lit(5.0))).cast(StringType())
    raw = opened.filter(alive).select(
        (sf.col("CUSTOMER") * sf.lit(DAYS_PER_CUSTOMER) + sf.col("WEEK")).alias("TICKET_ID"),
        _customer_id(sf.col("CUSTOMER")).alias("CUSTOMER_ID"),
        at.alias("OPENED_AT"),
        sf.iff(hours > sf.lit(110), sf.lit(None), sf.dateadd("hour", hours, at)).alias("RESOLVED_AT"),
        sf.iff(dirty("priority", times=5), sf.upper(priority), priority).alias("PRIORITY"),
        sf.iff(draws.uniform("answer", **keys) < sf.lit(0.6), sf.lit(""), score).alias("SATISFACTION"),
        sf.col("CUSTOMER"),
        sf.col("WEEK"),
    )
    return raw.union_all(raw.filter(dirty("twice"))).drop("CUSTOMER", "WEEK")


def _customer_id(number: Column) -> Column:
    return sf.concat(sf.lit("C"), sf.lpad(number.cast(StringType()), sf.lit(7), sf.lit("0")))


class _Dirt:
    """Tells which records are untidy."""

    def __init__(self, params: GeneratedParams, **numbers: Column) -> None:
        self._draws = Draws(params.seed)
        self._share = params.dirt
        self._numbers = numbers

    def __call__(self, what: str, *, times: float = 1.0) -> Column:
        """Return whether a record has this flaw; so many times the share of dirt have it."""
        return self._draws.uniform(f"dirt/{what}", **self._numbers) < sf.lit(min(self._share * times, 1.0))
