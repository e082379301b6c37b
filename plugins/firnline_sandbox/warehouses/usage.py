"""Which statements need a warehouse, and carrying them out on the session's."""

from __future__ import annotations

import contextlib
import itertools
import re
from typing import TYPE_CHECKING, Final

from firnline_sandbox.catalog import Warehouse
from firnline_sandbox.statements.words import lex

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firnline_sandbox.connection import SandboxConnection
    from firnline_sandbox.history import RunningQuery

# Snowflake computes these on a warehouse; everything else is the business of its cloud services.
_COMPUTING: Final = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE", "COPY", "CALL", "EXECUTE"})
_QUERIES: Final = frozenset({"SELECT", "WITH", "VALUES", ""})
_FROM: Final = re.compile(r"\bFROM\b", re.IGNORECASE)
_QUERY_STARTS: Final = frozenset({"SELECT", "WITH", "("})


def computes(sql: str, words: Sequence[str]) -> bool:
    """Say whether Snowflake would carry out a statement on a warehouse.

    A query that reads nothing is answered without one, and so are SHOW, DESCRIBE, USE and DDL but for CREATE TABLE AS.
    """
    verb = words[0] if words else ""
    if verb in _COMPUTING:
        return True
    if verb in _QUERIES:
        return _FROM.search(sql) is not None
    if words[:3] == ("ALTER", "DYNAMIC", "TABLE"):
        return any(word.keyword == "REFRESH" for word in lex(sql))
    if verb == "CREATE" and "TABLE" in words[:5]:
        parts = lex(sql)
        return any(
            word.keyword == "AS" and following.keyword in _QUERY_STARTS for word, following in itertools.pairwise(parts)
        )
    return False


def usage(
    connection: SandboxConnection, query: RunningQuery, sql: str, words: Sequence[str]
) -> contextlib.AbstractContextManager[None]:
    """Carry out a statement on the session's warehouse if it needs one."""
    is_serverless = connection.task is not None and not connection.task[0].warehouse
    if is_serverless or not computes(sql, words):
        return contextlib.nullcontext()
    use: contextlib.AbstractContextManager[None] = connection.engine.part("warehouses").use(connection, query)
    return use


def warehouse_timeout(connection: SandboxConnection) -> int:
    """Give the STATEMENT_TIMEOUT_IN_SECONDS of the session's warehouse; 0 if it sets none."""
    if connection.warehouse is None:
        return 0
    warehouse = connection.engine.catalog.find(Warehouse, ("", "", connection.warehouse))
    return 0 if warehouse is None else warehouse.statement_timeout
