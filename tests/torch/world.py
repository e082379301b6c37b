"""Small tables to train on, in a sandbox or as the exported folder that a trainer finds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from snowflake.snowpark import Session

from firnline.domain import Table
from firnline_torch.job import LABEL, ROW, Job, feature_column
from firnline_torch.params import TorchParams

SCHEMA = "FIRNLINE.PUBLIC"
FEATURES = ("AGE", "SPEND", "FLAG", "select it's")
TEXTS = ("select it's",)
LABELS = {"binary": "LEAVES", "multiclass": "PLAN", "regression": "AMOUNT"}
CLASSES: dict[str, tuple[Any, ...]] = {"binary": ("no", "yes"), "multiclass": (0, 1, 2), "regression": ()}


def people(rows: int, seed: int = 0) -> pd.DataFrame:
    """Draw people: gaps in a number and in a category, and three targets that follow from the columns."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "ID": np.arange(rows),
            "AGE": rng.integers(18, 90, rows),
            "SPEND": rng.exponential(30, rows).round(2),
            "FLAG": rng.random(rows) < 0.5,
            "select it's": rng.choice(["a", "b", "ü'\"c"], rows).astype(object),
        }
    )
    gap, unknown = rng.random(rows) < 0.1, rng.random(rows) < 0.1
    drawn = frame["AGE"] / 25 + (frame["select it's"] == "a") * 2 + gap * 1.5 + rng.normal(0, 0.5, rows)
    frame["LEAVES"] = np.where(drawn > 3, "yes", "no")
    frame["PLAN"] = np.digitize(drawn, [2.2, 3.6])
    frame["AMOUNT"] = drawn * 100 + 1_000
    frame.loc[gap, "SPEND"] = np.nan
    frame.loc[unknown, "select it's"] = None
    return frame


def features_of(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the features as the platform gives them to a model: doubles and text."""
    numbers = [name for name in FEATURES if name not in TEXTS]
    return frame[list(FEATURES)].astype(dict.fromkeys(numbers, np.float64))


def store(session: Session, frame: pd.DataFrame, name: str) -> Table:
    """Put a frame into a table."""
    session.write_pandas(frame, name, auto_create_table=True, overwrite=True)
    return Table(name=f"{SCHEMA}.{name}", rows=len(frame), columns=tuple(frame.columns))


def exported(folder: Path, task: str = "binary", rows: int = 2_000, **params: Any) -> Path:
    """Write what a trainer finds: Parquet files and the order."""
    folder.mkdir(parents=True, exist_ok=True)
    for place, (name, count) in enumerate({"train": rows, "valid": rows // 4}.items()):
        frame = people(count, seed=place)
        features = features_of(frame)
        columns = {feature_column(at): features[column] for at, column in enumerate(FEATURES)}
        label = frame[LABELS[task]]
        columns[LABEL] = label if label.dtype == object else label.astype(np.float64)
        columns[ROW] = frame["ID"]
        table = pa.table({key: pa.Array.from_pandas(values) for key, values in columns.items()})
        (folder / name).mkdir(exist_ok=True)
        half = count // 2
        # In two files, the later rows first: the order of files says nothing.
        pq.write_table(table.slice(half), folder / name / "data_0.parquet")
        pq.write_table(table.slice(0, half), folder / name / "data_1.parquet")
    job(task, params).write(folder)
    return folder


def job(task: str, params: Mapping[str, Any], project: str = "") -> Job:
    """Return the order for these tables."""
    settings = {"hidden": (16,), "epochs": 6, "batch_size": 128, "threads": 1, "device": "cpu", **params}
    return Job(
        key="key",
        features=FEATURES,
        texts=TEXTS,
        task=task,  # type: ignore[arg-type]
        classes=CLASSES[task],
        params=TorchParams.model_validate(settings).model_dump(mode="json"),
        has_validation=True,
        project=project,
    )
