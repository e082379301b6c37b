"""Random typed expressions, each as Snowflake SQL and as a Python function that computes the same on its own."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from hypothesis import strategies as st

Row = dict[str, Any]
COLUMNS: Final = {"N": "NUMBER(9,0)", "P": "NUMBER(9,2)", "S": "VARCHAR(20)", "D": "DATE", "B": "BOOLEAN"}
_LETTERS: Final = "abcXYZ 0é%_'"
_SMALL: Final = st.integers(-50, 50)


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression: its SQL and what it gives for a row; None is NULL."""

    sql: str
    value: Callable[[Row], Any]


def rows() -> st.SearchStrategy[list[Row]]:
    """Draw a small table."""
    return st.lists(
        st.fixed_dictionaries(
            {
                "N": st.none() | st.integers(-999_999, 999_999),
                "P": st.none() | st.decimals(-9_999, 9_999, places=2),
                "S": st.none() | st.text(_LETTERS, max_size=8),
                "D": st.none() | st.dates(dt.date(1950, 1, 1), dt.date(2050, 12, 31)),
                "B": st.none() | st.booleans(),
            }
        ),
        min_size=1,
        max_size=6,
    )


def _column(name: str) -> Expression:
    return Expression(name, lambda row: row[name])


def _lifted(function: Callable[..., Any], *arguments: Expression) -> Callable[[Row], Any]:
    """Compute on values; one NULL makes the result NULL."""

    def value(row: Row) -> Any:
        given = [argument.value(row) for argument in arguments]
        return None if any(one is None for one in given) else function(*given)

    return value


def _call(template: str, function: Callable[..., Any], *arguments: Expression) -> Expression:
    sql = template.format(*(argument.sql for argument in arguments))
    return Expression(sql, _lifted(function, *arguments))


def numbers(depth: int = 2) -> st.SearchStrategy[Expression]:
    """Expressions whose value is a NUMBER."""
    leaves = st.sampled_from([_column("N"), _column("P")]) | st.builds(
        lambda number: Expression(f"({number})", lambda _row: Decimal(number)), _SMALL
    )
    if not depth:
        return leaves
    inner, other = numbers(depth - 1), texts(depth - 1)
    return st.one_of(
        leaves,
        st.builds(lambda a, b: _call("({0} + {1})", lambda x, y: Decimal(x) + y, a, b), inner, inner),
        st.builds(lambda a, b: _call("({0} - {1})", lambda x, y: Decimal(x) - y, a, b), inner, inner),
        st.builds(lambda a: _call("(-{0})", lambda x: -Decimal(x), a), inner),
        st.builds(lambda a: _call("ABS({0})", lambda x: abs(Decimal(x)), a), inner),
        st.builds(lambda a: _call("SIGN({0})", lambda x: (x > 0) - (x < 0), a), inner),
        st.builds(lambda a: _call("ROUND({0})", _rounded, a), inner),
        st.builds(lambda a: _call("FLOOR({0})", lambda x: Decimal(x).to_integral_value("ROUND_FLOOR"), a), inner),
        st.builds(lambda a: _call("LENGTH({0})", len, a), other),
        st.builds(lambda a: _call("YEAR({0})", lambda x: x.year, a), dates(depth - 1)),
        st.builds(
            lambda a, b: _call("DATEDIFF(day, {0}, {1})", lambda x, y: (y - x).days, a, b),
            dates(depth - 1),
            dates(depth - 1),
        ),
        st.builds(
            lambda a, b: _call(
                "DATEDIFF(month, {0}, {1})", lambda x, y: (y.year - x.year) * 12 + y.month - x.month, a, b
            ),
            dates(depth - 1),
            dates(depth - 1),
        ),
        _choices(inner, depth),
    )


def _rounded(number: Any) -> Decimal:
    return Decimal(number).quantize(Decimal(1), ROUND_HALF_UP)


def texts(depth: int = 2) -> st.SearchStrategy[Expression]:
    """Expressions whose value is a VARCHAR."""
    leaves = st.just(_column("S")) | st.builds(
        lambda text: Expression("'" + text.replace("'", "''") + "'", lambda _row: text), st.text(_LETTERS, max_size=5)
    )
    if not depth:
        return leaves
    inner = texts(depth - 1)
    counts = st.integers(0, 5)
    return st.one_of(
        leaves,
        st.builds(lambda a, b: _call("({0} || {1})", lambda x, y: x + y, a, b), inner, inner),
        st.builds(lambda a: _call("UPPER({0})", str.upper, a), inner),
        st.builds(lambda a: _call("REVERSE({0})", lambda x: x[::-1], a), inner),
        st.builds(lambda a, n: _call(f"LEFT({{0}}, {n})", lambda x: x[:n], a), inner, counts),
        st.builds(lambda a, n: _call(f"RIGHT({{0}}, {n})", lambda x: x[len(x) - min(n, len(x)) :], a), inner, counts),
        st.builds(
            lambda a, b, n: _call(f"SUBSTR({{0}}, {b}, {n})", lambda x: x[b - 1 : b - 1 + n], a),
            inner,
            st.integers(1, 6),
            counts,
        ),
        st.builds(lambda a, b: _call("REPLACE({0}, 'a', {1})", lambda x, y: x.replace("a", y), a, b), inner, inner),
        st.builds(lambda a: _call("TRIM({0})", lambda x: x.strip(" "), a), inner),
        _choices(inner, depth),
    )


