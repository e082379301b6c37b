"""A writing transaction: DuckDB's, a fork of the catalog, and what is to happen to files afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firnline_sandbox.catalog import offsets, receipts, storage

if TYPE_CHECKING:
    from collections.abc import Callable

    import duckdb

    from firnline_sandbox.catalog import Catalog, Table
    from firnline_sandbox.catalog.offsets import Consumption
    from firnline_sandbox.engine import SandboxEngine


class Transaction:
    """Made by :meth:`SandboxEngine.begin`; ends with exactly one commit or rollback."""

    def __init__(self, engine: SandboxEngine, cursor: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
        self._engine = engine
        self.cursor = cursor
        self.catalog = catalog
        self.receipt: tuple[str, bytes] | None = None
        """A query's id, and what whoever sent it is told if the answer to it is lost (see ``receipts``)."""
        self._consumed: dict[str, Consumption] = {}
        self._after_commit: list[Callable[[], None]] = []
        self._after_rollback: list[Callable[[], None]] = []

    def consume(self, consumption: Consumption) -> None:
        """Move a stream on when the transaction commits, as far as it was first read."""
        self._consumed.setdefault(consumption.stream, consumption)

    def after_commit(self, action: Callable[[], None]) -> None:
        """Do this once the transaction has committed (removing files that nothing names any more)."""
        self._after_commit.append(action)

    def after_rollback(self, action: Callable[[], None]) -> None:
        """Do this if the transaction is rolled back (removing files that it made)."""
        self._after_rollback.append(action)

    @property
    def is_untouched(self) -> bool:
        """Say whether nothing has been changed in this transaction so far."""
        return list(map(id, self.catalog)) == list(map(id, self._engine.catalog))

    def restart(self) -> None:
        """Start anew after DuckDB gave up on the transaction; only while it is untouched."""
        self.cursor.execute("ROLLBACK")
        self.cursor.execute("BEGIN")

    def touch(self, table: Table) -> None:
        """Mark a table's rows or columns as changed."""
        current = self.catalog.find(type(table), (table.database, table.schema, table.name), table.session)
        if current is not None:
            self.catalog.touch(current, storage.next_version(self.cursor))

    def commit(self) -> None:
        """Make the changes of data and catalog visible, both at once."""
        try:
            if self.receipt is not None:
                receipts.note(self.cursor, *self.receipt)
            offsets.advance(self.cursor, self._consumed.values())
            storage.save(self.cursor, self.catalog.changes)
            self.cursor.execute("COMMIT")
        except BaseException:
            self.rollback()
            raise
        self._engine.publish(self.catalog)
        self._end()
        for action in self._after_commit:
            action()

    def rollback(self) -> None:
        """Undo everything."""
        try:
            self.cursor.execute("ROLLBACK")
        finally:
            self._end()
        for action in self._after_rollback:
            action()

    def _end(self) -> None:
        self._engine.cursors.give(self.cursor)
        self._engine.write_lock.release()
