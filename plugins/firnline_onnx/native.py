"""Ask the native model: the truth that the file is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from firnline.domain import Model


def native_answer(estimator: Any, model: Model, features: pd.DataFrame) -> np.ndarray[Any, Any]:
    """Return probabilities [rows, classes] or amounts [rows, 1], whatever the library."""
    library = type(estimator).__module__.partition(".")[0]
    if library == "torch" or hasattr(estimator, "forward"):
        return _torch_answer(estimator, features)
    if library in {"xgboost", "lightgbm"} and type(estimator).__name__ == "Booster":
        return _booster_answer(estimator, library, model, features)
    if model.task == "regression":
        return np.asarray(estimator.predict(features), dtype=np.float64).reshape(-1, 1)
    return np.asarray(estimator.predict_proba(features), dtype=np.float64)


def _torch_answer(module: Any, features: pd.DataFrame) -> np.ndarray[Any, Any]:
    import torch

    module.eval()
    with torch.no_grad():
        said = module(torch.from_numpy(features.to_numpy(dtype=np.float32, copy=True)))
    found = said.double().numpy()
    return np.asarray(found if found.ndim == 2 else found.reshape(-1, 1), dtype=np.float64)


def _booster_answer(booster: Any, library: str, model: Model, features: pd.DataFrame) -> np.ndarray[Any, Any]:
    if library == "xgboost":
        from xgboost import DMatrix

        best = booster.attr("best_iteration")
        rounds = (0, int(best) + 1) if best is not None else (0, 0)
        said = np.asarray(booster.predict(DMatrix(features), iteration_range=rounds), dtype=np.float64)
    else:
        said = np.asarray(booster.predict(features), dtype=np.float64)
    if model.task == "binary":
        return np.column_stack([1 - said, said])
    return said if said.ndim == 2 else said.reshape(-1, 1)
