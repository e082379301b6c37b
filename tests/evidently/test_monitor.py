"""The monitor finds what was planted, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from snowflake.snowpark import Session

from firnline.domain import StepContext, Table
from firnline.errors import DataError, StoppedByGateError
from firnline.testing import Case, conformance, step_context
from firnline_evidently import monitor
from firnline_evidently.params import MonitorParams
from tests.evidently.conftest import SCHEMA, Monitor, customers, drifted, receiving, store


def tables(context: StepContext) -> dict[str, Table]:
    """Make the two tables of the kit's example."""
    listed = "UNIFORM(0, 50, RANDOM(1)) AS N, IFF(MOD(SEQ4(), 3) = 0, 'a', 'b') AS C"
    made = {}
    for port in ("reference", "current"):
        name = context.table_name(port)
        context.session.sql(f"CREATE TABLE {name} AS SELECT {listed} FROM TABLE(GENERATOR(ROWCOUNT => 300))").collect()
        made[port] = Table(name=name)
    return made


test_kit = conformance("evidently", cases={"monitor.evidently": Case(params={"page": False}, inputs=tables)})


def shifted(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(AGE=frame["AGE"] + 12)


def new_category(frame: pd.DataFrame) -> pd.DataFrame:
    fresh = np.random.default_rng(1).random(len(frame)) < 0.25
    return frame.assign(PLAN=frame["PLAN"].mask(fresh, "family"))


def missing_burst(frame: pd.DataFrame) -> pd.DataFrame:
    gone = np.random.default_rng(1).random(len(frame)) < 0.3
    return frame.assign(SPEND=frame["SPEND"].mask(gone))


def more_inactive(frame: pd.DataFrame) -> pd.DataFrame:
    off = np.random.default_rng(1).random(len(frame)) < 0.5
    return frame.assign(ACTIVE=frame["ACTIVE"] & ~off)


@pytest.mark.parametrize(
    ("plant", "column"),
    [(shifted, "AGE"), (new_category, "PLAN"), (missing_burst, "SPEND"), (more_inactive, "ACTIVE")],
)
def test_what_was_planted_is_found_and_nothing_else(run_monitor: Monitor, plant, column: str) -> None:
    outputs = run_monitor(plant(customers(4_000, seed=9)))
    assert drifted(outputs) == {column}
    assert outputs["metrics"].values["drifted_columns"] == 1


@pytest.mark.parametrize("rows", [150])
def test_no_false_alarm_over_many_seeds(run_monitor: Monitor, rows: int) -> None:
    """Five columns and ten seeds: with one false alarm in a thousand columns, more than one is a mistake."""
    alarms = [drifted(run_monitor(customers(rows, seed=seed))) for seed in range(100, 110)]
    assert sum(map(len, alarms)) <= 1, alarms


def test_one_outlier_does_not_hide_a_shift(session: Session, run_monitor: Monitor) -> None:
    frame = customers(5_000, seed=4)
    frame.loc[0, "AGE"] = 1e9
    before = store(session, frame, "WITH_OUTLIER")
    outputs = run_monitor(shifted(customers(2_000, seed=5)), before=before)
    assert "AGE" in drifted(outputs)
    assert "AGE" not in drifted(run_monitor(customers(2_000, seed=5), before=before))


@pytest.mark.parametrize("method", ["psi", "jensen_shannon", "wasserstein", "kolmogorov_smirnov", "chi_square"])
def test_every_measure_can_decide(run_monitor: Monitor, method: str) -> None:
    outputs = run_monitor(shifted(customers(3_000, seed=6)), method=method, threshold=0.15)
    assert drifted(outputs) == {"AGE"}


def test_a_slice_can_drift_where_the_whole_does_not(run_monitor: Monitor) -> None:
    frame = customers(6_000, seed=7)
    frame["AGE"] = frame["AGE"].where(frame["PLAN"] != "pro", frame["AGE"] + 15)
    outputs = run_monitor(frame, slices=("PLAN",), threshold=0.5)
    assert drifted(outputs) == set()
    [grid] = [section for section in outputs["report"].sections if section.title.startswith("Slices")]
    assert {(row[0], row[1]) for row in grid.rows if row[2]} == {("PLAN=pro", "AGE")}


def test_a_column_may_have_its_own_threshold(run_monitor: Monitor) -> None:
    frame = shifted(customers(3_000, seed=6))
    assert drifted(run_monitor(frame, thresholds={"AGE": 5.0})) == set()


def test_usual_variation_raises_the_threshold(session: Session, run_monitor: Monitor) -> None:
    """A column that wanders from week to week is no news when it wanders as usual."""
    frame = customers(20_000, seed=11)
    week = pd.to_datetime(frame["DAY"]).dt.isocalendar().week.astype(int)
    frame["AGE"] = frame["AGE"] + np.where(week % 2 == 0, 9, -9)
    before = store(session, frame, "WANDERING")
    now = frame[week == week.max()].reset_index(drop=True)
    assert "AGE" in drifted(run_monitor(now, before=before))
    assert "AGE" not in drifted(run_monitor(now, before=before, time="DAY", usual=2.0))


def test_season_compares_like_with_like(session: Session, run_monitor: Monitor) -> None:
    frame = customers(20_000, seed=12)
    weekend = pd.to_datetime(frame["DAY"]).dt.dayofweek >= 5
    frame["SPEND"] = frame["SPEND"].where(~weekend, frame["SPEND"] * 3)
    before = store(session, frame, "SEASONAL")
    now = frame[weekend].sample(3_000, random_state=1).reset_index(drop=True)
    assert "SPEND" in drifted(run_monitor(now, before=before))
    assert "SPEND" not in drifted(run_monitor(now, before=before, time="DAY", season="weekday"))


def test_drift_can_stop_the_pipeline(run_monitor: Monitor) -> None:
    frame = new_category(shifted(customers(3_000, seed=6)))
    with pytest.raises(StoppedByGateError, match=r"2 of 5 columns have drifted: (AGE, PLAN|PLAN, AGE)") as stopped:
        run_monitor(frame, fail_on_drift=True)
    assert "monitor.params.fail_on_drift=false" in str(stopped.value)
    assert run_monitor(customers(3_000, seed=6), fail_on_drift=True)["metrics"].values["drift"] == 0.0


def test_history_is_kept_once_a_measurement(session: Session, reference: Table, tmp_path: Path) -> None:
    current = store(session, shifted(customers(2_000, seed=6)), "FOR_HISTORY")
    params = MonitorParams(page=False, history="HISTORY", ignore=("DAY",))
    first = step_context(tmp_path, stage="monitor", schema=SCHEMA, session=lambda: session)
    second = step_context(tmp_path, stage="monitor", schema=SCHEMA, session=lambda: session)
    repeated = replace(step_context(tmp_path, stage="monitor", schema=SCHEMA, session=lambda: session), key=first.key)
    for context in (first, repeated, second):
        outputs = monitor.run(context, params, reference, current)
        session.sql(f"DROP TABLE {outputs['table'].name}").collect()
    rows = session.sql(f'SELECT STAGE_KEY, COUNT(*) FROM {SCHEMA}."HISTORY" GROUP BY 1').collect()
    assert {row[0]: row[1] for row in rows} == {first.key: 8, second.key: 8}  # five columns, three pairs
    assert any(section.title == "AGE over time" for section in outputs["report"].sections)


def test_the_table_has_every_measure(session: Session, run_monitor: Monitor) -> None:
    outputs = run_monitor(shifted(customers(3_000, seed=6)))
    row = session.sql(f"SELECT * FROM {outputs['table'].name} WHERE COLUMN_NAME = 'AGE'").collect()[0].as_dict()
    assert row["DRIFTED"] is True
    assert row["POPULATION_STABILITY_INDEX"] == row["VALUE"] > 0.5
    assert 0.3 < row["KOLMOGOROV_SMIRNOV"] < 0.5
    assert row["WASSERSTEIN"] == pytest.approx(1.0, abs=0.1)  # twelve years, of a deviation of twelve


def test_the_client_fetches_counts_and_a_sample_only(session: Session, run_monitor: Monitor) -> None:
    with session.query_history() as history:
        run_monitor(customers(4_000, seed=3), sample=500)
    texts = [query.sql_text.upper() for query in history.queries]
    from_tables = [text for text in texts if "FROM FIRNLINE.PUBLIC.REFERENCE" in text or "CURRENT_ROWS" in text]
    fetching = [text for text in from_tables if text.startswith("SELECT") and "GROUP BY" not in text]
    assert fetching
    assert all(
        "LIMIT 500" in text or "STDDEV_POP" in text or "1 = 0" in text or "CORR(" in text for text in fetching
    ), fetching


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"columns": ("AEG",)}, "no column 'AEG'"),
        ({"columns": ("DAY",)}, "neither a number, nor text, nor a flag"),
        ({"columns": ("AGE",), "ignore": ("AGE",)}, "no column is left"),
    ],
)
def test_impossible_columns_are_told(run_monitor: Monitor, params, message: str) -> None:
    with pytest.raises(DataError, match=message):
        run_monitor(customers(200, seed=1), **params)


