"""Churn features: what they are on a table small enough to check by hand, and that the future does not leak in."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from firnline.domain import Table
from firnline.errors import DataError
from firnline_snowpark.features.churn_params import ChurnFeaturesParams
from tests.snowpark.churn_world import World

SNAPSHOT = dt.date(2025, 9, 2)
EVENTS = "CUSTOMER_ID TEXT, OCCURRED_AT TIMESTAMP_NTZ, SESSIONS INT, MINUTES DOUBLE, ERRORS INT, DEVICE TEXT, TOOLS INT"
TICKETS = "CUSTOMER_ID TEXT, OPENED_AT TIMESTAMP_NTZ, RESOLVED_AT TIMESTAMP_NTZ, PRIORITY TEXT, SATISFACTION INT"


@pytest.fixture(scope="module")
def small(world: World) -> dict[str, Table]:
    """One regular (A), one who leaves (B), one who had left (C), one who came later (D)."""
    customers = world.table(
        "CUSTOMER_ID TEXT, SIGNED_UP_ON DATE, CANCELLED_ON DATE, PLAN TEXT",
        "'A', '2025-01-01', NULL, 'basic'",
        "'B', '2025-08-23', '2025-09-10', 'premium'",
        "'C', '2025-01-01', '2025-09-02', 'basic'",
        "'D', '2025-09-03', NULL, 'basic'",
    )
    events = world.table(
        EVENTS,
        "'A', '2025-05-01 12:00:00', 9, 90, 0, 'web', 3",
        "'A', '2025-08-01 12:00:00', 1, 10, 0, 'web', 1",
        "'A', '2025-08-20 12:00:00', 2, NULL, 1, 'ios', 2",
        "'A', '2025-08-28 23:59:59', 3, 30, 0, 'web', 3",
        "'A', '2025-09-02 23:59:59', 4, 40, 0, 'android', 3",
        "'A', '2025-09-03 00:00:00', 5, 500, 5, 'web', 9",
        "'A', '2025-10-30 00:00:00', 5, 500, 5, 'web', 9",
    )
    tickets = world.table(
        TICKETS,
        "'A', '2025-08-30 10:00:00', '2025-08-31 12:00:00', 'high', 4",
        "'A', '2025-08-31 10:00:00', '2025-09-05 12:00:00', 'low', 1",
        "'A', '2025-09-03 00:00:00', NULL, 'low', NULL",
    )
    return {"customers": customers, "events": events, "tickets": tickets}


def _run(world: World, tables: dict[str, Table], **params: Any) -> list[dict[str, Any]]:
    given = {"snapshots": [str(SNAPSHOT)], "window_days": [7, 30, 90], "horizon_days": 30} | params
    outputs = world.run("features.churn", given, **tables)
    frame = world.session.table(outputs["table"].name)
    return [row.as_dict() for row in frame.sort("CUSTOMER_ID", "SNAPSHOT_ON").collect()]


def test_features_are_what_was_known_at_the_end_of_the_day(world: World, small: dict[str, Table]) -> None:
    regular, leaving = _run(world, small)
    assert (regular["CUSTOMER_ID"], leaving["CUSTOMER_ID"]) == ("A", "B")
    expected = {
        "SNAPSHOT_ON": SNAPSHOT,
        "PLAN": "basic",
        "TENURE_DAYS": 244,
        "EVENTS_7D": 2,
        "SESSIONS_7D": 7,
        "MINUTES_7D": 70,
        "EVENTS_7D_BEFORE": 1,
        "EVENTS_7D_CHANGE": 1,
        "EVENTS_30D": 3,
        "EVENTS_30D_BEFORE": 1,
        "EVENTS_90D": 4,
        "MINUTES_90D": 80,
        "ERRORS_30D": 1,
        "DAYS_SINCE_EVENT": 0,
        "LONGEST_GAP_90D": 92,
        "TOOLS_30D": pytest.approx(8 / 3),
        "MOBILE_SHARE_30D": pytest.approx(2 / 3),
        "EVENTS_7D_TREND": pytest.approx((2 / 7) / (4 / 90)),
        "TICKETS_7D": 2,
        "TICKETS_90D": 2,
        "HIGH_TICKETS_90D": 1,
        "OPEN_TICKETS_90D": 1,
        "SATISFACTION_90D": 4,
        "HOURS_TO_RESOLVE_90D": 26,
        "DAYS_SINCE_TICKET": 2,
        "CHURNED": 0,
    }
    assert {name: regular[name] for name in expected} == expected


def test_nothing_done_is_zero_and_nothing_known_is_null(world: World, small: dict[str, Table]) -> None:
    _, leaving = _run(world, small)
    assert leaving["CHURNED"] == 1
    assert leaving["TENURE_DAYS"] == 10
    for name in ("EVENTS_7D", "MINUTES_90D", "EVENTS_30D_BEFORE", "EVENTS_7D_CHANGE", "TICKETS_30D"):
        assert leaving[name] == 0, name
    for name in ("DAYS_SINCE_EVENT", "EVENTS_7D_TREND", "TOOLS_30D", "SATISFACTION_90D"):
        assert leaving[name] is None, name


def test_label_can_be_inactivity(world: World, small: dict[str, Table]) -> None:
    assert [row["CHURNED"] for row in _run(world, small, label="inactive")] == [0, 1]


def test_for_scoring_there_is_no_label_and_the_last_day_counts(world: World, small: dict[str, Table]) -> None:
    rows = _run(world, small, label="none", snapshots=1)
    assert {row["SNAPSHOT_ON"] for row in rows} == {dt.date(2025, 10, 30)}
    assert [row["CUSTOMER_ID"] for row in rows] == ["A", "D"]
    assert all("CHURNED" not in row for row in rows)


def test_changing_the_future_changes_no_feature(world: World, clean: Any) -> None:
    """Rewrite all that happened after the snapshots: every feature stays as it was, to the last digit."""
    day = "'2025-09-02'::DATE"
    dates = ["2025-08-03", "2025-09-02"]
    other = {
        "customers": world.changed(
            clean["customers"],
            f"UPDATE {{}} SET CANCELLED_ON = DATEADD('day', 9, {day}) "
            f"WHERE CANCELLED_ON > {day} OR CANCELLED_ON IS NULL",
            f"DELETE FROM {{}} WHERE SIGNED_UP_ON > {day}",
        ),
        "events": world.changed(
            clean["events"],
            f"UPDATE {{}} SET MINUTES = 1000, SESSIONS = 99, ERRORS = 50, DEVICE = 'ios', TOOLS = 77 "
            f"WHERE OCCURRED_AT::DATE > {day}",
            f"DELETE FROM {{}} WHERE OCCURRED_AT::DATE > {day} AND MOD(EVENT_ID, 3) = 0",
        ),
        "tickets": world.changed(
            clean["tickets"],
            f"DELETE FROM {{}} WHERE OPENED_AT::DATE > {day} AND MOD(TICKET_ID, 2) = 0",
            f"UPDATE {{}} SET PRIORITY = 'high' WHERE OPENED_AT::DATE > {day}",
            f"UPDATE {{}} SET SATISFACTION = 1, RESOLVED_AT = DATEADD('day', 40, RESOLVED_AT) "
            f"WHERE RESOLVED_AT::DATE > {day}",
        ),
    }
    before, after = _run(world, clean, snapshots=dates), _run(world, other, snapshots=dates)
    assert sum(row.pop("CHURNED") for row in before) != sum(row.pop("CHURNED") for row in after)
    assert len(before) > 1_000
    assert before == after


def test_changing_the_past_does_change_features(world: World, clean: Any) -> None:
    other = clean | {"events": world.changed(clean["events"], "UPDATE {} SET MINUTES = MINUTES + 1")}
    dates = ["2025-09-02"]
    assert _run(world, clean, snapshots=dates) != _run(world, other, snapshots=dates)


def test_snapshots_are_spaced_by_the_horizon_and_end_where_labels_are_known(world: World, clean: Any) -> None:
    days = {row["SNAPSHOT_ON"] for row in _run(world, clean, snapshots=3)}
    assert days == {dt.date(2025, 10, 2), dt.date(2025, 11, 1), dt.date(2025, 12, 1)}


def test_each_window_has_its_columns(world: World, clean: Any) -> None:
    [row, *_] = _run(world, clean, snapshots=1, window_days=[5, 20])
    assert {"EVENTS_5D", "EVENTS_20D", "EVENTS_5D_TREND"} <= row.keys()
    assert "EVENTS_7D" not in row


@pytest.mark.parametrize(
    ("params", "message", "hint"),
    [
        ({"snapshots": 40}, "40 snapshots do not fit", "snapshots=9 would fit"),
        ({"snapshots": ["2025-12-20"]}, "no label can be known for the snapshots 2025-12-20", "2025-12-01"),
        ({"snapshots": ["2020-12-20"]}, "no label can be known", "take dates from"),
        ({"attributes": ["PLAM"]}, "column 'PLAM' is not in the table", "did you mean 'PLAN'"),
    ],
)
def test_impossible_snapshots_are_told(
    world: World, clean: Any, params: dict[str, Any], message: str, hint: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        _run(world, clean, **params)
    assert hint in (caught.value.hint or "")


def test_tables_without_the_columns_are_told(world: World, clean: Any) -> None:
    with pytest.raises(DataError, match="events: column 'OCCURRED_AT' is not in the table"):
        _run(world, clean | {"events": clean["tickets"]})


def test_one_window_gives_shorter_ones_too() -> None:
    assert ChurnFeaturesParams.model_validate({"window_days": 60}).window_days == (5, 20, 60)
    assert ChurnFeaturesParams().window_days == (7, 30, 90)
