"""Keeping what changes in a table that has a stream.

Such a table has one more column in DuckDB, a number that stays with a row for life, and a table of its changes beside
it: each row as it was before and after every change, with the number of the change. Other tables have neither.
Changes are written by the transaction that makes them, so both become visible at once, or are gone together.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox.catalog import Table, offsets
from firnline_sandbox.catalog.storage import next_version
from firnline_sandbox.statements.scanner import quote_identifier, quote_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import duckdb

    from firnline_sandbox.catalog import Entry
    from firnline_sandbox.context import Context
    from firnline_sandbox.streams.objects import Stream
    from firnline_sandbox.transaction import Transaction

ROW: Final = '"firnline$row"'
SEQUENCE: Final = '"firnline$seq"'
KIND: Final = '"firnline$kind"'
ONLY: Final = '"firnline$only"'  # the stream whose initial rows these are; NULL for changes
ROW_DEFINITION: Final = f"{ROW} BIGINT DEFAULT nextval('changes.row_number')"
INSERTED, DELETED, BEFORE, AFTER = "I", "D", "B", "A"


def log_of(table: Table) -> str:
    """Give the DuckDB name of a table's changes."""
    return f'changes."t_{table.id}"'


def start(transaction: Transaction, table: Table) -> Table:
    """Begin to keep a table's changes."""
    if table.is_tracked:
        return table
    cursor = transaction.cursor
    cursor.execute(f"ALTER TABLE {table.physical} ADD COLUMN {ROW_DEFINITION}")
    columns = "".join(f", {quote_identifier(column.physical)} {column.type.duckdb}" for column in table.columns)
    cursor.execute(
        f"CREATE TABLE {log_of(table)} ({SEQUENCE} BIGINT, {KIND} VARCHAR, {ONLY} VARCHAR, {ROW} BIGINT{columns})"
    )
    tracked = replace(table, is_tracked=True)
    transaction.catalog.put(tracked)
    return tracked


def stop(transaction: Transaction, stream: Stream) -> None:
    """End keeping changes for a stream that is gone, if no other one needs them."""
    from firnline_sandbox.streams.objects import Stream

    offsets.remove(transaction.cursor, stream.id)
    table = transaction.catalog.by_id(stream.source)
    if not isinstance(table, Table) or not table.is_tracked:
        return
    if any(isinstance(entry, Stream) and entry.source == table.id for entry in transaction.catalog):
        return
    transaction.cursor.execute(f"DROP TABLE {log_of(table)}")
    transaction.cursor.execute(f"ALTER TABLE {table.physical} DROP COLUMN {ROW}")
    transaction.catalog.put(replace(table, is_tracked=False))


def forget(transaction: Transaction, entry: Entry) -> None:
    """Remove the changes of a table, or what a stream needed, when it is dropped."""
    from firnline_sandbox.streams.objects import Stream

    if isinstance(entry, Table) and entry.is_tracked:
        transaction.cursor.execute(f"DROP TABLE {log_of(entry)}")
    elif isinstance(entry, Stream):
        stop(transaction, entry)


def follow_columns(cursor: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Give the kept changes the columns that the table has now."""
    if not table.is_tracked:
        return
    found: dict[str, str] = dict(
        cursor.execute(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE schema_name = 'changes' AND table_name = ?",
            [f"t_{table.id}"],
        ).fetchall()
    )
    wanted: dict[str, str] = dict(
        cursor.execute(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE schema_name = 'data' AND table_name = ?",
            [f"t_{table.id}"],
        ).fetchall()
    )
    log = log_of(table)
    for name in found.keys() - wanted.keys() - {each.strip('"') for each in (SEQUENCE, KIND, ONLY, ROW)}:
        cursor.execute(f"ALTER TABLE {log} DROP COLUMN {quote_identifier(name)}")
    for name, type_ in wanted.items():
        if name not in found:
            cursor.execute(f"ALTER TABLE {log} ADD COLUMN {quote_identifier(name)} {type_}")
        elif found[name] != type_:
            cursor.execute(f"ALTER TABLE {log} ALTER COLUMN {quote_identifier(name)} TYPE {type_}")


# -- what the statements that write call; each does nothing for a table without a stream


def note_rows(
    cursor: duckdb.DuckDBPyConnection, table: Table, kind: str, where: str, *, only: str | None = None
) -> int:
    """Write rows of the table, as they are now, into its changes, and give the number of the change."""
    number = next_version(cursor)
    names = "".join(f", {quote_identifier(column.physical)}" for column in table.columns)
    mark = "NULL" if only is None else quote_text(only)
    cursor.execute(
        f"INSERT INTO {log_of(table)} ({SEQUENCE}, {KIND}, {ONLY}, {ROW}{names}) "  # noqa: S608 (names of our own making)
        f"SELECT {number}, '{kind}', {mark}, {ROW}{names} FROM {table.physical} WHERE {where}"
    )
    return number


@contextlib.contextmanager
def inserting(context: Context, table: Table) -> Iterator[None]:
    """Keep the rows that the block inserts."""
    if not table.is_tracked:
        yield
        return
    last = context.duckdb.execute("SELECT nextval('changes.row_number')").fetchall()[0][0]
    yield
    note_rows(context.duckdb, table, INSERTED, f"{ROW} > {last}")


@contextlib.contextmanager
def updating(context: Context, table: Table, rows: str) -> Iterator[None]:
    """Keep rows, given by a query for their DuckDB numbers, before and after the block updates them."""
    if not table.is_tracked:
        yield
        return
    number = note_rows(context.duckdb, table, BEFORE, f"rowid IN ({rows})")
    yield
    changed = f"SELECT {ROW} FROM {log_of(table)} WHERE {SEQUENCE} = {number}"  # noqa: S608
    note_rows(context.duckdb, table, AFTER, f"{ROW} IN ({changed})")


def deleting(context: Context, table: Table, where: str = "true") -> None:
    """Keep rows that are about to be deleted."""
    if table.is_tracked:
        note_rows(context.duckdb, table, DELETED, where)


def kept_rows(context: Context, table: Table, query: str, params: Sequence[Any]) -> tuple[str, list[Any]]:
    """Compute once which rows are meant where the table's changes are kept, as a query may choose others next time."""
    if not table.is_tracked:
        return query, list(params)
    name = f"picked_{next_version(context.duckdb)}"
    context.duckdb.execute(f"CREATE TEMP TABLE {name} AS {query}", list(params) or None)
    return f"SELECT * FROM temp.{name}", []  # noqa: S608
