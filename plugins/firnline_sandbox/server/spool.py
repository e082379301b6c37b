"""Results that are too large for one answer, as files of Arrow data in the sandbox's folder."""

from __future__ import annotations

import shutil
import time
import uuid
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

INLINE_BYTES: Final = 4 * 2**20
FORGOTTEN_AFTER_S: Final = 3600.0


def folder_of(sandbox: Path) -> Path:
    """Give the folder of such files."""
    return sandbox / "spool"


def sweep(sandbox: Path) -> None:
    """Remove the files that nobody can be about to read."""
    folder = folder_of(sandbox)
    if not folder.is_dir():
        return
    oldest = time.time() - FORGOTTEN_AFTER_S
    for path in folder.iterdir():
        if path.stat().st_mtime >= oldest:
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def write(schema: pa.Schema, batches: Iterator[pa.RecordBatch], sandbox: Path) -> tuple[bytes, Path | None]:
    """Write batches: the bytes of an Arrow stream if they are few, else the path of a file that holds them all."""
    few: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        few.append(batch)
        size += batch.nbytes
        if size > INLINE_BYTES:
            return b"", _to_file(schema, few, batches, sandbox)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, few[0].schema if few else schema) as writer:
        for batch in few:
            writer.write_batch(batch)
    return bytes(sink.getvalue()), None


def _to_file(schema: pa.Schema, first: list[pa.RecordBatch], rest: Iterator[pa.RecordBatch], sandbox: Path) -> Path:
    folder = folder_of(sandbox)
    folder.mkdir(exist_ok=True)
    path = folder / f"{uuid.uuid4().hex}.arrow"
    schema = first[0].schema if first else schema
    try:
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, schema) as writer:
            while first:
                writer.write_batch(first.pop(0))
            for batch in rest:
                writer.write_batch(batch)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def read(data: Any) -> pa.Table:
    """Read the bytes of an Arrow stream."""
    return pa.ipc.open_stream(pa.py_buffer(data)).read_all()


def stream(path: Path) -> Iterator[pa.RecordBatch]:
    """Read a file batch by batch. It is gone from the folder at once, and from the disk when it was read.

    Raises:
        FileNotFoundError: nobody keeps it any more.
    """
    file = pa.OSFile(str(path), "rb")
    path.unlink()
    return _batches(file)


def _batches(file: Any) -> Iterator[pa.RecordBatch]:
    with file, pa.ipc.open_stream(file) as reader:
        yield from reader
