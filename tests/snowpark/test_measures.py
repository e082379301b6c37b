"""Our measures are scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from firnline_snowpark.evaluate.measures import baseline_scores, intervals, measures
from firnline_snowpark.evaluate.predictions import Predictions
from firnline_snowpark.rows import LearningTask

BINARY = LearningTask(features=("x",), target="y", task="binary", classes=("no", "yes"))
SEVERAL = LearningTask(features=("x",), target="y", task="multiclass", classes=("a", "b", "c"))
AMOUNT = LearningTask(features=("x",), target="y", task="regression")


@pytest.mark.parametrize("decimals", [1, 8])
def test_binary(decimals):
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 500)
    scores = np.clip(np.round(labels * 0.3 + random.uniform(0, 0.7, 500), decimals), 0.01, 0.99)
    guess = scores >= 0.4
    assert measures(BINARY, labels, scores, threshold=0.4) == pytest.approx(
        {
            "roc_auc": metrics.roc_auc_score(labels, scores),
            "average_precision": metrics.average_precision_score(labels, scores),
            "log_loss": metrics.log_loss(labels, scores),
            "brier": metrics.brier_score_loss(labels, scores),
            "accuracy": metrics.accuracy_score(labels, guess),
            "f1": metrics.f1_score(labels, guess),
            "precision": metrics.precision_score(labels, guess),
            "recall": metrics.recall_score(labels, guess),
        }
    )


def test_what_is_not_defined_is_left_out():
    found = measures(BINARY, np.zeros(4, dtype=int), np.full(4, 0.1))
    assert found == pytest.approx({"log_loss": -np.log(0.9), "brier": 0.01, "accuracy": 1.0})
    assert set(measures(AMOUNT, np.ones(3), np.ones(3))) == {"rmse", "mae"}


def test_several_classes():
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 300)
    scores = random.dirichlet([1, 1, 1], 300) + np.eye(3)[labels] * 0.3
    scores /= scores.sum(axis=1, keepdims=True)
    guess = scores.argmax(axis=1)
    assert measures(SEVERAL, labels, scores) == pytest.approx(
        {
            "roc_auc": metrics.roc_auc_score(labels, scores, multi_class="ovr"),
            "log_loss": metrics.log_loss(labels, scores),
            "accuracy": metrics.accuracy_score(labels, guess),
            "f1_macro": metrics.f1_score(labels, guess, average="macro"),
            "precision_macro": metrics.precision_score(labels, guess, average="macro"),
            "recall_macro": metrics.recall_score(labels, guess, average="macro"),
        }
    )


def test_amounts():
    random = np.random.default_rng(0)
    labels = random.normal(10, 3, 200)
    scores = labels + random.normal(0, 1, 200)
    assert measures(AMOUNT, labels, scores) == pytest.approx(
        {
            "rmse": metrics.root_mean_squared_error(labels, scores),
            "mae": metrics.mean_absolute_error(labels, scores),
            "r2": metrics.r2_score(labels, scores),
        }
    )


def test_the_baseline_knows_the_training_rows_only():
    assert baseline_scores(BINARY, np.array([30, 10]), 2).tolist() == [0.25, 0.25]
    assert baseline_scores(SEVERAL, np.array([2, 1, 1]), 1).tolist() == [[0.5, 0.25, 0.25]]
    assert baseline_scores(AMOUNT, np.array([7.5]), 1).tolist() == [7.5]


def test_intervals_hold_the_value_and_are_always_the_same():
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 400)
    predictions = Predictions(
        task=BINARY, labels=labels, scores=labels * 0.2 + random.uniform(0, 0.8, 400), others=None
    )
    first = intervals(predictions, threshold=0.5, resamples=100, seed=1)
    low, high = first["roc_auc"]
    assert low < metrics.roc_auc_score(labels, predictions.scores) < high
    assert intervals(predictions, threshold=0.5, resamples=100, seed=1) == first
    assert intervals(predictions, threshold=0.5, resamples=0, seed=1) == {}
