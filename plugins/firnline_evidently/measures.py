"""How far two distributions are apart, from counts alone.

All functions take counts of the same bins, reference first, as float arrays of shape (bins,). Nothing here knows where
the counts come from, and none of the measures changes its meaning with the number of rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firnline_evidently.params import Method

    Counts: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]

# One column, or pair of columns, in a thousand that did not move may exceed what chance explains.
CHANCE: Final = 0.001
# A bin that one side never filled would make PSI infinite; this share stands in for it, as Evidently does it.
EMPTY_SHARE: Final = 1e-4

TITLES: Final[dict[str, str]] = {
    "psi": "population stability index",
    "jensen_shannon": "Jensen-Shannon distance",
    "wasserstein": "Wasserstein distance in standard deviations of the reference",
    "kolmogorov_smirnov": "Kolmogorov-Smirnov distance",
    "chi_square": "Cramér's V of the chi-square statistic",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """All measures of one column; None where a measure is not defined for its kind."""

    psi: float
    jensen_shannon: float
    chi_square: float
    wasserstein: float | None = None
    kolmogorov_smirnov: float | None = None

    def value(self, method: Method) -> float | None:
        """Give the measure that a rule asks for."""
        found: float | None = getattr(self, method)
        return found


def shares(counts: Counts) -> Counts:
    """Turn counts into shares; all zero if there is nothing to count."""
    total = counts.sum()
    return counts / total if total > 0 else np.zeros_like(counts)


def psi(reference: Counts, current: Counts) -> float:
    """Return the population stability index; below 0.1 is usually called stable, above 0.2 a shift.

    Sum of (p - q) ln(p / q) over the bins (Siddiqi, Credit Risk Scorecards, 2006).
    """
    p, q = shares(reference), shares(current)
    p, q = np.where(p > 0, p, EMPTY_SHARE), np.where(q > 0, q, EMPTY_SHARE)
    return float(np.sum((p - q) * np.log(p / q)))


def jensen_shannon(reference: Counts, current: Counts) -> float:
    """Return the Jensen-Shannon distance: 0 for equal distributions, 0.833 (the root of ln 2) for disjoint ones.

    The square root of the divergence in natural units, as SciPy's ``distance.jensenshannon`` and Evidently have it
    (Lin, 1991).
    """
    p, q = shares(reference), shares(current)
    middle = (p + q) / 2

    def divergence(side: Counts) -> float:
        filled = side > 0
        return float(np.sum(side[filled] * np.log(side[filled] / middle[filled])))

    return float(np.sqrt(max((divergence(p) + divergence(q)) / 2, 0.0)))


def kolmogorov_smirnov(reference: Counts, current: Counts) -> float:
    """Return the greatest distance of the two cumulative distributions at the edges of ordered bins: 0 to 1."""
    return float(np.max(np.abs(np.cumsum(shares(reference)) - np.cumsum(shares(current))), initial=0.0))


def wasserstein(reference: Counts, current: Counts, *, width: float, deviation: float) -> float:
    """Return the earth mover's distance over ordered bins of equal width, in standard deviations of the reference.

    A reference that never varies has no such unit: then 0 if the current rows are the same, else infinity.
    """
    moved = float(np.sum(np.abs(np.cumsum(shares(reference)) - np.cumsum(shares(current)))) * width)
    if deviation > 0:
        return moved / deviation
    return 0.0 if moved == 0 else float("inf")


def chi_square(reference: Counts, current: Counts) -> float:
    """Return Cramér's V of the two samples: 0 for equal shares, 1 for disjoint ones, whatever the number of rows.

    The p-value of the same test would call any difference significant once there are rows enough (Cramér, 1946).
    """
    table = np.vstack([reference, current])
    table = table[:, table.sum(axis=0) > 0]
    total = table.sum()
    if table.shape[1] < 2 or not table.sum(axis=1).all():
        return 0.0
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / total
    statistic = float(np.sum((table - expected) ** 2 / expected))
    return float(np.sqrt(statistic / total))


def measure_categories(reference: Sequence[int], current: Sequence[int]) -> Measures:
    """Measure a column whose bins have no order."""
    p, q = np.asarray(reference, dtype=float), np.asarray(current, dtype=float)
    return Measures(psi=psi(p, q), jensen_shannon=jensen_shannon(p, q), chi_square=chi_square(p, q))


def measure_numbers(
    reference: Sequence[int],
    current: Sequence[int],
    *,
    fine_reference: Sequence[int],
    fine_current: Sequence[int],
    width: float,
    deviation: float,
) -> Measures:
    """Measure a column of numbers.

    Args:
        reference: counts in bins that the reference fills equally, so that an outlier cannot empty them.
        current: counts in the same bins.
        fine_reference: counts in many bins of equal width.
        fine_current: counts in the same bins.
        width: the width of the fine bins, in the column's unit.
        deviation: the reference's standard deviation, in the column's unit.
    """
    p, q = np.asarray(reference, dtype=float), np.asarray(current, dtype=float)
    fine_p, fine_q = np.asarray(fine_reference, dtype=float), np.asarray(fine_current, dtype=float)
    return Measures(
        psi=psi(p, q),
        jensen_shannon=jensen_shannon(p, q),
        chi_square=chi_square(p, q),
        wasserstein=wasserstein(fine_p, fine_q, width=width, deviation=deviation),
        kolmogorov_smirnov=max(kolmogorov_smirnov(p, q), kolmogorov_smirnov(fine_p, fine_q)),
    )
