"""Opening staged files: compressions and encodings."""

from __future__ import annotations

import contextlib
import io
import zlib
from typing import TYPE_CHECKING, BinaryIO, Final, cast

import pyarrow as pa

from firnline_sandbox.errors import invalid_argument
from firnline_sandbox.stages.rows import RowError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from firnline_sandbox.stages.files import StagedFile
    from firnline_sandbox.stages.formats import Format

CHUNK: Final = 8 * 2**20
_MAGIC: Final = ((b"\x1f\x8b", "GZIP"), (b"BZh", "BZ2"), (b"\x28\xb5\x2f\xfd", "ZSTD"))
_SUFFIXES: Final = {".br": "BROTLI", ".deflate": "DEFLATE", ".raw_deflate": "RAW_DEFLATE"}
_ENCODINGS: Final = {"UTF8": "utf-8", "UTF16BE": "utf-16-be", "UTF16LE": "utf-16-le", "UTF32BE": "utf-32-be"} | {
    "UTF32LE": "utf-32-le",
    "ISO2022JP": "iso2022_jp",
}


class UnreadableFileError(Exception):
    """A file is not what its format says, so that nothing (more) of it can be read."""

    def __init__(self, error: RowError) -> None:
        super().__init__(error.message)
        self.error = error


@contextlib.contextmanager
def readable(file: StagedFile) -> Iterator[None]:
    """Say what is wrong with a file whose bytes cannot be unpacked or decoded."""
    try:
        yield
    except UnicodeDecodeError as failure:
        shown = failure.object[failure.start : failure.end].hex()
        message = f"Invalid {failure.encoding.upper()} detected in string: 0x{shown}"
        raise UnreadableFileError(
            RowError(message=message, file=file.name, code=100144, row=1, line=1, character=1)
        ) from failure
    except (EOFError, OSError, zlib.error) as failure:
        message = f"Unable to decompress the file '{file.name}': {failure}"
        raise UnreadableFileError(
            RowError(message=message, file=file.name, code=100085, row=1, line=1, character=1)
        ) from failure


def texts(path: Path, format_: Format) -> Iterator[str]:
    """Give a file's text in pieces.

    Raises:
        UnicodeDecodeError: the bytes are not text in the format's encoding.
    """
    how = "replace" if format_["REPLACE_INVALID_CHARACTERS"] else "strict"
    with _opened(path, str(format_["COMPRESSION"]).upper()) as binary:
        text = io.TextIOWrapper(
            cast("BinaryIO", io.BufferedReader(binary)),
            encoding=encoding_of(format_),
            errors=how,
            newline="",
        )
        first = True
        while piece := text.read(CHUNK):
            yield piece.removeprefix("\ufeff") if first and format_["SKIP_BYTE_ORDER_MARK"] else piece
            first = False


def encoding_of(format_: Format) -> str:
    """Give Python's name of a format's encoding."""
    import codecs

    wanted = str(format_.options.get("ENCODING", "UTF8")).upper()
    name = _ENCODINGS.get(wanted.replace("-", ""), wanted)
    try:
        return codecs.lookup(name).name
    except LookupError as failure:
        raise invalid_argument(f"invalid value '{wanted}' for property 'ENCODING'") from failure


def _opened(path: Path, compression: str) -> io.RawIOBase:
    if compression == "AUTO":
        compression = _detected(path)
    match compression:
        case "NONE":
            return cast("io.RawIOBase", path.open("rb", buffering=0))
        case "DEFLATE" | "RAW_DEFLATE":
            window = zlib.MAX_WBITS if compression == "DEFLATE" else -zlib.MAX_WBITS
            return cast("io.RawIOBase", io.BytesIO(zlib.decompress(path.read_bytes(), window)))
        case _:
            return cast("io.RawIOBase", pa.input_stream(str(path), compression=compression.lower()))


def _detected(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(4)
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    return _SUFFIXES.get(path.suffix.lower(), "NONE")