def dates(depth: int = 2) -> st.SearchStrategy[Expression]:
    """Expressions whose value is a DATE."""
    leaves = st.just(_column("D")) | st.builds(
        lambda day: Expression(f"'{day}'::DATE", lambda _row: day),
        st.dates(dt.date(1950, 1, 1), dt.date(2050, 12, 31)),
    )
    if not depth:
        return leaves
    inner = dates(depth - 1)
    return st.one_of(
        leaves,
        st.builds(lambda a, n: _call(f"DATEADD(day, {n}, {{0}})", lambda x: x + dt.timedelta(n), a), inner, _SMALL),
        st.builds(lambda a, n: _call(f"DATEADD(month, {n}, {{0}})", lambda x: _months_later(x, n), a), inner, _SMALL),
        st.builds(lambda a: _call("LAST_DAY({0})", _last_day, a), inner),
        st.builds(lambda a: _call("DATE_TRUNC('month', {0})", lambda x: x.replace(day=1), a), inner),
        st.builds(
            lambda a: _call("DATE_TRUNC('week', {0})", lambda x: x - dt.timedelta(x.weekday()), a),
            inner,
        ),
        _choices(inner, depth),
    )


def _last_day(day: dt.date) -> dt.date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def _months_later(day: dt.date, months: int) -> dt.date:
    years, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(years, month + 1, min(day.day, calendar.monthrange(years, month + 1)[1]))


def conditions(depth: int = 2) -> st.SearchStrategy[Expression]:
    """Expressions whose value is a BOOLEAN, with three-valued logic."""
    kinds = [numbers, texts, dates]
    compared = st.one_of(
        *(
            st.builds(_comparison, st.sampled_from(sorted(_SIGNS)), kind(max(depth - 1, 0)), kind(max(depth - 1, 0)))
            for kind in kinds
        )
    )
    tested = st.one_of(
        *(
            st.builds(
                lambda a: Expression(f"({a.sql} IS NULL)", lambda row: a.value(row) is None), kind(max(depth - 1, 0))
            )
            for kind in kinds
        )
    )
    leaves = st.just(_column("B")) | compared | tested
    if not depth:
        return leaves
    inner = conditions(depth - 1)
    return st.one_of(
        leaves,
        st.builds(lambda a: _call("(NOT {0})", lambda x: not x, a), inner),
        st.builds(lambda a, b: Expression(f"({a.sql} AND {b.sql})", _logic(a, b, False)), inner, inner),
        st.builds(lambda a, b: Expression(f"({a.sql} OR {b.sql})", _logic(a, b, True)), inner, inner),
    )


_SIGNS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": lambda x, y: x == y,
    "<>": lambda x, y: x != y,
    "<": lambda x, y: x < y,
    ">=": lambda x, y: x >= y,
}


def _comparison(sign: str, left: Expression, right: Expression) -> Expression:
    return _call(f"({{0}} {sign} {{1}})", _SIGNS[sign], left, right)


def _logic(left: Expression, right: Expression, deciding: bool) -> Callable[[Row], bool | None]:
    """AND is decided by a FALSE, OR by a TRUE, whatever the other side is."""

    def value(row: Row) -> bool | None:
        given = (left.value(row), right.value(row))
        if deciding in given:
            return deciding
        return None if None in given else not deciding

    return value


def _choices(inner: st.SearchStrategy[Expression], depth: int) -> st.SearchStrategy[Expression]:
    """CASE, IFF, COALESCE and NULLIF over expressions of one kind."""
    test = conditions(max(depth - 1, 0))
    return st.one_of(
        st.builds(
            lambda c, a, b: Expression(
                f"IFF({c.sql}, {a.sql}, {b.sql})", lambda row: a.value(row) if c.value(row) else b.value(row)
            ),
            test,
            inner,
            inner,
        ),
        st.builds(
            lambda c, a: Expression(
                f"CASE WHEN {c.sql} THEN {a.sql} END", lambda row: a.value(row) if c.value(row) else None
            ),
            test,
            inner,
        ),
        st.builds(
            lambda a, b: Expression(
                f"COALESCE({a.sql}, {b.sql})",
                lambda row: b.value(row) if a.value(row) is None else a.value(row),
            ),
            inner,
            inner,
        ),
        st.builds(
            lambda a, b: Expression(
                f"NULLIF({a.sql}, {b.sql})",
                lambda row: None if a.value(row) is not None and a.value(row) == b.value(row) else a.value(row),
            ),
            inner,
            inner,
        ),
    )
