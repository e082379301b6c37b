"""The catalog in memory. A writing statement works on a fork, which takes the old one's place when it commits."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import TYPE_CHECKING, Any, TypeVar

from firnline_sandbox.catalog.entries import Database, Entry, Schema, Table, changed
from firnline_sandbox.errors import already_exists, missing_object

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Key = tuple[str, str, str, str, int | None]

AnyEntry = TypeVar("AnyEntry", bound=Entry)


# A session's id is its number among those of its user, behind its user's number; that of the engine's own process is 0.
_SESSIONS_OF_A_USER = 2**20


def session_id(user: int, number: int) -> int:
    """Give the id of a user's session."""
    return user * _SESSIONS_OF_A_USER + number % _SESSIONS_OF_A_USER


def user_of(session: int) -> int:
    """Give the number of the process that a session belongs to; 0 for the one that has the engine."""
    return session // _SESSIONS_OF_A_USER


def is_kept(entry: Entry) -> bool:
    """Say whether an entry is written to disk: temporary objects of other processes' sessions outlive the engine."""
    return entry.session is None or user_of(entry.session) != 0


def new_fields(**names: Any) -> dict[str, Any]:
    """Give the fields that every new entry starts with: a fresh id and the time."""
    now = dt.datetime.now(dt.UTC)
    return {"id": uuid.uuid4().hex[:16], "created": now, "altered": now, **names}


class Catalog:
    """All objects, as one transaction sees them."""

    def __init__(self, entries: Iterable[Entry] = (), *, revision: int = 0) -> None:
        self._entries: dict[Key, Entry] = {entry.key: entry for entry in entries}
        self.revision = revision
        self.changes: dict[str, Entry | None] = {}
        """Entries that are kept on disk and were put (or None: removed) since the fork, by id."""

    def fork(self) -> Catalog:
        """Copy the catalog for a writing transaction."""
        copy = Catalog(revision=self.revision + 1)
        copy._entries = dict(self._entries)
        return copy

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    # -- reading

    def find(self, kind: type[AnyEntry], parts: tuple[str, str, str], session: int | None = None) -> AnyEntry | None:
        """Find an object by database, schema and name; a session's temporary object hides a permanent one."""
        namespace = kind.namespace or kind.kind
        found = None
        if session is not None:
            found = self._entries.get((namespace, *parts, session))
        if found is None:
            found = self._entries.get((namespace, *parts, None))
        return found if isinstance(found, kind) else None

    def find_relation(self, parts: tuple[str, str, str], session: int | None = None) -> Entry | None:
        """Find a table or a view."""
        if session is not None and (found := self._entries.get(("RELATION", *parts, session))):
            return found
        return self._entries.get(("RELATION", *parts, None))

    def database(self, name: str) -> Database | None:
        """Find a database."""
        return self.find(Database, ("", "", name))

    def schema(self, database: str, name: str) -> Schema | None:
        """Find a schema."""
        return self.find(Schema, (database, "", name))

    def by_id(self, entry_id: str) -> Entry | None:
        """Find an object by its id."""
        return next((entry for entry in self._entries.values() if entry.id == entry_id), None)

    def entries(
        self,
        kind: type[AnyEntry],
        *,
        database: str | None = None,
        schema: str | None = None,
        session: int | None = None,
    ) -> list[AnyEntry]:
        """List objects by name, those of other sessions left out."""
        found = [
            entry
            for entry in self._entries.values()
            if isinstance(entry, kind)
            and (database is None or entry.database == database)
            and (schema is None or entry.schema == schema)
            and entry.session in (None, session)
        ]
        return sorted(found, key=lambda entry: (entry.database, entry.schema, entry.name))

    # -- writing, in a fork

    def put(self, entry: Entry) -> None:
        """Add an entry, or write a changed one in the old one's place."""
        self._entries[entry.key] = entry
        if is_kept(entry):
            self.changes[entry.id] = entry

    def add(self, entry: Entry) -> None:
        """Add a new entry to a schema that exists.

        Raises:
            ProgrammingError: 2002, the name is taken; 2003, there is no such database or schema.
        """
        if entry.key in self._entries:
            raise already_exists(entry.full_name)
        if entry.schema and self.schema(entry.database, entry.schema) is None:
            raise missing_object("schema", f"{entry.database}.{entry.schema}")
        if entry.database and self.database(entry.database) is None:
            raise missing_object("database", entry.database)
        self.put(entry)

    def remove(self, entry: Entry) -> None:
        """Forget an entry."""
        del self._entries[entry.key]
        if is_kept(entry):
            self.changes[entry.id] = None

    def rename(self, entry: AnyEntry, parts: tuple[str, str, str]) -> AnyEntry:
        """Give an entry another name, and perhaps another schema.

        Raises:
            ProgrammingError: 2002, the name is taken; 2003, there is no such schema.
        """
        database, schema, name = parts
        renamed = changed(entry, database=database, schema=schema, name=name)
        self.remove(entry)
        self.add(renamed)
        return renamed

    def touch(self, table: Table, version: int) -> Table:
        """Mark a table as changed."""
        touched = changed(table, version=version)
        self.put(touched)
        return touched
