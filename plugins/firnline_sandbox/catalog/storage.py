"""The catalog on disk: rows beside the data, so that both change in one DuckDB transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firnline_sandbox.catalog import receipts
from firnline_sandbox.catalog.entries import Database, Schema, Sequence, Table, Warehouse, from_json, to_json
from firnline_sandbox.catalog.snapshot import Catalog, new_fields, user_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import duckdb

    from firnline_sandbox.catalog.entries import Entry

DEFAULT_DATABASE: Final = "FIRNLINE"
DEFAULT_SCHEMA: Final = "PUBLIC"
DEFAULT_WAREHOUSE: Final = "COMPUTE_WH"
FORMAT: Final = 1  # of the tables below; a sandbox of a later format is refused


class StoredCatalogError(Exception):
    """The folder holds a sandbox that this version cannot read."""


def load(database: duckdb.DuckDBPyConnection, living: Collection[int] = ()) -> Catalog:
    """Read the catalog, making it (and the default database) in a new sandbox.

    Args:
        database: DuckDB's.
        living: the users whose sessions go on, with their temporary objects.

    Raises:
        StoredCatalogError: a later version of Firnline wrote it.
    """
    database.execute("BEGIN")
    database.execute("CREATE SCHEMA IF NOT EXISTS data")
    database.execute("CREATE SCHEMA IF NOT EXISTS catalog")
    database.execute("CREATE TABLE IF NOT EXISTS catalog.format (number INTEGER)")
    database.execute("CREATE TABLE IF NOT EXISTS catalog.objects (id VARCHAR, kind VARCHAR, document VARCHAR)")
    database.execute("CREATE SEQUENCE IF NOT EXISTS catalog.version")
    database.execute("CREATE SCHEMA IF NOT EXISTS changes")
    database.execute("CREATE SEQUENCE IF NOT EXISTS changes.row_number")
    database.execute("CREATE TABLE IF NOT EXISTS catalog.offsets (stream VARCHAR, source VARCHAR, position BIGINT)")
    receipts.prepare(database)
    number = database.execute("SELECT max(number) FROM catalog.format").fetchall()[0][0]
    if number is None:
        database.execute("INSERT INTO catalog.format VALUES (?)", [FORMAT])
    elif number > FORMAT:
        database.execute("ROLLBACK")
        raise StoredCatalogError(f"the sandbox was written by a later version of Firnline (format {number})")
    rows = database.execute("SELECT kind, document FROM catalog.objects").fetchall()
    entries = [from_json(kind, document) for kind, document in rows]
    gone = [entry for entry in entries if entry.session is not None and user_of(entry.session) not in living]
    save(database, {entry.id: None for entry in gone})
    catalog = Catalog([entry for entry in entries if entry not in gone])
    if not rows:
        catalog.add(Database(**new_fields(name=DEFAULT_DATABASE)))
        catalog.add(Schema(**new_fields(database=DEFAULT_DATABASE, name=DEFAULT_SCHEMA)))
        catalog.add(Warehouse(**new_fields(name=DEFAULT_WAREHOUSE)))
        save(database, catalog.changes)
        catalog.changes.clear()
    _sweep(database, catalog)
    database.execute("COMMIT")
    return catalog


def save(database: duckdb.DuckDBPyConnection, changes: Mapping[str, Entry | None]) -> None:
    """Write changed entries, inside the caller's transaction."""
    if not changes:
        return
    ids = list(changes)
    marks = ", ".join("?" for _ in ids)
    database.execute(f"DELETE FROM catalog.objects WHERE id IN ({marks})", ids)  # noqa: S608 (binds)
    rows = [(entry_id, entry.kind, to_json(entry)) for entry_id, entry in changes.items() if entry is not None]
    if rows:
        marks = ", ".join("(?, ?, ?)" for _ in rows)
        database.execute(
            f"INSERT INTO catalog.objects VALUES {marks}",  # noqa: S608 (binds)
            [value for row in rows for value in row],
        )


def next_version(database: duckdb.DuckDBPyConnection) -> int:
    """Give a number that was never given before."""
    return int(database.execute("SELECT nextval('catalog.version')").fetchall()[0][0])


def _sweep(database: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    """Drop the tables and sequences of temporary objects whose session ended without saying so."""
    known = {f"t_{entry.id}" for entry in catalog if isinstance(entry, Table)}
    for (name,) in database.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'data'").fetchall():
        if name not in known:
            database.execute(f'DROP TABLE data."{name}"')
    known = {f"s_{entry.id}" for entry in catalog if isinstance(entry, Sequence)}
    known |= {
        f"s_{column.sequence}"
        for entry in catalog
        if isinstance(entry, Table)
        for column in entry.columns
        if column.sequence
    }
    for (name,) in database.execute(
        "SELECT sequence_name FROM duckdb_sequences() WHERE schema_name = 'data'"
    ).fetchall():
        if name not in known:
            database.execute(f'DROP SEQUENCE data."{name}"')
