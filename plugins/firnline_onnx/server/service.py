"""The service behind the routes: the current model, its replacement, the queue, the log."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from typing import TYPE_CHECKING, Any, Final

from firnline.errors import FirnlineError
from firnline_onnx.server.batching import Batcher
from firnline_onnx.server.figures import Figures
from firnline_onnx.server.loaded import LoadedModel, fingerprint, load_model
from firnline_onnx.server.request_log import RequestLog

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import numpy as np

    from firnline_onnx.server.answers import Predictions
    from firnline_onnx.server.settings import Settings

LOGGER: Final = logging.getLogger("firnline.serve")


class Service:
    """One model at a time, replaced while requests go on.

    Args:
        find: returns the folder of the model; asked again when it is to be taken anew.
        settings: how it is served.
    """

    def __init__(self, find: Callable[[], Path], settings: Settings) -> None:
        self._find, self.settings = find, settings
        self._folder = find()
        self._seen = fingerprint(self._folder)
        self.model: LoadedModel = self._load(self._folder)
        self.figures = Figures()
        self.figures.show_model(self.model)
        self.is_ready = False
        self._tasks: list[asyncio.Task[None]] = []
        self._reloading = asyncio.Lock()
        self.batcher: Batcher
        self.log = (
            RequestLog(settings.log_folder, share=settings.log_share, file_rows=settings.log_rows)
            if settings.log_folder is not None
            else None
        )

    def _load(self, folder: Path) -> LoadedModel:
        return load_model(folder, threads=self.settings.threads, threshold=self.settings.threshold)

    async def start(self) -> None:
        """Begin to answer; SIGHUP takes the model anew from now on."""
        settings = self.settings
        self.batcher = Batcher(
            batch_rows=settings.batch_rows,
            queue_rows=settings.queue_rows,
            wait_s=settings.batch_wait_ms / 1_000,
            seen=self.figures.batch_rows.observe,
        )
        self.figures.waiting_rows.set_function(lambda: float(self.batcher.waiting_rows))
        await self.batcher.start()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, lambda: self._spawn(self.reload(force=True)))
        if settings.reload_s:
            self._spawn(self._watch())
        if self.log is not None:
            self._spawn(self._write_log())
        self.is_ready = True

    async def stop(self) -> None:
        """Answer what waits, write what was logged."""
        self.is_ready = False
        asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.batcher.stop()
        if self.log is not None:
            await asyncio.to_thread(self.log.flush)

    async def reload(self, *, force: bool = False) -> None:
        """Take the model anew if its folder has changed; requests that are being answered keep theirs.

        A model that cannot be loaded changes nothing but a counter and the log.
        """
        async with self._reloading:
            seen: tuple[tuple[int, int, int], ...] = ()
            try:
                folder = await asyncio.to_thread(self._find) if force else self._folder
                seen = fingerprint(folder)
                if not force and (not seen or seen == self._seen):
                    return
                model = await asyncio.to_thread(self._load, folder)
            except (FirnlineError, OSError) as error:
                self._seen = seen or self._seen  # it is tried again when the folder has changed once more
                self.figures.reloads.labels("failed").inc()
                LOGGER.error("the model was not taken anew, version %s goes on: %s", self._version, error)  # noqa: TRY400
                return
            self._folder, self._seen = folder, seen
            before, self.model = self._version, model
            self.figures.show_model(model)
            self.figures.reloads.labels("done").inc()
            LOGGER.warning("version %s answers now, %s before", self._version, before)

    @property
    def _version(self) -> str:
        return self.model.signature.version

    def keep(self, model: LoadedModel, inputs: Mapping[str, np.ndarray[Any, Any]], found: Predictions) -> None:
        """Put a request into the log, if it is one of the sample."""
        if self.log is not None and self.log.wants():
            self.log.add(model.signature, inputs, found)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self.settings.reload_s)
            await self.reload()

    async def _write_log(self) -> None:
        assert self.log is not None
        loop = asyncio.get_running_loop()
        last = loop.time()
        while True:
            await asyncio.sleep(0.2)
            self.figures.log_dropped.set(self.log.dropped)
            if self.log.is_due or loop.time() - last >= self.settings.log_s:
                last = loop.time()
                await asyncio.to_thread(self.log.flush)

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.append(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        with contextlib.suppress(ValueError):
            self._tasks.remove(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            LOGGER.error("a task of the server failed", exc_info=error)
