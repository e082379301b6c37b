"""Correlations: from all rows, robust, and told apart from noise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from snowflake.snowpark import Session

from firnline_evidently.params import MonitorParams
from firnline_evidently.reference import build_profile
from firnline_evidently.relations import chance_change
from tests.evidently.conftest import Monitor, customers, drifted, store


def bound(rows: int, seed: int, strength: float = 0.8) -> pd.DataFrame:
    """Draw customers who spend by their age: a higher rank here is a higher, or lower, one there."""
    frame = customers(rows, seed).assign(SPEND=lambda found: found["SPEND"].fillna(1.0))
    rng = np.random.default_rng(seed)
    mixed = strength * frame["AGE"].rank() + np.sign(strength) * (1 - abs(strength)) * rng.permutation(rows)
    order = np.argsort(np.argsort(mixed.to_numpy()))
    return frame.assign(SPEND=np.sort(frame["SPEND"].to_numpy())[order])


def test_a_flip_is_found_while_no_column_has_moved(session: Session, run_monitor: Monitor) -> None:
    before = store(session, bound(8_000, seed=1), "BOUND")
    outputs = run_monitor(bound(3_000, seed=2, strength=-0.8), before=before)
    assert drifted(outputs) == set()
    [grid] = [section for section in outputs["report"].sections if section.title.startswith("Correlations")]
    assert grid.rows[0][:2] == ("AGE and SPEND", "flipped")
    assert [row[1] for row in grid.rows[1:]] == ["", ""]
    assert outputs["metrics"].values["drift"] == 1.0
    assert "The correlation of AGE and SPEND has flipped from 0.8" in outputs["report"].sections[0].body
    assert run_monitor(bound(3_000, seed=3), before=before)["metrics"].values["drifted_pairs"] == 0
    assert run_monitor(bound(3_000, seed=2, strength=-0.8), before=before, pairs=0)["metrics"].values["drift"] == 0


def test_the_numbers_are_of_all_rows_and_an_outlier_does_not_make_them(session: Session) -> None:
    frame = bound(6_000, seed=4)
    frame.loc[::7, "SPEND"] = None
    both = frame[["AGE", "SPEND"]]
    expected = both.clip(both.quantile(0.001), both.quantile(0.999), axis=1).corr().iloc[0, 1]
    frame.loc[1, ["AGE", "SPEND"]] = [1e9, -1e9]
    table = store(session, frame, "WITH_OUTLIER_PAIR")
    profile = build_profile(session, table.name, table.name, MonitorParams(ignore=("DAY",), sample=10_000, pairs=1))
    [pair] = profile.correlations
    assert ({pair.first, pair.second}, pair.rows) == ({"AGE", "SPEND"}, int(both.notna().all(axis=1).sum()))
    assert pair.value == pytest.approx(expected, abs=0.01)


def test_chance_alone_exceeds_its_bound_as_rarely_as_it_says() -> None:
    """10,000 pairs of samples of one distribution: one in a thousand is expected, 25 would be a mistake."""
    rng = np.random.default_rng(5)
    beyond = 0
    for _ in range(10):
        drawn = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], size=(1_000, 300))
        centred = drawn - drawn.mean(axis=1, keepdims=True)
        both = (centred[..., 0] * centred[..., 1]).sum(axis=1)
        found = both / np.sqrt((centred[..., 0] ** 2).sum(axis=1) * (centred[..., 1] ** 2).sum(axis=1))
        for before, now in zip(found, np.roll(found, 1), strict=True):
            beyond += abs(now - before) > chance_change(before, 300, 300, down=now < before)
    assert 1 <= beyond <= 25
