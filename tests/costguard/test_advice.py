"""Advice: measured sizes are taken as they are, others are extrapolated and say so."""

from __future__ import annotations

import pytest

from firnline_costguard.advice import advise
from firnline_costguard.usage import StageRun
from firnline_costguard.warehouses import CREDITS_PER_HOUR


def run(size: str, seconds: float, number: int = 1) -> StageRun:
    paid = seconds * CREDITS_PER_HOUR[size] / 3600
    return StageRun(pipeline="p", stage="train", run=f"{size}{number}", size=size, seconds=seconds, credits=paid)


def test_what_hardly_scales_is_advised_to_go_smaller() -> None:
    [advice] = advise([run("Small", 100), run("Large", 90)], None)
    assert advice.best is not None
    assert (advice.best.size, advice.best.runs) == ("X-Small", 0)
    by_size = {one.size: one for one in advice.figures}
    assert by_size["Small"].runs == 1
    assert by_size["Medium"].basis.startswith("extrapolated from")
    assert "speed-up measured" in by_size["Medium"].basis


def test_a_deadline_asks_for_a_larger_one() -> None:
    runs = [run("Small", 100), run("Large", 25)]  # four times the price, a quarter of the time
    [advice] = advise(runs, 60)
    assert advice.best is not None
    assert advice.best.size == "Large"
    [tighter] = advise(runs, 10)
    assert tighter.best is not None
    assert (tighter.best.size, tighter.best.runs) == ("2X-Large", 0)
    assert tighter.best.seconds[1] == pytest.approx(6.25)


def test_from_one_size_alone_nothing_better_is_promised() -> None:
    [advice] = advise([run("Medium", 100), run("Medium", 120, 2)], None)
    assert advice.best is not None
    assert advice.best.size == "Medium"
    by_size = {one.size: one for one in advice.figures}
    assert by_size["Large"].seconds[1] >= 110  # it may not scale at all
    assert by_size["X-Small"].credits[1] >= advice.best.credits[0]
    assert "1 to 2 a size" in by_size["Large"].basis
    [impossible] = advise([run("Medium", 100)], 50)
    assert impossible.best is None
