"""The quantised variant with its loss, and the folders for other services."""

from __future__ import annotations

import shlex
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import yaml

from firnline.domain import Model
from firnline.errors import DataError
from firnline_onnx import export
from firnline_onnx.commands import serve
from firnline_onnx.params import ExportParams
from firnline_onnx.quantised import measure_loss
from firnline_onnx.server.loaded import load_model
from firnline_onnx.signature import read_signature
from firnline_torch.encoding import Encoder
from firnline_torch.estimator import TorchEstimator
from firnline_torch.networks import build_network
from tests.onnx.world import described, saved
from tests.snowpark.churn_world import World
from tests.snowpark.plans import FEATURES, Trained, plans_table, train

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Give a session in memory."""
    import firnline_sandbox

    session = firnline_sandbox.session()
    yield World(session, Path(tmp_path_factory.mktemp("world")))
    session.close()


@pytest.fixture(scope="module")
def trained(world: World) -> Trained:
    """Give a linear model of three classes."""
    return train(world, plans_table(world), "PLAN")


@pytest.fixture(scope="module")
def network(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Give a network of the same table, with weights as they were drawn."""
    import torch

    encoder = Encoder(
        numbers=FEATURES[1:],
        means=(1.7, 0.5, 50.0),
        scales=(0.1, 0.5, 20.0),
        gaps=(0, 1, 2),
        texts=FEATURES[:1],
        vocabularies=(("a", "b", "c's"),),
    )
    torch.manual_seed(0)
    params = {"model": "mlp", "hidden": [256, 256], "dropout": 0.0}
    made = build_network(params, numbers=encoder.width, cardinalities=encoder.cardinalities, outputs=3)
    estimator = TorchEstimator(encoder, made.eval(), "multiclass")
    kinds: Any = dict.fromkeys(FEATURES, "number")
    model = replace(described(kinds, "multiclass", framework="torch"), target="PLAN", classes=("$", "$$$", "it's"))
    return saved(estimator, model, Path(tmp_path_factory.mktemp("network")))


def run(world: World, model: Model, trained: Trained, **params: Any) -> Any:
    """Export a model."""
    context = world.context("export", model=model, test=trained.table)
    return export.run(context, ExportParams(**params), model, trained.table)


def test_a_quantised_variant_states_what_it_loses(world: World, trained: Trained, network: Model) -> None:
    outputs = run(world, network, trained, quantised=True)
    values, folder = outputs["metrics"].values, outputs["files"].path
    assert values["label_mismatches"] == 0
    assert values["max_difference"] < 1e-6
    assert 1e-5 < values["quantised_mean_difference"] < 0.02
    assert values["quantised_megabytes"] < values["megabytes"] / 2
    assert abs(values["accuracy"] - values["quantised_accuracy"]) < 0.05
    weights = {tensor.data_type for tensor in onnx.load(folder / "quantised" / "model.onnx").graph.initializer}
    assert onnx.TensorProto.INT8 in weights
    smaller = load_model(folder / "quantised", threads=1)
    whole = load_model(folder, threads=1)
    inputs, _, _ = whole.reader.from_json(
        b'{"select": "a", "Gr\xc3\xb6\xc3\x9fe in m": 1.8, "ACTIVE": true, "AGE": null}'
    )
    assert 0 < np.abs(smaller.answer(inputs) - whole.answer(inputs)).max() < 0.05
    assert read_signature(folder / "quantised").parity["quantised_mean_difference"] > 0
    [grid] = [section for section in outputs["report"].sections if section.title == "Quantised variant"]
    assert "quantised_accuracy" in dict(grid.rows)


def test_a_model_without_weights_is_not_quantised(world: World, trained: Trained) -> None:
    with pytest.raises(DataError, match="no weights of single precision"):
        run(world, trained.model, trained, quantised=True)


def test_the_loss_is_measured_where_labels_are_known() -> None:
    model = described({"A": "number"}, "binary")
    native, said = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]), np.array([[0.4, 0.6], [0.2, 0.8], [0.6, 0.4]])
    loss = measure_loss(model, native, said, np.array(["no", "yes", None], dtype=object))
    assert (loss.before, loss.after) == (1.0, 0.5)
    assert loss.flipped == pytest.approx(1 / 3)
    assert measure_loss(model, native, said, None).before is None


@pytest.mark.parametrize("target", ["docker", "sagemaker", "azureml"])
def test_folders_for_other_services(world: World, trained: Trained, target: str) -> None:
    export_folder = run(world, trained.model, trained, rows=50, target=target)["files"].path
    folder = export_folder / target
    assert "firnline[onnx]==" in (folder / "Dockerfile").read_text()
    subprocess.run(["sh", "-n", str(folder / "start.sh")], check=True)
    [command] = [line for line in (folder / "start.sh").read_text().splitlines() if line.startswith("exec ")]
    _, _, verb, *arguments = shlex.split(command)
    assert verb == "serve"
    context = serve.make_context("serve", arguments)
    assert (context.params["host"], context.params["port"]) == ("0.0.0.0", 8080)
    if target == "sagemaker":
        with tarfile.open(folder / "model.tar.gz") as archive:
            assert archive.getnames() == ["model.onnx", "signature.json"]
        return
    assert read_signature(folder / "model") == read_signature(export_folder)
    if target == "azureml":
        endpoint, deployment = (
            yaml.safe_load((folder / f"{name}.yml").read_text()) for name in ("endpoint", "deployment")
        )
        assert deployment["endpoint_name"] == endpoint["name"] == "test-plan"
        routes = deployment["environment"]["inference_config"]
        assert routes["scoring_route"] == {"path": "/predict", "port": 8080}
        assert context.params["model"] == "$AZUREML_MODEL_DIR/model"
