"""What was committed for whom: a request that is sent again, because its answer was lost, is not carried out twice."""

from __future__ import annotations

import contextvars
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    import duckdb

_KEPT: Final = "1 day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A statement that whoever sent it may send again, and how its result is written for that case."""

    query_id: str
    write: Callable[[Any], bytes]


current: Final[contextvars.ContextVar[Request | None]] = contextvars.ContextVar(
    "firnline_sandbox_request", default=None
)
"""The request that this thread carries out."""


def answer(query_id: str, result: Any) -> bytes | None:
    """Write the answer to be kept with a statement's changes; None when nobody would ask for it again."""
    request = current.get()
    if request is None or request.query_id != query_id or result.is_stream:
        return None
    return request.write(result)


def prepare(database: duckdb.DuckDBPyConnection) -> None:
    """Make the table of receipts, and forget those that nobody will ask for."""
    database.execute(
        "CREATE TABLE IF NOT EXISTS catalog.receipts (query_id VARCHAR, answer BLOB, noted TIMESTAMPTZ DEFAULT now())"
    )
    database.execute(f"DELETE FROM catalog.receipts WHERE noted < now() - INTERVAL '{_KEPT}'")  # noqa: S608 (a constant)


def note(cursor: duckdb.DuckDBPyConnection, query_id: str, answer: bytes) -> None:
    """Keep the answer to a request, inside the transaction whose changes it tells of."""
    cursor.execute("INSERT INTO catalog.receipts (query_id, answer) VALUES (?, ?)", [query_id, answer])


def find(cursor: duckdb.DuckDBPyConnection, query_id: str) -> bytes | None:
    """Give the answer to a request that was committed."""
    found = cursor.execute("SELECT answer FROM catalog.receipts WHERE query_id = ?", [query_id]).fetchall()
    return bytes(found[0][0]) if found else None
