"""Taking objects away: their catalog entries, their tables in DuckDB and their files."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from firnline_sandbox.catalog import Sequence, Stage, Table

if TYPE_CHECKING:
    from firnline_sandbox.catalog import Entry
    from firnline_sandbox.engine import SandboxEngine
    from firnline_sandbox.transaction import Transaction


def remove_temporary_objects(engine: SandboxEngine, session: int) -> None:
    """Drop what only one session sees, when it ends."""
    if not any(entry.session == session for entry in engine.catalog):
        return
    with engine.write() as transaction:
        for entry in list(transaction.catalog):
            if entry.session == session:
                remove_entry(transaction, engine, entry)


def remove_entry(transaction: Transaction, engine: SandboxEngine, entry: Entry) -> None:
    """Drop an object with everything that it owns."""
    from firnline_sandbox.streams.capture import forget  # which needs the statements that need this module

    transaction.catalog.remove(entry)
    forget(transaction, entry)
    if isinstance(entry, Table):
        transaction.cursor.execute(f"DROP TABLE IF EXISTS {entry.physical}")
        for column in entry.columns:
            if column.sequence:
                transaction.cursor.execute(f'DROP SEQUENCE IF EXISTS data."s_{column.sequence}"')
    elif isinstance(entry, Sequence):
        transaction.cursor.execute(f"DROP SEQUENCE IF EXISTS {entry.physical}")
    if isinstance(entry, Stage | Table):
        folder = engine.stage_folder(entry)
        transaction.after_commit(lambda: shutil.rmtree(folder, ignore_errors=True))
