"""The trained network as an estimator that takes the table's columns: ``predict`` and ``predict_proba`` on frames."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import cloudpickle
import numpy as np
import pandas as pd
import torch
from sklearn.base import BaseEstimator

from firnline_torch.encoding import Array, Encoder

ROWS_AT_ONCE = 65_536


class TorchEstimator(BaseEstimator):  # type: ignore[misc]  # the library has no types
    """A network with the encoder of its columns, on the CPU.

    Attributes:
        encoder: makes numbers and codes of a frame.
        network: the module, in evaluation mode.
        task: ``binary``, ``multiclass`` or ``regression``.
        center: of the amounts; 0 for classes.
        scale: of the amounts; 1 for classes.
    """

    def __init__(
        self, encoder: Encoder, network: torch.nn.Module, task: str, center: float = 0.0, scale: float = 1.0
    ) -> None:
        self.encoder = encoder
        self.network = network
        self.task = task
        self.center = center
        self.scale = scale

    def predict(self, frame: pd.DataFrame) -> Array:
        """Return the code of the likeliest class of each row, or the amount."""
        outputs = self._outputs(frame)
        if self.task == "regression":
            amounts: Array = outputs[:, 0] * self.scale + self.center
            return amounts
        if self.task == "binary":
            return np.asarray(outputs[:, 0] > 0, dtype=np.int64)
        return np.asarray(outputs.argmax(axis=1), dtype=np.int64)

    def predict_proba(self, frame: pd.DataFrame) -> Array:
        """Return the probability of each class, a row each."""
        if self.task == "regression":
            raise AttributeError("a model of amounts has no probabilities")
        outputs = torch.from_numpy(self._outputs(frame))
        if self.task == "binary":
            positive = torch.sigmoid(outputs[:, 0])
            return np.asarray(torch.stack([1 - positive, positive], dim=1))
        return np.asarray(torch.softmax(outputs, dim=1))

    def _outputs(self, frame: pd.DataFrame) -> Array:
        found = [np.empty((0, 1))]
        with torch.inference_mode():
            for start in range(0, len(frame), ROWS_AT_ONCE):
                numbers, codes = self.encoder.encode(frame.iloc[start : start + ROWS_AT_ONCE])
                said = self.network(torch.from_numpy(numbers), torch.from_numpy(codes))
                found.append(said.double().numpy())
        return np.concatenate(found[1:] or found)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take a pickled state, and let the code of a user's own network travel with the model from here on."""
        super().__setstate__(state)
        _travel(type(self.network).__module__)


def _travel(module: str) -> None:
    """Let cloudpickle write a module's classes as they are, not by name: a registry has no such module installed."""
    package = module.partition(".")[0]
    if package != "torch" and package in sys.modules:
        cloudpickle.register_pickle_by_value(importlib.import_module(package))


_travel("firnline_torch")
