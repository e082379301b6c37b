"""Which size of warehouse is the cheapest for a stage within a deadline: from what was measured, and beyond it."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from statistics import median, quantiles
from typing import TYPE_CHECKING, Final

from firnline_costguard.warehouses import CREDITS_PER_HOUR, SIZES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from firnline_costguard.usage import StageRun

_REACH: Final = 2  # sizes beyond the measured ones that are looked at
_SECONDS_PER_HOUR: Final = 3_600.0
_SAME: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeFigures:
    """What a stage takes on a size of warehouse.

    Attributes:
        size: the size.
        seconds: its statements' time: the median, and what it may come to.
        credits: likewise.
        runs: how many runs were measured; 0: extrapolated.
        basis: how the figures were found, in words.
    """

    size: str
    seconds: tuple[float, float]
    credits: tuple[float, float]
    runs: int
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """A stage's figures by size, and the size that is advised; None if none keeps the deadline."""

    pipeline: str
    stage: str
    figures: tuple[SizeFigures, ...]
    best: SizeFigures | None


def advise(runs: Sequence[StageRun], deadline_s: float | None) -> list[Advice]:
    """Advise on each stage.

    The cheapest size is the one whose credits are the fewest at their worst, so that a size that was only extrapolated
    is advised over a measured one where the deadline demands it, or where it is cheaper even if nothing scales.
    """
    by_stage: dict[tuple[str, str], list[StageRun]] = defaultdict(list)
    for run in runs:
        if run.size in CREDITS_PER_HOUR:
            by_stage[run.pipeline, run.stage].append(run)
    return [_advice(pipeline, stage, found, deadline_s) for (pipeline, stage), found in sorted(by_stage.items())]


def _advice(pipeline: str, stage: str, runs: Sequence[StageRun], deadline_s: float | None) -> Advice:
    measured = _measure(runs)
    speed_up = _speed_up(measured)
    places = [SIZES.index(size) for size in measured]
    reach = range(max(min(places) - _REACH, 0), min(max(places) + _REACH + 1, len(SIZES)))
    figures = tuple(measured.get(SIZES[at]) or _extrapolate(measured, at, speed_up) for at in reach)
    in_time = [one for one in figures if deadline_s is None or one.seconds[1] <= deadline_s]
    # Of sizes that cost the same the measured one, then the quicker one.
    best = min(in_time, key=lambda one: (round(one.credits[1], 9), one.runs == 0, one.seconds[1]), default=None)
    return Advice(pipeline=pipeline, stage=stage, figures=figures, best=best)


def _measure(runs: Sequence[StageRun]) -> dict[str, SizeFigures]:
    by_size: dict[str, list[StageRun]] = defaultdict(list)
    for run in runs:
        by_size[run.size].append(run)
    return {
        size: SizeFigures(
            size=size,
            seconds=_middle_and_high([run.seconds for run in found]),
            credits=_middle_and_high([run.credits for run in found]),
            runs=len(found),
            basis=f"measured in {len(found)} run{'s' if len(found) != 1 else ''}",
        )
        for size, found in by_size.items()
    }


def _middle_and_high(values: Sequence[float]) -> tuple[float, float]:
    if len(values) == 1:
        return values[0], values[0]
    return median(values), quantiles(values, n=10, method="inclusive")[8]


def _speed_up(measured: Mapping[str, SizeFigures]) -> float | None:
    """Return by which power of the price the time falls, between the smallest and the largest size measured.

    1: twice the size takes half of the time; 0: a larger one is no quicker. None: one size alone was measured.
    """
    places = sorted(SIZES.index(size) for size in measured)
    if len(places) < 2:
        return None
    small, large = measured[SIZES[places[0]]], measured[SIZES[places[-1]]]
    ratio = max(small.seconds[0], _SAME) / max(large.seconds[0], _SAME)
    return min(max(math.log2(ratio) / (places[-1] - places[0]), 0.0), 1.0)


def _extrapolate(measured: Mapping[str, SizeFigures], at: int, speed_up: float | None) -> SizeFigures:
    size = SIZES[at]
    near = min(measured.values(), key=lambda one: abs(SIZES.index(one.size) - at))
    steps = at - SIZES.index(near.size)
    # Without a measured speed-up anything between none and a perfect one may come true.
    powers = (speed_up, speed_up) if speed_up is not None else (0.0, 1.0)
    seconds = [near.seconds[0] * 2 ** (-power * steps) for power in powers]
    worst = near.seconds[1] / max(near.seconds[0], _SAME) if near.seconds[0] > 0 else 1.0
    price = CREDITS_PER_HOUR[size] / CREDITS_PER_HOUR[near.size]
    prices = [near.credits[0] * price * 2 ** (-power * steps) for power in powers]
    how = (
        f"with the speed-up measured, {2**speed_up:.2f} a size"
        if speed_up is not None
        else "with a speed-up of 1 to 2 a size"
    )
    return SizeFigures(
        size=size,
        seconds=(sum(seconds) / 2, max(seconds) * worst),
        credits=(sum(prices) / 2, max(prices) * worst),
        runs=0,
        basis=f"extrapolated from {near.size} {how}",
    )
