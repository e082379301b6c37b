"""What a statement gives back: columns with Snowflake types, and the rows as Arrow data."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from firnline_sandbox.errors import unsupported
from firnline_sandbox.types import INTEGER, TEXT, Column, SnowflakeType

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BATCH_ROWS: Final = 100_000
KEPT_ROWS: Final = 1_000_000  # a longer SELECT stays a stream until somebody wants all of it


class Result:
    """The columns and rows of one statement.

    The rows are a table, or a stream of record batches that is read once. A stream that somebody asks for as a whole
    is read into a table; one that was handed out in batches cannot be had again.
    """

    def __init__(
        self, columns: Sequence[Column], table: pa.Table | None = None, *, stream: Iterator[pa.RecordBatch] | None = None
    ) -> None:
        self.columns = tuple(columns)
        self.rows_affected: int | None = None
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
    def counts(**counts: int) -> Result:
        """Give DML counts: ``rows_inserted=3`` is shown as ``number of rows inserted``."""
        columns = [(f"number of {name.replace('_', ' ')}", INTEGER) for name in counts]
        result = Result.rows(columns, [tuple(counts.values())])
        result.rows_affected = sum(count for name, count in counts.items() if "multi" not in name)
        return result

    @property
    def num_rows(self) -> int | None:
        """Count the rows; None while they are a stream."""
        return None if self._table is None else self._table.num_rows

    def table(self) -> pa.Table:
        """Give all rows as one Arrow table with this result's column names."""
        with self._lock:
            if self._table is None:
                if self._stream is None:
                    raise unsupported("reading again a large result that was fetched in batches")
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
            raise unsupported("reading again a large result that was fetched in batches")
        names = [column.name for column in self.columns]
        for batch in stream:
            yield batch.rename_columns(names)

    def to_pylist(self) -> list[tuple[Any, ...]]:
        """Give all rows as tuples."""
        columns = [column.to_pylist() for column in self.table().columns]
        return list(zip(*columns, strict=True))

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
