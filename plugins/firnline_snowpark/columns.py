"""Column names: as people write them, as the platform spells them, and as SQL wants them."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from firnline.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def quoted(name: str) -> str:
    """Return a column's exact name as a SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def unquoted(identifier: str) -> str:
    """Return the exact name behind an identifier as Snowpark shows it."""
    if len(identifier) >= 2 and identifier[0] == identifier[-1] == '"':
        return identifier[1:-1].replace('""', '"')
    return identifier


def resolve_column(name: str, columns: Sequence[str], *, where: str) -> str:
    """Return the table's own spelling of a column: the very name, or the only one that differs in case alone.

    Raises:
        DataError: if there is none, naming the nearest; ``where`` says who asks.
    """
    if name in columns:
        return name
    alike = [column for column in columns if column.upper() == name.upper()]
    if len(alike) == 1:
        return alike[0]
    nearest = difflib.get_close_matches(name.upper(), [column.upper() for column in columns], n=1)
    what = "is not unique but for its case" if alike else "is not in the table"
    raise DataError(
        f"{where}: column {name!r} {what}",
        hint=(f"did you mean {nearest[0]!r}? " if nearest and not alike else "")
        + f"The table has: {', '.join(columns[:30])}{', …' if len(columns) > 30 else ''}",
    )


def resolve_columns(names: Iterable[str], columns: Sequence[str], *, where: str) -> tuple[str, ...]:
    """Resolve each name; see :func:`resolve_column`."""
    return tuple(resolve_column(name, columns, where=where) for name in names)
