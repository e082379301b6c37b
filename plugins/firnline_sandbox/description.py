"""Describing a statement's result without running it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox import execution
from firnline_sandbox.dispatch import find_handler
from firnline_sandbox.history import new_query_id
from firnline_sandbox.result import Result
from firnline_sandbox.statements.fetching import translate
from firnline_sandbox.statements.words import leading_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firnline_sandbox.connection import SandboxConnection
    from firnline_sandbox.context import Context
    from firnline_sandbox.types import Column

_QUERIES: Final = frozenset({"SELECT", "WITH", "VALUES", ""})
# These change nothing and are quick, so running them is the way to know their columns.
_HARMLESS: Final = frozenset({"SHOW", "DESC", "DESCRIBE", "LIST", "LS", "EXPLAIN"})
_COUNTS: Final = {
    "INSERT": Result.counts(rows_inserted=0),
    "UPDATE": Result.counts(rows_updated=0, multi_joined_rows_updated=0),
    "DELETE": Result.counts(rows_deleted=0),
}


def describe(connection: SandboxConnection, sql: str, params: Sequence[Any]) -> tuple[str, tuple[Column, ...]]:
    """Give an id and the columns that a statement would return.

    Raises:
        ProgrammingError: the one that the statement's compilation would raise.
    """
    query_id = new_query_id()
    words = leading_words(sql)
    verb = words[0] if words else ""
    if verb in _QUERIES:
        result = execution.read_only(connection, sql, params, _describe_query)
    elif verb in _HARMLESS:
        handler, _ = find_handler(sql, words)
        result = execution.read_only(connection, sql, params, handler)
    else:
        find_handler(sql, words)
        result = _COUNTS.get(verb) or Result.status()
    return query_id, result.columns


def _describe_query(context: Context, sql: str) -> Result:
    translated = translate(context, sql)
    return Result.from_batches(translated.columns, [])
