"""Exports that finish without an error and are wrong: each is planted, caught, and exported right by another way."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from firnline.errors import DataError, StoppedByGateError
from firnline_onnx.conversion.convert import close_graph, convert, open_inputs
from firnline_onnx.conversion.graph import ML, ML_OPSET, OPSET, Graph, matrix_of
from firnline_onnx.conversion.transformers import add_transformer
from firnline_onnx.parity import Parity, refuse_difference
from firnline_onnx.signature import Kind
from tests.onnx.world import KINDS, compared, customers, described, exported, labels

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")


def planted(
    estimator: Any, frame: pd.DataFrame, kinds: dict[str, Kind], *, last: Any, front: Any = None, double: bool = False
) -> Parity:
    """Export as the libraries' converters do it, and compare."""
    from onnx import TensorProto
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType

    graph, model = Graph(), described(kinds, "binary")
    block = open_inputs(graph, model, kinds)
    if front is not None:
        block = add_transformer(graph, front, block)
    kind = DoubleTensorType if double else FloatTensorType
    inner = convert_sklearn(
        last,
        initial_types=[("matrix", kind([None, block.width]))],
        options={id(last): {"zipmap": False}},
        target_opset={"": OPSET, ML: ML_OPSET},
    )
    matrix = matrix_of(graph, block, where="the test")
    outputs = graph.inline(inner, matrix=matrix if double else graph.cast(matrix, TensorProto.FLOAT))
    converted = close_graph(graph, graph.double(outputs[1]), model, kinds)
    return compared(converted.proto.SerializeToString(), estimator, frame, kinds, "binary")


def assert_caught(parity: Parity) -> str:
    """The gate stops it and shows the worst rows."""
    with pytest.raises(StoppedByGateError, match="predicts otherwise than the model") as stopped:
        refuse_difference(parity, 1e-5, where="stage export")
    told = str(stopped.value)
    assert "Worst: [" in told
    assert "instead of [" in told
    return told


def assert_right(parity: Parity) -> None:
    """The gate lets it through."""
    assert parity.largest < 1e-6
    assert parity.flipped == 0
    assert parity.hard > 0
    refuse_difference(parity, 1e-5, where="stage export")


def coded(frame: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, Kind]]:
    """Return text as codes in numbers."""
    codes = {name: pd.Categorical(frame[name]).codes.astype(float) for name in ("PLAN", "CITY")}
    found = frame.assign(**codes)
    return found.mask(found == -1), dict.fromkeys(frame, "number")


def test_histogram_boosting_with_categories() -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier

    frame, kinds = coded(customers())
    target = (frame["CITY"] % 3 == 1).to_numpy() ^ (frame["AGE"] > 60).to_numpy()
    model = HistGradientBoostingClassifier(max_iter=20, categorical_features=["PLAN", "CITY"]).fit(frame, target)
    assert any(p[0].nodes["is_categorical"].any() for p in model._predictors)
    plain = HistGradientBoostingClassifier(max_iter=20, categorical_features=[3, 4]).fit(frame.to_numpy(), target)
    told = assert_caught(planted(model, frame, kinds, last=plain))
    assert "CITY=" in told
    assert_right(exported(model, frame, kinds))


def test_histogram_boosting_with_categories_of_text() -> None:
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OrdinalEncoder

    frame = customers(missing=0.0)
    front = ColumnTransformer(
        [("codes", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan), ["PLAN", "CITY"])],
        remainder="passthrough",
    )
    model = HistGradientBoostingClassifier(max_iter=20, categorical_features=[0, 1])
    pipeline = Pipeline([("front", front), ("trees", model)]).fit(frame, labels(frame))
    assert_right(exported(pipeline, frame, KINDS))


def test_xgboost_after_a_sparse_encoder() -> None:
    from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost
    from skl2onnx import update_registered_converter
    from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OneHotEncoder
    from xgboost import XGBClassifier

    update_registered_converter(
        XGBClassifier, "XGBoostXGBClassifier", calculate_linear_classifier_output_shapes, convert_xgboost,
        options={"nocl": [True, False], "zipmap": [True, False, "columns"]},
    )  # fmt: skip
    frame = customers()
    front = ColumnTransformer(
        [("one", OneHotEncoder(handle_unknown="ignore"), ["PLAN", "CITY"])],
        remainder="passthrough",
        sparse_threshold=1.0,
    )
    pipeline = Pipeline([("front", front), ("trees", XGBClassifier(n_estimators=20, n_jobs=1))]).fit(
        frame, labels(frame)
    )
    assert front.sparse_output_
    assert_caught(planted(pipeline, frame, KINDS, front=front, last=pipeline[-1]))
    assert_right(exported(pipeline, frame, KINDS))


@pytest.mark.parametrize("library", ["sklearn", "lightgbm"])
def test_thresholds_at_large_magnitudes(library: str) -> None:
    frame = _large()
    kinds: dict[str, Kind] = dict.fromkeys(frame, "number")
    target = (np.arange(len(frame)) % 2).astype(int)
    if library == "sklearn":
        from sklearn.ensemble import HistGradientBoostingClassifier

        model: Any = HistGradientBoostingClassifier(max_iter=30, min_samples_leaf=2).fit(frame, target)
        assert_caught(planted(model, frame, kinds, last=model))
    else:
        from lightgbm import LGBMClassifier

        _register_lightgbm()
        model = LGBMClassifier(n_estimators=30, min_child_samples=2, verbose=-1, n_jobs=1).fit(frame, target)
        assert_caught(planted(model, frame, kinds, last=model))
    assert_right(exported(model, frame, kinds))