def test_rows_of_today_that_lack_a_column_are_told(run_monitor: Monitor) -> None:
    with pytest.raises(DataError, match="the rows of today have no column 'AGE'"):
        run_monitor(customers(200, seed=1).drop(columns="AGE"))
    with pytest.raises(DataError, match="'AGE' is a number in the reference, in the rows of today a category"):
        run_monitor(customers(200, seed=1).assign(AGE="old"))
    with pytest.raises(DataError, match="no rows to monitor"):
        run_monitor(customers(200, seed=1).head(0).astype({"ACTIVE": bool, "PLAN": object, "TICKETS": "int64"}))


def test_names_that_need_quotes(session: Session, run_monitor: Monitor) -> None:
    frame = customers(1_000, seed=2)[["AGE", "PLAN"]].rename(columns={"AGE": 'wie "alt"', "PLAN": "select"})
    frame["select"] = frame["select"].replace("pro", "it's\\pro")
    before = store(session, frame, "QUOTED")
    outputs = run_monitor(frame.assign(**{'wie "alt"': frame['wie "alt"'] + 20}), before=before, ignore=())
    assert drifted(outputs) == {'wie "alt"'}


@pytest.mark.usefixtures("imported_quietly")
def test_an_alert_reaches_a_real_receiver(run_monitor: Monitor, monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as (url, bodies):
        monkeypatch.setenv("DRIFT_RECEIVER", url)
        run_monitor(customers(2_000, seed=6), alerts=("DRIFT_RECEIVER",))
        assert bodies == []
        run_monitor(new_category(shifted(customers(3_000, seed=6))), alerts=("DRIFT_RECEIVER",))
    [body] = bodies
    assert body["title"] == "Drift in test.monitor"
    assert "2 of 5 columns have drifted" in body["message"]
    assert "- AGE: psi" in body["message"]


@pytest.mark.usefixtures("imported_quietly")
def test_a_receiver_that_is_not_set_is_told_without_its_url(run_monitor: Monitor, monkeypatch) -> None:
    frame = new_category(shifted(customers(3_000, seed=6)))
    with pytest.raises(DataError, match="NO_SUCH_RECEIVER is not set"):
        run_monitor(frame, alerts=("NO_SUCH_RECEIVER",))
    monkeypatch.setenv("BAD_RECEIVER", "secret-nonsense")
    with pytest.raises(DataError, match="BAD_RECEIVER holds no URL") as refused:
        run_monitor(frame, alerts=("BAD_RECEIVER",))
    assert "secret-nonsense" not in str(refused.value)


@pytest.mark.usefixtures("imported_quietly")
def test_evidentlys_page_has_the_numbers_of_all_rows(session: Session, run_monitor: Monitor) -> None:
    outputs = run_monitor(shifted(customers(3_000, seed=6)), page=True, sample=400)
    data = json.loads((outputs["page"].path / "evidently.json").read_text())
    row = session.sql(f"SELECT VALUE FROM {outputs['table'].name} WHERE COLUMN_NAME = 'AGE'").collect()[0]
    [age] = [metric for metric in data["metrics"] if metric["config"].get("column") == "AGE"]
    assert age["value"] == pytest.approx(row["VALUE"])
    page = (outputs["page"].path / "evidently.html").read_text()
    assert "population stability index (all rows)" in page
    assert "<script src=" not in page
