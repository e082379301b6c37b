"""The loss after each round of a training, as a plot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firnline.domain import Figure
from firnline_snowpark.figures import BLUE, GREY, ORANGE, draw_svg

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes


def learning_curve(curves: Mapping[str, Sequence[float]], loss: str, unit: str = "round") -> Figure:
    """Draw the losses named ``train`` and ``valid``, and mark the smallest of the latter.

    Args:
        curves: name → losses.
        loss: what they are called.
        unit: what they are counted by.
    """

    def draw(axes: Axes) -> None:
        for name, color in (("train", GREY), ("valid", BLUE)):
            if name in curves:
                axes.plot(range(1, len(curves[name]) + 1), curves[name], color=color, label=name)
        if "valid" in curves:
            best = min(range(len(curves["valid"])), key=curves["valid"].__getitem__)
            axes.axvline(best + 1, color=ORANGE, linestyle="--", linewidth=1, label=f"best: {unit} {best + 1}")
        axes.set_xlabel(unit)
        axes.set_ylabel(loss)
        axes.legend()

    return Figure(title="Learning curve", svg=draw_svg(draw), caption=f"Loss after each {unit}; lower is better.")
