"""A packaged model's own description is read, and one that is malformed is refused."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from firnline_sandbox.models.manifest import LineageSource, ManifestError, Runtime, parse_manifest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def test_methods_and_attributes(package: Callable[..., Path]) -> None:
    manifest = parse_manifest(package(inputs=("DOUBLE", "STRING")))
    (method,) = manifest.methods
    assert (method.name, method.handler, method.return_type) == ("PREDICT", "functions.predict.infer", "OBJECT")
    assert [(each.name, each.sql_type) for each in method.inputs] == [("A", "DOUBLE"), ("B", "STRING")]
    assert manifest.method("PREDICT") == method
    assert manifest.method("predict") is None
    assert (manifest.framework, manifest.task) == ("custom", "TABULAR_REGRESSION")
    assert manifest.platforms == ("WAREHOUSE", "SNOWPARK_CONTAINER_SERVICES")
    assert "model_type: custom" in manifest.spec


def test_table_functions_and_params(package: Callable[..., Path]) -> None:
    method = {
        "name": "FORECAST",
        "runtime": "python_runtime",
        "type": "TABLE_FUNCTION",
        "handler": "functions.predict.infer",
        "inputs": [{"name": "A", "type": "double"}],
        "outputs": [{"name": "X", "type": "FLOAT"}, {"name": "Y", "type": "STRING"}],
        "params": [{"name": "HORIZON", "type": "BIGINT", "default": 7}],
    }
    (read,) = parse_manifest(package(methods=[method])).methods
    assert read.is_table_function
    assert read.return_type == "TABLE (X FLOAT, Y STRING)"
    assert [(each.name, each.sql_type, each.default) for each in read.inputs] == [
        ("A", "DOUBLE", None),
        ("HORIZON", "BIGINT", "7"),
    ]


def test_lineage_and_platforms(package: Callable[..., Path]) -> None:
    folder = package(
        lineage_sources=[
            {"type": "DATASET", "entity": "D.S.T", "version": "V1"},
            {"type": "QUERY", "entity": "SELECT 1"},
        ],
        target_platforms=["WAREHOUSE"],
    )
    manifest = parse_manifest(folder)
    assert manifest.platforms == ("WAREHOUSE",)
    assert manifest.lineage == (
        LineageSource(kind="DATASET", entity="D.S.T", version="V1"),
        LineageSource(kind="QUERY", entity="SELECT 1", version=None),
    )
    assert manifest.runtimes == {
        "python_runtime": Runtime(
            python="3.11", pip_file="runtimes/python_runtime/env/requirements.txt", conda_file=None
        )
    }


def test_a_folder_without_a_manifest_is_told_in_the_words_the_client_waits_for(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"Unable to read file MANIFEST.yml"):
        parse_manifest(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("MANIFEST.yml", "methods: [", "is not YAML"),
        ("MANIFEST.yml", "- 1", "does not hold a mapping"),
        ("MANIFEST.yml", "methods: []", r"malformed: KeyError\('runtimes'\)"),
        ("model/model.yaml", "task: X", "malformed"),
    ],
)
def test_malformed_files(package: Callable[..., Path], name: str, content: str, message: str) -> None:
    folder = package()
    (folder / name).write_text(content)
    with pytest.raises(ManifestError, match=message):
        parse_manifest(folder)


def test_a_handler_without_its_file_is_refused(package: Callable[..., Path]) -> None:
    folder = package()
    (folder / "functions/predict.py").unlink()
    with pytest.raises(ManifestError, match=r"functions.predict.infer, whose file is missing"):
        parse_manifest(folder)


def test_a_runtime_that_is_not_described_is_refused(package: Callable[..., Path]) -> None:
    with pytest.raises(ManifestError, match="the runtime python_runtime, which it does not describe"):
        parse_manifest(package(runtimes={}))
