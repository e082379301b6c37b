"""Random draws as plain integer arithmetic, the same on every platform that can multiply.

A draw is a hash of a seed, a name and some numbers of the row (customer, day): they are combined linearly and then
raised to the fifth power modulo the Mersenne prime 2³¹ - 1, which is a permutation because 5 does not divide 2³¹ - 2.
Products stay below 2⁶², so that 64-bit integers suffice; nothing depends on the order of rows or on sequences.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from snowflake.snowpark import functions as sf
from snowflake.snowpark.types import DoubleType, LongType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snowflake.snowpark import Column

PRIME: Final = 2_147_483_647
NORMAL_TERMS: Final = 3
LOGIT_LIMIT: Final = 30.0


class Draws:
    """Draws of one seed. Equal names and numbers give equal draws; different names give independent ones."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def uniform(self, name: str, **numbers: Column) -> Column:
        """Return a number in [0, 1) from non-negative integers below 2²⁰."""
        mixed = sf.lit(self._constant(name, "start"))
        for key, number in sorted(numbers.items()):
            mixed = mixed + number * sf.lit(self._constant(name, key))
        mixed = _reduced(mixed)
        square = _reduced(mixed * mixed)
        return _reduced(_reduced(square * square) * mixed).cast(DoubleType()) / sf.lit(float(PRIME))

    def normal(self, name: str, **numbers: Column) -> Column:
        """Return a draw of mean 0 and variance 1, bell-shaped and within ±3: a sum of three uniform ones."""
        terms = [self.uniform(f"{name}/{term}", **numbers) for term in range(NORMAL_TERMS)]
        total = terms[0] + terms[1] + terms[2]
        return (total - sf.lit(NORMAL_TERMS / 2)) * sf.lit((12 / NORMAL_TERMS) ** 0.5)

    def choice(self, name: str, weights: Mapping[str, float], **numbers: Column) -> Column:
        """Return one of the keys, as often as its weight says."""
        draw = self.uniform(name, **numbers)
        *most, last = weights
        total = sum(weights.values())
        chosen = sf.lit(last)
        for place, option in reversed(list(enumerate(most))):
            below = sum(weights[earlier] for earlier in most[: place + 1]) / total
            chosen = sf.iff(draw < sf.lit(round(below, 6)), sf.lit(option), chosen)
        return chosen

    def _constant(self, *parts: str) -> int:
        digest = hashlib.sha256("/".join((str(self._seed), *parts)).encode()).digest()
        return 1 + int.from_bytes(digest[:8], "big") % (PRIME - 1)


def logistic(value: Column) -> Column:
    """Return the probability that belongs to log odds; far out it is cut off, so that nothing overflows."""
    bounded = sf.greatest(sf.least(value, sf.lit(LOGIT_LIMIT)), sf.lit(-LOGIT_LIMIT))
    return sf.lit(1.0) / (sf.lit(1.0) + sf.exp(-bounded))


def whole(value: Column) -> Column:
    """Return the integer at or below a number."""
    return sf.floor(value).cast(LongType())


def _reduced(value: Column) -> Column:
    return value % sf.lit(PRIME)
