"""Names of tables and schemas, part by part."""

from __future__ import annotations

import re
from typing import Final

from firnline_snowpark.columns import unquoted

_PART: Final = re.compile(r'"(?:[^"]|"")+"|[^".]+')


def split_name(name: str) -> tuple[str, ...]:
    """Return the exact parts of a qualified name: ``db."My.Schema".t`` gives DB, My.Schema and T."""
    return tuple(unquoted(part) if part.startswith('"') else part.upper() for part in _PART.findall(name))
