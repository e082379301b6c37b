"""What each column is for, decided from counts alone. Pure: the same counts give the same roles."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from firnline_snowpark.tabular.profile import ColumnProfile

if TYPE_CHECKING:
    from collections.abc import Collection

    from firnline_snowpark.tabular.params import TabularParams
    from firnline_snowpark.tabular.profile import Role
    from firnline_snowpark.tabular.statistics import ColumnStatistics

FEWEST_ROWS: Final = 20
"""With fewer rows, that all values differ says nothing."""
MOST_OWN_VALUES: Final = 0.5
FEWEST_OWN_VALUES: Final = 100
FREE_TEXT_VALUES: Final = 50
IDENTIFIER_WORDS: Final = frozenset({"id", "key", "uuid", "guid", "number", "nr", "no", "num", "code", "index", "row"})
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def decide(
    statistics: ColumnStatistics, rows: int, params: TabularParams, *, target: str, named: Collection[str]
) -> ColumnProfile:
    """Return a column's role with the reason.

    Args:
        statistics: what was counted.
        rows: of the table.
        params: of the stage; they overrule what would be decided.
        target: the column to predict.
        named: columns that the params call identifiers.
    """
    role, note = _role(statistics, rows, params, target=target, named=named)
    return ColumnProfile(
        name=statistics.name,
        role=role,
        kind=statistics.kind,
        missing=rows - statistics.known,
        distinct=None if statistics.kind == "other" else statistics.distinct,
        low=statistics.low,
        high=statistics.high,
        note=note,
        columns=() if role == "set aside" else (statistics.name,),
    )


def _role(
    column: ColumnStatistics, rows: int, params: TabularParams, *, target: str, named: Collection[str]
) -> tuple[Role, str]:
    if column.name == target:
        return "target", ""
    if column.name in named:
        return "identifier", "as the params say"
    if column.name in params.set_aside:
        return "set aside", "as the params say"
    if not column.known:
        return "set aside", "every value is NULL"
    if column.kind in {"other", "time"}:
        return "set aside", f"{'semi-structured' if column.kind == 'other' else 'time'} values are no features"
    if column.name in params.features:
        return "feature", "as the params say"
    return _usefulness(column, rows, params)


def _usefulness(column: ColumnStatistics, rows: int, params: TabularParams) -> tuple[Role, str]:
    if column.distinct == 1 and column.known == rows:
        return "set aside", "every value is the same"
    if column.kind == "text" and column.length > params.free_text_length and column.distinct > FREE_TEXT_VALUES:
        return "set aside", f"free text, {column.length:,.0f} characters on average"
    if column.distinct == column.known >= FEWEST_ROWS:
        if column.kind == "text":
            return "identifier", "every value is different"
        if column.kind == "number" and column.whole and column.span + 1 == column.distinct:
            return "identifier", "numbers the rows"
        if column.kind == "number" and column.whole and words(column.name) & IDENTIFIER_WORDS:
            return "identifier", "every value is different, and the name says so"
    own = column.distinct > MOST_OWN_VALUES * column.known
    if column.kind == "text" and own and column.distinct > FEWEST_OWN_VALUES:
        return "set aside", f"almost every row has a value of its own ({column.distinct:,} of {column.known:,})"
    return "feature", ""


def words(name: str) -> set[str]:
    """Return a name's words in lower case: ``customerID`` has ``customer`` and ``id``."""
    return {word.lower() for word in _WORD.findall(name)}
