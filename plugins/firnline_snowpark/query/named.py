"""Inputs by name: a step that takes any number of tables is told what each of them is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firnline.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firnline.domain import Table


def named(tables: Sequence[Table], names: Sequence[str], *, where: str) -> dict[str, Table]:
    """Pair tables with their names.

    Raises:
        DataError: there are more or fewer names than tables.
    """
    if len(tables) != len(names):
        raise DataError(
            f"stage {where}: {len(tables)} tables are connected, and {len(names)} names stand in params.names: "
            f"{', '.join(names)}",
            hint=f"give each of {where}.inputs.tables a name in {where}.params.names, in the same order",
        )
    return dict(zip(names, tables, strict=True))
