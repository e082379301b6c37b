"""How the engine and a worker talk over pipes: eight bytes of length, and an Arrow IPC stream of one table.

What a table is about stands in its schema's metadata.
"""

from __future__ import annotations

import os
import struct
import sys
import traceback
from typing import IO, TYPE_CHECKING, BinaryIO, Final

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Mapping

LENGTH: Final = struct.Struct("<q")


def to_bytes(table: pa.Table) -> bytes:
    """Write a table as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    payload: bytes = sink.getvalue().to_pybytes()
    return payload


def from_bytes(payload: bytes) -> pa.Table:
    """Read what :func:`to_bytes` wrote."""
    with pa.ipc.open_stream(payload) as reader:
        return reader.read_all()


def message(metadata: Mapping[str, str], table: pa.Table | None = None) -> pa.Table:
    """Put metadata on a table, or on one without columns."""
    return (pa.table({}) if table is None else table).replace_schema_metadata(dict(metadata))


def metadata_of(table: pa.Table) -> dict[str, str]:
    """Give the metadata that :func:`message` put on a table."""
    return {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}


def read_frame(stream: IO[bytes]) -> bytes | None:
    """Read one frame; None at the end of the stream."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    payload = stream.read(length)
    return payload if len(payload) == length else None


def write_frame(stream: IO[bytes], payload: bytes) -> None:
    """Write one frame."""
    stream.write(LENGTH.pack(len(payload)))
    stream.write(payload)
    stream.flush()


def claim_standard_output() -> BinaryIO:
    """Keep a worker's pipe for replies, and send what the code prints, from Python or C, to standard error."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return replies


def own_traceback(error: BaseException, *programs: str) -> str:
    """Format a traceback without the first frames, those of these programs' files."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename in programs and trace.tb_next is not None:
        trace = trace.tb_next
    return "".join(traceback.format_exception(type(error), error, trace)).rstrip()
