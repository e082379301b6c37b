"""Counts about every column, computed where the rows are: two passes, however wide the table."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from firnline_snowpark.columns import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from snowflake.snowpark import Session

    from firnline_snowpark.rows import Kind

COLUMNS_A_QUERY: Final = 40
SHOWN_CHARACTERS: Final = 40
LONG_TEXT: Final = 1_000
"""Text that is longer on average is compared by its hash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnStatistics:
    """What was counted in one column.

    Attributes:
        name: as the platform spells it.
        kind: of its values.
        known: how many values are not NULL.
        distinct: how many different ones.
        low: the smallest, as text.
        high: the largest, as text.
        length: mean number of characters, for text.
        whole: whether all numbers are whole.
        span: largest minus smallest number.
    """

    name: str
    kind: Kind
    known: int
    distinct: int = 0
    low: str = ""
    high: str = ""
    length: float = 0.0
    whole: bool = False
    span: float = 0.0


def column_statistics(session: Session, table: str, kinds: Mapping[str, Kind]) -> tuple[int, list[ColumnStatistics]]:
    """Return the number of rows, and the counts of each column in order."""
    [row] = session.sql(f"SELECT COUNT(*) FROM {table}").collect()  # noqa: S608 (a table's own name)
    known: list[int] = []
    lengths: list[float] = []
    for names in _chunks(list(kinds)):
        sizes = [f"COUNT({quoted(name)})" for name in names]
        spread = [f"AVG(LENGTH({quoted(name)}))" if kinds[name] == "text" else "0" for name in names]
        values = _one_row(session, table, [*sizes, *spread])
        known += [int(value) for value in values[: len(names)]]
        lengths += [float(value or 0) for value in values[len(names) :]]
    counted = [
        ColumnStatistics(name=name, kind=kind, known=count, length=length)
        for (name, kind), count, length in zip(kinds.items(), known, lengths, strict=True)
    ]
    return int(row[0]), list(_with_values(session, table, counted))


def _with_values(session: Session, table: str, counted: list[ColumnStatistics]) -> Iterator[ColumnStatistics]:
    for part in _chunks(counted):
        expressions = [_value_expressions(column) for column in part]
        values = iter(_one_row(session, table, itertools.chain.from_iterable(expressions)))
        for column in part:
            distinct, low, high, broken, span = itertools.islice(values, 5)
            yield ColumnStatistics(
                name=column.name,
                kind=column.kind,
                known=column.known,
                length=column.length,
                distinct=int(distinct or 0),
                low=_shown(low),
                high=_shown(high),
                whole=column.kind == "number" and broken == 0,
                span=float(span or 0),
            )


def _value_expressions(column: ColumnStatistics) -> list[str]:
    """Return five expressions: different values, smallest, largest, numbers that are not whole, span."""
    name = quoted(column.name)
    if column.kind == "other" or not column.known:
        return ["0", "NULL", "NULL", "0", "0"]
    if column.kind == "text" and column.length > LONG_TEXT:
        return [f"COUNT(DISTINCT HASH({name}))", "NULL", "NULL", "0", "0"]
    low, high = (f"{function}({name})" for function in ("MIN", "MAX"))
    if column.kind == "flag":
        low, high = (f"{function}(CAST({name} AS INTEGER))" for function in ("MIN", "MAX"))
    bounds = [f"CAST({low} AS TEXT)", f"CAST({high} AS TEXT)"]
    if column.kind == "number":
        return [
            f"COUNT(DISTINCT {name})",
            *bounds,
            f"COUNT_IF({name} <> FLOOR({name}))",
            f"CAST({high} - {low} AS FLOAT)",
        ]
    return [f"COUNT(DISTINCT {name})", *bounds, "0", "0"]


def _one_row(session: Session, table: str, expressions: Iterable[str]) -> list[Any]:
    listed = ", ".join(f"{sql} AS C{index}" for index, sql in enumerate(expressions))
    [row] = session.sql(f"SELECT {listed} FROM {table}").collect()  # noqa: S608 (identifiers are quoted)
    return list(row)


def _chunks(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), COLUMNS_A_QUERY):
        yield items[start : start + COLUMNS_A_QUERY]


def _shown(value: Any) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"


def duplicate_rows(session: Session, table: str, names: Sequence[str]) -> int:
    """Return how many rows are copies of another one in these columns."""
    if not names:
        return 0
    hashed = ", ".join(quoted(name) for name in names)
    [row] = session.sql(f"SELECT COUNT(*) - COUNT(DISTINCT HASH({hashed})) FROM {table}").collect()  # noqa: S608 (quoted)
    return int(row[0])
