"""Keeping secrets out of the query history."""

from __future__ import annotations

import re
from typing import Final

_CREDENTIALS: Final = re.compile(r"(CREDENTIALS\s*=\s*)\(((?:[^()']|'(?:[^'\\]|''|\\.)*')*)\)", re.IGNORECASE)


def without_secrets(sql: str) -> str:
    """Put stars in the place of CREDENTIALS, as Snowflake's own history does."""
    return _CREDENTIALS.sub(r"\1(****)", sql)
