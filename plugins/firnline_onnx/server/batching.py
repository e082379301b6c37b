"""Requests that wait together are answered together; more than fit into the queue are turned away."""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from firnline_onnx.runtime import REFUSALS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from firnline_onnx.server.loaded import LoadedModel

INLINE_ROWS: Final = 64
"""So few rows are answered quicker than handed to a thread and back."""


class BusyError(Exception):
    """The queue is full."""


class UnanswerableError(Exception):
    """The model cannot compute with these rows."""


@dataclass(slots=True, kw_only=True)
class _Waiting:
    model: LoadedModel
    inputs: Mapping[str, np.ndarray[Any, Any]]
    rows: int
    future: asyncio.Future[np.ndarray[Any, Any]]


class Batcher:
    """One worker that takes what waits, as much as fits into a batch.

    Args:
        batch_rows: rows of a batch at most; a request of more is a batch of its own.
        queue_rows: rows that may wait at most; a lone request is always taken.
        wait_s: how long a batch waits for others to come.
        seen: is told the rows of each batch.
    """

    def __init__(
        self, *, batch_rows: int, queue_rows: int, wait_s: float, seen: Callable[[int], None] = lambda _: None
    ) -> None:
        self._batch_rows, self._queue_rows, self._wait_s, self._seen = batch_rows, queue_rows, wait_s, seen
        self._queue: deque[_Waiting] = deque()
        self._came = asyncio.Event()
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="onnxruntime")
        self._task: asyncio.Task[None] | None = None
        self.waiting_rows = 0

    async def start(self) -> None:
        """Begin to answer."""
        self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """Answer what waits, then end."""
        while self._queue or self.waiting_rows:
            await asyncio.sleep(0.01)
        if self._task is not None:
            self._task.cancel()
        self._threads.shutdown()

    async def ask(
        self, model: LoadedModel, inputs: Mapping[str, np.ndarray[Any, Any]], rows: int
    ) -> np.ndarray[Any, Any]:
        """Wait for the answer about some rows.

        Raises:
            BusyError: too many rows wait already.
            UnanswerableError: the model cannot compute with them.
        """
        if self.waiting_rows and self.waiting_rows + rows > self._queue_rows:
            raise BusyError
        future: asyncio.Future[np.ndarray[Any, Any]] = asyncio.get_running_loop().create_future()
        self.waiting_rows += rows
        self._queue.append(_Waiting(model=model, inputs=inputs, rows=rows, future=future))
        self._came.set()
        try:
            return await future
        finally:
            self.waiting_rows -= rows

    async def _work(self) -> None:
        while True:
            await self._came.wait()
            if self._wait_s:
                await asyncio.sleep(self._wait_s)
            batch = self._next_batch()
            if batch:
                await self._answer(batch)
                # Those that are answered, and those that came meanwhile, get their turn.
                await asyncio.sleep(0)
            else:
                self._came.clear()

    def _next_batch(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        rows = 0
        while self._queue:
            first = self._queue[0]
            if batch and (rows + first.rows > self._batch_rows or first.model is not batch[0].model):
                break
            self._queue.popleft()
            if first.future.cancelled():  # the client has gone
                continue
            batch.append(first)
            rows += first.rows
        return batch

    async def _answer(self, batch: list[_Waiting]) -> None:
        rows = sum(waiting.rows for waiting in batch)
        self._seen(rows)
        if rows <= INLINE_ROWS:
            answers = _answers(batch)
        else:
            answers = await asyncio.get_running_loop().run_in_executor(self._threads, _answers, batch)
        for waiting, found in zip(batch, answers, strict=True):
            if waiting.future.done():
                continue
            if isinstance(found, Exception):
                waiting.future.set_exception(found)
            else:
                waiting.future.set_result(found)


def _answers(batch: list[_Waiting]) -> list[np.ndarray[Any, Any] | Exception]:
    """Ask once for all; if that fails, for each, so that one request's rows are not another's failure."""
    model = batch[0].model
    if len(batch) == 1:
        return [_alone(batch[0])]
    names = batch[0].inputs
    together = {name: np.concatenate([waiting.inputs[name] for waiting in batch]) for name in names}
    try:
        said = model.answer(together)
    except Exception:  # noqa: BLE001 (each is asked alone, and gets its own error)
        return [_alone(waiting) for waiting in batch]
    return list(np.split(said, np.cumsum([waiting.rows for waiting in batch])[:-1]))


def _alone(waiting: _Waiting) -> np.ndarray[Any, Any] | Exception:
    try:
        return waiting.model.answer(waiting.inputs)
    except REFUSALS as error:
        return UnanswerableError(str(error)[:300])
    except Exception as error:  # noqa: BLE001 (it is the request's answer, and the worker goes on)
        return error
