"""Cutting delimited text into records and fields by a file format's options."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from firnline_sandbox.stages.formats import Format

_LINE_END: Final = r"\r\n|\n|\r"
_LINE: Final = re.compile(_LINE_END)
_SPACES: Final = re.compile(r"[ \t]*")
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0"}
_SPELLED: Final = re.compile(r"\\x([0-9a-fA-F]{2})|0x([0-9a-fA-F]{2})|\\([0-7]{3})|\\(.)", re.DOTALL)


@dataclass(slots=True)
class Record:
    """One record: where it starts and ends in the text, and its fields, None for NULL; or what is wrong with it."""

    line: int
    start: int
    end: int
    fields: list[str | None]
    fault: str = ""
    fault_at: int = 0
    starts: list[int] = field(default_factory=list)  # of the fields; left empty where text was cut quickly


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How records and fields are told apart."""

    delimiter: str
    quote: str
    escape: str  # inside of quotes; "" for none
    escape_plain: str  # outside of quotes
    nulls: frozenset[str]
    empty_as_null: bool
    trim: bool
    end: re.Pattern[str]
    plain: re.Pattern[str]
    quoted: re.Pattern[str]
    line_ends: bool  # records end where lines do

    @staticmethod
    def of(format_: Format) -> Dialect:
        """Read a format's options."""
        delimiter = spelled(format_["FIELD_DELIMITER"])
        record_end = spelled(format_["RECORD_DELIMITER"])
        line_ends = record_end in {"\n", "\r\n", "\r"}
        end = _LINE_END if line_ends else re.escape(record_end) or r"(?!)"
        quote = spelled(format_["FIELD_OPTIONALLY_ENCLOSED_BY"])
        escape = spelled(format_["ESCAPE"])
        escape_plain = escape or spelled(format_["ESCAPE_UNENCLOSED_FIELD"])
        return Dialect(
            delimiter=delimiter,
            quote=quote,
            escape=escape,
            escape_plain=escape_plain,
            nulls=frozenset(str(text) for text in format_["NULL_IF"]),
            empty_as_null=format_["EMPTY_FIELD_AS_NULL"] is True,
            trim=format_["TRIM_SPACE"] is True,
            end=re.compile(end),
            plain=re.compile(_plain(delimiter, end, escape_plain, line_ends=line_ends), re.DOTALL),
            quoted=re.compile(_quoted(quote, escape) if quote else r"(?!)", re.DOTALL),
            line_ends=line_ends,
        )

    def records(self, pieces: Iterable[str], skip: int = 0, *, exact: bool = False) -> Iterator[Record]:
        """Cut a text that comes in pieces into records, its first ``skip`` lines left out.

        With ``exact``, each record says where its fields start.
        """
        following = iter(pieces)
        text, line, before, last = "", 1, 0, False
        while not last:
            piece = next(following, None)
            last = piece is None
            text += piece or ""
            block = None if exact or last else self._simple_block(text)
            found: Iterable[Record]
            if block is None:
                found, place = self._block(text, line, before, last=last)
            else:
                found, place = self._simple(block, line, before), sum(map(len, block))
            for record in found:
                if record.line > skip:
                    yield record
            line += len(_LINE.findall(text, 0, place)) if block is None else len(block)
            text, before = text[place:], before + place

    def _simple_block(self, text: str) -> list[str] | None:
        """Give the whole lines of a text, with their ends, if lines and delimiters are all that there is to it."""
        marks = {mark for mark in (self.quote, self.escape_plain) if mark}
        if not (self.line_ends and self.delimiter) or any(mark in text for mark in marks):
            return None
        end = "\r\n" if "\r" in text else "\n"
        block = text[: text.rfind(end) + len(end)] if end in text else ""
        if end == "\r\n" and not block.count("\r") == block.count("\n") == block.count(end):
            return None
        return [line + end for line in block.split(end)[:-1]]

    def _simple(self, lines: list[str], line: int, start: int) -> Iterator[Record]:
        delimiter, trim, nulls = self.delimiter, self.trim, self.nulls | ({""} if self.empty_as_null else frozenset())
        for text in lines:
            bare = text.rstrip("\r\n")
            fields: list[str | None] = [*bare.split(delimiter)]
            if trim:
                fields = [part and part.strip() for part in fields]
            if not nulls.isdisjoint(fields):
                fields = [None if part in nulls else part for part in fields]
            yield Record(line, start, start + len(bare), fields)
            line += 1
            start += len(text)

    def _block(self, text: str, line: int, before: int, *, last: bool) -> tuple[list[Record], int]:
        """Give the records that end in a text, and where the rest begins."""
        found: list[Record] = []
        place = 0
        while place < len(text) and (cut := self._record(text, place, last=last)) is not None:
            follow, record = cut
            record.line, record.start, record.end = line, before + record.start, before + record.end
            record.fault_at += before
            record.starts = [start + before for start in record.starts]
            found.append(record)
            line += len(_LINE.findall(text, place, follow))
            place = follow
        return found, place

    def _record(self, text: str, place: int, *, last: bool) -> tuple[int, Record] | None:
        """Read one record; None if its end has not come yet. Gives where the next one starts."""
        fields: list[str | None] = []
        starts: list[int] = []
        at = place
        while True:
            read = self._enclosed(text, at) or self._unenclosed(text, at)
            value, after, fault = read
            if after >= len(text) and not last:
                return None
            fields.append(value)
            starts.append(at)
            if not fault and self.delimiter and text.startswith(self.delimiter, after):
                at = after + len(self.delimiter)
                continue
            end = self.end.match(text, after)
            if end is None and after < len(text):
                fault = fault or (
                    f"Found character '{text[after]}' instead of field delimiter '{self.delimiter}'"
                    if self.delimiter
                    else f"Found character '{text[after]}' instead of record delimiter"
                )
                end = self.end.search(text, after)
            if end is None and not last:
                return None
            stop, follow = (end.start(), end.end()) if end is not None else (len(text), len(text))
            if follow == len(text) and not last and text.endswith("\r"):
                return None
            return follow, Record(0, place, stop, fields, fault, after, starts)

    def _enclosed(self, text: str, at: int) -> tuple[str | None, int, str] | None:
        """Read a field in quotes: its value, where it ends, and what is wrong with it."""
        if not self.quote:
            return None
        start = self._without_spaces(text, at)
        if not text.startswith(self.quote, start):
            return None
        found = self.quoted.match(text, start)
        if found is None:
            return None, len(text), f"Found end of file inside of a field enclosed by '{self.quote}'"
        value = found[1].replace(self.quote * 2, self.quote)
        if self.escape and self.escape in value:
            value = _unescaped(value, self.escape)
        return (None if value in self.nulls else value), self._without_spaces(text, found.end()), ""

    def _without_spaces(self, text: str, at: int) -> int:
        found = _SPACES.match(text, at) if self.trim else None
        return at if found is None else found.end()

    def _unenclosed(self, text: str, at: int) -> tuple[str | None, int, str]:
        found = self.plain.match(text, at)
        after = at if found is None else found.end()
        value = text[at:after]
        if self.trim:
            value = value.strip()
        if value in self.nulls or (self.empty_as_null and not value):
            return None, after, ""
        if self.escape_plain and self.escape_plain in value:
            value = _unescaped(value, self.escape_plain)
        return (None if value in self.nulls else value), after, ""


