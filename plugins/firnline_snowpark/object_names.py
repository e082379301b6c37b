"""Names of tables and schemas, part by part."""

from __future__ import annotations

import re
from typing import Final

from firnline_snowpark.columns import quoted, unquoted

_PART: Final = re.compile(r'"(?:[^"]|"")+"|[^".]+')
_PLAIN: Final = re.compile(r"[A-Z_][A-Z0-9_$]*")


def split_name(name: str) -> tuple[str, ...]:
    """Return the exact parts of a qualified name: ``db."My.Schema".t`` gives DB, My.Schema and T."""
    return tuple(unquoted(part) if part.startswith('"') else part.upper() for part in _PART.findall(name))


def written(part: str) -> str:
    """Return a part as SQL reads it: in quotes only where it needs them."""
    return part if _PLAIN.fullmatch(part) else quoted(part)
