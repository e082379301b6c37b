"""Predictions, labels and the model's performance: the platform's numbers against scikit-learn's on the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk
from snowflake.snowpark import Session

from firnline.domain import Metrics, Table
from firnline.errors import DataError, StoppedByGateError
from firnline_evidently.params import MonitorParams, PerformanceParams
from firnline_evidently.performance import measure_performance
from firnline_evidently.verdict import Performance
from tests.evidently.conftest import Monitor, customers, store

KEY = {"key": ("ID",), "label": "TRUTH"}


def scores(rows: int, seed: int, *, base: float = 0.3, skill: float = 1.5) -> pd.DataFrame:
    """Draw a results table, and what is true: the score knows it as well as ``skill`` says."""
    rng = np.random.default_rng(seed)
    truth = rng.random(rows) < base
    odds = rng.normal(0, 1, rows) + skill * truth - 1.2
    probability = np.round(1 / (1 + np.exp(-odds)), 2)  # rounded, so that there are ties
    return pd.DataFrame(
        {"ID": np.arange(rows), "PREDICTION": probability >= 0.5, "PROBABILITY": probability, "TRUTH": truth}
    )


def tables(session: Session, frame: pd.DataFrame, labelled: int | None = None) -> tuple[Table, Table]:
    """Store the results, and the labels of the first rows."""
    results = store(session, frame.drop(columns="TRUTH"), "RESULTS")
    labels = store(session, frame[["ID", "TRUTH"]].head(labelled if labelled is not None else len(frame)), "LABELS")
    return results, labels


def measured(session: Session, frame: pd.DataFrame, labelled: int | None = None, **params: Any) -> Performance:
    results, labels = tables(session, frame, labelled)
    named = [(table.name, table.columns) for table in (results, labels)]
    evaluated = params.pop("evaluated", None)
    settings = PerformanceParams(**(KEY | params))
    return measure_performance(session, named[0], named[1], settings, Metrics(values=evaluated) if evaluated else None)


def values(found: Performance) -> dict[str, float]:
    return {metric.name: metric.value for metric in found.metrics}


def test_metrics_of_two_classes_are_scikit_learns(session: Session) -> None:
    frame = scores(3_000, seed=1)
    found = measured(session, frame, labelled=2_000)
    assert (found.predicted, found.labelled) == (3_000, 2_000)
    rows = frame.head(2_000)
    truth, said, chance = rows["TRUTH"], rows["PREDICTION"], rows["PROBABILITY"]
    assert values(found) == pytest.approx(
        {
            "roc_auc": sk.roc_auc_score(truth, chance),
            "log_loss": sk.log_loss(truth, chance),
            "brier": sk.brier_score_loss(truth, chance),
            "accuracy": sk.accuracy_score(truth, said),
            "recall": sk.recall_score(truth, said),
            "precision": sk.precision_score(truth, said),
            "f1": sk.f1_score(truth, said),
        },
        abs=1e-9,
    )


def test_metrics_of_numbers_are_scikit_learns(session: Session) -> None:
    rng = np.random.default_rng(2)
    truth = rng.normal(50, 10, 1_000)
    said = truth + rng.normal(0, 4, 1_000)
    found = measured(session, pd.DataFrame({"ID": np.arange(1_000), "PREDICTION": said, "TRUTH": truth}))
    assert values(found) == pytest.approx(
        {
            "rmse": sk.root_mean_squared_error(truth, said),
            "mae": sk.mean_absolute_error(truth, said),
            "r2": sk.r2_score(truth, said),
        },
        abs=1e-9,
    )


def test_several_classes_have_an_accuracy(session: Session) -> None:
    rng = np.random.default_rng(3)
    truth, said = (rng.choice(["a", "b", "c"], 300) for _ in range(2))
    frame = pd.DataFrame({"ID": np.arange(300), "PREDICTION": said, "PROBABILITY": 0.4, "TRUTH": truth})
    assert values(measured(session, frame)) == pytest.approx({"accuracy": (truth == said).mean()})


def test_a_model_that_became_worse_is_told_from_one_that_did_not(session: Session) -> None:
    evaluated = {"roc_auc": 0.85, "accuracy": 0.8}
    assert measured(session, scores(3_000, seed=4), evaluated=evaluated).worse == ()
    [worse] = measured(session, scores(3_000, seed=4, skill=0.4), evaluated=evaluated).worse
    assert (worse.name, worse.evaluated) == ("roc_auc", 0.85)
    assert worse.bound is not None
    assert worse.value < worse.bound < 0.85 * 0.9
    [brier] = measured(session, scores(3_000, seed=4, skill=0.4), metric="brier", bound=0.1).worse
    assert not brier.higher_is_better


def test_labels_that_have_not_arrived_are_said_plainly(session: Session, run_monitor: Monitor) -> None:
    frame = scores(500, seed=5)
    results = store(session, frame.drop(columns="TRUTH"), "RESULTS_UNLABELLED")
    empty = store(session, frame[["ID", "TRUTH"]].assign(ID=frame["ID"] + 9_000), "LABELS_OF_OTHERS")
    outputs = run_monitor(customers(500, seed=5), predictions=results, labels=empty, performance=KEY)
    told = sections(outputs)["How the model did"].body
    assert told.startswith("No labels have arrived yet for any of the 500 predicted rows")
    assert outputs["metrics"].values["labelled_rows"] == 0
    assert outputs["metrics"].values["drift"] == 0
    few = measured(session, frame, labelled=40, evaluated={"roc_auc": 0.99})
    assert few.worse == ()
    assert "From 100 on they are judged" in few.told


def sections(outputs: Mapping[str, Any]) -> dict[str, Any]:
    return {section.title: section for section in outputs["report"].sections}


def test_predictions_and_labels_that_moved_are_drift_though_no_column_is(
    session: Session, run_monitor: Monitor
) -> None:
    before = scores(4_000, seed=6)
    reference = customers(4_000, seed=6).assign(TRUTH=before["TRUTH"])
    learned = store(session, reference, "LEARNED")
    said = store(session, before.drop(columns="TRUTH"), "RESULTS_REFERENCE")

    def monitored(frame: pd.DataFrame, name: str) -> Mapping[str, Any]:
        results = store(session, frame.drop(columns="TRUTH"), f"RESULTS_{name}")
        labels = store(session, frame[["ID", "TRUTH"]], f"LABELS_{name}")
        return run_monitor(
            customers(4_000, seed=7),
            before=learned,
            predictions=results,
            reference_predictions=said,
            labels=labels,
            evaluated=Metrics(values={"roc_auc": 0.85}),
            performance=KEY,
            history="OUTPUT_HISTORY",
        )

    same = monitored(scores(4_000, seed=8), "SAME")
    assert same["metrics"].values["drift"] == 0
    moved = monitored(scores(4_000, seed=9, base=0.7), "MOVED")
    verdict = sections(moved)["Verdict"].body
    assert "The predictions have moved: PROBABILITY by" in verdict
    assert "The labels have moved: TRUTH by" in verdict
    assert "columns have drifted:" not in verdict
    assert "worse" not in verdict  # the score still knows what is true
    kinds = session.sql(f"SELECT KIND, COUNT(*) FROM {moved['table'].name} GROUP BY 1").collect()
    assert {row[0]: row[1] for row in kinds} == {
        "feature": 5,
        "correlation": 3,
        "prediction": 2,
        "label": 1,
        "performance": 7,
    }
    assert "roc_auc over time" in sections(moved)


def test_only_the_rules_that_are_asked_stop_the_pipeline(session: Session, run_monitor: Monitor) -> None:
    results, labels = tables(session, scores(2_000, seed=10, skill=0.1))
    given = {"predictions": results, "labels": labels, "performance": KEY | {"bound": 0.7}, "fail_on_drift": True}
    with pytest.raises(StoppedByGateError, match=r"the model has become worse: roc_auc is 0\.\d+, below 0\.700"):
        run_monitor(customers(2_000, seed=10), **given)
    outputs = run_monitor(customers(2_000, seed=10), **given, rules=("columns",))
    assert outputs["metrics"].values["today_roc_auc"] < 0.7


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"labels": True}, "labels alone do not tell"),
        ({"predictions": True}, "nothing to hold today's predictions against"),
        ({"reference_predictions": True}, "none of today"),
        ({"predictions": True, "labels": True, "performance": KEY | {"key": ("NO",)}}, "results has no column 'NO'"),
        ({"predictions": True, "labels": True, "performance": KEY | {"label": "NO"}}, "labels has no column 'NO'"),
        ({"predictions": True, "labels": True, "performance": KEY | {"metric": "auc"}}, "the metric 'auc'"),
        ({"predictions": True, "labels": True, "performance": KEY | {"positive": "x"}}, "positive class 'x'"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    session: Session, run_monitor: Monitor, given: dict[str, Any], message: str
) -> None:
    results, labels = tables(session, scores(300, seed=11))
    known = {"predictions": results, "reference_predictions": results, "labels": labels}
    filled = {name: known[name] if value is True else value for name, value in given.items()}
    with pytest.raises(DataError, match=message):
        run_monitor(customers(300, seed=1), **filled)


def test_a_key_that_stands_twice_is_refused(session: Session) -> None:
    frame = scores(300, seed=12).assign(ID=lambda rows: rows["ID"] // 2)
    with pytest.raises(DataError, match=r"results has keys that stand more than once \(150\)"):
        measured(session, frame)


def test_retraining_without_a_pipeline_is_refused() -> None:
    with pytest.raises(ValueError, match=r"on_drift=retrain needs retrain\.pipeline"):
        MonitorParams(on_drift="retrain")
