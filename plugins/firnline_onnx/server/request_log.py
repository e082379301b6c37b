"""A sample of the requests with their answers, as Parquet files that a drift monitor reads."""

from __future__ import annotations

import datetime as dt
import logging
import random
import threading
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from firnline_onnx.server.answers import Predictions
    from firnline_onnx.signature import Signature

ADDED: Final = ("PREDICTION", "PROBABILITY", "MODEL_VERSION", "REQUESTED_AT")
_LOGGER: Final = logging.getLogger("firnline.serve")


class RequestLog:
    """Collects rows and writes a file whenever there are enough; a file is there whole or not at all.

    Args:
        folder: gets the files.
        share: of the requests that are kept.
        file_rows: rows of a file; more rows than twice as many never wait for being written.
    """

    def __init__(self, folder: Path, *, share: float, file_rows: int = 10_000) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._share, self._file_rows = folder, share, file_rows
        self._draw = random.Random()  # noqa: S311 (a sample, no secret)
        self._tables: list[Any] = []
        self._rows = 0
        self._lock = threading.Lock()
        self._number = 0
        self.dropped = 0

    def wants(self) -> bool:
        """Decide whether a request is kept."""
        return self._draw.random() < self._share

    @property
    def is_due(self) -> bool:
        """Whether there is enough for a file."""
        return self._rows >= self._file_rows

    def add(self, signature: Signature, inputs: Mapping[str, np.ndarray[Any, Any]], found: Predictions) -> None:
        """Keep a request's rows."""
        import pyarrow as pa

        rows = len(found.labels)
        if self._rows + rows > max(2 * self._file_rows, rows):
            self.dropped += rows  # the disk is slower than the clients
            return
        columns: dict[str, Any] = {}
        for given in signature.inputs:
            values = inputs[given.name][:, 0]
            missing = np.isnan(values) if given.kind == "number" else values == signature.missing_text
            kind = pa.float64() if given.kind == "number" else pa.string()
            columns[given.name] = pa.array(values, kind, mask=missing)
        columns["PREDICTION"] = pa.array(found.labels)
        columns["PROBABILITY"] = pa.array(found.probability or [None] * rows, pa.float64())
        columns["MODEL_VERSION"] = pa.array([signature.version] * rows)
        now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
        columns["REQUESTED_AT"] = pa.array([now] * rows, pa.timestamp("us"))
        with self._lock:
            self._tables.append(pa.table(columns))
            self._rows += rows

    def flush(self) -> None:
        """Write what was collected: one file for each model version's columns."""
        with self._lock:
            tables, self._tables, self._rows = self._tables, [], 0
        by_schema: dict[Any, list[Any]] = {}
        for table in tables:
            by_schema.setdefault(str(table.schema), []).append(table)
        for alike in by_schema.values():
            self._write(alike)

    def _write(self, tables: list[Any]) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        table = pa.concat_tables(tables)
        self._number += 1
        stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%S%f")
        path = self._folder / f"requests-{stamp}-{self._number}.parquet"
        unfinished = path.with_suffix(".unfinished")
        try:
            parquet.write_table(table, unfinished)
            unfinished.rename(path)
        except OSError:
            # Answers are worth more than their log.
            self.dropped += table.num_rows
            _LOGGER.exception("%s rows of the request log were not written", table.num_rows)
