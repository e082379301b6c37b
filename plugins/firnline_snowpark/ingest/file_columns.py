"""What a file offers to the loader: columns with a decided type, and batches of rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from firnline.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

LONGEST_NAME = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class FileColumn:
    """One column of a file.

    Attributes:
        name: as it stands in the file, without spaces around it.
        type: the Snowflake type that its values get.
        arrow: the Arrow type in which the batches carry it; dates and timestamps travel as ISO text.
        note: why this type, or what was changed; empty where there is nothing to say.
    """

    name: str
    type: str
    arrow: pa.DataType
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRows:
    """An opened file.

    Attributes:
        columns: in order.
        batches: starts reading from the first row; one Arrow array a column, in order.
        facts: what was decided about the file as a whole, as (what, how) pairs.
        left_out: columns that are not loaded, as (name, why) pairs.
    """

    columns: tuple[FileColumn, ...]
    batches: Callable[[], Iterator[pa.RecordBatch]]
    facts: tuple[tuple[str, str], ...]
    left_out: tuple[tuple[str, str], ...] = ()


def checked_names(names: Sequence[str], *, file: str, reserved: str) -> tuple[list[str], list[str]]:
    """Return usable column names, and a note for each that had none.

    Raises:
        DataError: a name occurs twice, is too long, or is the one that the loader adds.
    """
    trimmed = [name.strip() for name in names]
    counts = Counter(name for name in trimmed if name)
    if repeated := {name: count for name, count in counts.items() if count > 1}:
        listed = ", ".join(
            f"{name!r} (columns {', '.join(str(i) for i, other in enumerate(trimmed, 1) if other == name)})"
            for name in list(repeated)[:5]
        )
        raise DataError(f"{file} has several columns of the same name: {listed}", hint="rename them in the file")
    if reserved in counts:
        raise DataError(
            f"{file} has a column {reserved!r}, the name of the column that numbers the rows",
            hint="give that one another name with the param row_column",
        )
    if too_long := [name for name in trimmed if len(name) > LONGEST_NAME]:
        raise DataError(
            f"{file} has a column name of {len(too_long[0])} characters: {too_long[0][:40]!r}…; "
            f"Snowflake allows {LONGEST_NAME}",
            hint="shorten it in the file; if it is a row of data, the file may lack its row of names",
        )
    notes = []
    for index, name in enumerate(trimmed):
        if not name:
            trimmed[index] = _free_name(f"COLUMN_{index + 1}", counts)
            notes.append(f"column {index + 1} has no name and is called {trimmed[index]}")
    return trimmed, notes


def _free_name(name: str, taken: Counter[str]) -> str:
    while taken[name]:
        name += "_"
    taken[name] += 1
    return name
