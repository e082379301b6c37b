"""Columns as a network sees them: standardised numbers with indicators of gaps, and codes of categories.

What is fitted here goes with the model, so the training and every prediction encode alike. NumPy and pandas only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

Array: TypeAlias = np.ndarray[Any, Any]
CLIP = 10.0
"""Standardised numbers end here, so that one outlier does not outweigh everything that was learned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoder:
    """How columns become numbers and codes.

    Attributes:
        numbers: columns that are numbers, in order.
        means: of each, over the rows that have a value.
        scales: standard deviation of each; 1 where it does not vary.
        gaps: places among ``numbers`` of those that get an indicator of a missing value.
        texts: columns that are categories, in order.
        vocabularies: of each, the values that are told apart; the code of one is its place plus one. Code 0 stands
            for a missing value and for any that was not there while training.
    """

    numbers: tuple[str, ...]
    means: tuple[float, ...]
    scales: tuple[float, ...]
    gaps: tuple[int, ...]
    texts: tuple[str, ...]
    vocabularies: tuple[tuple[str, ...], ...]

    @property
    def width(self) -> int:
        """How many numbers a row has, indicators included."""
        return len(self.numbers) + len(self.gaps)

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """How many codes each category has, code 0 included."""
        return tuple(len(known) + 1 for known in self.vocabularies)

    def encode(self, frame: pd.DataFrame) -> tuple[Array, Array]:
        """Return the rows as a float32 matrix and an int32 matrix."""
        matrix = np.empty((len(frame), self.width), dtype=np.float32)
        for place, name in enumerate(self.numbers):
            column = frame[name]
            values = pd.to_numeric(column) if column.dtype == object else column
            self.put_number(matrix, place, values.to_numpy(dtype=np.float64, na_value=np.nan))
        codes = np.empty((len(frame), len(self.texts)), dtype=np.int32)
        for place, name in enumerate(self.texts):
            known = pd.Index(self.vocabularies[place], dtype=object)
            # A missing value is in no vocabulary: it is looked up like an unknown one, and gets -1.
            codes[:, place] = known.get_indexer(pd.Index(frame[name].astype(object))) + 1
        return matrix, codes

    def put_number(self, matrix: Array, place: int, values: Array) -> None:
        """Write a column, and its indicator if it has one, into the matrix; ``values`` has NaN for a gap."""
        missing = ~np.isfinite(values)
        scaled = (values - self.means[place]) / self.scales[place]
        scaled[missing] = 0.0
        np.clip(scaled, -CLIP, CLIP, out=scaled)
        matrix[:, place] = scaled
        if place in self.gaps:
            matrix[:, len(self.numbers) + self.gaps.index(place)] = missing


def fit_number(values: Array) -> tuple[float, float, bool]:
    """Return mean, standard deviation and whether there are gaps; the deviation is 1 where nothing varies."""
    known = values[np.isfinite(values)]
    if not known.size:
        return 0.0, 1.0, True
    mean, deviation = float(known.mean()), float(known.std())
    return mean, deviation if deviation > 0 and np.isfinite(deviation) else 1.0, known.size < values.size


def most_frequent(values: Sequence[str], counts: Array, limit: int) -> tuple[str, ...]:
    """Return at most ``limit`` values, the most frequent ones, in the order of the alphabet."""
    ranked = sorted(zip(values, counts.tolist(), strict=True), key=lambda pair: (-pair[1], pair[0]))
    return tuple(sorted(value for value, _ in ranked[:limit]))
