"""The type of a text column, decided over every one of its values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

INTEGER: Final = r"^-?(0|[1-9]\d{0,17})$"
NUMBER: Final = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
PADDED: Final = r"^[+-]?0\d"
LONG_DIGITS: Final = r"^\d{19,}$"
ISO_DATE: Final = r"^(?P<y>\d{4})-(?P<m>\d{2})-(?P<d>\d{2})$"
DATE_PATTERNS: Final = {
    "YYYY-MM-DD": ISO_DATE,
    "YYYY/MM/DD": r"^(?P<y>\d{4})/(?P<m>\d{1,2})/(?P<d>\d{1,2})$",
    "DD.MM.YYYY": r"^(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{4})$",
    "DD/MM/YYYY": r"^(?P<d>\d{1,2})/(?P<m>\d{1,2})/(?P<y>\d{4})$",
    "MM/DD/YYYY": r"^(?P<m>\d{1,2})/(?P<d>\d{1,2})/(?P<y>\d{4})$",
}
AMBIGUOUS: Final = frozenset({"DD/MM/YYYY", "MM/DD/YYYY"})
TIMESTAMP: Final = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?$"
ZONED: Final = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})$"
KINDS: Final = ("integer", "number", "boolean", *DATE_PATTERNS, "timestamp", "zoned")
SNOWFLAKE_TYPES: Final = {"integer": "NUMBER(38,0)", "number": "FLOAT", "boolean": "BOOLEAN"}
STRAY_SHARE: Final = 0.05
"""A column with no more than this share of values that are no numbers is told to be nearly numeric."""


@dataclass(slots=True, kw_only=True)
class TextTypes:
    """What is known of one text column after the batches seen so far.

    Attributes:
        possible: the kinds that all values so far would fit.
        values: how many values are not missing whatever the type (blank).
        words: how many are words for a missing value.
        blank: how many are blank.
        padded: whether a number begins with a needless zero.
        long_digits: whether there are digits too many for a number.
        trimmed: how many had spaces around them.
        strays: how many are no numbers; counted while they are few.
        examples: some of those.
    """

    possible: set[str] = field(default_factory=lambda: set(KINDS))
    values: int = 0
    words: int = 0
    blank: int = 0
    padded: bool = False
    long_digits: bool = False
    trimmed: int = 0
    strays: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """The decision: one of :data:`KINDS`, or ``text``, or ``missing`` where there is no value at all."""
        if self.values == self.words:
            return "missing"
        fitting = [kind for kind in KINDS if kind in self.possible]
        return fitting[0] if fitting and not set(fitting) >= AMBIGUOUS else "text"


def look(seen: TextTypes, column: pa.Array, null_words: Sequence[str], decimal: str) -> None:
    """Take one more batch of a column into account."""
    trimmed = pc.utf8_trim_whitespace(column)
    filled = pc.not_equal(trimmed, "")
    values = trimmed.filter(filled)
    seen.trimmed += _count(pc.and_(filled, pc.not_equal(trimmed, column)))
    seen.blank += len(column) - len(values)
    seen.values += len(values)
    words = pc.is_in(values, pa.array(null_words, pa.string()))
    seen.words += _count(words)
    if not seen.possible and seen.strays > STRAY_SHARE * seen.values:
        return
    counts = pc.value_counts(values.filter(pc.invert(words)))
    distinct, times = counts.field("values"), counts.field("counts")
    if len(distinct):
        _look_at_distinct(seen, _with_point(distinct, decimal), times)


def _count(flags: pa.Array) -> int:
    return int(flags.true_count)


def _look_at_distinct(seen: TextTypes, distinct: pa.Array, times: pa.Array) -> None:
    numeric = pc.match_substring_regex(distinct, NUMBER)
    strays = pc.filter(distinct, pc.invert(numeric))
    if seen.values and seen.strays <= STRAY_SHARE * seen.values:
        seen.strays += pc.sum(pc.filter(times, pc.invert(numeric))).as_py() or 0  # a sum of nothing is null
        seen.examples = (seen.examples + strays[:3].to_pylist())[:3]
    seen.padded = seen.padded or pc.any(pc.match_substring_regex(distinct, PADDED + r"\d*$")).as_py()
    seen.long_digits = seen.long_digits or pc.any(pc.match_substring_regex(distinct, LONG_DIGITS)).as_py()
    if len(strays) or seen.padded or seen.long_digits:
        seen.possible -= {"integer", "number"}
    elif not pc.all(pc.match_substring_regex(distinct, INTEGER)).as_py():
        seen.possible.discard("integer")
    seen.possible -= {kind for kind in seen.possible - {"integer", "number"} if not _fits(kind, distinct)}


def _fits(kind: str, distinct: pa.Array) -> bool:
    match kind:
        case "boolean":
            return bool(pc.all(pc.is_in(pc.utf8_lower(distinct), pa.array(["true", "false"]))).as_py())
        case "timestamp" | "zoned":
            pattern = TIMESTAMP if kind == "timestamp" else ZONED
            return bool(pc.all(pc.match_substring_regex(distinct, pattern)).as_py()) and _castable(
                distinct, pa.timestamp("us", tz=None if kind == "timestamp" else "UTC")
            )
        case _:
            iso = _iso_dates(distinct, kind)
            return iso.null_count == 0 and _castable(iso, pa.date32())


def _iso_dates(values: pa.Array, kind: str) -> pa.Array:
    parts = pc.extract_regex(values, DATE_PATTERNS[kind])
    year, month, day = (pc.struct_field(parts, name) for name in "ymd")
    padded = (year, pc.utf8_lpad(month, 2, "0"), pc.utf8_lpad(day, 2, "0"))
    return pc.binary_join_element_wise(*padded, "-")


def _castable(values: pa.Array, type_: pa.DataType) -> bool:
    try:
        pc.cast(values, type_)
    except pa.ArrowInvalid:
        return False
    return True


def _with_point(values: pa.Array, decimal: str) -> pa.Array:
    return values if decimal == "." else pc.replace_substring(values, decimal, ".")


def arrow_type(kind: str) -> pa.DataType:
    """Return the Arrow type in which values of this kind travel."""
    return {"integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_()}.get(kind, pa.string())


def snowflake_type(kind: str) -> str:
    """Return the type of the table's column."""
    if kind in DATE_PATTERNS:
        return "DATE"
    return SNOWFLAKE_TYPES.get(kind, "TIMESTAMP_NTZ" if kind in {"timestamp", "zoned"} else "TEXT")


