"""How many rows tables have, and roughly how many bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firnline_sandbox.catalog import Table
    from firnline_sandbox.context import Context
    from firnline_sandbox.types import SnowflakeType

_BYTES: Final = {"BOOLEAN": 1, "DATE": 4, "NUMBER": 8, "FLOAT": 8, "TIME": 8, "TEXT": 16, "BINARY": 16}
_SEVERAL_AT_ONCE: Final = 200


def row_counts(context: Context, tables: Sequence[Table]) -> dict[str, int]:
    """Count the rows of tables, by the tables' ids."""
    found: dict[str, int] = {}
    for start in range(0, len(tables), _SEVERAL_AT_ONCE):
        part = tables[start : start + _SEVERAL_AT_ONCE]
        sql = " UNION ALL ".join(f"SELECT '{table.id}', count(*) FROM {table.physical}" for table in part)  # noqa: S608
        found.update(dict(context.duckdb.execute(sql).fetchall()))
    return found


def estimated_bytes(table: Table, rows: int) -> int:
    """Estimate the size of a table from its columns' types: DuckDB does not tell what a table takes on disk."""
    return rows * sum(width(column.type) for column in table.columns)


def width(type_: SnowflakeType) -> int:
    """Give the bytes that a value of a type typically takes."""
    if type_.is_semi_structured:
        return 64
    return _BYTES.get(type_.kind, 8)
