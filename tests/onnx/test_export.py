"""The step on a platform: rows from a table, a registered version, the file and what it says of itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from firnline.domain import RegisteredModel, Table
from firnline.errors import DataError, StoppedByGateError
from firnline.testing import Case, conformance
from firnline_onnx import export
from firnline_onnx.params import ExportParams
from firnline_onnx.runtime import answer, open_session
from firnline_onnx.signature import MODEL_FILE, read_signature
from tests.snowpark.churn_world import World
from tests.snowpark.plans import FEATURES, Trained, plans_table, train

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")


def to_export(context: Any) -> Mapping[str, Any]:
    """Fit a model for the kit."""
    world = World(context.session, context.directory)
    found = train(world, plans_table(world), "PLAN")
    return {"model": found.model, "test": found.table}


test_kit = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")(
    conformance("onnx", cases={"export.onnx": Case(params={"rows": 50}, inputs=to_export)})
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Give a session in memory."""
    import firnline_sandbox

    session = firnline_sandbox.session()
    yield World(session, Path(tmp_path_factory.mktemp("world")))
    session.close()


@pytest.fixture(scope="module")
def trained(world: World) -> Trained:
    """Give a model of three classes, of text, numbers and a flag, with a tenth of the values missing."""
    return train(world, plans_table(world), "PLAN")


def run(world: World, trained: Trained, registered: RegisteredModel | None = None, **params: Any) -> Any:
    """Export the model."""
    inputs = {"model": trained.model, "test": trained.table}
    context = world.context("export", **inputs)
    return export.run(context, ExportParams(**params), trained.model, trained.table, registered)


def test_file_and_signature(world: World, trained: Trained) -> None:
    outputs = run(world, trained, rows=200)
    folder = outputs["files"].path
    signature = read_signature(folder)
    assert [(given.name, given.kind) for given in signature.inputs] == list(
        zip(FEATURES, ["text", "number", "number", "number"], strict=True)
    )
    assert signature.classes == ("$", "$$$", "it's")
    assert outputs["metrics"].values["rows"] == 200
    assert outputs["metrics"].values["hard_rows"] > 100
    assert outputs["metrics"].values["label_mismatches"] == 0
    assert outputs["metrics"].values["max_difference"] < 1e-9
    proto = onnx.load(folder / MODEL_FILE)
    kinds = [given.type.tensor_type.elem_type for given in proto.graph.input]
    assert kinds == [onnx.TensorProto.STRING, *[onnx.TensorProto.DOUBLE] * 3]
    told = {item.key: item.value for item in proto.metadata_props}
    assert json.loads(told["firnline.signature"]) == signature.to_json()
    assert json.loads(told["features"]) == list(FEATURES)


def test_a_registered_versions_facts_are_in_the_file_and_its_digest_in_the_registry(
    world: World, trained: Trained
) -> None:
    registered = world.run(
        "register.model",
        {"name": "plans", "sample_rows": 20},
        key="0123456789abcdef" * 2,
        model=trained.model,
        metrics=trained.metrics,
        data=trained.table,
        features=trained.table,
    )["registered"]
    outputs = run(world, trained, registered, rows=50, threshold=0.3)
    signature = read_signature(outputs["files"].path)
    assert (signature.name, signature.version) == (registered.name, registered.version)
    assert signature.threshold == 0.3
    assert len(signature.facts["data_version"]) == 16
    assert signature.metrics == pytest.approx(dict(trained.metrics.values))
    from snowflake.ml.registry import Registry

    version = Registry(world.session).get_model("PLANS").version(registered.version)
    noted = version.show_metrics()["firnline_onnx"]
    assert noted["parity"]["label_mismatches"] == 0
    assert noted["sha256"][:16] in outputs["report"].sections[0].body


def test_the_file_alone_answers(world: World, trained: Trained) -> None:
    content = (run(world, trained, rows=50)["files"].path / MODEL_FILE).read_bytes()
    inputs = {
        "select": np.array([["a"], ["␀"]], dtype=object),
        **{name: np.array([[1.0], [np.nan]]) for name in FEATURES[1:]},
    }
    said = answer(open_session(content), inputs, "multiclass")
    assert said.shape == (2, 3)
    assert said.sum(axis=1) == pytest.approx([1.0, 1.0])


def test_an_export_that_is_wrong_stops_the_pipeline(
    world: World, trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The median that stands for a missing value is forgotten."""
    from firnline_onnx.conversion import transformers

    def forgetful(graph: Any, transformer: Any, block: Any) -> Any:
        if not any(block.texts):
            transformer = type("Imputer", (), {**vars(transformer), "statistics_": transformer.statistics_ + 40})()
        return real(graph, transformer, block)

    real = transformers._KNOWN["SimpleImputer"]
    monkeypatch.setitem(transformers._KNOWN, "SimpleImputer", forgetful)
    with pytest.raises(StoppedByGateError, match=r"stage export: the ONNX file predicts otherwise.*have another class"):
        run(world, trained, rows=200)


def test_bad_inputs_are_told(world: World, trained: Trained) -> None:
    other = world.table("ID INT", "1")
    with pytest.raises(DataError, match="lacks the model's columns select"):
        run(world, replace(trained, table=other))
    empty = world.changed(trained.table, "DELETE FROM {}")
    with pytest.raises(DataError, match="has no rows to compare on"):
        run(world, replace(trained, table=empty))
    dated = world.changed(
        trained.table, "ALTER TABLE {} DROP COLUMN AGE", "ALTER TABLE {} ADD COLUMN AGE DATE DEFAULT '2025-01-01'"
    )
    with pytest.raises(DataError, match="'AGE' holds DateType"):
        run(world, replace(trained, table=Table(name=dated.name)))