def converted(column: pa.Array, kind: str, null_words: Sequence[str], decimal: str) -> pa.Array:
    """Return the column's values in their decided type; missing ones are null."""
    trimmed = pc.utf8_trim_whitespace(column)
    missing = ["", *null_words] if kind != "text" else [""]
    values = pc.if_else(pc.is_in(trimmed, pa.array(missing, pa.string())), pa.scalar(None, pa.string()), trimmed)
    match kind:
        case "missing":
            return pa.nulls(len(column), pa.string())
        case "text":
            return values
        case "integer" | "number":
            return pc.cast(_with_point(values, decimal), arrow_type(kind))
        case "boolean":
            return pc.equal(pc.utf8_lower(values), "true")
        case "timestamp":
            return values
        case "zoned":
            return pc.strftime(
                pc.cast(pc.cast(values, pa.timestamp("us", tz="UTC")), pa.timestamp("us")), "%Y-%m-%dT%H:%M:%S"
            )
        case _:
            return _iso_dates(values, kind)


def note(seen: TextTypes) -> str:
    """Return why the column has its type, where that is not plain."""
    kind = seen.kind
    notes = []
    if kind == "missing":
        return "every value is missing"
    if seen.blank:
        notes.append(f"{seen.blank:,} blank values became NULL")
    if seen.words and kind != "text":
        notes.append(f"{seen.words:,} words for a missing value became NULL")
    if kind in DATE_PATTERNS and kind != "YYYY-MM-DD":
        notes.append(f"dates are written {kind}")
    if kind == "zoned":
        notes.append("times were moved to UTC")
    if kind == "text" and seen.possible >= AMBIGUOUS and seen.values:
        notes.append("looks like dates, but day and month cannot be told apart: kept as text")
    if kind == "text" and seen.padded and not seen.strays:
        notes.append("numbers that begin with 0 are kept as text")
    if kind == "text" and seen.long_digits and not seen.strays:
        notes.append("more than 18 digits: kept as text")
    if kind == "text" and 0 < seen.strays <= STRAY_SHARE * seen.values:
        examples = ", ".join(repr(example[:20]) for example in seen.examples)
        notes.append(f"kept as text for {seen.strays:,} of {seen.values:,} values that are no numbers: {examples}")
    if seen.trimmed:
        notes.append(f"spaces around {seen.trimmed:,} values were removed")
    return "; ".join(notes)
