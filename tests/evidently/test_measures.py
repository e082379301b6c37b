"""The measures, against SciPy's and Evidently's own numbers from the same counts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.spatial import distance

from firnline_evidently.measures import (
    chi_square,
    jensen_shannon,
    kolmogorov_smirnov,
    measure_categories,
    measure_numbers,
    psi,
    wasserstein,
)
from firnline_evidently.profile import ColumnBins, ColumnCounts, Profile

BEFORE = np.array([10.0, 40, 80, 40, 20, 0])
NOW = np.array([5.0, 20, 60, 70, 40, 3])


def test_jensen_shannon_is_scipys() -> None:
    assert jensen_shannon(BEFORE, NOW) == pytest.approx(distance.jensenshannon(BEFORE, NOW), abs=1e-12)


def test_cramers_v_is_scipys() -> None:
    expected = stats.contingency.association(np.vstack([BEFORE, NOW]).astype(int), method="cramer")
    assert chi_square(BEFORE, NOW) == pytest.approx(expected, abs=1e-12)


def test_wasserstein_is_scipys_on_the_middles_of_the_bins() -> None:
    middles = np.arange(6) * 2.5
    expected = stats.wasserstein_distance(middles, middles, BEFORE, NOW)
    assert wasserstein(BEFORE, NOW, width=2.5, deviation=2.0) == pytest.approx(expected / 2.0, abs=1e-12)


def test_kolmogorov_smirnov_is_the_greatest_distance_of_the_cumulative_shares() -> None:
    before = np.repeat(np.arange(6), BEFORE.astype(int))
    now = np.repeat(np.arange(6), NOW.astype(int))
    assert kolmogorov_smirnov(BEFORE, NOW) == pytest.approx(stats.ks_2samp(before, now).statistic, abs=1e-12)


@pytest.mark.usefixtures("imported_quietly")
def test_psi_and_jensen_shannon_are_evidentlys_on_its_own_bins() -> None:
    from evidently.legacy.calculations.stattests.jensenshannon import jensenshannon_stat_test
    from evidently.legacy.calculations.stattests.psi import psi_stat_test
    from evidently.legacy.calculations.stattests.utils import get_binned_data
    from evidently.legacy.core import ColumnType

    rng = np.random.default_rng(3)
    before, now = pd.Series(rng.normal(0, 1, 5_000)), pd.Series(rng.normal(0.4, 1.2, 3_000))
    shares = get_binned_data(before, now, ColumnType.Numerical, 30, feel_zeroes=False)
    ours = psi(*(np.asarray(side, dtype=float) for side in shares))
    theirs = psi_stat_test(before, now, ColumnType.Numerical, 0.1).drift_score
    assert ours == pytest.approx(theirs, abs=2e-3)  # they fill empty bins with a share of their own choice
    assert jensen_shannon(*(np.asarray(side, dtype=float) for side in shares)) == pytest.approx(
        jensenshannon_stat_test(before, now, ColumnType.Numerical, 0.1).drift_score, abs=1e-12
    )


def test_equal_counts_are_no_distance_whatever_their_size() -> None:
    found = measure_numbers(
        [1, 2, 3], [10, 20, 30], fine_reference=[1, 2, 3], fine_current=[10, 20, 30], width=1.0, deviation=1.0
    )
    assert (found.psi, found.kolmogorov_smirnov, found.wasserstein) == (0.0, 0.0, 0.0)
    assert found.jensen_shannon == pytest.approx(0.0, abs=1e-7)
    assert found.chi_square == pytest.approx(0.0, abs=1e-12)


def test_disjoint_counts_are_as_far_as_can_be() -> None:
    found = measure_categories([5, 0], [0, 7])
    assert found.jensen_shannon == pytest.approx(np.sqrt(np.log(2)))
    assert found.chi_square == pytest.approx(1.0)
    assert found.psi > 10
    assert found.wasserstein is None


def test_without_rows_there_is_no_distance() -> None:
    found = measure_categories([5, 3], [0, 0])
    assert found.chi_square == 0.0


def test_a_reference_that_never_varies() -> None:
    counts = np.array([4.0, 0.0])
    assert wasserstein(counts, counts, width=1.0, deviation=0.0) == 0.0
    assert wasserstein(counts, counts[::-1], width=1.0, deviation=0.0) == float("inf")


def test_a_profile_survives_json() -> None:
    profile = Profile(
        columns=(
            ColumnBins(name="A", kind="number", edges=(0.1, 1e300), low=-1.5, width=0.25, deviation=2.0),
            ColumnBins(name='ß "q"', kind="category", categories=("ä", "")),
        ),
        counts={"": {"A": ColumnCounts(rows=3, missing=1, bins=(1, 1, 0), fine=(2, 0))}},
        settings={"bins": 20},
    )
    assert Profile.from_json(profile.to_json()) == profile
