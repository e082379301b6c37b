"""The stopwatch: what a warehouse costs, from looking at it now and then."""

from __future__ import annotations

import pytest

from firnline_costguard.watchdog import Stopwatch

HOURLY = 3600.0  # credits an hour, so that a second costs one


def test_a_warehouse_that_ran_before_is_charged_from_the_first_look_on() -> None:
    stopwatch = Stopwatch()
    assert stopwatch.look(100, runs=True, rate=HOURLY) == 0
    assert stopwatch.look(103, runs=True, rate=HOURLY) == pytest.approx(3)


def test_a_start_costs_a_minute_at_once_and_each_start_anew() -> None:
    stopwatch = Stopwatch()
    assert stopwatch.look(0, runs=False, rate=HOURLY) == 0
    assert stopwatch.look(10, runs=True, rate=HOURLY) == pytest.approx(60)
    assert stopwatch.look(80, runs=True, rate=HOURLY) == pytest.approx(70)
    assert stopwatch.look(90, runs=False, rate=HOURLY) == pytest.approx(80)
    assert stopwatch.look(500, runs=False, rate=HOURLY) == pytest.approx(80)
    assert stopwatch.look(510, runs=True, rate=HOURLY) == pytest.approx(140)


def test_another_size_counts_from_when_it_is_seen() -> None:
    stopwatch = Stopwatch()
    stopwatch.look(0, runs=True, rate=HOURLY)
    assert stopwatch.look(10, runs=True, rate=2 * HOURLY) == pytest.approx(10)
    assert stopwatch.look(20, runs=True, rate=2 * HOURLY) == pytest.approx(30)