def _plain(delimiter: str, end: str, escape: str, *, line_ends: bool) -> str:
    """Write the expression of a field without quotes."""
    escaped = rf"{re.escape(escape)}(?:.|\Z)|" if escape else ""
    if line_ends and len(delimiter) <= 1:
        stops = re.escape(delimiter) + r"\r\n" + re.escape(escape)
        return f"(?:{escaped}[^{stops}]++)*+"
    stops = "|".join(part for part in (re.escape(delimiter), end) if part)
    return f"(?:{escaped}(?!{stops}).)*+"


def _quoted(quote: str, escape: str) -> str:
    """Write the expression of a field in quotes; its body is group 1.

    It gives nothing back: a text without a closing quote fails at once, and half of a doubled quote closes nothing.
    """
    mark = re.escape(quote)
    escaped = rf"{re.escape(escape)}.|" if escape and escape != quote else ""
    kept = re.escape(quote) + (re.escape(escape) if escape != quote else "")
    return rf"{mark}((?:{escaped}{mark}{mark}|[^{kept}]++)*+){mark}(?!{mark})"


def _unescaped(value: str, escape: str) -> str:
    def replaced(found: re.Match[str]) -> str:
        mark = found[1]
        if len(mark) == 3 and mark.isdigit():
            return chr(int(mark, 8))
        return chr(int(mark[1:], 16)) if len(mark) > 1 else _ESCAPES.get(mark, mark)

    pattern = rf"{re.escape(escape)}(x[0-9a-fA-F]{{2}}|[0-7]{{3}}|.)"
    return re.sub(pattern, replaced, value, flags=re.DOTALL)


def spelled(option: object) -> str:
    """Give the characters that an option means: NONE is none, ``\\t``, ``0x01`` and ``\\001`` are one each."""
    text = str(option)
    if text.upper() == "NONE":
        return ""

    def replaced(found: re.Match[str]) -> str:
        if hexadecimal := found[1] or found[2]:
            return chr(int(hexadecimal, 16))
        if found[3]:
            return chr(int(found[3], 8))
        return _ESCAPES.get(found[4], found[4])

    return _SPELLED.sub(replaced, text) if len(text) > 1 else text
