"""Scores of every column, computed where the rows are: some aggregating queries, however wide and long the table.

A statement looks at a bounded number of columns, so that a table of thousands is several statements of a usual size.
What a column tells of the target is its mutual information: both are put into bins, pairs of bins are counted by one
``GROUP BY GROUPING SETS``, and the sum over the counts is taken by the platform as well. One row a column comes back.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from firnline_snowpark.columns import quoted
from firnline_snowpark.literals import literal
from firnline_snowpark.rows import feature_sql, label_sql

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from snowflake.snowpark import Session

    from firnline_snowpark.rows import Kind
    from firnline_snowpark.tabular.profile import Target

COLUMNS_A_STATEMENT: Final = 60
"""Snowflake takes up to 128 grouping sets."""
PAIRS_A_STATEMENT: Final = 300
CATEGORIES: Final = 50
"""Text with more values is told apart by its hash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What is known of a column.

    Attributes:
        name: as the platform spells it.
        kind: of its values.
        missing: share of rows without a value.
        distinct: about how many different values there are.
        variance: of numbers and flags; None for text.
        information: share of the target's entropy that the column explains by itself, corrected for chance.
        importance: share of the gain in a model; None where no model was fitted.
    """

    name: str
    kind: Kind
    missing: float
    distinct: int
    variance: float | None
    information: float = 0.0
    importance: float | None = None


def column_scores(
    session: Session, table: str, kinds: Mapping[str, Kind], target: Target, target_kind: Kind, *, bins: int
) -> list[Score]:
    """Return the scores of the columns in ``kinds``, over the rows whose target is known."""
    rows = f"{table} WHERE {quoted(target.name)} IS NOT NULL"
    counted = list(_counted(session, rows, kinds))
    label = _label(session, rows, target, target_kind, bins)
    edges = _edges(session, rows, [score for score in counted if _needs_edges(score, bins)], bins)
    scored: list[Score] = []
    for part in _parts([score for score in counted if _can_tell(score)], COLUMNS_A_STATEMENT):
        binned = [_binned(score, edges.get(score.name)) for score in part]
        found = {int(row[0]): row for row in session.sql(_information_sql(rows, label, binned)).collect()}
        scored += [replace(score, information=_explained(found[place])) for place, score in enumerate(part)]
    known = {score.name: score for score in scored}
    return [known.get(score.name, score) for score in counted]


def correlations(
    session: Session, table: str, target: str, names: Sequence[str], kinds: Mapping[str, Kind]
) -> dict[tuple[str, str], float]:
    """Return the correlation of each pair of numbers; pairs that have none are left out."""
    found: dict[tuple[str, str], float] = {}
    for pairs in _parts(list(itertools.combinations(names, 2)), PAIRS_A_STATEMENT):
        listed = ", ".join(f"CORR({feature_sql(a, kinds[a])}, {feature_sql(b, kinds[b])})" for a, b in pairs)
        [row] = session.sql(f"SELECT {listed} FROM {table} WHERE {quoted(target)} IS NOT NULL").collect()  # noqa: S608
        found |= {
            pair: float(value)
            for pair, value in zip(pairs, row, strict=True)
            if value is not None and value == value  # NaN where one of them is constant
        }
    return found


def _parts(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _counted(session: Session, rows: str, kinds: Mapping[str, Kind]) -> Iterator[Score]:
    for part in _parts(list(kinds), COLUMNS_A_STATEMENT):
        parts = ["COUNT(*)"]
        for name in part:
            variance = "NULL" if kinds[name] == "text" else f"VAR_POP({feature_sql(name, kinds[name])})"
            parts += [f"COUNT({quoted(name)})", f"APPROX_COUNT_DISTINCT({quoted(name)})", variance]
        [row] = session.sql(f"SELECT {', '.join(parts)} FROM {rows}").collect()  # noqa: S608 (names are quoted)
        total = max(int(row[0]), 1)
        for place, name in enumerate(part):
            known, distinct, variance = row[3 * place + 1 : 3 * place + 4]
            yield Score(
                name=name,
                kind=kinds[name],
                missing=1 - known / total,
                # A sketch may say 1 where there are two values: the variance of numbers knows better.
                distinct=max(int(distinct), 2 if variance else 0),
                variance=None if variance is None else float(variance),
            )


def _can_tell(score: Score) -> bool:
    """Tell whether rows differ in the column: in its values, or in whether there is one."""
    return score.distinct > 1 or (score.distinct == 1 and score.missing > 0)


def _needs_edges(score: Score, bins: int) -> bool:
    return score.kind == "number" and score.distinct > bins


def _edges(session: Session, rows: str, scores: Sequence[Score], bins: int) -> dict[str, list[float]]:
    """Return the inner quantiles of each number, each once."""
    found: dict[str, list[float]] = {}
    for part in _parts(scores, COLUMNS_A_STATEMENT):
        listed = ", ".join(_quantiles(feature_sql(score.name, score.kind), bins) for score in part)
        [row] = session.sql(f"SELECT {listed} FROM {rows}").collect()  # noqa: S608 (names are quoted)
        for score, values in zip(part, _parts(list(row), bins - 1), strict=True):
            found[score.name] = _once(values)
    return found


def _quantiles(value: str, bins: int) -> str:
    return ", ".join(f"APPROX_PERCENTILE({value}, {place / bins:.6f})" for place in range(1, bins))


def _once(values: Sequence[Any]) -> list[float]:
    return sorted({float(value) for value in values if value is not None and value == value})


def _label(session: Session, rows: str, target: Target, kind: Kind, bins: int) -> str:
    """Return the expression of the target's class or bin, as text."""
    value = label_sql(target.name, kind)
    if target.task != "regression":
        return f"CAST({value} AS TEXT)"
    [row] = session.sql(f"SELECT {_quantiles(value, bins)} FROM {rows}").collect()  # noqa: S608 (names are quoted)
    return _by_edges(value, _once(list(row)))


