"""Writing rows into files of a stage. All files of an unload appear at its end, each of them whole."""

from __future__ import annotations

import gzip
import os
import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from firnline_sandbox import types as t
from firnline_sandbox.errors import invalid_argument
from firnline_sandbox.result import conform
from firnline_sandbox.stages.dialect import spelled
from firnline_sandbox.stages.files import UNFINISHED
from firnline_sandbox.translate.casts import cast
from firnline_sandbox.translate.values import Value, quote_name, quote_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from firnline_sandbox.context import Context
    from firnline_sandbox.stages.formats import Format
    from firnline_sandbox.translate import Translated
    from firnline_sandbox.types import Column

_NULL_FOLDER: Final = "__NULL__"
_ROWS_AT_ONCE: Final = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A file that was written: its path inside of the stage's folder, sizes and rows."""

    name: str
    size: int
    input_bytes: int
    rows: int


@dataclass(slots=True, kw_only=True)
class _OpenFile:
    """A file that is being written under a name that nobody sees."""

    final: Path
    unfinished: Path
    raw: BinaryIO
    sink: Any
    rows: int = 0
    input_bytes: int = 0

    @property
    def size(self) -> int:
        """Give the bytes that have reached the file."""
        return self.raw.tell()


@dataclass(slots=True)
class Unloader:
    """Writes one query's rows; ``most_bytes`` is None for a single file."""

    format: Format
    folder: Path
    name: str
    suffix: str
    most_bytes: int | None
    header: bool
    partitioned: bool
    _done: list[_OpenFile] = field(default_factory=list)

    def write(self, context: Context, translated: Translated) -> list[Written]:
        """Run the query and write its rows.

        Raises:
            ProgrammingError: 1015, a format cannot hold such rows.
        """
        columns = translated.columns[: -1 if self.partitioned else None]
        lines = self.format.type != "PARQUET"
        sql = self._lines(translated, columns) if lines else _fields(translated)
        if self.partitioned:
            part = quote_name(translated.columns[-1].physical)
            sql += f" ORDER BY q.{part}"
        relation = context.duckdb.sql(sql, params=list(context.params) or None)
        schema = None if lines else _texts_for_json(columns)
        try:
            for folder, batches in self._groups(relation.to_arrow_reader(_ROWS_AT_ONCE)):
                self._write_group(folder, batches, columns, schema)
        except BaseException:
            for file in self._done:
                file.raw.close()
                file.unfinished.unlink(missing_ok=True)
            raise
        return [self._publish(file) for file in self._done]

    # -- rows

    def _lines(self, translated: Translated, columns: Sequence[Column]) -> str:
        """Write the query that gives one text for each row (and the partition's name)."""
        values = [Value(f"q.{quote_name(column.physical)}", column.type) for column in columns]
        if self.format.type == "JSON":
            if len(values) != 1 or not values[0].type.is_semi_structured:
                raise invalid_argument(
                    "JSON file format can unload one column alone, of type VARIANT, OBJECT or ARRAY;"
                    " use OBJECT_CONSTRUCT(*) for several"
                )
            line = f"coalesce(sf_without_marks(CAST(json({values[0].sql}) AS VARCHAR)), 'null')"
        else:
            delimiter = spelled(self.format["FIELD_DELIMITER"])
            line = f" || {quote_text(delimiter)} || ".join(self._field(value) for value in values)
        part = f", q.{quote_name(translated.columns[-1].physical)} AS part" if self.partitioned else ""
        return f"SELECT {line} AS line{part} FROM ({translated.sql}) AS q"  # noqa: S608 (SQL of our own making)

    def _field(self, value: Value) -> str:
        nulls = self.format["NULL_IF"]
        null = quote_text(str(nulls[0]) if nulls else "")
        quote = spelled(self.format["FIELD_OPTIONALLY_ENCLOSED_BY"])
        is_text = value.type.kind == "TEXT" or value.type.is_semi_structured
        sql = (
            f"sf_without_marks(CAST(json({value.sql}) AS VARCHAR))"
            if value.type.is_semi_structured
            else cast(value, t.TEXT).sql
        )
        if quote and is_text:
            return f"coalesce({self._enclosed(sql, quote)}, {null})"
        return f"coalesce({self._escaped(sql) if is_text else sql}, {null})"

    def _enclosed(self, sql: str, quote: str) -> str:
        escape = spelled(self.format["ESCAPE"])
        mark = quote_text(quote)
        if escape:
            sql = f"replace({sql}, {quote_text(escape)}, {quote_text(escape * 2)})"
        return f"{mark} || replace({sql}, {mark}, {quote_text(quote * 2)}) || {mark}"

    def _escaped(self, sql: str) -> str:
        """Put the escape character before what would end a field or a record."""
        escape = spelled(self.format["ESCAPE"]) or spelled(self.format["ESCAPE_UNENCLOSED_FIELD"])
        if not escape:
            return sql
        for mark in (escape, spelled(self.format["FIELD_DELIMITER"]), spelled(self.format["RECORD_DELIMITER"])):
            if mark:
                sql = f"replace({sql}, {quote_text(mark)}, {quote_text(escape + mark)})"
        return sql

    def _groups(self, reader: pa.RecordBatchReader) -> Iterator[tuple[str, Iterator[pa.RecordBatch]]]:
        """Cut the rows where the partition changes."""
        if not self.partitioned:
            yield "", iter(reader)
            return
        waiting: dict[str, list[pa.RecordBatch]] = {}
        for batch in reader:
            parts = batch.column(batch.num_columns - 1)
            rest = batch.drop_columns([batch.schema.names[-1]])
            for part in pc.unique(parts).to_pylist():
                test = pc.is_null(parts) if part is None else pc.equal(parts, part)
                name = _NULL_FOLDER if part is None else part
                # Rows come in the order of partitions: one that is not in this batch's beginning is complete.
                for complete in [other for other in waiting if other != name]:
                    yield complete, iter(waiting.pop(complete))
                waiting.setdefault(name, []).append(rest.filter(test))
        for name, batches in waiting.items():
            yield name, iter(batches)

    # -- files

    def _write_group(
        self,
        folder: str,
        batches: Iterator[pa.RecordBatch],
        columns: Sequence[Column],
        schema: Sequence[Column] | None,
    ) -> None:
        number = 0
        file: _OpenFile | None = None
        for batch in batches if schema is None else conform(batches, schema):
            if file is not None and self.most_bytes is not None and file.size >= self.most_bytes:
                self._close(file)
                number, file = number + 1, None
            if file is None:
                file = self._open(folder, number, batch.schema, columns)
            self._append(file, batch)
        if file is not None:
            self._close(file)

    def _open(self, folder: str, number: int, schema: pa.Schema, columns: Sequence[Column]) -> _OpenFile:
        base = self.folder / folder if folder else self.folder
        name = f"{self.name}{self.suffix}" if self.most_bytes is None else f"{self.name}_0_{number}_0{self.suffix}"
        base.mkdir(parents=True, exist_ok=True)
        unfinished = base / f"{UNFINISHED}{uuid.uuid4().hex}"
        raw = unfinished.open("wb")
        file = _OpenFile(final=base / name, unfinished=unfinished, raw=raw, sink=None)
        self._done.append(file)
        names = [column.name if self.header else f"_COL_{index}" for index, column in enumerate(columns)]
        compression = self.format["COMPRESSION"]
        if self.format.type == "PARQUET":
            packing = {"NONE": "none"}.get(compression, compression.lower())
            named = pa.schema([field.with_name(name) for field, name in zip(schema, names, strict=True)])
            file.sink = pq.ParquetWriter(raw, named, compression=packing)
        else:
            file.sink = _packed(raw, compression)
            if self.header and self.format.type == "CSV":
                self._write_header(file, names)
        return file

    def _write_header(self, file: _OpenFile, names: Sequence[str]) -> None:
        quote = spelled(self.format["FIELD_OPTIONALLY_ENCLOSED_BY"])
        shown = [f"{quote}{name.replace(quote, quote * 2)}{quote}" if quote else name for name in names]
        line = spelled(self.format["FIELD_DELIMITER"]).join(shown) + spelled(self.format["RECORD_DELIMITER"])
        file.sink.write(line.encode())

    def _append(self, file: _OpenFile, batch: pa.RecordBatch) -> None:
        file.rows += batch.num_rows
        if self.format.type == "PARQUET":
            file.input_bytes += batch.nbytes
            file.sink.write_batch(batch.rename_columns(file.sink.schema.names))
            return
        end = spelled(self.format["RECORD_DELIMITER"]) if self.format.type == "CSV" else "\n"
        data = "".join(f"{line}{end}" for line in batch.column(0).to_pylist()).encode()
        file.input_bytes += len(data)
        file.sink.write(data)

    def _close(self, file: _OpenFile) -> None:
        if file.sink is not file.raw:
            file.sink.close()
        file.raw.close()  # where a compressor has not done it yet
        with file.unfinished.open("rb+") as whole:
            os.fsync(whole.fileno())

    def _publish(self, file: _OpenFile) -> Written:
        file.unfinished.replace(file.final)
        return Written(
            name=file.final.relative_to(self.folder).as_posix(),
            size=file.final.stat().st_size,
            input_bytes=file.input_bytes,
            rows=file.rows,
        )


def _fields(translated: Translated) -> str:
    """Write the query of a Parquet file's rows: semi-structured values are JSON texts in it."""
    parts = [
        f"sf_without_marks(CAST(json({name}) AS VARCHAR)) AS {name}" if column.type.is_semi_structured else name
        for column in translated.columns
        for name in [quote_name(column.physical)]
    ]
    return f"SELECT {', '.join(parts)} FROM ({translated.sql}) AS q"  # noqa: S608 (SQL of our own making)


def _texts_for_json(columns: Sequence[Column]) -> list[Column]:
    return [replace(column, type=t.TEXT) if column.type.is_semi_structured else column for column in columns]


def _packed(raw: BinaryIO, compression: str) -> Any:
    match compression:
        case "GZIP":
            return gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=raw, mtime=0)
        case "NONE":
            return raw
        case _:
            return pa.CompressedOutputStream(pa.PythonFile(raw), compression.lower())
