"""Changing the DuckDB table behind a table whose columns change."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from firnline_sandbox.catalog import changed
from firnline_sandbox.catalog.storage import next_version
from firnline_sandbox.statements.scanner import quote_identifier
from firnline_sandbox.streams.capture import ROW, ROW_DEFINITION, follow_columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from firnline_sandbox.catalog import Table, TableColumn
    from firnline_sandbox.context import Context


def put_columns(context: Context, table: Table, columns: Sequence[TableColumn]) -> Table:
    """Write a table's new columns into the catalog; the DuckDB table fits already."""
    altered = changed(table, columns=tuple(columns), version=next_version(context.transaction.cursor))
    follow_columns(context.transaction.cursor, altered)
    context.catalog.put(altered)
    return altered


def rebuild(
    context: Context, table: Table, columns: Sequence[TableColumn], computed: Mapping[str, str] | None = None
) -> Table:
    """Copy a table's rows into a new DuckDB table with these columns, which takes the old one's place.

    DuckDB cannot set NOT NULL or change a type in a transaction that has changed the table already.

    Args:
        context: the statement's context.
        table: the table as it is.
        columns: the columns that it is to have.
        computed: DuckDB SQL for columns that are not copied as they are, by their physical names.
    """
    cursor = context.transaction.cursor
    unfinished = f'"t_{table.id}_new"'
    definitions = ", ".join(
        f"{quote_identifier(column.physical)} {column.type.duckdb}{'' if column.nullable else ' NOT NULL'}"
        for column in columns
    )
    parts = [(computed or {}).get(column.physical) or quote_identifier(column.physical) for column in columns]
    if table.is_tracked:
        definitions += f", {ROW_DEFINITION}"
        parts.append(ROW)
    cursor.execute(f"CREATE TABLE data.{unfinished} ({definitions})")
    cursor.execute(f"INSERT INTO data.{unfinished} SELECT {', '.join(parts)} FROM {table.physical}")  # noqa: S608
    cursor.execute(f"DROP TABLE {table.physical}")
    cursor.execute(f'ALTER TABLE data.{unfinished} RENAME TO "t_{table.id}"')
    return put_columns(context, table, columns)


def with_column(columns: Sequence[TableColumn], altered: TableColumn) -> list[TableColumn]:
    """Put a changed column in the place of the one with its physical name."""
    return [altered if column.physical == altered.physical else column for column in columns]


def without_keys(columns: Sequence[TableColumn], *, primary: bool, unique: Sequence[str] | None) -> list[TableColumn]:
    """Take the primary key, or unique keys of some columns, off the columns."""
    return [
        replace(
            column,
            primary_key=column.primary_key and not primary,
            unique_key=column.unique_key and not (unique is not None and column.name in unique),
        )
        for column in columns
    ]
