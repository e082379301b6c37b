"""Files in and out of stages: PUT, GET, and streams. A file appears whole or not at all."""

from __future__ import annotations

import glob
import gzip
import io
import os
import shutil
import urllib.parse
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from firnline_sandbox.errors import invalid_argument, missing_file
from firnline_sandbox.stages.files import UNFINISHED
from firnline_sandbox.stages.locations import Location, list_files, resolve

if TYPE_CHECKING:
    from collections.abc import Iterable

    from firnline_sandbox.connection import SandboxConnection
    from firnline_sandbox.stages.files import StagedFile

# How a file that is compressed already begins, and the name of its compression.
_MAGIC: Final = (
    (b"\x1f\x8b", "GZIP"),
    (b"BZh", "BZIP2"),
    (b"\x28\xb5\x2f\xfd", "ZSTD"),
    (b"PAR1", "PARQUET"),
    (b"ORC", "ORC"),
    (b"PK\x03\x04", "NONE"),
)
_EXTENSIONS: Final = {".br": "BROTLI", ".deflate": "DEFLATE", ".raw_deflate": "RAW_DEFLATE", ".zip": "NONE"}
_COMPRESSED: Final = frozenset({"GZIP", "BZIP2", "ZSTD", "PARQUET", "ORC", "BROTLI", "DEFLATE", "RAW_DEFLATE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One row of PUT's result."""

    source: str
    target: str
    source_size: int
    target_size: int
    source_compression: str
    target_compression: str
    status: str


def local_files(uri: str) -> list[Path]:
    """List the local files that a ``file://`` URI with wildcards names.

    Raises:
        ProgrammingError: 253006, there are none.
    """
    pattern = local_path(uri)
    found = sorted(Path(name) for name in glob.glob(pattern) if Path(name).is_file())  # noqa: PTH207 (absolute paths)
    if not found and Path(pattern).is_file():
        found = [Path(pattern)]
    if not found:
        raise missing_file(pattern)
    return found


def local_path(uri: str) -> str:
    """Give the path of a ``file://`` URI.

    Raises:
        ProgrammingError: 1015, it is no such URI.
    """
    if not uri.startswith("file://"):
        raise invalid_argument(f"'{uri}' is not a file:// URI")
    path = uri.removeprefix("file://")
    return urllib.parse.unquote(path) if "%20" in path else path


def put_file(source: Path, location: Location, *, compress: bool, overwrite: bool, compression: str) -> Upload:
    """Copy a local file into a stage."""
    with source.open("rb") as stream:
        return put_stream(
            stream, source.name, location, compress=compress, overwrite=overwrite, compression=compression
        )


def put_stream(
    stream: BinaryIO, name: str, location: Location, *, compress: bool, overwrite: bool, compression: str
) -> Upload:
    """Write a stream into a stage under a name, compressed unless it is compressed already."""
    if stream.seekable():
        stream.seek(0)  # as the connector does: whoever wrote the stream leaves it at its end
    head = _peek(stream)
    found = _compression(name, head) if compression == "AUTO_DETECT" else compression
    compressing = compress and found not in _COMPRESSED
    target_name = f"{name}.gz" if compressing else name
    target = location.folder / target_name
    shown = {"PARQUET": "PARQUET", "ORC": "ORC"}.get(found, found)
    result_compression = "GZIP" if compressing else shown
    if target.exists() and not overwrite:
        size = _size(stream)
        return Upload(
            source=name,
            target=target_name,
            source_size=size,
            target_size=0,
            source_compression=shown,
            target_compression=result_compression,
            status="SKIPPED",
        )
    size = write_whole(stream, target, compress=compressing)
    return Upload(
        source=name,
        target=target_name,
        source_size=size,
        target_size=target.stat().st_size,
        source_compression=shown,
        target_compression=result_compression,
        status="UPLOADED",
    )


def _peek(stream: BinaryIO) -> bytes:
    if not stream.seekable():
        return b""
    position = stream.tell()
    head = stream.read(8)
    stream.seek(position)
    return head


def _size(stream: BinaryIO) -> int:
    position = stream.tell()
    end = stream.seek(0, os.SEEK_END)
    stream.seek(position)
    return end - position


def _compression(name: str, head: bytes) -> str:
    for magic, compression in _MAGIC:
        if head.startswith(magic):
            return compression
    return _EXTENSIONS.get(Path(name).suffix.lower(), "NONE")


def write_whole(stream: BinaryIO, target: Path, *, compress: bool = False) -> int:
    """Write a stream to a file that appears only when it is whole; returns the number of bytes read."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.parent / f"{UNFINISHED}{uuid.uuid4().hex}"
    counted = _Counted(stream)
    try:
        with unfinished.open("wb") as raw:
            if compress:
                with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=raw, mtime=0) as packed:
                    shutil.copyfileobj(counted, packed, 1 << 20)
            else:
                shutil.copyfileobj(counted, raw, 1 << 20)
            raw.flush()
            os.fsync(raw.fileno())
        unfinished.replace(target)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    return counted.count


class _Counted:
    """A stream that counts what was read from it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.count = 0

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self.count += len(data)
        return data


def get_files(files: Iterable[StagedFile], location: Location, folder: Path) -> list[tuple[str, int]]:
    """Copy files of a stage into a local folder, those of sub-folders into sub-folders; gives names and sizes."""
    base = location.prefix if location.prefix.endswith("/") or not location.prefix else _parent(location)
    copied = []
    for file in files:
        relative = file.relative.removeprefix(base).lstrip("/")
        target = folder / relative
        with file.path.open("rb") as stream:
            size = write_whole(stream, target)
        copied.append((relative, size))
    return copied


def _parent(location: Location) -> str:
    if location.folder.is_dir():
        return location.prefix + "/"
    head, slash, _ = location.prefix.rpartition("/")
    return head + slash


def open_stage_file(connection: SandboxConnection, text: str, *, decompress: bool) -> BinaryIO:
    """Open one file of a stage for reading.

    Raises:
        ProgrammingError: 253006, there is no such file.
    """
    from firnline_sandbox import execution
    from firnline_sandbox.result import Result

    found: list[StagedFile] = []

    def find(context: object, sql: str) -> Result:
        location = resolve(context, sql)  # type: ignore[arg-type]
        found.extend(file for file in list_files(location) if file.relative == location.prefix)
        return Result.status()

    execution.read_only(connection, text.strip("'"), [], find)
    if not found:
        raise missing_file(text)
    data = found[0].path.read_bytes()
    return io.BytesIO(gzip.decompress(data) if decompress and data[:2] == b"\x1f\x8b" else data)
