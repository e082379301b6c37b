"""Write the three sets of a split, and say what is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firnline.domain import Grid, Metrics, Report, Text
from firnline.errors import DataError
from firnline_snowpark.tables import write_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snowflake.snowpark import DataFrame

    from firnline.domain import Artifact, StepContext, Table

SETS: Final = ("train", "valid", "test")


def write_sets(
    context: StepContext, frames: Mapping[str, DataFrame], ranges: Mapping[str, str], how: str, rows: int
) -> Mapping[str, Artifact]:
    """Materialise train, valid and test.

    Args:
        context: the stage's context.
        frames: set → its rows.
        ranges: set → what is in it, in words.
        how: one sentence on how the rows were split.
        rows: rows of the table that was split; the rest is in no set.

    Raises:
        DataError: if a set is empty.
    """
    tables: dict[str, Table] = {}
    for name in SETS:
        tables[name] = write_table(context, frames[name], name)
        context.progress(f"wrote {name}", tables[name].rows)
    empty = [name for name, table in tables.items() if not table.rows]
    if empty:
        raise DataError(
            f"{context.stage}: no rows are left for {' and '.join(empty)} of {rows:,} in all",
            hint="bring more data, or change the shares (for a split by time: the dates and the gap)",
        )
    counts = {name: table.rows or 0 for name, table in tables.items()}
    unused = rows - sum(counts.values())
    lines = [(name, ranges[name], f"{count:,}", f"{count / rows:.1%}") for name, count in counts.items()]
    lines += [("unused", "in the gaps between the sets", f"{unused:,}", f"{unused / rows:.1%}")] if unused else []
    grid = Grid(title="Sets", columns=("set", "rows of", "rows", "share"), rows=tuple(lines))
    values = {f"{name}_rows": float(count) for name, count in counts.items()} | {"unused_rows": float(unused)}
    return {
        **tables,
        "metrics": Metrics(values=values),
        "report": Report(title="Split", sections=(Text(body=how), grid)),
    }
