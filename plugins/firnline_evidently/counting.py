"""Counting in the platform: one aggregating query a table, whose result is as small as the number of bins.

Every column is turned into the text of its bin, ``3:q:17`` for bin 17 of the fourth column, and the rows are counted by
GROUPING SETS of one column each. In each set all other columns are NULL, so COALESCE gives the bin that is counted.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from firnline.domain import quote_constant, quote_name
from firnline_evidently.profile import EVERYTHING, ColumnBins, ColumnCounts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from snowflake.snowpark import Session

_MOST_SETS: Final = 100  # Snowflake takes up to 128 grouping sets in one query
MISSING: Final = "null"


def value_sql(column: ColumnBins) -> str:
    """Return the expression of a column's value: FLOAT without NaN for numbers, text for categories."""
    if column.kind == "number":
        return f"NULLIF(CAST({quote_name(column.name)} AS FLOAT), 'NaN'::FLOAT)"
    return f"CAST({quote_name(column.name)} AS VARCHAR)"


def segment_sql(column: str, values: Sequence[str]) -> str:
    """Return the expression that names the segment of a row: ``PLAN=basic``; NULL outside of the values."""
    whens = " ".join(
        f"WHEN {quote_constant(value)} THEN {quote_constant(segment_name(column, value))}" for value in values
    )
    return f"CASE CAST({quote_name(column)} AS VARCHAR) {whens} END" if whens else "NULL"


def segment_name(column: str, value: str) -> str:
    """Name the rows in which a slice column has a value."""
    return f"{column}={value}"


def count(
    session: Session,
    source: str,
    columns: Sequence[ColumnBins],
    *,
    segment: str | None = None,
) -> dict[str, dict[str, ColumnCounts]]:
    """Count the rows of each bin of each column.

    Args:
        session: where the table is.
        source: a table's name or a query in parentheses, ready for SQL.
        columns: how values are put into bins.
        segment: an expression that names the segment of a row; None counts all rows as one.

    Returns:
        Segment → column → counts.
    """
    found: dict[str, dict[str, int]] = defaultdict(dict)
    texts = [text for number, column in enumerate(columns) for text in _bin_texts(number, column)]
    for start in range(0, len(texts), _MOST_SETS):
        part = texts[start : start + _MOST_SETS]
        for name, key, rows in session.sql(_query(source, part, segment)).collect():
            if name is not None:
                found[str(name)][str(key)] = int(rows)
    if segment is None and not found:
        found[EVERYTHING] = {}
    return {
        name: {column.name: _read(number, column, keys) for number, column in enumerate(columns)}
        for name, keys in found.items()
    }


def _query(source: str, texts: Sequence[str], segment: str | None) -> str:
    names = [f"B{number}" for number in range(len(texts))]
    listed = ", ".join(f"{text} AS {name}" for name, text in zip(names, texts, strict=True))
    of_rows = f"CAST({segment} AS VARCHAR)" if segment is not None else quote_constant(EVERYTHING)
    sets = ", ".join(f"(SEGMENT, {name})" for name in names)
    key = f"COALESCE({', '.join(names)})" if len(names) > 1 else names[0]
    return (
        f"SELECT SEGMENT, {key} AS BIN, COUNT(*) AS N "  # noqa: S608 (names and constants are quoted)
        f"FROM (SELECT {of_rows} AS SEGMENT, {listed} FROM {source}) GROUP BY GROUPING SETS ({sets})"
    )


def _bin_texts(number: int, column: ColumnBins) -> list[str]:
    value = value_sql(column)
    if column.kind == "category":
        whens = "".join(
            f" WHEN {quote_constant(text)} THEN '{number}:q:{i}'" for i, text in enumerate(column.categories)
        )
        known = f"CASE {value}{whens} ELSE '{number}:q:{len(column.categories)}' END" if whens else f"'{number}:q:0'"
        return [f"CASE WHEN {value} IS NULL THEN '{number}:q:{MISSING}' ELSE {known} END"]
    whens = "".join(f" WHEN {value} < {edge!r} THEN '{number}:q:{i}'" for i, edge in enumerate(column.edges))
    bins = f"CASE WHEN {value} IS NULL THEN '{number}:q:{MISSING}'{whens} ELSE '{number}:q:{len(column.edges)}' END"
    if column.width <= 0:
        return [bins]
    place = f"LEAST(GREATEST(FLOOR(({value} - ({column.low!r})) / {column.width!r}), 0), {column.fine_bins - 1})"
    fine = f"COALESCE('{number}:f:' || TO_VARCHAR(CAST({place} AS INTEGER)), '{number}:f:{MISSING}')"
    return [bins, fine]


def _read(number: int, column: ColumnBins, keys: Mapping[str, int]) -> ColumnCounts:
    places = len(column.categories) + 1 if column.kind == "category" else len(column.edges) + 1
    bins = tuple(keys.get(f"{number}:q:{place}", 0) for place in range(places))
    fine: tuple[int, ...] = ()
    if column.kind == "number" and column.width > 0:
        fine = tuple(keys.get(f"{number}:f:{place}", 0) for place in range(column.fine_bins))
    missing = keys.get(f"{number}:q:{MISSING}", 0)
    return ColumnCounts(rows=sum(bins) + missing, missing=missing, bins=bins, fine=fine)
