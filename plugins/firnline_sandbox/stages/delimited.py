"""Delimited text (CSV) as rows of texts: ``$1``, ``$2`` and so on."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from firnline_sandbox import types as t
from firnline_sandbox.stages.dialect import Dialect
from firnline_sandbox.stages.rows import FILE, LINE, ROW_NUMBER, WIDTH, RowError, StagedRows
from firnline_sandbox.stages.unpacking import UnreadableFileError, encoding_of, readable, texts
from firnline_sandbox.translate.surroundings import Relation
from firnline_sandbox.translate.values import quote_name
from firnline_sandbox.types import Column

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from firnline_sandbox.context import Context
    from firnline_sandbox.stages.dialect import Record
    from firnline_sandbox.stages.files import StagedFile
    from firnline_sandbox.stages.formats import Format

_BATCH: Final = 50_000
_PLACES: Final = (
    (FILE.strip('"'), pa.int32()),
    (ROW_NUMBER.strip('"'), pa.int64()),
    (LINE.strip('"'), pa.int64()),
    (WIDTH.strip('"'), pa.int32()),
)


@dataclass(slots=True)
class _Gathered:
    """The records that were read so far, in columns."""

    rows: list[list[str | None]] = field(default_factory=list)
    places: list[tuple[int, int, int, int]] = field(default_factory=list)
    tables: list[pa.Table] = field(default_factory=list)
    width: int = 1

    def add(self, file: int, number: int, record: Record) -> None:
        """Keep a record."""
        self.rows.append(record.fields)
        self.places.append((file, number, record.line, len(record.fields)))
        if len(self.rows) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        """Turn what was kept into columns."""
        if not self.rows:
            return
        columns = {
            f"${index}": pa.array(column, type=pa.string())
            for index, column in enumerate(itertools.zip_longest(*self.rows), 1)
        }
        self.width = max(self.width, len(columns))
        for (name, type_), values in zip(_PLACES, zip(*self.places, strict=True), strict=True):
            columns[name] = pa.array(values, type=type_)
        self.tables.append(pa.table(columns))
        self.rows, self.places = [], []

    def table(self) -> pa.Table:
        """Give all records."""
        self.flush()
        if self.tables:
            return pa.concat_tables(self.tables, promote_options="default")
        return pa.schema([("$1", pa.string()), *_PLACES]).empty_table()


def read(context: Context, files: Sequence[StagedFile], format_: Format) -> StagedRows:
    """Make delimited files readable."""
    gathered = _Gathered()
    errors: list[RowError] = []
    headers: tuple[str, ...] | None = None
    for number, file in enumerate(files):
        if format_["PARSE_HEADER"]:
            headers = headers or header_of(file, format_)
        try:
            for place, record in enumerate(_decoded(file, format_, None), 1):
                if record.fault:
                    errors.append(fault_of(file, record, place))
                else:
                    gathered.add(number, place, record)
        except UnreadableFileError as failure:
            errors.append(failure.error)
    table = gathered.table()
    width = gathered.width
    name = context.register(table)
    columns = tuple(Column(f"${index + 1}", t.TEXT, True, f"${index + 1}") for index in range(width))
    listed = ", ".join(quote_name(column.physical) for column in columns)
    sql = f"(SELECT {listed}, {FILE}, {ROW_NUMBER}, {LINE}, {WIDTH} FROM {name})"  # noqa: S608 (names of our own making)
    return StagedRows(relation=Relation(sql, columns), errors=tuple(errors), width=width, headers=headers)


def fault_of(file: StagedFile, record: Record, row: int) -> RowError:
    """Describe a record that cannot be taken apart."""
    return RowError(
        message=record.fault,
        file=file.name,
        line=record.line,
        character=record.fault_at - record.start + 1,
        row=row,
        row_start_line=record.line,
    )


def header_of(file: StagedFile, format_: Format) -> tuple[str, ...] | None:
    """Give the names in a file's first record (after those that SKIP_HEADER leaves out)."""
    first = next(_decoded(file, format_, int(format_["SKIP_HEADER"])), None)
    return None if first is None else tuple(name or "" for name in first.fields)


def records(file: StagedFile, format_: Format) -> Iterator[Record]:
    """Read the records of a file, its header left out.

    Raises:
        ProgrammingError: 100144 or 100085, the file is not text in its encoding, or not compressed as its format says.
    """
    try:
        yield from _decoded(file, format_, None)
    except UnreadableFileError as failure:
        raise failure.error.raised() from failure


def find_records(file: StagedFile, format_: Format, rows: set[int]) -> dict[int, tuple[Record, str, int]]:
    """Give some of a file's records by number, each with its text and the place of its first byte."""
    try:
        with readable(file):
            text = "".join(texts(file.path, format_))
    except UnreadableFileError:
        return {}
    skip = int(format_["SKIP_HEADER"]) + (1 if format_["PARSE_HEADER"] else 0)
    encoding = encoding_of(format_)
    found: dict[int, tuple[Record, str, int]] = {}
    kept = (
        record
        for record in Dialect.of(format_).records([text], skip, exact=True)
        if record.end > record.start or not format_["SKIP_BLANK_LINES"]
    )
    for number, record in enumerate(kept, 1):
        if number in rows:
            offset = len(text[: record.start].encode(encoding))
            found[number] = (record, text[record.start : record.end], offset)
    return found


def _decoded(file: StagedFile, format_: Format, skip: int | None) -> Iterator[Record]:
    """Read records; without ``skip``, those behind the header."""
    behind_header = int(format_["SKIP_HEADER"]) + (1 if format_["PARSE_HEADER"] else 0)
    with readable(file):
        for record in Dialect.of(format_).records(texts(file.path, format_), behind_header if skip is None else skip):
            if record.end > record.start or not format_["SKIP_BLANK_LINES"]:
                yield record
