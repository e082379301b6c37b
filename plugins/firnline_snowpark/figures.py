"""Plots as SVG text: the same data gives the same bytes, and no display or global state is needed."""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE: Final = "#1f6fb2"
ORANGE: Final = "#d1731a"
GREY: Final = "#8a929a"
LIGHT: Final = "#d9dee3"
_STYLE: Final[dict[str, Any]] = {
    "svg.hashsalt": "firnline",
    "svg.fonttype": "none",
    "text.parse_math": False,  # a column may be called $x$
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LIGHT,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
}
_METADATA: Final = {"Date": None, "Creator": None, "Format": None, "Type": None}
# matplotlib's settings belong to the process, and stages run in threads.
_LOCK: Final = threading.Lock()


def draw_svg(draw: Callable[[Axes], None], *, width: float = 5.2, height: float = 3.8) -> str:
    """Return what ``draw`` puts on the axes, as an SVG element.

    Args:
        draw: fills the axes; labels them too.
        width: in inches.
        height: in inches.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with _LOCK, mpl.rc_context(_STYLE), warnings.catch_warnings():
        # Names in any script stay text in the SVG; the browser has the letters that matplotlib's font lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure.add_subplot())
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata=_METADATA)
    text = out.getvalue()
    return text[text.index("<svg") :].strip()
