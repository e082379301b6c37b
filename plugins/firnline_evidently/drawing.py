"""Two small plots as SVG text: two distributions beside each other, and a value over time."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

BLUE: Final = "#1f6fb2"
ORANGE: Final = "#d1731a"
GREY: Final = "#8a929a"
WIDTH: Final = 520
HEIGHT: Final = 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 10, 26, 74


def draw_bars(labels: Sequence[str], reference: Sequence[float], current: Sequence[float]) -> str:
    """Draw the share of rows in each bin, reference and current side by side."""
    highest = max([*reference, *current, 1e-9])
    wide, high = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
    step = wide / max(len(labels), 1)
    bar = min(step * 0.42, 24)
    parts = [_legend(), *_share_axis(highest)]
    every = max(1, round(len(labels) / 20))
    for place, (label, before, now) in enumerate(zip(labels, reference, current, strict=True)):
        middle = _LEFT + (place + 0.5) * step
        for value, colour, left in ((before, BLUE, middle - bar), (now, ORANGE, middle)):
            size = value / highest * high
            parts.append(
                f'<rect x="{left:.1f}" y="{_TOP + high - size:.1f}" width="{bar:.1f}" height="{size:.1f}" '
                f'fill="{colour}"><title>{escape(label)}: {value:.2%}</title></rect>'
            )
        if place % every == 0:
            short = label if len(label) <= 14 else label[:13] + "…"
            y = _TOP + high + 10
            parts.append(
                f'<text x="{middle:.1f}" y="{y}" font-size="9" fill="currentColor" text-anchor="end" '
                f'transform="rotate(-40 {middle:.1f} {y})">{escape(short)}</text>'
            )
    return _svg(parts)


def draw_history(points: Sequence[tuple[dt.datetime, float, float | None]]) -> str:
    """Draw a value over time, and its threshold where there was one."""
    wide, high = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
    first, last = points[0][0], points[-1][0]
    span = (last - first).total_seconds() or 1.0
    highest = max(max(value, threshold or 0.0) for _, value, threshold in points) * 1.1 or 1.0

    def place(at: dt.datetime, value: float) -> str:
        x = _LEFT + (at - first).total_seconds() / span * wide
        return f"{x:.1f},{_TOP + high - value / highest * high:.1f}"

    values = " ".join(place(at, value) for at, value, _ in points)
    bounds = " ".join(place(at, threshold) for at, _, threshold in points if threshold is not None)
    parts = [
        *_axis(highest, lambda value: f"{value:.2g}"),
        f'<polyline points="{bounds}" fill="none" stroke="{GREY}" stroke-dasharray="5 4"/>',
        f'<polyline points="{values}" fill="none" stroke="{ORANGE}" stroke-width="2"/>',
    ]
    for at, value, _ in points:
        left, top = place(at, value).split(",")
        told = f"<title>{at:%Y-%m-%d %H:%M}: {value:.4g}</title>"
        parts.append(f'<circle cx="{left}" cy="{top}" r="3" fill="{ORANGE}">{told}</circle>')
    for at, anchor, x in ((first, "start", _LEFT), (last, "end", WIDTH - _RIGHT)):
        parts.append(
            f'<text x="{x}" y="{_TOP + high + 16}" font-size="10" fill="currentColor" text-anchor="{anchor}">'
            f"{at:%Y-%m-%d %H:%M}</text>"
        )
    return _svg(parts)


def _share_axis(highest: float) -> list[str]:
    return _axis(highest, lambda value: f"{value:.0%}" if highest >= 0.05 else f"{value:.1%}")


def _axis(highest: float, show: object) -> list[str]:
    assert callable(show)
    wide, high = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
    parts = []
    for share in (0.0, 0.5, 1.0):
        y = _TOP + high * (1 - share)
        ends = f'x1="{_LEFT}" x2="{_LEFT + wide}" y1="{y:.1f}" y2="{y:.1f}"'
        parts.append(f'<line {ends} stroke="{GREY}" stroke-opacity=".4"/>')
        parts.append(
            f'<text x="{_LEFT - 6}" y="{y + 3:.1f}" font-size="10" fill="currentColor" text-anchor="end">'
            f"{show(share * highest)}</text>"
        )
    return parts


def _legend() -> str:
    return (
        f'<rect x="{_LEFT}" y="6" width="10" height="10" fill="{BLUE}"/>'
        f'<text x="{_LEFT + 15}" y="15" font-size="11" fill="currentColor">reference</text>'
        f'<rect x="{_LEFT + 90}" y="6" width="10" height="10" fill="{ORANGE}"/>'
        f'<text x="{_LEFT + 105}" y="15" font-size="11" fill="currentColor">today</text>'
    )


def _svg(parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'font-family="sans-serif" role="img">{"".join(parts)}</svg>'
    )
