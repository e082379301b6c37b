"""A model in memory, and how it is taken from a folder that may be replaced at any moment."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from firnline.errors import UsageError
from firnline_onnx.runtime import REFUSALS, answer, open_session
from firnline_onnx.server.rows import RowReader
from firnline_onnx.signature import MODEL_FILE, SIGNATURE_FILE, Signature, read_signature

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import onnxruntime

_UNREADABLE: Final[tuple[type[Exception], ...]] = (*REFUSALS, ValueError)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedModel:
    """A model that answers.

    Attributes:
        signature: what it takes and gives.
        session: onnxruntime's.
        reader: turns requests into its inputs.
        digest: SHA-256 of the file.
    """

    signature: Signature
    session: onnxruntime.InferenceSession
    reader: RowReader
    digest: str

    def answer(self, inputs: Mapping[str, np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
        """Return probabilities [rows, classes], or amounts [rows, 1]."""
        return answer(self.session, inputs, self.signature.task)


def load_model(folder: Path, *, threads: int, threshold: float | None = None) -> LoadedModel:
    """Load an export, and let it answer once.

    Raises:
        UsageError: the folder is no export, or its files do not belong together.
    """
    signature = read_signature(folder)
    path = folder / MODEL_FILE
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise UsageError(f"{folder} holds no {MODEL_FILE}", hint="export the model again") from error
    try:
        session = open_session(content, threads=threads)
    except _UNREADABLE as error:
        raise UsageError(f"{path} cannot be loaded: {str(error)[:300]}", hint="export the model again") from error
    written = session.get_modelmeta().custom_metadata_map.get("firnline.signature", "{}")
    if json.loads(written) != signature.to_json():
        raise UsageError(
            f"{path} and {SIGNATURE_FILE} do not belong together",
            hint="replace the folder as a whole: write the new one beside it, then rename",
        )
    if threshold is not None:
        signature = replace(signature, threshold=threshold)
    reader = RowReader(signature)
    loaded = LoadedModel(
        signature=signature, session=session, reader=reader, digest=hashlib.sha256(content).hexdigest()
    )
    loaded.answer(reader.example())  # the first answer takes longer than all others
    return loaded


def fingerprint(folder: Path) -> tuple[tuple[int, int, int], ...]:
    """Return what changes when the folder's files are replaced."""
    found = []
    for name in (MODEL_FILE, SIGNATURE_FILE):
        try:
            status = (folder / name).stat()
        except OSError:
            return ()
        found.append((status.st_ino, status.st_mtime_ns, status.st_size))
    return tuple(found)
