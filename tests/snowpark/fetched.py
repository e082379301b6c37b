"""Count the rows that leave the platform, at the only doors through which they can."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from firnline_sandbox import cursor


@dataclass
class Fetched:
    """Rows that the client got."""

    rows: int = 0


@contextmanager
def count_fetched() -> Iterator[Fetched]:
    """Count while the context lasts: rows as tuples, Arrow and pandas."""
    fetched = Fetched()

    def counting_rows(original: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        def rows(*arguments: Any) -> Iterator[Any]:
            for row in original(*arguments):
                fetched.rows += 1
                yield row

        return rows

    def counting_table(original: Callable[..., Any]) -> Callable[..., Any]:
        def table(whole: Any, *arguments: Any, **options: Any) -> Any:
            fetched.rows += whole.num_rows
            return original(whole, *arguments, **options)

        return table

    with (
        patch.object(cursor, "python_rows", counting_rows(cursor.python_rows)),
        patch.object(cursor, "arrow_for_client", counting_table(cursor.arrow_for_client)),
        patch.object(cursor, "pandas_for_client", counting_table(cursor.pandas_for_client)),
    ):
        yield fetched
