"""Every estimator that is exported predicts the same on real and hard rows, for every task."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import onnxruntime
import pandas as pd
import pytest

from firnline.domain import Task
from firnline.errors import DataError
from firnline_onnx.conversion.convert import convert
from firnline_onnx.parity import refuse_difference
from firnline_onnx.signature import Input, Signature
from firnline_snowpark.rows import LearningTask
from firnline_snowpark.train.preprocessing import preprocessing
from firnline_snowpark.train.roles import Roles
from tests.onnx.world import KINDS, NUMBERS, TEXTS, customers, described, exported, labels

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")


def front(frame: pd.DataFrame, task: Task, *, scaled: bool, one_hot_limit: int) -> Any:
    """Return what the trainers put in front of their estimators."""
    learning = LearningTask(features=tuple(KINDS), target="LEAVES", task=task)
    roles = Roles(task=learning, kinds=dict(KINDS), order=(), left_out=())
    return preprocessing(roles, frame, one_hot_limit=one_hot_limit, scaled=scaled, seed=0)


def estimator(name: str, task: Task) -> Any:
    """Return an unfitted estimator for a task."""
    import lightgbm
    import xgboost
    from sklearn import ensemble, linear_model, tree

    kind = "Regressor" if task == "regression" else "Classifier"
    match name:
        case "linear":
            return linear_model.Ridge() if task == "regression" else linear_model.LogisticRegression(max_iter=500)
        case "xgboost":
            return getattr(xgboost, f"XGB{kind}")(n_estimators=20, n_jobs=1)
        case "lightgbm":
            return getattr(lightgbm, f"LGBM{kind}")(n_estimators=15, verbose=-1, n_jobs=1)
        case "histogram":
            return getattr(ensemble, f"HistGradientBoosting{kind}")(max_iter=15)
        case "tree":
            return getattr(tree, f"DecisionTree{kind}")(max_depth=6, random_state=0)
        case "by the library":
            return getattr(ensemble, f"GradientBoosting{kind}")(n_estimators=15, random_state=0)
    raise AssertionError(name)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("name", ["linear", "xgboost", "lightgbm", "histogram", "tree", "by the library"])
def test_pipelines_of_the_trainers(name: str, task: Task) -> None:
    """Numbers with gaps, few categories one-hot, many target-encoded: NULLs, unseen categories and ties included."""
    from sklearn.pipeline import Pipeline

    frame = customers(600)
    columns = front(frame, task, scaled=name in {"linear", "by the library"}, one_hot_limit=5)
    pipeline = Pipeline([("columns", columns), ("last", estimator(name, task))]).fit(frame, labels(frame, task))
    parity = exported(pipeline, frame, KINDS, task, tolerance=2e-6)
    refuse_difference(parity, 2e-6, where="stage export")
    assert parity.rows == 600
    assert parity.hard > 300
    assert parity.refuses_missing == parity.refuses_unseen == parity.refused == ()


def test_a_model_that_stopped_early_predicts_with_its_best_rounds() -> None:
    from xgboost import XGBClassifier

    frame = customers(600)[["AGE", "SPEND", "TICKETS"]]
    model = XGBClassifier(n_estimators=200, learning_rate=0.5, early_stopping_rounds=3, n_jobs=1)
    target = labels(customers(600))
    model.fit(frame[:400], target[:400], eval_set=[(frame[400:], target[400:])], verbose=False)
    assert model.best_iteration + 1 < model.get_booster().num_boosted_rounds()
    parity = exported(model, frame, dict.fromkeys(frame, "number"))
    assert parity.largest < 1e-6


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("library", ["xgboost", "lightgbm"])
def test_boosters_of_the_libraries_own_interface(library: str, task: Task) -> None:
    frame = customers(500)[["AGE", "SPEND", "TICKETS"]]
    target = labels(customers(500), task)
    if library == "xgboost":
        import xgboost

        objective = {"binary": "binary:logistic", "multiclass": "multi:softprob", "regression": "count:poisson"}[task]
        settings = {"objective": objective, "nthread": 1, **({"num_class": 3} if task == "multiclass" else {})}
        booster = xgboost.train(settings, xgboost.DMatrix(frame, np.abs(target)), num_boost_round=8)
    else:
        import lightgbm

        objective = {"binary": "binary", "multiclass": "multiclass", "regression": "poisson"}[task]
        settings = {
            "objective": objective,
            "verbose": -1,
            "num_threads": 1,
            **({"num_class": 3} if task == "multiclass" else {}),
        }
        booster = lightgbm.train(settings, lightgbm.Dataset(frame, np.abs(target)), num_boost_round=8)
    parity = exported(booster, frame, dict.fromkeys(frame, "number"), task)
    refuse_difference(parity, 1e-5, where="stage export")


def test_lightgbms_own_categories() -> None:
    from lightgbm import LGBMClassifier

    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"CODE": rng.integers(0, 9, 800).astype(float), "SIZE": rng.normal(size=800)})
    target = (frame["CODE"] % 3 == 1).astype(int) ^ (frame["SIZE"] > 0.5)
    model = LGBMClassifier(n_estimators=15, min_child_samples=5, verbose=-1, n_jobs=1)
    model.fit(frame, target, categorical_feature=["CODE"])
    assert '"=="' in json.dumps(model.booster_.dump_model())
    refuse_difference(exported(model, frame, {"CODE": "number", "SIZE": "number"}), 1e-5, where="stage export")


def test_a_torch_module() -> None:
    import torch

    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Linear(3, 16), torch.nn.ReLU(), torch.nn.Dropout(0.5), torch.nn.Linear(16, 2), torch.nn.Softmax(dim=1)
    )
    frame = customers(400, missing=0.0)[["AGE", "SPEND", "TICKETS"]]
    parity = exported(net, frame, dict.fromkeys(frame, "number"))
    refuse_difference(parity, 1e-5, where="stage export")


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("kind", ["mlp", "ft_transformer"])
@pytest.mark.parametrize("columns", [(*NUMBERS, *TEXTS), NUMBERS, TEXTS])
def test_networks_of_the_torch_trainer(columns: tuple[str, ...], kind: str, task: Task) -> None:
    """Gaps, categories that were never seen, and numbers far outside; the weights are drawn, not learned."""
    import torch

    from firnline_torch.encoding import Encoder
    from firnline_torch.estimator import TorchEstimator
    from firnline_torch.networks import build_network

    frame = customers(300)[list(columns)]
    numbers, texts = ([name for name in names if name in columns] for names in (NUMBERS, TEXTS))
    encoder = Encoder(
        numbers=tuple(numbers),
        means=tuple(float(frame[name].mean()) for name in numbers),
        scales=tuple(float(frame[name].std()) for name in numbers),
        gaps=(0, 2) if numbers else (),
        texts=tuple(texts),
        vocabularies=tuple(tuple(sorted(frame[name].dropna().unique())) for name in texts),
    )
    torch.manual_seed(0)
    shape = {"token_width": 16, "heads": 2, "blocks": 1, "hidden": [16, 8], "dropout": 0.1}
    outputs = 3 if task == "multiclass" else 1
    network = build_network(
        {"model": kind, **shape}, numbers=encoder.width, cardinalities=encoder.cardinalities, outputs=outputs
    )
    model = TorchEstimator(encoder, network.eval(), task, center=50.0, scale=20.0)
    parity = exported(model, frame, {name: KINDS[name] for name in columns}, task)
    refuse_difference(parity, 1e-5, where="stage export")
    assert parity.hard > 0
    assert parity.refuses_missing == parity.refuses_unseen == parity.refused == ()


def test_a_torch_module_of_another_shape_is_refused() -> None:
    import torch

    frame = customers(50, missing=0.0)[["AGE", "SPEND"]]
    with pytest.raises(DataError, match=r"Linear returns \[2, 1\] for two rows, not \[2, 2\]"):
        exported(torch.nn.Linear(2, 1), frame, dict.fromkeys(frame, "number"))


def test_what_the_model_itself_refuses_is_told() -> None:
    """An encoder that raises at unseen categories, and an estimator that takes no NULL."""
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    frame = customers(400, missing=0.0)[["AGE", "PLAN"]]
    columns = ColumnTransformer([("plan", OneHotEncoder(handle_unknown="error"), ["PLAN"])], remainder="passthrough")
    model = make_pipeline(columns, LogisticRegression(max_iter=500)).fit(frame, labels(customers(400, missing=0.0)))
    kinds = {"AGE": "number", "PLAN": "text"}
    parity = exported(model, frame, kinds)
    assert parity.refuses_missing == ("AGE", "PLAN")
    assert parity.refuses_unseen == ("PLAN",)
    assert convert(model, described(kinds, "binary"), kinds).closed == {"PLAN": ("basic", "plus", "pro")}


def test_names_of_columns_that_look_like_the_graphs_own() -> None:
    from sklearn.linear_model import LogisticRegression

    frame = pd.DataFrame({"concat_1": [0.0, 1.0, 2.0, 3.0] * 10, 'it\'s "q"': [1.0, 0.0, 1.0, 0.0] * 10})
    model = LogisticRegression().fit(frame, [0, 0, 1, 1] * 10)
    kinds = dict.fromkeys(frame, "number")
    assert exported(model, frame, kinds).largest < 1e-9
    content = convert(model, described(kinds, "binary"), kinds).proto.SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    assert [(given.name, given.type) for given in session.get_inputs()] == [
        ("concat_1", "tensor(double)"),
        ('it\'s "q"', "tensor(double)"),
    ]


def test_a_signature_survives_json() -> None:
    signature = Signature(
        name="M",
        version="V1",
        task="multiclass",
        target="Ü",
        classes=("a", 1, True),
        inputs=(Input(name="A", kind="text", nullable=False, categories=("x",)), Input(name="B", kind="number")),
        missing_text="␀",
        threshold=0.2,
        facts={"run_id": "r"},
        metrics={"auc": 0.9},
        parity={"rows": 3.0},
    )
    assert Signature.from_json(json.loads(json.dumps(signature.to_json()))) == signature
