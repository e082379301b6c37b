"""Correlations: two columns may keep their distributions while what binds them turns round.

The pairs that are most correlated in a sample of the reference are watched, a bounded number of them; their
correlations are then computed from all rows, in the platform, by one aggregating query a table.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from firnline_evidently.counting import value_sql
from firnline_evidently.measures import CHANCE
from firnline_evidently.profile import Correlation
from firnline_evidently.verdict import PairVerdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from snowflake.snowpark import Session

    from firnline_evidently.params import MonitorParams
    from firnline_evidently.profile import ColumnBins, Profile

_FEWEST_ROWS: Final = 30
_NEARLY_ONE: Final = 0.999


def choose_pairs(sample: pd.DataFrame, columns: Sequence[ColumnBins], most: int) -> list[tuple[str, str]]:
    """Return the pairs of number columns that are most correlated in a sample, the strongest first."""
    watched = [column for column in columns if column.kind == "number" and column.width > 0]
    if most < 1 or len(watched) < 2:
        return []
    clipped = sample[[column.name for column in watched]].astype(float)
    for column in watched:
        clipped[column.name] = clipped[column.name].clip(column.low, column.high)
    strength = clipped.corr(min_periods=_FEWEST_ROWS).abs().to_numpy()
    names = list(clipped.columns)
    pairs = [
        (float(strength[i, j]), names[i], names[j])
        for i in range(len(names))
        for j in range(i + 1, len(names))
        if not math.isnan(strength[i, j])
    ]
    pairs.sort(key=lambda pair: -pair[0])
    return [(first, second) for _, first, second in pairs[:most]]


def correlate(
    session: Session, source: str, columns: Sequence[ColumnBins], pairs: Sequence[tuple[str, str]]
) -> tuple[Correlation, ...]:
    """Compute the correlations of pairs from all rows of a source.

    Values beyond the reference's own tails are moved to their edge: one outlier must not decide a correlation.
    """
    if not pairs:
        return ()
    used = [column for column in columns if any(column.name in pair for pair in pairs)]
    place = {column.name: f"V{number}" for number, column in enumerate(used)}
    values = ", ".join(
        f"LEAST(GREATEST({value_sql(column)}, {column.low!r}), {column.high!r}) AS {place[column.name]}"
        for column in used
    )
    wanted = ", ".join(
        f"CORR({place[first]}, {place[second]}), COUNT(IFF({place[first]} IS NULL OR {place[second]} IS NULL, NULL, 1))"
        for first, second in pairs
    )
    [row] = session.sql(f"SELECT {wanted} FROM (SELECT {values} FROM {source})").collect()  # noqa: S608 (quoted)
    found = []
    for number, (first, second) in enumerate(pairs):
        value, rows = row[2 * number], int(row[2 * number + 1])
        known = value is not None and math.isfinite(value)
        found.append(Correlation(first=first, second=second, value=float(value) if known else None, rows=rows))
    return tuple(found)


def judge_pairs(reference: Profile, current: Profile, params: MonitorParams) -> tuple[PairVerdict, ...]:
    """Compare the correlations of two profiles; pairs that are constant or rare on a side are left out."""
    found = []
    for before, now in zip(reference.correlations, current.correlations, strict=True):
        if before.value is None or now.value is None or min(before.rows, now.rows) < _FEWEST_ROWS:
            continue
        noise = chance_change(before.value, before.rows, now.rows, down=now.value < before.value)
        found.append(
            PairVerdict(
                first=before.first,
                second=before.second,
                before=before.value,
                now=now.value,
                threshold=max(params.correlation, noise),
                rows=now.rows,
            )
        )
    return tuple(sorted(found, key=lambda pair: pair.change / pair.threshold, reverse=True))


def chance_change(correlation: float, before: int, now: int, *, down: bool) -> float:
    """Return the change of a correlation that two samples of one distribution exceed once in a thousand.

    The difference of two correlations' inverse hyperbolic tangents is normal with variance 1/(n-3) + 1/(m-3)
    (Fisher, 1921), for normal columns; clipped tails keep others near to it.
    """
    from scipy.stats import norm

    spread = float(norm.ppf(1 - CHANCE / 2)) * math.sqrt(1 / (before - 3) + 1 / (now - 3))
    middle = math.atanh(max(-_NEARLY_ONE, min(_NEARLY_ONE, correlation)))
    return abs(math.tanh(middle - spread if down else middle + spread) - correlation)
