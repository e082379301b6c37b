"""JSON files as rows: each document is the ``$1`` of a row, kept as the text in which it was written."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from firnline_sandbox import types as t
from firnline_sandbox.stages.rows import FILE, ROW_NUMBER, RowError, StagedRows
from firnline_sandbox.stages.unpacking import UnreadableFileError, readable, texts
from firnline_sandbox.translate.surroundings import Relation
from firnline_sandbox.types import Column

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from firnline_sandbox.context import Context
    from firnline_sandbox.stages.files import StagedFile
    from firnline_sandbox.stages.formats import Format

_BETWEEN: Final = re.compile(r"[\s,]*")
_SPACE: Final = re.compile(r"\s*")


def read(context: Context, files: Sequence[StagedFile], format_: Format) -> StagedRows:
    """Make JSON files readable: one document after the other, with or without commas or new lines between them."""
    texts_of: list[str] = []
    numbers: list[int] = []
    places: list[int] = []
    errors: list[RowError] = []
    for number, file in enumerate(files):
        try:
            for place, document in enumerate(documents(file, format_), 1):
                texts_of.append(document)
                numbers.append(number)
                places.append(place)
        except UnreadableFileError as failure:
            errors.append(failure.error)
    table = pa.table(
        {
            "$1": pa.array(texts_of, type=pa.string()),
            FILE.strip('"'): pa.array(numbers, type=pa.int32()),
            ROW_NUMBER.strip('"'): pa.array(places, type=pa.int64()),
        }
    )
    name = context.register(table)
    sql = f'(SELECT json("$1") AS "$1", {FILE}, {ROW_NUMBER} FROM {name})'  # noqa: S608 (a name of our own making)
    return StagedRows(relation=Relation(sql, (Column("$1", t.VARIANT, True, "$1"),)), errors=tuple(errors))


def documents(file: StagedFile, format_: Format) -> Iterator[str]:
    """Give the documents of a file as texts."""
    decoder = json.JSONDecoder(
        object_pairs_hook=None if format_["ALLOW_DUPLICATE"] else _unique_pairs, parse_constant=_refuse_constant
    )
    changes = format_["STRIP_NULL_VALUES"] or format_["NULL_IF"] or format_["TRIM_SPACE"]
    with readable(file):
        text = "".join(texts(file.path, format_))
    try:
        for start, end, value in _values(decoder, text, strip=format_["STRIP_OUTER_ARRAY"] is True):
            yield json.dumps(_cleaned(value, format_), ensure_ascii=False) if changes else text[start:end]
    except json.JSONDecodeError as failure:
        raise UnreadableFileError(_error(file, f"Error parsing JSON: {failure.msg}", text, failure.pos)) from failure


def _values(decoder: json.JSONDecoder, text: str, *, strip: bool) -> Iterator[tuple[int, int, Any]]:
    """Give the places and values of a text's documents, or of the elements of its arrays."""
    place = _end_of(_BETWEEN, text, 0)
    inside = False
    while place < len(text):
        letter = text[place]
        if strip and not inside and letter == "[":
            inside, place = True, _end_of(_SPACE, text, place + 1)
            continue
        if inside and letter == "]":
            inside, place = False, _end_of(_BETWEEN, text, place + 1)
            continue
        try:
            value, end = decoder.raw_decode(text, place)
        except StopIteration as failure:
            raise json.JSONDecodeError("unfinished document", text, place) from failure
        yield place, end, value
        place = _end_of(_BETWEEN, text, end)
    if inside:
        raise json.JSONDecodeError("unfinished array", text, len(text))


def _end_of(pattern: re.Pattern[str], text: str, start: int) -> int:
    found = pattern.match(text, start)
    return start if found is None else found.end()


def _unique_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise json.JSONDecodeError(f"duplicate object attribute {json.dumps(twice)}", "", 0)
    return found


def _refuse_constant(name: str) -> Any:
    raise json.JSONDecodeError(f"unknown keyword {json.dumps(name)}", "", 0)


def _cleaned(value: Any, format_: Format) -> Any:
    """Apply STRIP_NULL_VALUES, NULL_IF and TRIM_SPACE."""
    match value:
        case dict():
            found = {key: _cleaned(item, format_) for key, item in value.items()}
            return {key: item for key, item in found.items() if not _stripped(item, format_)}
        case list():
            items = [_cleaned(item, format_) for item in value]
            return [item for item in items if not _stripped(item, format_)]
        case str():
            text = value.strip() if format_["TRIM_SPACE"] else value
            return None if text in format_["NULL_IF"] else text
        case _:
            return value


def _stripped(value: Any, format_: Format) -> bool:
    return value is None and format_["STRIP_NULL_VALUES"] is True


def _error(file: StagedFile, message: str, text: str, place: int) -> RowError:
    line = text.count("\n", 0, place) + 1
    return RowError(
        message=message,
        file=file.name,
        line=line,
        character=place - (text.rfind("\n", 0, place) + 1) + 1,
        byte_offset=len(text[:place].encode()),
        code=100069,
        sqlstate="22P02",
    )
