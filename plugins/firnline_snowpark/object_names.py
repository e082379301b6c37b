"""Names of tables and schemas, part by part."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from firnline_snowpark.columns import quoted, unquoted
from firnline_snowpark.literals import literal

if TYPE_CHECKING:
    from snowflake.snowpark import Session

PLAIN_NAME: Final = r"^[A-Za-z_][A-Za-z0-9_$]*$"
_PART: Final = re.compile(r'"(?:[^"]|"")+"|[^".]+')
_PLAIN: Final = re.compile(r"[A-Z_][A-Z0-9_$]*")


def split_name(name: str) -> tuple[str, ...]:
    """Return the exact parts of a qualified name: ``db."My.Schema".t`` gives DB, My.Schema and T."""
    return tuple(unquoted(part) if part.startswith('"') else part.upper() for part in _PART.findall(name))


def written(part: str) -> str:
    """Return a part as SQL reads it: in quotes only where it needs them."""
    return part if _PLAIN.fullmatch(part) else quoted(part)


def shown_row(session: Session, kind: str, schema: str, name: str) -> dict[str, Any] | None:
    """Return what ``SHOW kind`` tells of the object with this exact name, if it is there."""
    rows = session.sql(f"SHOW {kind} LIKE {literal(name)} IN SCHEMA {schema}").collect()
    return next((row.as_dict() for row in rows if row["name"] == name), None)
