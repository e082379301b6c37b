"""What the page for a reader says: no more than the numbers bear."""

from __future__ import annotations

from dataclasses import replace

import pytest

from firnline_snowpark.evaluate.evaluation import Evaluation
from firnline_snowpark.evaluate.plots import wilson_interval
from firnline_snowpark.evaluate.slices import Slice
from firnline_snowpark.report.summary import verdict, weakest
from firnline_snowpark.rows import LearningTask

BINARY = Evaluation(
    task=LearningTask(features=("AGE",), target="LEFT", task="binary", classes=("no", "yes")),
    rows=1_000,
    unknown=0,
    primary="roc_auc",
    metrics={"roc_auc": 0.8},
    baseline={"roc_auc": 0.5},
    intervals={"roc_auc": (0.75, 0.85)},
    importances=[],
    slices=[],
    threshold=0.5,
    share=0.2,
)
AMOUNTS = replace(
    BINARY,
    task=LearningTask(features=("AGE",), target="SPEND", task="regression"),
    primary="rmse",
    metrics={"rmse": 10.0},
    baseline={"rmse": 12.0},
    intervals={"rmse": (9.0, 11.0)},
)


@pytest.mark.parametrize(
    ("evaluation", "says"),
    [
        (BINARY, "ROC AUC 0.8000 (95 % interval 0.7500 to 0.8500); a baseline that knows no features reaches 0.5000."),
        (BINARY, "larger than chance explains"),
        (replace(BINARY, intervals={"roc_auc": (0.48, 0.9)}), "may be chance"),
        (AMOUNTS, "larger than chance explains"),
        (replace(AMOUNTS, intervals={"rmse": (9.0, 12.5)}), "may be chance"),
        (replace(BINARY, metrics={"accuracy": 1.0}), "ROC AUC is not defined on the 1,000 held-out rows"),
    ],
)
def test_verdict_depends_on_the_interval(evaluation: Evaluation, says: str) -> None:
    assert says in verdict(evaluation)


def test_weakest_slices_are_worse_than_the_whole_and_come_worst_first() -> None:
    def part(value: str, **measures: float) -> Slice:
        return Slice(column="AGE", value=value, rows=50, actual=0.1, predicted=0.1, measures=measures)

    slices = [part("good", roc_auc=0.9), part("weak", roc_auc=0.7), part("none"), part("bad", roc_auc=0.6)]
    assert [found.value for found in weakest(slices, BINARY)] == ["bad", "weak"]
    errors = [part("good", rmse=9.0), part("weak", rmse=11.0), part("bad", rmse=15.0)]
    assert [found.value for found in weakest(errors, AMOUNTS)] == ["bad", "weak"]


@pytest.mark.parametrize(
    ("hits", "rows", "low", "high"), [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0)]
)
def test_intervals_of_shares_are_wilsons(hits: int, rows: int, low: float, high: float) -> None:
    """The values of Wilson's formula, as scipy's binomtest(...).proportion_ci("wilson") gives them, too."""
    from scipy.stats import binomtest

    found = binomtest(hits, rows).proportion_ci(method="wilson")
    assert wilson_interval(hits, rows) == pytest.approx((found.low, found.high), abs=1e-9)
    assert wilson_interval(hits, rows) == pytest.approx((low, high), abs=1e-4)
