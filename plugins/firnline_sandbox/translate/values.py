"""Translated expressions, and how constants and names are written in DuckDB SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from firnline_sandbox.types import SnowflakeType


class _Absent:
    """The constant of an expression that has none (None is a constant: NULL)."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()


@dataclass(frozen=True, slots=True)
class Value:
    """An expression in DuckDB SQL and its Snowflake type.

    The SQL has a form that any operator may stand beside. DuckDB's type is ``type.duckdb``, except for integer and
    decimal constants, which :func:`typed` casts where it matters.
    """

    sql: str
    type: SnowflakeType
    nullable: bool = True
    constant: Any = ABSENT
    volatile: bool = False
    inner: Value | None = None  # what a VARIANT was made of: a cast takes it instead of going through JSON

    @property
    def is_constant(self) -> bool:
        """True for a literal or a bound value."""
        return self.constant is not ABSENT


def quote_name(name: str) -> str:
    """Write an identifier."""
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """Write a string constant."""
    return "'" + text.replace("'", "''") + "'"


def typed(value: Value) -> str:
    """Write the expression so that DuckDB, too, gives it its exact type."""
    if value.constant is ABSENT or value.type.kind not in {"NUMBER", "NULL"} or value.sql.startswith("CAST("):
        return value.sql
    return f"CAST({value.sql} AS {value.type.duckdb})"
