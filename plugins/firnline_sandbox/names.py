"""Names in a statement: completed with the session's current database and schema, and looked up in the catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firnline_sandbox.errors import missing_object, missing_session_context
from firnline_sandbox.statements.scanner import split_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firnline_sandbox.catalog import Catalog, Table
    from firnline_sandbox.connection import SandboxConnection


class Names:
    """What a name means in a session, to one state of the catalog."""

    def __init__(self, connection: SandboxConnection, catalog: Catalog, home: tuple[str, str] | None = None) -> None:
        self.connection = connection
        self.catalog = catalog
        """The catalog as this statement's transaction sees it."""
        self._home = home

    @property
    def session_id(self) -> int:
        """The session whose temporary objects this statement sees."""
        return self.connection.session_id

    @property
    def home(self) -> tuple[str | None, str | None]:
        """The database and schema in which partial names are looked up."""
        return self._home or (self.connection.database, self.connection.schema)

    def resolve(self, name: str) -> tuple[str, str, str]:
        """Split a possibly quoted or partial name into database, schema and name, with the session's defaults."""
        return self.qualify(split_name(name))

    def qualify(self, parts: Sequence[str]) -> tuple[str, str, str]:
        """Complete a name's parts with the current database and schema.

        Raises:
            ProgrammingError: 90105, the name is partial and the session has no current database or schema.
        """
        database, schema = self.home
        match tuple(parts):
            case (name,):
                if database is None or schema is None:
                    raise missing_session_context()
                return database, schema, name
            case (other_schema, name):
                if database is None:
                    raise missing_session_context()
                return database, other_schema, name
            case (other_database, other_schema, name):
                return other_database, other_schema, name
            case _:
                raise missing_object("object", ".".join(parts))

    def qualify_schema(self, parts: Sequence[str]) -> tuple[str, str]:
        """Complete a schema's name with the current database."""
        database, _ = self.home
        if len(parts) == 2:
            return parts[0], parts[1]
        if database is None or len(parts) != 1:
            raise missing_session_context()
        return database, parts[0]

    def table(self, parts: Sequence[str]) -> Table:
        """Find a table.

        Raises:
            ProgrammingError: 2003, there is none; 2, the name is a view's, which cannot be written to.
        """
        from firnline_sandbox.catalog import Table
        from firnline_sandbox.errors import COMPILATION, error, not_a_table

        full = self.qualify(parts)
        found = self.catalog.find_relation(full, self.session_id)
        if found is None:
            raise missing_object("table", ".".join(full))
        if not isinstance(found, Table):
            raise not_a_table(".".join(full))
        if found.kind == "DYNAMIC TABLE":
            raise error(
                91400, "0A000", f"{COMPILATION}Object {found.full_name} is a dynamic table: it cannot be changed so."
            )
        return found
