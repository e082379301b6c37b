"""Columns of a table: their kinds, and the SQL that gives them to a model."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from firnline.domain import quote_name
from firnline.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from snowflake.snowpark import Session

Kind: TypeAlias = Literal["number", "flag", "text", "other"]
FEATURE_KINDS: Final = frozenset({"number", "flag", "text"})


def column_kinds(session: Session, table: str) -> dict[str, Kind]:
    """Return the kind of each column of a table, by exact name, in order."""
    from snowflake.snowpark import types

    kinds: tuple[tuple[type, Kind], ...] = (
        (types.BooleanType, "flag"),
        (types._NumericType, "number"),  # noqa: SLF001 (the client names no public class for all numbers)
        (types.StringType, "text"),
    )
    return {
        _exact(field.name): next((kind for cls, kind in kinds if isinstance(field.datatype, cls)), "other")
        for field in session.table(table).schema.fields
    }


def value_sql(name: str, kind: Kind) -> str:
    """Return the expression that gives a column to a model: FLOAT for numbers and flags, TEXT for text."""
    if kind == "flag":
        return f"CAST(CAST({quote_name(name)} AS INTEGER) AS FLOAT)"
    return f"CAST({quote_name(name)} AS {'FLOAT' if kind == 'number' else 'TEXT'})"


def resolve(names: Iterable[str], columns: Sequence[str], *, where: str) -> tuple[str, ...]:
    """Return the table's own spelling of each column: the very name, or the only one that differs in case alone.

    Raises:
        DataError: if there is none, naming the nearest; ``where`` says who asks.
    """
    return tuple(_resolve_one(name, columns, where) for name in names)


def _resolve_one(name: str, columns: Sequence[str], where: str) -> str:
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


def _exact(identifier: str) -> str:
    if len(identifier) >= 2 and identifier[0] == identifier[-1] == '"':
        return identifier[1:-1].replace('""', '"')
    return identifier
