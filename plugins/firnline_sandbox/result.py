"""What a statement gives back: columns with Snowflake types, and the rows as Arrow data."""

from __future__ import annotations

import json
import re
import threading
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from firnline_sandbox.errors import number_out_of_range, unsupported
from firnline_sandbox.types import INTEGER, TEXT, Column, SnowflakeType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

BATCH_ROWS: Final = 65_536
KEPT_ROWS: Final = 1_000_000  # a longer SELECT stays a stream until somebody wants all of it
_MARK: Final = "\\u0001"  # before a date, a time, a timestamp or a binary in a VARIANT, see the translator's macros
_MARKED: Final = re.compile(r'"\\u0001[a-z]')
_KEPT: Final = "\ue000"
_NUMBER: Final = re.compile(f'"{_KEPT}([^"]*)"')
_SPENT: Final = "reading again a large result that was fetched in batches"


class Result:
    """The columns and rows of one statement.

    The rows are a table, or a stream of record batches that is read once. A stream that somebody asks for as a whole
    is read into a table; one that was handed out in batches cannot be had again.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        table: pa.Table | None = None,
        *,
        stream: Iterator[pa.RecordBatch] | None = None,
    ) -> None:
        self.columns = tuple(columns)
        self.rows_affected: int | None = None
        self.is_query = False
        """True for the rows of a SELECT, which clients may fetch as Arrow or pandas data."""
        self._table = table
        self._stream = stream
        self._lock = threading.Lock()

    @staticmethod
    def status(message: str = "Statement executed successfully.") -> Result:
        """Give the one-row, one-column answer of most DDL."""
        return Result.rows([("status", TEXT)], [(message,)])

    @staticmethod
    def rows(columns: Sequence[tuple[str, SnowflakeType]], rows: Sequence[Sequence[Any]]) -> Result:
        """Build a result from Python rows."""
        described = [Column(name, type_) for name, type_ in columns]
        arrays = [
            pa.array([row[index] for row in rows], type=arrow_type(column.type))
            for index, column in enumerate(described)
        ]
        return Result(described, pa.Table.from_arrays(arrays, names=[column.name for column in described]))

    @staticmethod
    def arrow(columns: Sequence[Column | tuple[str, SnowflakeType]], table: pa.Table) -> Result:
        """Wrap an Arrow table whose columns stand in the order of ``columns``."""
        described = [column if isinstance(column, Column) else Column(*column) for column in columns]
        return Result(described, table)

    @staticmethod
    def from_batches(columns: Sequence[Column], batches: Sequence[pa.RecordBatch]) -> Result:
        """Wrap batches that :func:`conform` gave; there may be none."""
        result = Result(columns, stream=iter(batches))
        result.table()
        return result

    @staticmethod
    def counts(**counts: int) -> Result:
        """Give DML counts: ``rows_inserted=3`` is shown as ``number of rows inserted``."""
        columns = [(f"number of {name.replace('_', ' ')}", INTEGER) for name in counts]
        columns = [(name.replace("multi joined", "multi-joined"), type_) for name, type_ in columns]
        result = Result.rows(columns, [tuple(counts.values())])
        result.rows_affected = sum(count for name, count in counts.items() if "multi" not in name)
        return result

    @property
    def num_rows(self) -> int | None:
        """Count the rows; None while they are a stream."""
        return None if self._table is None else self._table.num_rows

    @property
    def is_stream(self) -> bool:
        """Say whether rows are still to be read from the database."""
        return self._stream is not None

    @property
    def nbytes(self) -> int:
        """Give the memory that the kept rows take; nothing for a stream."""
        return 0 if self._table is None else int(self._table.nbytes)

    def table(self) -> pa.Table:
        """Give all rows as one Arrow table with this result's column names."""
        with self._lock:
            if self._table is None:
                if self._stream is None:
                    raise unsupported(_SPENT)
                stream, self._stream = self._stream, None
                batches = list(stream)
                schema = batches[0].schema if batches else self._empty_schema()
                self._table = pa.Table.from_batches(batches, schema=schema)
            return self._table.rename_columns([column.name for column in self.columns])

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Give the rows in bounded batches; a stream is used up by it."""
        with self._lock:
            table, stream = self._table, self._stream
            if table is None:
                self._stream = None
        if table is not None:
            yield from self.table().to_batches(max_chunksize=BATCH_ROWS)
            return
        if stream is None:
            raise unsupported(_SPENT)
        names = [column.name for column in self.columns]
        for batch in stream:
            yield batch.rename_columns(names)

    def to_pylist(self) -> list[tuple[Any, ...]]:
        """Give all rows as tuples."""
        columns = [column.to_pylist() for column in self.table().columns]
        return list(zip(*columns, strict=True))

    def empty_table(self) -> pa.Table:
        """Give a table of this result's columns without rows."""
        return self._empty_schema().empty_table()

    def _empty_schema(self) -> pa.Schema:
        return pa.schema([pa.field(column.name, arrow_type(column.type)) for column in self.columns])