def _binned(score: Score, edges: list[float] | None) -> str:
    """Return the expression of a column's bin, as text; a missing value is a bin of its own."""
    value = feature_sql(score.name, score.kind)
    if edges is not None:
        return _by_edges(value, edges)
    if score.kind == "text" and score.distinct > CATEGORIES:
        return f"COALESCE(CAST(MOD(HASH({value}), {CATEGORIES}) AS TEXT), '?')"
    return f"COALESCE('=' || CAST({value} AS TEXT), '?')"


def _by_edges(value: str, edges: list[float]) -> str:
    cases = " ".join(f"WHEN {value} <= {literal(edge)} THEN '{place}'" for place, edge in enumerate(edges))
    return f"CASE WHEN {value} IS NULL THEN '?' {cases} ELSE '{len(edges)}' END"


def _information_sql(rows: str, label: str, binned: Sequence[str]) -> str:
    """Return the query that gives a row for each column: its place, then the parts of :func:`_explained`."""
    places = range(len(binned))
    columns = ", ".join(f"{sql} AS B{place}" for place, sql in enumerate(binned))
    which = " ".join(f"WHEN B{place} IS NOT NULL THEN {place}" for place in places)
    sets = ", ".join(f"(B{place}, Y)" for place in places)
    one_of = f"COALESCE({', '.join(f'B{place}' for place in places)})" if len(binned) > 1 else "B0"
    return (
        f"WITH BINNED AS (SELECT {label} AS Y, {columns} FROM {rows}), "  # noqa: S608 (names are quoted)
        f"COUNTED AS (SELECT CASE {which} END AS C, {one_of} AS B, Y, CAST(COUNT(*) AS FLOAT) AS N "
        f"FROM BINNED GROUP BY GROUPING SETS ({sets})), "
        "SUMMED AS (SELECT C, B, Y, N, SUM(N) OVER (PARTITION BY C, B) AS NB, "
        "SUM(N) OVER (PARTITION BY C, Y) AS NY, SUM(N) OVER (PARTITION BY C) AS NN FROM COUNTED) "
        "SELECT C, SUM(N / NN * LN(N * NN / (NB * NY))), -SUM(N / NN * LN(NY / NN)), "
        "COUNT(DISTINCT B), COUNT(DISTINCT Y), MAX(NN) FROM SUMMED GROUP BY C"
    )


def _explained(row: Sequence[Any]) -> float:
    """Return mutual information over entropy, less what chance gives (Miller and Madow's correction)."""
    _, information, entropy, bins, labels, rows = (float(value) for value in row)
    chance = (bins - 1) * (labels - 1) / (2 * rows)
    return min(max(information - chance, 0.0) / entropy, 1.0) if entropy > 0 else 0.0
