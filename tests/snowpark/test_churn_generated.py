"""The generated business: the same on every run, of the size asked for, dirty as real data is, and learnable."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from snowflake.snowpark.functions import col

from firnline.domain import Table
from firnline_snowpark.ingest.generated_draws import PRIME, Draws
from firnline_snowpark.ingest.generated_params import GeneratedParams
from tests.snowpark.churn_options import option_params
from tests.snowpark.churn_world import PORTS, World


def _everything(world: World, table: Table) -> list[tuple[Any, ...]]:
    return sorted((tuple(map(str, row)) for row in world.rows(table)), key=str)


def test_same_params_give_same_rows(world: World) -> None:
    first, second = (world.run("ingest.generated", {"events": 1_000}) for _ in range(2))
    for port in PORTS:
        assert _everything(world, first[port]) == _everything(world, second[port])


def test_draws_are_what_plain_python_computes(world: World) -> None:
    """The platform only multiplies integers: its draws are those of the formula, digit by digit."""
    draws = Draws(seed=7)

    def expected(customer: int, day: int) -> float:
        mixed = draws._constant("event", "start")
        mixed += customer * draws._constant("event", "customer") + day * draws._constant("event", "day")
        return pow(mixed, 5, PRIME) / PRIME

    numbers = [(0, 0), (1, 0), (0, 1), (17, 364), (99_999, 1_400), (2**20 - 1, 2**20 - 1)]
    frame = world.session.create_dataframe(numbers, schema=["CUSTOMER", "DAY"])
    drawn = frame.select("CUSTOMER", "DAY", draws.uniform("event", customer=col("CUSTOMER"), day=col("DAY"))).collect()
    assert {(row[0], row[1]): row[2] for row in drawn} == {pair: expected(*pair) for pair in numbers}


def test_known_rows_stay_as_they_are(world: World) -> None:
    """The rows of a seed are part of what users rely on: reports and tutorials speak of them."""
    customers = world.run("ingest.generated", {"events": 1_000})["customers"]
    assert [row[:6] for row in world.rows(customers)[:3]] == KNOWN_CUSTOMERS


def test_another_seed_makes_other_customers(world: World) -> None:
    customers = [world.run("ingest.generated", {"events": 1_000, "seed": seed})["customers"] for seed in (1, 2)]
    assert _everything(world, customers[0]) != _everything(world, customers[1])


def test_size_is_what_was_asked_for(raw: Any) -> None:
    assert raw["events"].rows == pytest.approx(20_000, rel=0.05)
    assert raw["customers"].rows == pytest.approx(1_000, rel=0.05)
    assert 300 < raw["tickets"].rows < 3_000


def test_events_lie_in_the_period_and_in_a_customers_time(world: World, raw: Any, clean: Any) -> None:
    [[first, last]] = world.session.sql(
        f"SELECT MIN(OCCURRED_AT)::DATE, MAX(OCCURRED_AT)::DATE FROM {raw['events'].name}"
    ).collect()
    assert dt.date(2025, 1, 1) <= first
    assert last <= dt.date(2025, 12, 31)
    [[outside]] = world.session.sql(
        f"SELECT COUNT(*) FROM {clean['events'].name} e JOIN {clean['customers'].name} c "
        "ON e.CUSTOMER_ID = c.CUSTOMER_ID "
        "WHERE e.OCCURRED_AT::DATE < c.SIGNED_UP_ON OR e.OCCURRED_AT::DATE >= c.CANCELLED_ON"
    ).collect()
    assert outside == 0


def test_raw_data_is_dirty_and_can_be_made_spotless(world: World, raw: Any) -> None:
    dirty = world.run("prepare.clean", option_params("prepare/clean.yaml"), **raw)["metrics"].values
    for count in ("customers_duplicates", "events_duplicates", "events_incomplete", "events_malformed"):
        assert dirty[count] > 0, count
    spotless = world.run("ingest.generated", {"events": 2_000, "dirt": 0})
    counts = world.run("prepare.clean", option_params("prepare/clean.yaml"), **spotless)["metrics"].values
    assert {name: count for name, count in counts.items() if not name.endswith("_rows") and count} == {}


def test_drift_moves_usage_from_its_start_on(world: World) -> None:
    params = {"events": 5_000, "drift": 0.8, "drift_start": "2025-07-01"}
    events = world.run("ingest.generated", params)["events"]
    minutes = dict(
        world.session.sql(
            "SELECT OCCURRED_AT >= '2025-07-01'::TIMESTAMP_NTZ AS LATE, AVG(TRY_CAST(PAYLOAD:minutes::TEXT AS DOUBLE)) "
            f"FROM {events.name} GROUP BY 1"
        ).collect()
    )
    assert minutes[True] < 0.75 * minutes[False]


def test_churn_can_be_learnt_and_is_not_given_away(world: World, clean: Any) -> None:
    """A plain model on past behaviour ranks later churn with an AUC of about 0.8 to 0.9."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score

    params = {"snapshots": 8, "window_days": [7, 30, 90], "horizon_days": 30}
    table = world.run("features.churn", params, **clean)["table"]
    rows = world.session.table(table.name).to_pandas()
    days = sorted(rows["SNAPSHOT_ON"].unique())
    numbers = [name for name in rows if np.issubdtype(rows[name].dtype, np.number) and name != "CHURNED"]
    rows["PLAN"] = rows["PLAN"].map({"basic": 0.0, "standard": 1.0, "premium": 2.0})
    rows["CONTRACT"] = rows["CONTRACT"].map({"monthly": 0.0, "annual": 1.0})
    past, later = rows[rows["SNAPSHOT_ON"] < days[5]], rows[rows["SNAPSHOT_ON"] >= days[5]]
    model = HistGradientBoostingClassifier(max_iter=80, learning_rate=0.05, max_depth=3, random_state=0)
    inputs = [*numbers, "PLAN", "CONTRACT"]
    model.fit(past[inputs].astype(float), past["CHURNED"])
    auc = roc_auc_score(later["CHURNED"], model.predict_proba(later[inputs].astype(float))[:, 1])
    assert 0.76 < auc < 0.93


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"events": 10}, "greater than or equal to 1000"),
        ({"events": 100_000_000}, "less than or equal to 10000000"),
        ({"events": 1_000_000, "customers": 60}, "leave at most"),
        ({"end": "2025-01-20"}, "60 days to 4 years apart"),
        ({"drift_start": "2026-05-01"}, "between start and end"),
        ({"event": 1_000}, "Extra inputs are not permitted"),
    ],
)
def test_impossible_params_are_refused(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        GeneratedParams.model_validate(params)


KNOWN_CUSTOMERS: list[tuple[Any, ...]] = [
    ("C0000000", " Basic", "annual", "DE", "partner", "17.78"),
    ("C0000001", " Basic", "annual", "FR", "event", "21.04"),
    ("C0000002", "basic", "annual", "GB", "partner", "18.69"),
]
