"""Rows that a client fetches by URL: many small Arrow streams, one behind the other in a file."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from firnline_sandbox.server import spool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHUNK_BYTES: Final = 8 * 2**20
_KEPT_FILES: Final = 64
_READ_AGAIN_S: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A part of a file: its place, size and rows."""

    start: int
    length: int
    rows: int


@dataclass(slots=True, kw_only=True)
class ChunkFile:
    """All rows of a result but the first ones."""

    path: Path
    key: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    chunks: list[Chunk] = field(default_factory=list)
    fetched: set[int] = field(default_factory=set)
    last_fetch: float = 0.0

    @property
    def is_done(self) -> bool:
        """Say whether the client has had all of it for a while."""
        return len(self.fetched) == len(self.chunks) and time.monotonic() - self.last_fetch > _READ_AGAIN_S


class ChunkFiles:
    """The files of one session."""

    def __init__(self, sandbox: Path) -> None:
        self._folder = spool.folder_of(sandbox)
        self._lock = threading.Lock()
        self._files: dict[str, ChunkFile] = {}

    def split(self, batches: Iterator[pa.RecordBatch]) -> tuple[bytes, int, ChunkFile | None]:
        """Give the first rows as bytes, how many they are, and the file of the others if there are any."""
        groups = _groups(batches)
        first = next(groups, [])
        second = next(groups, None)
        data = _stream(first) if first else b""
        rows = sum(batch.num_rows for batch in first)
        if second is None:
            return data, rows, None
        return data, rows, self._write(second, groups)

    def _write(self, group: list[pa.RecordBatch], groups: Iterator[list[pa.RecordBatch]]) -> ChunkFile:
        self._folder.mkdir(exist_ok=True)
        made = ChunkFile(path=self._folder / f"{secrets.token_hex(16)}.chunks")
        try:
            with made.path.open("wb") as file:
                current: list[pa.RecordBatch] | None = group
                while current is not None:
                    start = file.tell()
                    length = file.write(_stream(current))
                    made.chunks.append(Chunk(start=start, length=length, rows=sum(part.num_rows for part in current)))
                    current = next(groups, None)
        except BaseException:
            made.path.unlink(missing_ok=True)
            raise
        with self._lock:
            for key, old in list(self._files.items()):
                if old.is_done or len(self._files) >= _KEPT_FILES:
                    self._files.pop(key).path.unlink(missing_ok=True)
            self._files[made.key] = made
        return made

    def find(self, key: str, number: int) -> tuple[Path, int, int] | None:
        """Give the file, place and length of a chunk."""
        with self._lock:
            found = self._files.get(key)
            if found is None or not 0 <= number < len(found.chunks):
                return None
            found.fetched.add(number)
            found.last_fetch = time.monotonic()
            return found.path, found.chunks[number].start, found.chunks[number].length

    def close(self) -> None:
        """Remove the files."""
        with self._lock:
            for file in self._files.values():
                file.path.unlink(missing_ok=True)
            self._files.clear()


def _groups(batches: Iterator[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    group: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        if not batch.num_rows:
            continue
        group.append(batch)
        size += batch.nbytes
        if size >= CHUNK_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _stream(batches: list[pa.RecordBatch]) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batches[0].schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return bytes(sink.getvalue())
