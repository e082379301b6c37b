"""INFORMATION_SCHEMA of every database, and SNOWFLAKE.ACCOUNT_USAGE: views made from the catalog and the history."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox.errors import missing_object, unsupported
from firnline_sandbox.statements.rows_relation import rows_relation

if TYPE_CHECKING:
    from collections.abc import Callable

    from firnline_sandbox.context import Context
    from firnline_sandbox.statements.listing import Columns
    from firnline_sandbox.translate.surroundings import Relation

    Rows = Callable[[Context, str], list[dict[str, Any]]]

ACCOUNT_DATABASE: Final = "SNOWFLAKE"
ACCOUNT_USAGE: Final = "ACCOUNT_USAGE"
_ACCOUNT_SCHEMAS: Final = frozenset({ACCOUNT_USAGE, "ORGANIZATION_USAGE", "READER_ACCOUNT_USAGE", "INFORMATION_SCHEMA"})

_views: Final[dict[tuple[str, str], tuple[Columns, Rows]]] = {}
_MODULES: Final = ("information_views", "usage_views")


def information_view(name: str, columns: Columns, *, schema: str = "INFORMATION_SCHEMA") -> Callable[[Rows], Rows]:
    """Register a view; ``rows(context, database)`` gives its rows as dictionaries, NULL where a name is left out."""

    def register(rows: Rows) -> Rows:
        _views[schema, name] = (columns, rows)
        return rows

    return register


def information_schema(context: Context, database: str, name: str) -> Relation:
    """Give a view of a database's INFORMATION_SCHEMA.

    Raises:
        ProgrammingError: 2003, there is no such database; 2, the sandbox lacks the view.
    """
    if database != ACCOUNT_DATABASE and context.catalog.database(database) is None:
        raise missing_object("database", database)
    return _view(context, database, "INFORMATION_SCHEMA", name)


def account_usage(context: Context, schema: str, name: str) -> Relation:
    """Give a view of the account's usage.

    Raises:
        ProgrammingError: 2003, there is no such schema; 2, the sandbox lacks the view.
    """
    if schema not in _ACCOUNT_SCHEMAS:
        raise missing_object("schema", f"{ACCOUNT_DATABASE}.{schema}")
    return _view(context, ACCOUNT_DATABASE, schema, name)


def views() -> list[tuple[str, str]]:
    """List the schema and name of every view, in order."""
    _load()
    return sorted(_views)


def _load() -> None:
    for module in _MODULES:
        importlib.import_module(f"firnline_sandbox.statements.{module}")


def _view(context: Context, database: str, schema: str, name: str) -> Relation:
    _load()
    if (schema, name) not in _views:
        raise unsupported(f"{schema}.{name}")
    columns, rows = _views[schema, name]
    return rows_relation(context, columns, rows(context, database))
