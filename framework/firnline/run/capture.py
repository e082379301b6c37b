"""What stages print goes into their own log files, though they run in threads of one process."""

from __future__ import annotations

import io
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


class StageLog:
    """A stage's log file, made at the first line that is written to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: TextIO | None = None
        self._lock = threading.Lock()
        self.logger = logging.Logger(f"firnline.stage.{path.stem}", logging.DEBUG)
        handler = logging.StreamHandler(self)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        self.logger.addHandler(handler)

    def write(self, text: str) -> int:
        """Append text."""
        with self._lock:
            if self._file is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self.path.open("a", encoding="utf-8", errors="replace")
            return self._file.write(text)

    def flush(self) -> None:
        """Write out what is buffered."""
        with self._lock:
            if self._file is not None:
                self._file.flush()

    def close(self) -> None:
        """Close the file; a later line opens it again."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None


class _ByThread(io.TextIOBase):
    """A stream that sends what a stage's thread writes to the stage's log, and everything else on."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.logs: dict[int, StageLog] = {}

    def write(self, text: str) -> int:
        log = self.logs.get(threading.get_ident())
        return log.write(text) if log is not None else self._stream.write(text)

    def flush(self) -> None:
        log = self.logs.get(threading.get_ident())
        if log is not None:
            log.flush()
        else:
            self._stream.flush()

    def fileno(self) -> int:
        return self._stream.fileno()

    def isatty(self) -> bool:
        return threading.get_ident() not in self.logs and self._stream.isatty()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding


class Capture:
    """Redirects ``sys.stdout`` and ``sys.stderr`` of stage threads while a run goes on."""

    def __init__(self) -> None:
        self._streams: list[_ByThread] = []

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Put the redirecting streams in place, and the old ones back."""
        before = sys.stdout, sys.stderr
        streams = _ByThread(before[0]), _ByThread(before[1])
        self._streams = list(streams)
        sys.stdout, sys.stderr = streams
        try:
            yield
        finally:
            sys.stdout, sys.stderr = before
            self._streams = []

    @contextmanager
    def into(self, log: StageLog) -> Iterator[None]:
        """Send what the calling thread writes to this log."""
        identity = threading.get_ident()
        streams = list(self._streams)
        for stream in streams:
            stream.logs[identity] = log
        try:
            yield
        finally:
            for stream in streams:
                stream.logs.pop(identity, None)
