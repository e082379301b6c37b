"""Reading a CSV file twice: to decide types over all rows, then to load them. Memory stays that of a few blocks."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

import pyarrow as pa
import pyarrow.csv

from firnline.errors import DataError
from firnline_snowpark.ingest.file_columns import FileColumn, FileRows, checked_names
from firnline_snowpark.ingest.text_types import TextTypes, arrow_type, converted, look, note, snowflake_type

if TYPE_CHECKING:
    from firnline_snowpark.ingest.files_params import FilesParams

BLOCK_BYTES: Final = 2 * 2**20
"""Bytes read at a time; the reader holds a good dozen of such blocks."""
LONGEST_ROW_BYTES: Final = 16 * 2**20
"""The block for files with longer rows; Snowflake's own limit for one value is of this size."""
DELIMITERS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
COMPRESSIONS: Final = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\x28\xb5\x2f\xfd": "zstd"}
BYTE_ORDER_MARKS: Final = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
LONGEST_HEADER: Final = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """How the file is to be read, as far as its beginning tells."""

    path: Path
    params: FilesParams
    stage: str
    compression: str | None
    delimiter: str
    names: tuple[str, ...]
    notes: tuple[str, ...]
    block_bytes: int = BLOCK_BYTES


def open_csv(path: Path, params: FilesParams, stage: str) -> FileRows:
    """Read the file once to decide the type of each column, and return how to read it again.

    Raises:
        DataError: the file is empty, is no text in the stated encoding, or its rows and names do not fit together.
    """
    layout = _layout(path, params, stage)
    try:
        seen = _scan(layout)
    except _LongRowError:
        layout = replace(layout, block_bytes=LONGEST_ROW_BYTES)
        seen = _scan(layout)
    kinds = [state.kind for state in seen]
    separator = DELIMITERS.get(layout.delimiter, repr(layout.delimiter))
    return FileRows(
        columns=tuple(
            FileColumn(name=name, type=snowflake_type(kind), arrow=arrow_type(kind), note=note(state))
            for name, kind, state in zip(layout.names, kinds, seen, strict=True)
        ),
        batches=lambda: (_convert(batch, kinds, params) for batch in _text_batches(layout)),
        facts=(
            ("format", f"CSV, fields separated by {separator}, encoding {params.encoding}"),
            *((("compression", layout.compression),) if layout.compression else ()),
            *(("name", text) for text in layout.notes),
        ),
    )


def _layout(path: Path, params: FilesParams, stage: str) -> _Layout:
    compression = _compression(path)
    _refuse_binary(path, compression, params, stage)
    header = _header_line(path, compression, params, stage)
    delimiter = _delimiter(header) if params.delimiter == "auto" else params.delimiter
    raw_names = next(csv.reader(io.StringIO(header), delimiter=delimiter), [])
    names, notes = checked_names(raw_names, file=path.name, reserved=params.row_column)
    _refuse_rows_as_names(path, names, stage)
    return _Layout(
        path=path,
        params=params,
        stage=stage,
        compression=compression,
        delimiter=delimiter,
        names=tuple(names),
        notes=tuple(notes),
    )


def _scan(layout: _Layout) -> list[TextTypes]:
    """Look at every value of every column."""
    seen = [TextTypes() for _ in layout.names]
    last: pa.RecordBatch | None = None
    for batch in _text_batches(layout):
        last = batch if batch.num_rows else last
        for column, state in zip(batch.columns, seen, strict=True):
            look(state, column, layout.params.null_words, layout.params.decimal)
    if last is None:
        raise DataError(f"{layout.path.name} has names but no rows", hint="a model needs rows to learn from")
    _refuse_open_quote(layout.path, layout.compression, last)
    return seen


def _convert(batch: pa.RecordBatch, kinds: list[str], params: FilesParams) -> pa.RecordBatch:
    columns = [
        converted(column, kind, params.null_words, params.decimal)
        for column, kind in zip(batch.columns, kinds, strict=True)
    ]
    return pa.record_batch(columns, names=batch.schema.names)


def _text_batches(layout: _Layout) -> Iterator[pa.RecordBatch]:
    names = [f"C{index}" for index in range(1, len(layout.names) + 1)]
    try:
        with pa.input_stream(str(layout.path), compression=layout.compression) as stream:
            yield from pa.csv.open_csv(
                stream,
                # One thread: rows are counted, so that an error can name the row.
                read_options=pa.csv.ReadOptions(
                    use_threads=False,
                    block_size=layout.block_bytes,
                    column_names=names,
                    skip_rows_after_names=1,
                    encoding="utf8" if _is_utf8(layout.params) else layout.params.encoding,
                ),
                parse_options=pa.csv.ParseOptions(delimiter=layout.delimiter, newlines_in_values=True),
                convert_options=pa.csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
                ),
            )
    except UnicodeDecodeError as error:
        _refuse_encoding(layout.path, layout.compression, layout.params, layout.stage, error)
    except (pa.ArrowInvalid, OSError) as error:
        _explain(layout, error)


