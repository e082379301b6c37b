"""Which of two models predicts the same rows better, and whether that may be chance. Pure functions of labels, scores.

The test is a paired bootstrap: rows are drawn with replacement, both models are measured on the drawn rows, and p is
the share of resamples in which the candidate is not better, (1 + misses) / (1 + resamples). It needs no formula for
each measure, and a pair of equal models has p = 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from firnline.errors import DataError
from firnline_snowpark.evaluate.measures import LOWER_IS_BETTER, PRIMARY, measures
from firnline_snowpark.evaluate.slices import slice_by

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firnline_snowpark.evaluate.predictions import Predictions
    from firnline_snowpark.promote.params import ChampionParams
    from firnline_snowpark.promote.rows import Asked
    from firnline_snowpark.rows import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceGain:
    """How both fare on the rows with one value in one column; ``gain`` is positive where the candidate is better."""

    column: str
    value: str
    rows: int
    candidate: float
    production: float
    gain: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What was measured.

    Attributes:
        metric: the measure.
        rows: how many rows were compared.
        of_rows: how many labelled rows there are.
        candidate: the candidate's value.
        production: the value of the version in production.
        gain: by how much the candidate is better, whatever the direction of the measure.
        interval: the middle 95 % of the gain over paired resamples.
        p: share of resamples in which the candidate is not better.
        slices: parts of the rows, the one that loses most first.
    """

    metric: str
    rows: int
    of_rows: int
    candidate: float
    production: float
    gain: float
    interval: tuple[float, float]
    p: float
    slices: tuple[SliceGain, ...]


def compare(
    asked: Asked, params: ChampionParams, kinds: Mapping[str, Kind], stop_if_asked: Callable[[], None]
) -> Comparison:
    """Measure both.

    Raises:
        DataError: the measure is not defined for the task, or on these rows.
    """
    metric = params.metric or PRIMARY[asked.candidate.task.task]
    candidate = _measured(asked.candidate, metric, params.threshold)
    production = _measured(asked.production, metric, params.threshold)
    gains = _resampled(asked, metric, params, stop_if_asked)
    low, high = _middle(gains)
    return Comparison(
        metric=metric,
        rows=len(asked.candidate.labels),
        of_rows=asked.of_rows,
        candidate=candidate,
        production=production,
        gain=_gain(metric, candidate, production),
        interval=(low, high),
        p=(1 + sum(gain <= 0 for gain in gains)) / (1 + len(gains)),
        slices=_slices(asked, metric, params, kinds),
    )


def why_it_loses(found: Comparison, params: ChampionParams) -> list[str]:
    """Return each rule that the candidate does not meet; none means that it wins."""
    reasons = []
    if found.gain <= 0:
        reasons.append("it is not better")
    elif found.gain < params.margin:
        reasons.append(f"it is better by {found.gain:.4g}, and must be by {params.margin:g}")
    if params.significance is not None and found.p >= params.significance:
        reasons.append(
            f"it is not better in {found.p:.1%} of the resamples, and may not be in {params.significance:.1%}"
        )
    reasons += [
        f"where {part.column} is {part.value} it is worse by {-part.gain:.4g}, more than {params.slice_margin:g}"
        for part in found.slices
        if part.gain < -params.slice_margin
    ]
    return reasons


def _gain(metric: str, candidate: float, production: float) -> float:
    return production - candidate if metric in LOWER_IS_BETTER else candidate - production


def _measured(predictions: Predictions, metric: str, threshold: float) -> float:
    found = measures(predictions.task, predictions.labels, predictions.scores, threshold=threshold)
    if metric not in found:
        raise DataError(
            f"{metric} is not defined for {predictions.task.task} predictions of these "
            f"{len(predictions.labels):,} rows",
            hint=f"here `metric` can be {', '.join(found)}",
        )
    return found[metric]


def _resampled(asked: Asked, metric: str, params: ChampionParams, stop_if_asked: Callable[[], None]) -> list[float]:
    """Return the gain in each resample in which the measure is defined."""
    import numpy as np

    random, rows = np.random.default_rng(params.seed), len(asked.candidate.labels)
    gains = []
    for _ in range(params.resamples):
        stop_if_asked()
        picked = random.integers(0, rows, rows)
        both: list[dict[str, Any]] = [
            measures(given.task, given.labels[picked], given.scores[picked], threshold=params.threshold)
            for given in (asked.candidate, asked.production)
        ]
        if all(metric in found for found in both):
            gains.append(_gain(metric, both[0][metric], both[1][metric]))
    if len(gains) < params.resamples / 2:
        raise DataError(
            f"{metric} is not defined on most resamples of the {rows:,} rows",
            hint="more rows of each class are needed, or another `metric`",
        )
    return gains


def _middle(gains: list[float]) -> tuple[float, float]:
    import numpy as np

    low, high = np.quantile(gains, (0.025, 0.975)).tolist()
    return float(low), float(high)


def _slices(asked: Asked, metric: str, params: ChampionParams, kinds: Mapping[str, Kind]) -> tuple[SliceGain, ...]:
    found = []
    for column in asked.candidate.others.columns:
        ours, theirs = (
            slice_by(given, column, kinds[column], threshold=params.threshold, most_values=params.slice_values)
            for given in (asked.candidate, asked.production)
        )
        for one, other in zip(ours, theirs, strict=True):
            # Where a class has hardly any rows, a ranking is not measured at all.
            if one.rows < params.slice_rows or metric not in one.measures or metric not in other.measures:
                continue
            mine, its = one.measures[metric], other.measures[metric]
            found.append(
                SliceGain(
                    column=column,
                    value=one.value,
                    rows=one.rows,
                    candidate=mine,
                    production=its,
                    gain=_gain(metric, mine, its),
                )
            )
    return tuple(sorted(found, key=lambda part: part.gain))
