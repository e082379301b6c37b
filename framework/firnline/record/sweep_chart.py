"""A small chart for each swept override: the metric of every job over the values that were tried."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from firnline.domain.wording import number_text, printable
from firnline.record.report_graph import clip

WIDTH, HEIGHT = 380, 232
LEFT, RIGHT, TOP, BOTTOM = 58, 16, 14, 40
LABELS_AT_MOST = 6
LABEL_COLUMNS = 12
LOGARITHMIC_FROM = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One job in a chart.

    Attributes:
        choice: the override's value, as it was written.
        value: the metric.
        title: what is shown when the pointer rests on it.
        best: whether the job is the first of the ranking.
    """

    choice: str
    value: float
    title: str
    best: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Axis:
    """Places from 0 to 1 for the values, and the values to be labelled."""

    places: dict[str, float]
    labels: tuple[tuple[float, str], ...]
    numeric: bool


def draw_chart(points: Sequence[Point], metric: str, choice: str) -> Markup:
    """Return an inline SVG: dots for jobs, and a line through the means where the values are numbers.

    Args:
        points: at least one, with finite values.
        metric: the name at the upright axis.
        choice: the swept config path.
    """
    axis = _axis([point.choice for point in points])
    low, high = min(point.value for point in points), max(point.value for point in points)
    margin = (high - low or abs(high) or 1.0) * 0.08
    low, high = low - margin, high + margin

    def x(place: float) -> float:
        return LEFT + place * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    grid = [_level(y(value), label) for value, label in _steps(low, high)]
    labels = [
        Markup('<text class="label" x="{}" y="{}" text-anchor="middle">{}</text>').format(
            f"{x(place):.1f}", HEIGHT - BOTTOM + 16, clip(label, LABEL_COLUMNS)
        )
        for place, label in axis.labels
    ]
    means = [
        (x(place), y(sum(values) / len(values)))
        for choice_value, place in sorted(axis.places.items(), key=lambda item: item[1])
        if (values := [point.value for point in points if point.choice == choice_value])
    ]
    line = " ".join(f"{'M' if index == 0 else 'L'}{px:.1f} {py:.1f}" for index, (px, py) in enumerate(means))
    mean = Markup('<path class="mean" d="{}"/>').format(line) if axis.numeric and len(means) > 1 else Markup("")
    dots = [
        Markup('<circle class="{}" cx="{}" cy="{}" r="{}"><title>{}</title></circle>').format(
            "job best" if point.best else "job",
            f"{x(axis.places[point.choice]):.1f}",
            f"{y(point.value):.1f}",
            "5.5" if point.best else "4",
            point.title,
        )
        for point in sorted(points, key=lambda point: point.best)
    ]
    name = Markup('<text class="axis-name" x="{}" y="{}" text-anchor="middle">{}</text>').format(
        (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, clip(choice, 44)
    )
    return Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{} over {}">{}{}{}{}{}</svg>').format(
        WIDTH,
        HEIGHT,
        printable(metric),
        printable(choice),
        Markup("").join(grid),
        Markup("").join(labels),
        mean,
        Markup("").join(dots),
        name,
    )


def _level(y: float, label: str) -> Markup:
    return Markup(
        '<line class="level" x1="{}" x2="{}" y1="{y}" y2="{y}"/>'
        '<text class="label" x="{}" y="{text}" text-anchor="end">{}</text>'
    ).format(LEFT, WIDTH - RIGHT, LEFT - 7, label, y=f"{y:.1f}", text=f"{y + 4:.1f}")


def _steps(low: float, high: float) -> list[tuple[float, str]]:
    """Return about four round values between the bounds, with as many decimals as tell them apart."""
    raw = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(raw))
    step = next((factor * power for factor in (1, 2, 5, 10) if factor * power >= raw), raw)
    first = math.ceil(low / step)
    decimals = max(-math.floor(math.log10(step) + 1e-9), 0)
    values = [index * step for index in range(first, math.floor(high / step) + 1)]
    return [(value, f"{value:,.{decimals}f}" if decimals <= 6 else number_text(value)) for value in values]


def _axis(choices: Sequence[str]) -> _Axis:
    distinct = list(dict.fromkeys(choices))
    numbers = {choice: _number(choice) for choice in distinct}
    known = sorted(value for value in numbers.values() if value is not None)
    if len(known) == len(distinct) and len(known) > 1 and known[-1] > known[0]:
        return _numeric_axis({choice: value for choice, value in numbers.items() if value is not None}, known)
    count = len(distinct)
    places = {choice: (index + 0.5) / count for index, choice in enumerate(distinct)}
    return _Axis(places=places, labels=_thinned([(places[choice], choice) for choice in distinct]), numeric=False)


def _numeric_axis(numbers: dict[str, float], known: Sequence[float]) -> _Axis:
    logarithmic = known[0] > 0 and known[-1] / known[0] >= LOGARITHMIC_FROM
    scale = math.log if logarithmic else float
    low, high = scale(known[0]), scale(known[-1])
    # A little room on both sides, so that no dot lies on the frame.
    places = {choice: 0.04 + 0.92 * (scale(value) - low) / (high - low) for choice, value in numbers.items()}
    ordered = sorted(((places[choice], choice) for choice in numbers), key=lambda pair: pair[0])
    return _Axis(places=places, labels=_thinned(ordered), numeric=True)


def _thinned(labels: Sequence[tuple[float, str]]) -> tuple[tuple[float, str], ...]:
    """Keep as many labels as can be read: none closer to the one before than a share of the axis."""
    kept: list[tuple[float, str]] = []
    for place, label in labels:
        if not kept or place - kept[-1][0] >= 1 / (LABELS_AT_MOST + 1):
            kept.append((place, label))
    return tuple(kept)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
