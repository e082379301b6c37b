"""Giving objects other names, and everything that is named after them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from firnline_sandbox.catalog import Database, Entry, Schema, Tag, View, changed
from firnline_sandbox.errors import already_exists
from firnline_sandbox.statements.creation import require_schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from firnline_sandbox.context import Context

    Home = tuple[str, str]

AnyEntry = TypeVar("AnyEntry", bound=Entry)


def rename(context: Context, entry: AnyEntry, names: tuple[str, str, str]) -> AnyEntry:
    """Rename an object of a schema, perhaps into another schema.

    Raises:
        ProgrammingError: 2003, there is no such schema; 2002, the name is taken.
    """
    require_schema(context, names)
    renamed = context.catalog.rename(entry, names)
    if isinstance(entry, Tag):
        _rename_tags(context, lambda full_name: renamed.full_name if full_name == entry.full_name else full_name)
    return renamed


def swap(context: Context, first: AnyEntry, second: AnyEntry) -> None:
    """Exchange the names of two objects of one kind."""
    places = [(entry.database, entry.schema, entry.name) for entry in (first, second)]
    for entry in (first, second):
        context.catalog.remove(entry)
    for entry, (database, schema, name) in zip((first, second), reversed(places), strict=True):
        context.catalog.put(changed(entry, database=database, schema=schema, name=name))


def rename_schema(context: Context, schema: Schema, home: Home) -> None:
    """Rename a schema with all that is in it.

    Raises:
        ProgrammingError: 2002, the name is taken; 2003, there is no such database.
    """
    if context.catalog.schema(*home) is not None:
        raise already_exists(".".join(home))
    old = (schema.database, schema.name)
    context.catalog.rename(schema, (home[0], "", home[1]))
    _move(context, lambda place: home if place == old else place)
    if context.home == old:
        context.connection.use(*home)


def swap_schemas(context: Context, first: Schema, second: Schema) -> None:
    """Exchange the names of two schemas."""
    homes = {(first.database, first.name): (second.database, second.name)}
    homes |= {new: old for old, new in homes.items()}
    swap(context, first, second)
    _move(context, lambda place: homes.get(place, place))


def rename_database(context: Context, database: Database, name: str) -> None:
    """Rename a database with all that is in it.

    Raises:
        ProgrammingError: 2002, the name is taken.
    """
    if context.catalog.database(name) is not None:
        raise already_exists(name)
    context.catalog.rename(database, ("", "", name))
    _move(context, lambda place: (name, place[1]) if place[0] == database.name else place)
    connection = context.connection
    if connection.database == database.name:
        connection.use(name, connection.schema)


def swap_databases(context: Context, first: Database, second: Database) -> None:
    """Exchange the names of two databases."""
    names = {first.name: second.name, second.name: first.name}
    swap(context, first, second)
    _move(context, lambda place: (names.get(place[0], place[0]), place[1]))


def _move(context: Context, new_place: Callable[[Home], Home]) -> None:
    """Put everything that lies in renamed schemas, or reads from them by partial names, where it is now."""
    moving = []
    for entry in list(context.catalog):
        home = new_place((entry.database, entry.schema)) if entry.database else ("", "")
        altered: Entry = entry
        if home != (entry.database, entry.schema):
            altered = replace(altered, database=home[0], schema=home[1])
        if isinstance(altered, View) and new_place(altered.home) != altered.home:
            altered = replace(altered, home=new_place(altered.home))
        if altered is not entry:
            moving.append((entry, altered))
    for entry, _ in moving:
        context.catalog.remove(entry)
    for _, altered in moving:
        context.catalog.put(altered)
    full_names = {old.full_name: new.full_name for old, new in moving if isinstance(old, Tag)}
    _rename_tags(context, lambda full_name: full_names.get(full_name, full_name))


def _rename_tags(context: Context, new_name: Callable[[str], str]) -> None:
    """Write the new names of tags where objects carry them."""
    for entry in list(context.catalog):
        tags = {new_name(full_name): value for full_name, value in entry.tags.items()}
        if tags != dict(entry.tags):
            context.catalog.put(replace(entry, tags=tags))
