"""The capability table: what the sandbox supports, what works differently, what it refuses.

``docs/reference/sandbox.md`` is written from it, and a test runs each row's example.
"""

from __future__ import annotations

from typing import Final

from firnline_sandbox.capabilities import account, functions, learning, queries, storage, tables
from firnline_sandbox.capabilities.row import Capability

__all__ = ["CAPABILITIES", "Capability", "PREPARATION"]

PREPARATION: Final = (
    "CREATE TABLE t (id INT, name VARCHAR)",
    "INSERT INTO t VALUES (1, 'a'), (2, 'b')",
    "CREATE STAGE st",
)
CAPABILITIES: Final[tuple[Capability, ...]] = (
    *queries.ROWS,
    *functions.ROWS,
    *tables.ROWS,
    *storage.ROWS,
    *account.ROWS,
    *learning.ROWS,
)
