"""How far each stream has been read: a number of a change, moved in the transaction that made use of the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    import duckdb


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumption:
    """A stream that a transaction has read in order to write, and the last change that it saw."""

    stream: str
    source: str
    until: int


def add(cursor: duckdb.DuckDBPyConnection, stream: str, source: str, position: int) -> None:
    """Note where a new stream begins."""
    cursor.execute("INSERT INTO catalog.offsets VALUES (?, ?, ?)", [stream, source, position])


def remove(cursor: duckdb.DuckDBPyConnection, stream: str) -> None:
    """Forget a stream."""
    cursor.execute("DELETE FROM catalog.offsets WHERE stream = ?", [stream])


def advance(cursor: duckdb.DuckDBPyConnection, consumed: Iterable[Consumption]) -> None:
    """Move streams on, and forget the changes that no stream will ask for any more."""
    for each in consumed:
        moved = cursor.execute(
            "UPDATE catalog.offsets SET position = ? WHERE stream = ? AND position < ?",
            [each.until, each.stream, each.until],
        ).fetchall()
        if moved and moved[0][0]:
            log = f'changes."t_{each.source}"'
            cursor.execute(
                f'DELETE FROM {log} WHERE "firnline$seq" <= '  # noqa: S608 (a name of our own making)
                "(SELECT min(position) FROM catalog.offsets WHERE source = ?)",
                [each.source],
            )
