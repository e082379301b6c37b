"""Small packaged models, laid out as the client lays them out, whose handlers need no library but pandas."""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING

import pytest
import yaml

from firnline_sandbox.models.workers import WorkerPool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"

DOUBLED = """
import pandas as pd
from _snowflake import vectorized

@vectorized(input=pd.DataFrame)
def infer(df):
    df.columns = ["A"]
    return [{"output_feature_0": value * 2} for value in df["A"]]
"""


def write_package(
    folder: Path,
    source: str = DOUBLED,
    *,
    requirements: str = "",
    inputs: tuple[str, ...] = ("DOUBLE",),
    **manifest: object,
) -> Path:
    """Write a package with one method, PREDICT, whose handler is this source."""
    files = {
        "MANIFEST.yml": yaml.safe_dump(
            {
                "manifest_version": "1.0",
                "runtimes": {
                    "python_runtime": {
                        "language": "PYTHON",
                        "version": PYTHON,
                        "imports": ["model/"],
                        "dependencies": {"pip": "runtimes/python_runtime/env/requirements.txt"},
                    }
                },
                "methods": [
                    {
                        "name": "PREDICT",
                        "runtime": "python_runtime",
                        "type": "FUNCTION",
                        "handler": "functions.predict.infer",
                        "inputs": [
                            {"name": name, "type": type_} for name, type_ in zip("ABCDEFGH", inputs, strict=False)
                        ],
                        "outputs": [{"type": "OBJECT"}],
                    }
                ],
                **manifest,
            }
        ),
        "functions/predict.py": textwrap.dedent(source),
        "model/model.yaml": yaml.safe_dump({"model_type": "custom", "task": "TABULAR_REGRESSION", "signatures": {}}),
        "runtimes/python_runtime/env/requirements.txt": requirements,
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")
    return folder


@pytest.fixture
def package(tmp_path: Path) -> Callable[..., Path]:
    """Write packages into fresh folders."""
    made: list[Path] = []

    def write(*arguments: object, **options: object) -> Path:
        made.append(tmp_path / f"package{len(made)}")
        return write_package(made[-1], *arguments, **options)  # type: ignore[arg-type]

    return write


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    """A pool of workers that ends with the test."""
    workers = WorkerPool()
    yield workers
    workers.close()
