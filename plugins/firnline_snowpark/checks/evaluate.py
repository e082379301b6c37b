"""Hold expectations against a table: one pass for all conditions on rows, one more for each uniqueness."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, assert_never

from snowflake.snowpark import functions as sf
from snowflake.snowpark.exceptions import SnowparkSQLException
from snowflake.snowpark.types import StringType

from firnline.errors import DataError
from firnline_snowpark.checks.expectations import (
    Between,
    Condition,
    Expectation,
    InSet,
    Matches,
    NotNull,
    RowCount,
    RowExpectation,
    Unique,
)
from firnline_snowpark.columns import quoted, resolve_column, resolve_columns, unquoted
from firnline_snowpark.duplicates import rows_by_repetition

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from snowflake.snowpark import Column, DataFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one expectation.

    Attributes:
        name: the expectation's name in the params.
        expectation: the expectation.
        columns: the columns it looks at, as the table spells them.
        rows: rows of the table.
        failing: rows that fail; for a row count 0 or 1.
    """

    name: str
    expectation: Expectation
    columns: tuple[str, ...]
    rows: int
    failing: int

    @property
    def met(self) -> bool:
        """Whether so few rows fail that the expectation holds."""
        tolerance = 0.0 if isinstance(self.expectation, RowCount) else self.expectation.tolerance
        return self.failing <= tolerance * self.rows


def evaluate(frame: DataFrame, expectations: Mapping[str, Expectation], *, where: str) -> tuple[Outcome, ...]:
    """Count the failing rows of each expectation.

    Raises:
        DataError: if an expectation names a column that is absent, or its SQL cannot be evaluated.
    """
    columns = [unquoted(name) for name in frame.columns]
    looked_at = {name: _columns(e, columns, f"{where}.{name}") for name, e in expectations.items()}
    for name, expectation in expectations.items():
        if isinstance(expectation, Condition):
            _try(frame, expectation, f"{where}.{name}")
    on_rows = [name for name, e in expectations.items() if not isinstance(e, RowCount | Unique)]
    failing_rows = [sf.iff(_failing(expectations[name], looked_at[name]), sf.lit(1), sf.lit(0)) for name in on_rows]
    [counts] = frame.agg(sf.count(sf.lit(1)), *[sf.sum(value) for value in failing_rows]).collect()
    rows = int(counts[0])
    failing = {name: int(counts[place + 1] or 0) for place, name in enumerate(on_rows)}
    for name, expectation in expectations.items():
        if isinstance(expectation, RowCount):
            low, high = expectation.low, expectation.high
            failing[name] = int((low is not None and rows < low) or (high is not None and rows > high))
        elif isinstance(expectation, Unique):
            failing[name] = rows_by_repetition(frame, looked_at[name], which="repeated").count()
    return tuple(
        Outcome(name=name, expectation=e, columns=looked_at[name], rows=rows, failing=failing[name])
        for name, e in expectations.items()
    )


def failing_rows(frame: DataFrame, outcome: Outcome) -> DataFrame | None:
    """Return the rows that fail an expectation; None if it is not about rows."""
    match outcome.expectation:
        case RowCount():
            return None
        case Unique():
            return rows_by_repetition(frame, outcome.columns, which="repeated")
        case _:
            return frame.filter(_failing(outcome.expectation, outcome.columns))


def _columns(expectation: Expectation, columns: Sequence[str], where: str) -> tuple[str, ...]:
    match expectation:
        case Unique():
            return resolve_columns(expectation.columns, columns, where=where)
        case Condition() | RowCount():
            return ()
        case _:
            return (resolve_column(expectation.column, columns, where=where),)


def _failing(expectation: Expectation, columns: Sequence[str]) -> Column:
    """Return the condition under which a row fails; NULL counts as false."""
    match expectation:
        case NotNull():
            return sf.col(quoted(columns[0])).is_null()
        case Between(low=low, high=high):
            value = sf.col(quoted(columns[0]))
            outside = [value < sf.lit(low)] if low is not None else []
            return reduce(or_, outside + ([value > sf.lit(high)] if high is not None else []))
        case InSet(values=values):
            return ~sf.col(quoted(columns[0])).in_(list(values))
        case Matches(pattern=pattern):
            return ~sf.col(quoted(columns[0])).cast(StringType()).rlike(sf.lit(pattern))
        case Condition(sql=sql):
            return ~sf.sql_expr(f"({sql})")
        case Unique() | RowCount():
            raise ValueError(f"{type(expectation).__name__} is not about single rows")
        case _:
            assert_never(expectation)


def _try(frame: DataFrame, condition: Condition, where: str) -> None:
    try:
        _ = frame.select(_failing(condition, ()).alias("FAILS")).schema
    except SnowparkSQLException as error:
        raise DataError(
            f"{where}: the condition {condition.sql!r} cannot be evaluated: {error.message}",
            hint=f"write a boolean SQL expression over the columns {', '.join(frame.columns[:30])}",
        ) from error


def describe(expectation: RowExpectation | RowCount) -> str:
    """Say in words what is expected."""
    match expectation:
        case NotNull(column=column):
            return f"{column} has a value"
        case Unique(columns=columns):
            return f"{', '.join(columns)} is unique"
        case Between(column=column, low=low, high=high):
            return f"{column} is {_range(low, high)}"
        case InSet(column=column, values=values):
            shown = ", ".join(str(value) for value in values[:8]) + (", …" if len(values) > 8 else "")
            return f"{column} is one of {shown}"
        case Matches(column=column, pattern=pattern):
            return f"{column} matches {pattern}"
        case Condition(sql=sql):
            return sql
        case RowCount(low=low, high=high):
            return f"{_range(low, high) or 'any number of'} rows"
        case _:
            assert_never(expectation)


def _range(low: object, high: object) -> str:
    bounds = [f"{word} {bound}" for word, bound in (("at least", low), ("at most", high)) if bound is not None]
    return " and ".join(bounds)
