"""Guessing the columns of staged files: from a Parquet footer, or from the values of CSV and JSON."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from firnline_sandbox.errors import unsupported
from firnline_sandbox.stages import delimited, documents, parquet
from firnline_sandbox.stages.unpacking import UnreadableFileError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from firnline_sandbox.stages.files import StagedFile
    from firnline_sandbox.stages.formats import Format
    from firnline_sandbox.types import SnowflakeType

_NUMBER: Final = re.compile(r"[+-]?(\d*)(?:\.(\d*))?")
_REAL: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)[eE][+-]?\d+")
_BOOLEAN: Final = re.compile(r"true|false", re.IGNORECASE)
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}|\d{1,2}/\d{1,2}/\d{4}|\d{1,2}-[A-Za-z]{3}-\d{4}")
_TIME: Final = re.compile(r"\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?")
_TIMESTAMP: Final = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?")
_MOST_DIGITS: Final = 38


@dataclass(slots=True)
class Inferred:
    """One column, as far as its values have been seen: the kinds among them, and the digits of numbers."""

    name: str
    expression: str
    files: dict[str, None] = field(default_factory=dict)
    kinds: set[str] = field(default_factory=set)
    whole: int = 0
    scale: int = 0
    nullable: bool = True
    spelled: str = ""

    @property
    def type(self) -> str:
        """Spell the column's type."""
        if self.spelled:
            return self.spelled
        match sorted(self.kinds):
            case ["NUMBER"]:
                if self.whole + self.scale > _MOST_DIGITS:
                    return "REAL"
                return f"NUMBER({max(self.whole + self.scale, 1)}, {self.scale})"
            case ["REAL"] | ["NUMBER", "REAL"]:
                return "REAL"
            case ["DATE", "TIMESTAMP_NTZ"]:
                return "TIMESTAMP_NTZ"
            case [kind]:
                return kind
            case _ if self.kinds & {"ARRAY", "OBJECT"}:
                return "VARIANT"
            case _:
                return "TEXT"

    def see_text(self, text: str | None) -> None:
        """Take a text's value into account."""
        if text is None:
            return
        value = text.strip()
        if (found := _NUMBER.fullmatch(value)) and any(letter.isdigit() for letter in value):
            self.kinds.add("NUMBER")
            self.whole = max(self.whole, len(found[1].lstrip("0")))
            self.scale = max(self.scale, len(found[2] or ""))
            return
        for pattern, kind in _TEXT_KINDS:
            if pattern.fullmatch(value):
                self.kinds.add(kind)
                return
        self.kinds.add("TEXT")

    def see_json(self, value: Any) -> None:
        """Take a JSON value into account."""
        match value:
            case None:
                return
            case bool():
                self.kinds.add("BOOLEAN")
            case int() | float():
                self.see_text(repr(value))
            case str():
                self.kinds.add("TEXT")
            case list():
                self.kinds.add("ARRAY")
            case _:
                self.kinds.add("OBJECT")


_TEXT_KINDS: Final = (
    (_REAL, "REAL"),
    (_BOOLEAN, "BOOLEAN"),
    (_DATE, "DATE"),
    (_TIME, "TIME"),
    (_TIMESTAMP, "TIMESTAMP_NTZ"),
)
_SPELLED: Final = {"FLOAT": "REAL", "TEXT": "TEXT", "BINARY": "BINARY"}


def spell(type_: SnowflakeType) -> str:
    """Spell a type as INFER_SCHEMA does."""
    if type_.kind == "NUMBER":
        return f"NUMBER({type_.precision}, {type_.scale})"
    return _SPELLED.get(type_.kind, type_.kind)


def infer(files: Sequence[StagedFile], format_: Format, limit: int | None) -> list[Inferred]:
    """Guess the columns of files, in the order in which they are met.

    Raises:
        ProgrammingError: a file is not what its format says.
    """
    found: dict[str, Inferred] = {}
    for file in files:
        match format_.type:
            case "PARQUET":
                _see_parquet(found, file, format_)
            case "CSV":
                _see_delimited(found, file, format_, limit)
            case "JSON":
                _see_documents(found, file, format_, limit)
            case _:
                raise unsupported(f"INFER_SCHEMA of file format TYPE = {format_.type}")
    if format_.type == "JSON":
        return [found[name] for name in sorted(found)]
    return list(found.values())


def _column(found: dict[str, Inferred], file: StagedFile, name: str, expression: str) -> Inferred:
    column = found.setdefault(name, Inferred(name, expression))
    column.files[file.relative] = None
    return column


def _see_parquet(found: dict[str, Inferred], file: StagedFile, format_: Format) -> None:
    # Bytes that are not marked as text are BINARY here, whatever they are loaded as.
    format_ = replace(format_, options={**format_.options, "BINARY_AS_TEXT": False})
    try:
        fields = parquet.fields_of(str(file.path), format_)
    except (pa.ArrowInvalid, OSError) as failure:
        raise parquet.unreadable(file, failure).raised() from failure
    for item in fields:
        known = item.name in found
        column = _column(found, file, item.name, field_path(item.name))
        spelled = spell(item.type)
        column.nullable = item.nullable or (known and column.nullable)
        column.spelled = spelled if column.spelled in {"", spelled} else "VARIANT"


def _see_delimited(found: dict[str, Inferred], file: StagedFile, format_: Format, limit: int | None) -> None:
    header = delimited.header_of(file, format_) if format_["PARSE_HEADER"] else None
    for record in itertools.islice(delimited.records(file, format_), limit):
        if record.fault:
            raise delimited.fault_of(file, record, record.line).raised()
        for index, text in enumerate(record.fields):
            name = header[index] if header is not None and index < len(header) else f"c{index + 1}"
            _column(found, file, name, f"${index + 1}").see_text(text)


def _see_documents(found: dict[str, Inferred], file: StagedFile, format_: Format, limit: int | None) -> None:
    for value in itertools.islice(_objects(file, format_), limit):
        for name, item in value.items():
            _column(found, file, name, field_path(name)).see_json(item)


def _objects(file: StagedFile, format_: Format) -> Iterator[dict[str, Any]]:
    try:
        for text in documents.documents(file, format_):
            value = json.loads(text)
            if isinstance(value, dict):
                yield value
    except UnreadableFileError as failure:
        raise failure.error.raised() from failure


def field_path(name: str) -> str:
    """Write the path to a field of ``$1``."""
    plain = re.fullmatch(r"[A-Za-z_]\w*", name)
    return f"$1:{name}" if plain else '$1:"' + name.replace('"', '""') + '"'
