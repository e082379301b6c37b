"""Rows that break exports: missing values, categories that were never seen, values at which a tree decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from firnline_onnx.signature import Kind

CHANGED_ROWS: Final = 20
MOST_TIES: Final = 400
MOST_SINGLE: Final = 1e38  # beyond it a library's "larger than any number" begins
UNSEEN: Final = "never seen before ✱"
MISSING: Final = "NULL"
CATEGORY: Final = "unseen category"
TIE: Final = "value at a threshold"
EXTREME: Final = "extreme value"


@dataclass(frozen=True, slots=True, kw_only=True)
class HardRows:
    """Rows of the table in which one column was changed.

    Attributes:
        what: what was done.
        column: to which column.
        rows: the rows.
    """

    what: str
    column: str
    rows: pd.DataFrame


def hard_rows(
    frame: pd.DataFrame, kinds: Mapping[str, Kind], ties: Mapping[str, Sequence[float]], seed: int
) -> Iterator[HardRows]:
    """Make hard rows of real ones; the native model may refuse some of them, and says so by raising."""
    some = frame.sample(min(CHANGED_ROWS, len(frame)), random_state=seed)
    for name, kind in kinds.items():
        if kind == "text":
            yield HardRows(what=MISSING, column=name, rows=_with(some, name, [None] * len(some)))
            strange = [UNSEEN, "", " ", "None", "nan"]
            yield HardRows(
                what=CATEGORY, column=name, rows=_with(some, name, [strange[n % 5] for n in range(len(some))])
            )
            continue
        yield HardRows(what=MISSING, column=name, rows=_with(some, name, [np.nan] * len(some)))
        known = frame[name].dropna()
        if known.empty:
            continue
        low, high = float(known.min()), float(known.max())
        far = [low, high, 0.0, -1.0, low - 1, high + 1, 1e8 + 0.3, -1e8 - 0.3, 16_777_217.0, 0.1]
        yield HardRows(what=EXTREME, column=name, rows=_with(some, name, [far[n % len(far)] for n in range(len(some))]))
        if values := _around([*ties.get(name, ()), *_midpoints(known)]):
            repeated = frame.sample(len(values), replace=True, random_state=seed)
            yield HardRows(what=TIE, column=name, rows=_with(repeated, name, values))


def _with(rows: Any, name: str, values: Sequence[Any]) -> Any:
    import pandas as pd

    changed = rows.reset_index(drop=True)
    kind = object if any(isinstance(value, str) or value is None for value in values) else np.float64
    changed[name] = pd.Series(list(values), dtype=kind)
    return changed


def _around(values: Sequence[float]) -> list[float]:
    """Return the values, and what is next to them in double and in single precision, on both sides."""
    found: list[float] = []
    for value in dict.fromkeys(value for value in values if abs(value) < MOST_SINGLE):
        single = np.float32(value)
        found += [value, float(np.nextafter(value, -np.inf)), float(np.nextafter(value, np.inf)), float(single)]
        found += [float(np.nextafter(single, np.float32(-np.inf))), float(np.nextafter(single, np.float32(np.inf)))]
    return found[:MOST_TIES]


def _midpoints(known: Any) -> list[float]:
    """Return middles between neighbouring values: where trees of most libraries decide."""
    distinct = np.unique(known.to_numpy(dtype=np.float64))
    middles = (distinct[1:] + distinct[:-1]) / 2
    return [float(value) for value in middles[:: max(1, len(middles) // 20)]]