def arrow_type(type_: SnowflakeType) -> pa.DataType:
    """Name the Arrow type in which values of a Snowflake type reach the client."""
    match type_.kind:
        case "NUMBER":
            return pa.decimal128(type_.precision, type_.scale) if type_.scale else pa.int64()
        case "FLOAT":
            return pa.float64()
        case "BOOLEAN":
            return pa.bool_()
        case "DATE":
            return pa.date32()
        case "TIME":
            return pa.time64("us")
        case "TIMESTAMP_NTZ":
            return pa.timestamp("us")
        case "TIMESTAMP_LTZ" | "TIMESTAMP_TZ":
            return pa.timestamp("us", tz="UTC")
        case "BINARY":
            return pa.binary()
        case _:
            return pa.string()


def conform(batches: Iterable[pa.RecordBatch], columns: Sequence[Column]) -> Iterator[pa.RecordBatch]:
    """Give DuckDB's batches in the Arrow types of the columns' Snowflake types, JSON written as Snowflake shows it.

    Raises:
        ProgrammingError: 100039, a whole number does not fit 64 bits.
    """
    wanted = [arrow_type(column.type) for column in columns]
    names = [column.name for column in columns]
    for batch in batches:
        arrays = [
            _conformed(array, type_, column)
            for array, type_, column in zip(batch.columns, wanted, columns, strict=True)
        ]
        yield pa.RecordBatch.from_arrays(arrays, names=names)


def _conformed(array: pa.Array, wanted: pa.DataType, column: Column) -> pa.Array:
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if column.type.is_semi_structured:
        return pa.array([shown_json(text) for text in array.cast(pa.string()).to_pylist()], type=pa.string())
    if array.type == wanted:
        return array
    try:
        return array.cast(wanted)
    except pa.ArrowInvalid as failure:
        raise number_out_of_range(column.name, str(failure)) from failure


def shown_json(text: str | None) -> str | None:
    """Write a VARIANT's JSON as Snowflake hands it to clients: two-space indent, keys in order.

    A text that is no JSON (it came around the translator) is shown as it is.
    """
    if text is None:
        return None
    text = without_marks(text)
    if text[:1] not in "[{":
        return text
    shown = json.dumps(_keeping_numbers(text), indent=2, ensure_ascii=False, separators=(",", ": "), sort_keys=True)
    return _NUMBER.sub(r"\1", shown) if _KEPT in shown else shown


def without_marks(text: str) -> str:
    """Give a VARIANT's JSON without the marks of dates and the like, which are texts for everybody else."""
    return _MARKED.sub('"', text) if _MARK in text else text


def _keeping_numbers(text: str) -> Any:
    """Read JSON, numbers with a point or an exponent as marked texts: their digits are shown as they are."""
    return json.loads(text, parse_float=lambda number: _KEPT + number)
