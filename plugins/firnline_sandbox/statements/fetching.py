"""Translating a query and fetching its rows, at once or as a stream."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import duckdb

from firnline_sandbox.errors import from_duckdb
from firnline_sandbox.result import BATCH_ROWS, KEPT_ROWS, Result, conform
from firnline_sandbox.statements.registry import rewrite_query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pyarrow as pa

    from firnline_sandbox.context import Context
    from firnline_sandbox.translate import Translated


def translate(context: Context, sql: str) -> Translated:
    """Translate a query's text."""
    from firnline_sandbox.translate import parse_statement, translate_query

    tree = parse_statement(rewrite_query(context, sql))
    return translate_query(tree, context.surroundings, context.params)


def fetch(context: Context, translated: Translated, params: Sequence[Any] | None = None) -> Result:
    """Run translated SQL. A small result is read at once; a big one stays a stream where the context allows it."""
    values = list(context.params if params is None else params)
    relation = context.duckdb.sql(translated.sql, params=values or None)
    reader = relation.to_arrow_reader(BATCH_ROWS)
    rows = conform(reader, translated.columns)
    result = Result(translated.columns, stream=rows)
    if not context.may_stream:
        result.table()
        return result
    first = _up_to(rows, KEPT_ROWS)
    if sum(batch.num_rows for batch in first) < KEPT_ROWS:
        return Result.from_batches(translated.columns, first)
    return Result(translated.columns, stream=CursorStream(itertools.chain(first, rows), context.finish))


def _up_to(batches: Iterator[pa.RecordBatch], limit: int) -> list[pa.RecordBatch]:
    taken: list[pa.RecordBatch] = []
    count = 0
    while count < limit:
        batch = next(batches, None)
        if batch is None:
            break
        taken.append(batch)
        count += batch.num_rows
    return taken


class CursorStream:
    """Batches of a query that is still running; hands its cursor back at the end, or when nobody wants the rest."""

    def __init__(self, batches: Iterator[pa.RecordBatch], finish: Callable[[], None]) -> None:
        self._batches = batches
        self._finish: Callable[[], None] | None = finish

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        return self

    def __next__(self) -> pa.RecordBatch:
        try:
            return next(self._batches)
        except StopIteration:
            self.close()
            raise
        except duckdb.Error as failure:
            self.close()
            raise from_duckdb(failure) from failure

    def close(self) -> None:
        """Hand the cursor back."""
        finish, self._finish = self._finish, None
        if finish is not None:
            self._batches = iter(())
            finish()

    __del__ = close
