"""Deal rows out by a hash: at random to the eye, yet always the same way, on every platform."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from snowflake.snowpark import Window
from snowflake.snowpark import functions as sf
from snowflake.snowpark.types import DoubleType, StringType

from firnline_snowpark.columns import quoted, resolve_column, resolve_columns, unquoted
from firnline_snowpark.split_sets import write_sets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from snowflake.snowpark import Column

    from firnline.domain import Artifact, StepContext, Table
    from firnline_snowpark.split_params import RandomSplitParams

HASH: Final = "FIRNLINE_HASH"
PLACE: Final = "FIRNLINE_PLACE"
HEX_DIGITS: Final = 8
SEPARATOR: Final = "|"
MISSING: Final = "(null)"  # stands for NULL in what is hashed


def run(context: StepContext, params: RandomSplitParams, table: Table) -> Mapping[str, Artifact]:
    """Split by the hash of each row's key, of its group, or by its place within its stratum."""
    frame = context.session.table(table.name)
    columns = [unquoted(name) for name in frame.columns]
    where = f"{context.stage}.params"
    key = resolve_columns(params.group or params.key or columns, columns, where=where)
    hashed = frame.with_column(HASH, _hash(params.seed, key))
    test, valid = params.test_share, params.test_share + params.valid_share
    if params.stratify is None:
        place = sf.col(HASH)
        bounds = {"test": sf.lit(_hexadecimal(test)), "valid": sf.lit(_hexadecimal(valid))}
        dealt = hashed
    else:
        stratum = sf.col(quoted(resolve_column(params.stratify, columns, where=f"{where}.stratify")))
        in_stratum = Window.partition_by(stratum)
        rank = sf.row_number().over(in_stratum.order_by(sf.col(HASH))).cast(DoubleType()) - sf.lit(0.5)
        dealt = hashed.with_column(PLACE, rank / sf.count(sf.lit(1)).over(in_stratum))
        place = sf.col(PLACE)
        bounds = {"test": sf.lit(test), "valid": sf.lit(valid)}
    original = [sf.col(quoted(name)) for name in columns]
    frames = {
        "test": dealt.filter(place < bounds["test"]).select(*original),
        "valid": dealt.filter((place >= bounds["test"]) & (place < bounds["valid"])).select(*original),
        "train": dealt.filter(place >= bounds["valid"]).select(*original),
    }
    ranges = {"train": f"{1 - valid:.0%}", "valid": f"{params.valid_share:.0%}", "test": f"{test:.0%}"}
    rows = table.rows if table.rows is not None else frame.count()
    return write_sets(context, frames, ranges, _how(params, key), rows)


def _hash(seed: int, key: Sequence[str]) -> Column:
    """Return 32 hexadecimal digits that depend on the seed and the key's values."""
    values = [sf.coalesce(sf.col(quoted(name)).cast(StringType()), sf.lit(MISSING)) for name in key]
    return sf.md5(sf.concat_ws(sf.lit(SEPARATOR), sf.lit(str(seed)), *values))


def _hexadecimal(share: float) -> str:
    """Return the bound below which a share of all hashes lie: comparing the digits as text is comparing numbers."""
    return f"{round(share * 16**HEX_DIGITS):0{HEX_DIGITS}x}"


def _how(params: RandomSplitParams, key: Sequence[str]) -> str:
    shown = ", ".join(key[:5]) + (f" and {len(key) - 5:,} more columns" if len(key) > 5 else "")
    if params.group:
        return f"Split by a hash of {shown}: all rows of a group are in one set. Shares hold for the groups."
    if params.stratify:
        return f"Split by a hash of {shown}; each value of {params.stratify} has the same shares in each set."
    return f"Split by a hash of {shown}."