def _large() -> pd.DataFrame:
    """Numbers that single precision cannot tell apart: identifiers, and amounts of billions with cents."""
    rng = np.random.default_rng(3)
    return pd.DataFrame({"ID": 1e8 + np.arange(600) * 1.0, "AMOUNT": 2e9 + rng.random(600).round(2)})


def _register_lightgbm() -> None:
    from lightgbm import LGBMClassifier
    from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm
    from skl2onnx import update_registered_converter
    from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes

    update_registered_converter(
        LGBMClassifier, "LightGbmLGBMClassifier", calculate_linear_classifier_output_shapes, convert_lightgbm,
        options={"nocl": [True, False], "zipmap": [True, False, "columns"]},
    )  # fmt: skip


def test_double_inputs_to_a_forest() -> None:
    from sklearn.ensemble import RandomForestClassifier

    frame = _large()
    kinds: dict[str, Kind] = dict.fromkeys(frame, "number")
    target = (np.arange(len(frame)) // 3 % 2).astype(int)
    model = RandomForestClassifier(20, random_state=0).fit(frame, target)
    assert_caught(planted(model, frame, kinds, last=model, double=True))
    assert_right(exported(model, frame, kinds))


def _embedding() -> Any:
    import torch

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = torch.nn.Embedding(3, 4)
            self.out = torch.nn.Linear(5, 2)

        def forward(self, rows: Any) -> Any:
            code = rows[:, 1].long()
            return torch.softmax(self.out(torch.cat([rows[:, :1], self.table(code)], dim=1)), dim=1)

    torch.manual_seed(0)
    return Net()


def test_negative_category_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    """ONNX counts a code of -1 from the end and answers with the last category; torch refuses."""
    from firnline_onnx.conversion import torch_module

    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"SIZE": rng.normal(size=200), "CODE": rng.integers(0, 3, 200).astype(float)})
    kinds: dict[str, Kind] = {"SIZE": "number", "CODE": "number"}
    net = _embedding()
    right = exported(net, frame, kinds)
    assert_right(right)
    assert "CODE" in right.refuses_missing
    assert ("extreme value", "CODE") in right.refused
    monkeypatch.setattr(torch_module, "_refuse_negative_codes", lambda model: model)
    with pytest.raises(StoppedByGateError, match=r"where the model refuses to answer, for .*CODE=-1\.0"):
        refuse_difference(exported(net, frame, kinds), 1e-5, where="stage export")


def refusals() -> dict[str, tuple[Callable[[], Any], str]]:
    """Return what cannot be exported, and what is said about it."""

    def xgboost_categories() -> Any:
        from xgboost import XGBClassifier

        frame, _ = coded(customers())
        typed = frame.assign(CITY=frame["CITY"].fillna(0).astype(int).astype("category"))
        return XGBClassifier(n_estimators=5, enable_categorical=True).fit(typed, labels(frame))

    def linear_booster() -> Any:
        from xgboost import XGBClassifier

        frame, _ = coded(customers(missing=0.0))
        return XGBClassifier(n_estimators=5, booster="gblinear").fit(frame, labels(frame))

    def zero_as_missing() -> Any:
        from lightgbm import LGBMClassifier

        frame, _ = coded(customers())
        return LGBMClassifier(n_estimators=5, zero_as_missing=True, verbose=-1, n_jobs=1).fit(frame, labels(frame))

    def python_function() -> Any:
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import FunctionTransformer

        frame, _ = coded(customers(missing=0.0))
        return make_pipeline(FunctionTransformer(np.log1p), LogisticRegression()).fit(frame, labels(frame))

    def infrequent_categories() -> Any:
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import OneHotEncoder

        frame, _ = coded(customers())
        return make_pipeline(OneHotEncoder(min_frequency=50), LogisticRegression()).fit(frame, labels(frame))

    def no_counterpart() -> Any:
        from sklearn.neighbors import NearestCentroid

        frame, _ = coded(customers(missing=0.0))
        return NearestCentroid().fit(frame, labels(frame))

    return {
        "xgboost's own categories": (xgboost_categories, "enable_categorical"),
        "a linear booster": (linear_booster, "'gblinear' booster"),
        "zero as missing": (zero_as_missing, "zero_as_missing"),
        "a Python function": (python_function, "FunctionTransformer calls Python code"),
        "infrequent categories": (infrequent_categories, "infrequent categories"),
        "no counterpart": (no_counterpart, "NearestCentroid has no counterpart"),
    }


@pytest.mark.parametrize("what", refusals())
def test_what_is_not_carried_over_is_refused_by_name(what: str) -> None:
    make, message = refusals()[what]
    frame, kinds = coded(customers())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = make()
    with pytest.raises(DataError, match=message) as refused:
        exported(model, frame, kinds)
    assert refused.value.hint


def test_text_that_reaches_a_tree_is_refused() -> None:
    from sklearn.tree import DecisionTreeClassifier

    frame, _ = coded(customers(missing=0.0))
    model = DecisionTreeClassifier().fit(frame, labels(frame))
    with pytest.raises(DataError, match=r"DecisionTreeClassifier is handed text \(PLAN, CITY\)"):
        exported(model, frame, KINDS)


def test_a_file_of_another_model_is_stopped() -> None:
    from sklearn.linear_model import LogisticRegression

    frame, kinds = coded(customers(missing=0.0))
    one = LogisticRegression(max_iter=500).fit(frame, labels(frame))
    other = LogisticRegression(max_iter=500, C=0.001).fit(frame, labels(frame))
    content = convert(other, described(kinds, "binary"), kinds).proto.SerializeToString()
    parity = compared(content, one, frame, kinds, "binary")
    assert parity.beyond > 1_000
    assert parity.worst[0].difference == max(row.difference for row in parity.worst)
    assert_caught(parity)
