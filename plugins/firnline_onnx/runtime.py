"""An exported file in onnxruntime."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as states

from firnline_onnx.signature import AMOUNT, PROBABILITIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from firnline.domain import Task
    from firnline_onnx.signature import Kind

REFUSALS: Final[tuple[type[Exception], ...]] = tuple(
    kind for kind in vars(states).values() if isinstance(kind, type) and issubclass(kind, Exception)
)
"""What onnxruntime raises at files that it cannot read and rows that it cannot compute with; they have no parent."""
_ERRORS_ONLY: Final = 3


def open_session(content: bytes, *, threads: int = 1) -> onnxruntime.InferenceSession:
    """Load a file's content; a few threads are quicker than many for trees and small matrices."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def tensors(frame: pd.DataFrame, kinds: Mapping[str, Kind], missing_text: str) -> dict[str, np.ndarray[Any, Any]]:
    """Return the file's inputs for a frame of doubles with NaN and text with None."""
    found: dict[str, np.ndarray[Any, Any]] = {}
    for name, kind in kinds.items():
        if kind == "number":
            found[name] = frame[name].to_numpy(dtype=np.float64).reshape(-1, 1)
        else:
            texts = [missing_text if value is None else value for value in frame[name]]
            found[name] = np.array(texts, dtype=object).reshape(-1, 1)
    return found


def answer(
    session: onnxruntime.InferenceSession, inputs: Mapping[str, np.ndarray[Any, Any]], task: Task
) -> np.ndarray[Any, Any]:
    """Return probabilities [rows, classes], or amounts [rows, 1]."""
    [said] = session.run([AMOUNT if task == "regression" else PROBABILITIES], dict(inputs))
    return np.asarray(said, dtype=np.float64).reshape(len(said), -1)
