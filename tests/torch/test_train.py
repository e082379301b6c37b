"""The step on a sandbox: from a table to an estimator that evaluation, registry and scoring take like any other."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import r2_score, roc_auc_score
from snowflake.snowpark import Session

from firnline.domain import Table, Value
from firnline.errors import DataError
from firnline.testing import step_context
from firnline_torch import train
from firnline_torch.params import TorchParams
from tests.torch.world import FEATURES, LABELS, SCHEMA, features_of, people, store

Train = Callable[..., Any]
SMALL = {"hidden": (32,), "epochs": 10, "batch_size": 128, "learning_rate": 0.01, "threads": 1, "device": "cpu"}


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    """Give a session in memory."""
    import firnline_sandbox

    opened = firnline_sandbox.session()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def tables(session: Session) -> dict[str, Table]:
    """Give training and validation rows."""
    return {name: store(session, people(1_500, seed), name.upper()) for seed, name in enumerate(("train", "valid"))}


@pytest.fixture
def run_train(session: Session, tables: dict[str, Table], tmp_path: Path) -> Train:
    """Give a function that trains on the tables."""

    def run(task: str = "binary", profile: Value | None = None, **params: Any) -> Any:
        context = step_context(tmp_path, stage="train", schema=SCHEMA, session=lambda: session)
        set_aside = [name for name in LABELS.values() if name != LABELS[task]]
        given = {**SMALL, "target": LABELS[task].lower(), "identifiers": ("id",), "set_aside": set_aside, **params}
        return train.run(context, TorchParams.model_validate(given), **tables, profile=profile)

    return run


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_it_learns(run_train: Train, tmp_path: Path, task: str) -> None:
    outputs = run_train(task)
    model = outputs["model"]
    assert (model.task, model.features, model.framework) == (task, FEATURES, "torch")
    estimator, fresh = model.load(), people(1_000, seed=9)
    features, labels = features_of(fresh), fresh[LABELS[task]]
    if task == "regression":
        assert r2_score(labels, estimator.predict(features)) > 0.5
    else:
        codes = labels.map({label: code for code, label in enumerate(model.classes)})
        probabilities = estimator.predict_proba(features)
        assert probabilities.sum(axis=1) == pytest.approx(np.ones(len(fresh)))
        assert (estimator.predict(features) == probabilities.argmax(axis=1)).all()
        scores = probabilities if task == "multiclass" else probabilities[:, 1]
        assert roc_auc_score(codes, scores, multi_class="ovr") > 0.85
    assert "Learning curve" in [section.title for section in outputs["report"].sections]
    assert not list((tmp_path / "project" / ".firnline" / "torch").iterdir())


def test_the_same_seed_gives_the_same_model(run_train: Train) -> None:
    features = features_of(people(50, seed=9))
    one, again, other = (run_train(seed=seed, epochs=2)["model"].load() for seed in (1, 1, 2))
    assert (one.predict_proba(features) == again.predict_proba(features)).all()
    assert (one.predict_proba(features) != other.predict_proba(features)).any()


def test_transformer_learns(run_train: Train) -> None:
    model = run_train(model="ft_transformer", token_width=16, heads=2, blocks=1, epochs=4)["model"]
    fresh = people(500, seed=9)
    assert roc_auc_score(fresh["LEAVES"] == "yes", model.load().predict_proba(features_of(fresh))[:, 1]) > 0.85


def test_gaps_and_unknown_categories_are_answered(run_train: Train) -> None:
    estimator = run_train(epochs=2)["model"].load()
    frame = features_of(people(4, seed=9))
    frame["AGE"] = np.nan
    frame["select it's"] = ["never seen", None, np.nan, "a"]
    said = estimator.predict_proba(frame)
    assert np.isfinite(said).all()
    numbers, codes = estimator.encoder.encode(frame)
    assert codes[:, 0].tolist()[:3] == [0, 0, 0]
    assert codes[3, 0] == 1
    assert np.isfinite(numbers).all()
    assert estimator.predict_proba(frame.iloc[:0]).shape == (0, 2)


def test_rows_and_params_that_are_no_good_are_refused(run_train: Train) -> None:
    with pytest.raises(DataError, match="'nowhere' is not in the table"):
        run_train(target="nowhere")
    with pytest.raises(DataError, match="no column is left"):
        run_train(set_aside=(*FEATURES, "PLAN", "AMOUNT"))
    with pytest.raises(DataError, match="heads do not divide"):
        run_train(model="ft_transformer", token_width=16, heads=3)
    with pytest.raises(DataError, match="slower than float32"):
        run_train(precision="bfloat16")
    with pytest.raises(DataError, match="cannot be made"):
        run_train(model="nowhere_at_all:Net")


def test_the_estimator_needs_no_code_of_ours_where_it_is_served(run_train: Train, tmp_path: Path) -> None:
    """The registry pickles with cloudpickle and unpickles where this package is not installed."""
    import json
    import subprocess
    import sys

    import cloudpickle

    estimator = run_train(epochs=1)["model"].load()
    frame = features_of(people(5, seed=9))
    (tmp_path / "model").write_bytes(cloudpickle.dumps(estimator))
    (tmp_path / "frame").write_bytes(pickle.dumps(frame))
    program = """
import json, pickle, sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0].startswith("firnline"):
            raise ImportError(name)
sys.meta_path.insert(0, Refuse())
model, frame = (pickle.load(open(path, "rb")) for path in sys.argv[1:])
print(json.dumps(model.predict_proba(frame).tolist()))
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "model"), str(tmp_path / "frame")],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == estimator.predict_proba(frame).tolist()
