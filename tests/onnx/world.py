"""Small data with everything that breaks exports, and the exporter run on it without a platform."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from firnline.domain import Model, Task
from firnline_onnx.conversion.convert import convert
from firnline_onnx.conversion.graph import MISSING_TEXT
from firnline_onnx.parity import Comparison, Parity, compare
from firnline_onnx.signature import Kind

NUMBERS = ("AGE", "SPEND", "TICKETS")
TEXTS = ("PLAN", "CITY")
KINDS: dict[str, Kind] = {**dict.fromkeys(NUMBERS, "number"), **dict.fromkeys(TEXTS, "text")}


def customers(rows: int = 1_500, seed: int = 0, *, missing: float = 0.08) -> pd.DataFrame:
    """Draw customers: numbers with gaps and few categories with gaps."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "AGE": rng.integers(18, 90, rows).astype(float),
            "SPEND": rng.exponential(30, rows).round(2),
            "TICKETS": rng.poisson(1.2, rows).astype(float),
            "PLAN": rng.choice(["basic", "plus", "pro"], rows).astype(object),
            "CITY": rng.choice([f"city {n}" for n in range(12)] + ["Ü'\"b"], rows).astype(object),
        }
    )
    for name in frame:
        frame[name] = frame[name].mask(rng.random(rows) < missing, None if frame[name].dtype == object else np.nan)
    return frame


def labels(frame: pd.DataFrame, task: Task = "binary", seed: int = 1) -> np.ndarray[Any, Any]:
    """Draw what follows from the columns."""
    rng = np.random.default_rng(seed)
    drawn = (
        frame["AGE"].fillna(50) / 40
        + frame["TICKETS"].fillna(0)
        + (frame["PLAN"] == "pro") * 1.5
        + frame["CITY"].isna()
        + rng.normal(0, 0.5, len(frame))
    ).to_numpy(dtype=float)
    if task == "regression":
        return drawn * 100
    bounds = [np.median(drawn)] if task == "binary" else list(np.quantile(drawn, [0.33, 0.66]))
    return np.digitize(drawn, bounds)


def described(
    features: Mapping[str, Kind], task: Task, path: Path = Path("model.pkl"), framework: str = "sklearn"
) -> Model:
    """Describe a model of these columns."""
    classes = {"binary": ("no", "yes"), "multiclass": ("low", "mid", "high"), "regression": ()}[task]
    return Model(path=path, framework=framework, task=task, features=tuple(features), target="LEAVES", classes=classes)


def saved(estimator: Any, model: Model, folder: Path) -> Model:
    """Write a model as a trainer does."""
    path = folder / "model.pkl"
    path.write_bytes(pickle.dumps(estimator))
    return Model(**{name: getattr(model, name) for name in Model.__dataclass_fields__} | {"path": path})


def exported(
    estimator: Any, frame: pd.DataFrame, kinds: Mapping[str, Kind], task: Task = "binary", *, tolerance: float = 1e-5
) -> Parity:
    """Convert a model and compare the file with it."""
    model = described(kinds, task)
    converted = convert(estimator, model, kinds)
    return compared(converted.proto.SerializeToString(), estimator, frame, kinds, task, converted.ties, tolerance)


def compared(
    content: bytes,
    estimator: Any,
    frame: pd.DataFrame,
    kinds: Mapping[str, Kind],
    task: Task,
    ties: Any = None,
    tolerance: float = 1e-5,
) -> Parity:
    """Compare any file with any model."""
    comparison = Comparison(
        estimator=estimator,
        model=described(kinds, task),
        content=content,
        kinds=kinds,
        missing_text=MISSING_TEXT,
        tolerance=tolerance,
    )
    return compare(comparison, frame, ties or {}, shown=10, seed=0)
