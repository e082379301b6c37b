"""How a model is served."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a model is served.

    Attributes:
        batch_rows: rows that are answered together at most.
        batch_wait_ms: how long a batch waits for more requests; 0: not at all, what waits already is taken.
        queue_rows: rows that may wait; further requests get 429.
        request_rows: rows of one request at most.
        request_bytes: size of one request at most.
        threads: of onnxruntime.
        threshold: instead of the export's, for two classes.
        reload_s: how often the folder is looked at; 0: only on SIGHUP.
        log_folder: where the sample of requests goes; None: nowhere.
        log_share: share of requests in the sample.
        log_rows: rows of a file of the sample.
        log_s: a file is written after so many seconds, even if it is small.
    """

    batch_rows: int = 1_024
    batch_wait_ms: float = 0.0
    queue_rows: int = 20_000
    request_rows: int = 100_000
    request_bytes: int = 64_000_000
    threads: int = 1
    threshold: float | None = None
    reload_s: float = 2.0
    log_folder: Path | None = None
    log_share: float = 1.0
    log_rows: int = 10_000
    log_s: float = 60.0
