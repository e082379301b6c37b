"""Find rows whose key is there more than once, without holding the whole table in a window."""

from __future__ import annotations

from functools import reduce
from operator import and_
from typing import TYPE_CHECKING, Final, Literal

from snowflake.snowpark import functions as sf

from firnline_snowpark.columns import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snowflake.snowpark import DataFrame

_COUNT: Final = "FIRNLINE_COUNT"
_KEY: Final = "FIRNLINE_KEY_"


def rows_by_repetition(frame: DataFrame, keys: Sequence[str], *, which: Literal["repeated", "others"]) -> DataFrame:
    """Return the rows that share their key with another row, or those that do not. A NULL in a key equals nothing."""
    counts = frame.group_by(*[sf.col(quoted(key)) for key in keys]).agg(sf.count(sf.lit(1)).alias(_COUNT))
    repeated = counts.filter(sf.col(_COUNT) > sf.lit(1)).select(
        *[sf.col(quoted(key)).alias(f"{_KEY}{place}") for place, key in enumerate(keys)]
    )
    same = reduce(and_, [sf.col(quoted(key)) == sf.col(f"{_KEY}{place}") for place, key in enumerate(keys)])
    return frame.join(repeated, same, "semi" if which == "repeated" else "anti")
