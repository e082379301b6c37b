"""Warm subprocesses that run packaged models, one for each model version in use."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from firnline_sandbox.workers import pool as worker_pool
from firnline_sandbox.workers.frames import from_bytes, message, metadata_of, to_bytes
from firnline_sandbox.workers.process import (
    HandlerError,
    Limits,
    WorkerCancelledError,
    WorkerDiedError,
    WorkerError,
    WorkerProcess,
    WorkerTimeoutError,
    never,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

__all__ = [
    "Call",
    "HandlerError",
    "WorkerCancelledError",
    "WorkerDiedError",
    "WorkerError",
    "WorkerLimits",
    "WorkerPool",
    "WorkerTimeoutError",
]

PROGRAM: Final = Path(__file__).with_name("worker.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Which function of which model version to run, and how to read its arguments."""

    folder: Path
    handler: str
    json_columns: tuple[int, ...] = ()
    partition_kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLimits:
    """How many workers stay warm, and how long one call may take: the first one includes loading the model."""

    warm: int = 4
    seconds: float = 600.0


class WorkerPool:
    """The warm workers of one engine. Calls to different model versions run at the same time."""

    def __init__(self, limits: WorkerLimits | None = None) -> None:
        self.limits = limits or WorkerLimits()
        self._pool: worker_pool.WorkerPool[Path] = worker_pool.WorkerPool(_start, warm=self.limits.warm)

    def run(self, call: Call, arguments: pa.Table, cancelled: Callable[[], bool] = never) -> pa.Array:
        """Run a function over rows of arguments and return each row's result as JSON text.

        Raises:
            HandlerError: the model's code raised.
            WorkerTimeoutError: it took longer than `limits.seconds`.
            WorkerCancelledError: `cancelled`, which is asked ten times a second, said so.
            WorkerDiedError: its process ended.
        """
        metadata = {
            "handler": call.handler,
            "json_columns": json.dumps(call.json_columns),
            "partition_kinds": json.dumps(call.partition_kinds),
        }
        request = to_bytes(message(metadata, arguments))
        limits = Limits(seconds=self.limits.seconds, cancelled=cancelled)
        with self._pool.lease(call.folder) as worker:
            reply = from_bytes(worker.call(call.handler, request, limits))
            if (error := metadata_of(reply).get("error")) is not None:
                raise HandlerError(error)
        return reply.column(0).combine_chunks()

    def forget(self, folder: Path) -> None:
        """End the worker of a model version that is no more, once its calls have ended."""
        self._pool.forget(folder)

    def process_ids(self) -> tuple[int, ...]:
        """Return the ids of the processes that run now."""
        return self._pool.process_ids()

    def close(self) -> None:
        """End all workers. A later call is refused."""
        self._pool.close()


def _start(folder: Path) -> WorkerProcess:
    # -P keeps this package's folder off the path of a program that imports whatever a model needs.
    return WorkerProcess([sys.executable, "-P", "-X", f"snowflake_import_directory={folder}/", str(PROGRAM)])