def _refuse_open_quote(path: Path, compression: str | None, last: pa.RecordBatch) -> None:
    """Refuse a quote that is opened and never closed: the reader takes the rest of the file for one field."""
    if not any("\n" in column[-1].as_py() for column in last.columns):
        return
    with pa.input_stream(str(path), compression=compression) as stream:
        quotes = sum(chunk.count(b'"') for chunk in iter(lambda: stream.read(2**20), b""))
    if quotes % 2:
        raise DataError(
            f"the last row of {path.name} has a quoted field that is never closed",
            hint="a quote inside of a quoted field is written twice; is the file complete?",
        )


class _LongRowError(Exception):
    """A row does not fit into a block; a larger one may do."""


def _explain(layout: _Layout, error: Exception) -> NoReturn:
    name, text = layout.path.name, str(error).partition("\n")[0]
    if "invalid UTF8" in text:
        _refuse_encoding(layout.path, layout.compression, layout.params, layout.stage, error)
    if "straddling" in text and layout.block_bytes < LONGEST_ROW_BYTES:
        raise _LongRowError from error
    if "straddling" in text:
        raise DataError(
            f"{name} has a row of more than {LONGEST_ROW_BYTES // 2**20} MB",
            hint="leave such a field out, or cut it short; Snowflake holds no longer values either",
        ) from error
    if "Expected" in text and "columns" in text:
        raise DataError(
            f"{name}: {text[:300]}",
            hint="rows and names must have equally many fields; "
            f"is the delimiter right ({layout.stage}.params.delimiter)?",
        ) from error
    raise DataError(f"{name} cannot be read as CSV: {text[:300]}", hint="is the file complete?") from error


def _refuse_encoding(
    path: Path, compression: str | None, params: FilesParams, stage: str, cause: Exception
) -> NoReturn:
    decoder = codecs.getincrementaldecoder(params.encoding)()
    position = line = 0
    with pa.input_stream(str(path), compression=compression) as stream:
        while chunk := stream.read(2**20):
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                offset = position - pending + error.start
                line += chunk[: max(error.start - pending, 0)].count(b"\n") + 1
                before = error.object[: error.start][-30:].rpartition(b"\n")[2]
                after = error.object[error.start :][:30].partition(b"\n")[0]
                raise DataError(
                    f"{path.name} is not {params.encoding} text: byte 0x{error.object[error.start]:02x} at offset "
                    f"{offset:,} (line {line:,})",
                    hint=f"tell its encoding; with {stage}.params.encoding=cp1252 that place would read "
                    f"{(before + after).decode('cp1252', 'replace')!r}",
                ) from cause
            position += len(chunk)
            line += chunk.count(b"\n")
    raise DataError(
        f"{path.name} ends in the middle of a {params.encoding} character", hint="is the file complete?"
    ) from cause


def _compression(path: Path) -> str | None:
    with path.open("rb") as file:
        start = file.read(4)
    return next((name for magic, name in COMPRESSIONS.items() if start.startswith(magic)), None)


def _refuse_binary(path: Path, compression: str | None, params: FilesParams, stage: str) -> None:
    with pa.input_stream(str(path), compression=compression) as stream:
        start = stream.read(4096)
    if not start.strip():
        raise DataError(f"{path.name} is empty", hint="was it written to the end?")
    if start.startswith(b"PK\x03\x04"):
        raise DataError(f"{path.name} is a workbook or an archive, not CSV", hint="save the sheet as CSV (UTF-8)")
    if params.encoding.lower().replace("_", "-").startswith(("utf-16", "utf-32")):
        return
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if start.startswith(mark):
            raise DataError(f"{path.name} is {encoding} text", hint=f"say so: {stage}.params.encoding={encoding}")
    if b"\0" in start:
        raise DataError(f"{path.name} is not text: it has zero bytes", hint="CSV and Parquet files can be loaded")


def _header_line(path: Path, compression: str | None, params: FilesParams, stage: str) -> str:
    """Return the row of names, which may span lines where a name is quoted."""
    with pa.input_stream(str(path), compression=compression) as stream:
        raw = stream.read(LONGEST_HEADER)
    try:
        start = codecs.getincrementaldecoder("utf-8-sig" if _is_utf8(params) else params.encoding)().decode(raw)
    except UnicodeDecodeError as error:
        _refuse_encoding(path, compression, params, stage, error)
    quoted = False
    for index, character in enumerate(start):
        if character == '"':
            quoted = not quoted
        elif character in "\r\n" and not quoted and start[:index].strip():
            return start[:index].lstrip("\r\n")
    return start.strip("\r\n")


def _is_utf8(params: FilesParams) -> bool:
    return codecs.lookup(params.encoding).name == "utf-8"


def _delimiter(header: str) -> str:
    outside = "".join(header.split('"')[::2])
    return max(DELIMITERS, key=outside.count)


def _refuse_rows_as_names(path: Path, names: list[str], stage: str) -> None:
    def is_number(text: str) -> bool:
        try:
            float(text)
        except ValueError:
            return False
        return True

    if all(is_number(name) for name in names):
        listed = ", ".join(names[:5])
        raise DataError(
            f"the first row of {path.name} holds numbers, not names: {listed}",
            hint=f"write a row of column names at the top of the file, then run {stage} again",
        )
