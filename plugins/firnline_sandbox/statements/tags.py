"""Tags on objects: the checks, setting and unsetting them, and reading them with those of the objects around."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from firnline_sandbox.catalog import Database, Entry, Schema, Stage, Tag, Warehouse, changed
from firnline_sandbox.errors import error, missing_object, unsupported
from firnline_sandbox.statements.registry import system_function, table_function
from firnline_sandbox.statements.rows_relation import rows_relation
from firnline_sandbox.statements.scanner import split_name
from firnline_sandbox.types import TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from firnline_sandbox.context import Context
    from firnline_sandbox.statements.listing import Columns
    from firnline_sandbox.statements.scanner import Scanner
    from firnline_sandbox.translate.surroundings import Relation

AnyEntry = TypeVar("AnyEntry", bound=Entry)

REFERENCE_COLUMNS: Final[Columns] = dict.fromkeys(
    (
        "TAG_DATABASE", "TAG_SCHEMA", "TAG_NAME", "TAG_VALUE", "LEVEL", "OBJECT_DATABASE", "OBJECT_SCHEMA",
        "OBJECT_NAME", "DOMAIN", "COLUMN_NAME", "APPLY_METHOD",
    ),
    TEXT,
)  # fmt: skip
# Snowflake's names of the kinds of objects that carry tags, and the catalog's.
_DOMAINS: Final = {
    "TABLE": "RELATION",
    "VIEW": "RELATION",
    "DYNAMIC TABLE": "RELATION",
    "MODULE": "MODEL",
    "MODEL": "MODEL",
    "STAGE": Stage.kind,
    "SCHEMA": Schema.kind,
    "DATABASE": Database.kind,
    "WAREHOUSE": Warehouse.kind,
}


def checked_tag(context: Context, parts: Sequence[str], value: str) -> tuple[str, str]:
    """Find a tag and check a value for it; gives its full name and the value.

    Raises:
        ProgrammingError: 2003, there is no such tag; 391801, the tag does not allow the value.
    """
    tag = find_tag(context, parts)
    if tag.allowed_values is not None and value not in tag.allowed_values:
        raise error(391801, "22023", f"Tag value '{value}' is not allowed for tag '{tag.full_name}'.")
    return tag.full_name, value


def find_tag(context: Context, parts: Sequence[str]) -> Tag:
    """Find a tag.

    Raises:
        ProgrammingError: 2003, there is none.
    """
    names = context.qualify(parts)
    tag = context.catalog.find(Tag, names)
    if tag is None:
        raise missing_object("tag", ".".join(names))
    return tag


def set_tags(context: Context, scanner: Scanner, entry: AnyEntry) -> AnyEntry:
    """Read ``t = 'value' [, …]`` after SET TAG and copy the object with these tags."""
    tags = dict(entry.tags)
    while True:
        name = scanner.name()
        scanner.expect("=")
        full_name, value = checked_tag(context, name, scanner.text())
        tags[full_name] = value
        if not scanner.take(","):
            break
    scanner.expect_end()
    return changed(entry, tags=tags)


def unset_tags(context: Context, scanner: Scanner, entry: AnyEntry) -> AnyEntry:
    """Read ``t [, …]`` after UNSET TAG and copy the object without these tags."""
    tags = dict(entry.tags)
    while True:
        tags.pop(find_tag(context, scanner.name()).full_name, None)
        if not scanner.take(","):
            break
    scanner.expect_end()
    return changed(entry, tags=tags)


def tagged_object(context: Context, name: str, domain: str) -> Entry:
    """Find the object that SYSTEM$GET_TAG and TAG_REFERENCES name.

    Raises:
        ProgrammingError: 2003, there is none; 2, the sandbox keeps no tags of such objects.
    """
    kind = domain.upper()
    if kind not in _DOMAINS:
        raise unsupported(f"tags of a {domain.lower()}")
    parts = split_name(name)
    if kind in {"DATABASE", "WAREHOUSE"}:
        names: tuple[str, str, str] = ("", "", parts[-1])
    elif kind == "SCHEMA":
        database, schema = context.qualify_schema(parts)
        names = (database, "", schema)
    else:
        names = context.qualify(parts)
    namespace = _DOMAINS[kind]
    found = None
    for entry in context.catalog:
        if entry.key[:4] == (namespace, *names) and entry.session in (None, context.session_id):
            found = entry if found is None or entry.session is not None else found
    if found is None:
        raise missing_object(
            "module" if namespace == "MODEL" else kind.lower(), ".".join(part for part in names if part)
        )
    return found


def _around(context: Context, entry: Entry) -> Iterator[tuple[str, Entry]]:
    """Give the object and those whose tags it inherits, the nearest first, each with its level."""
    levels = {"DATABASE": "DATABASE", "SCHEMA": "SCHEMA", "WAREHOUSE": "WAREHOUSE", "MODEL": "MODULE", "STAGE": "STAGE"}
    yield levels.get(entry.kind, "TABLE"), entry
    schema = context.catalog.schema(entry.database, entry.schema) if entry.schema else None
    if schema is not None:
        yield "SCHEMA", schema
    database = context.catalog.database(entry.database) if entry.database else None
    if database is not None:
        yield "DATABASE", database


@system_function("SYSTEM$GET_TAG")
def get_tag(context: Context, arguments: list[Any]) -> str | None:
    """``SYSTEM$GET_TAG('tag', 'object', 'domain')``: the tag's value, inherited ones among them."""
    tag_name, object_name, domain = (str(argument) for argument in arguments)
    tag = find_tag(context, split_name(tag_name))
    entry = tagged_object(context, object_name, domain)
    return next((one.tags[tag.full_name] for _, one in _around(context, entry) if tag.full_name in one.tags), None)


@table_function("TAG_REFERENCES")
def tag_references(context: Context, arguments: Sequence[Any], named: Mapping[str, Any]) -> Relation:
    """``INFORMATION_SCHEMA.TAG_REFERENCES('object', 'domain')``."""
    del named
    object_name, domain = (str(argument) for argument in arguments)
    entry = tagged_object(context, object_name, domain)
    return rows_relation(context, REFERENCE_COLUMNS, reference_rows(context, entry, domain.upper()))


def reference_rows(context: Context, entry: Entry, domain: str) -> list[dict[str, Any]]:
    """List an object's tags, inherited ones among them."""
    found: dict[str, dict[str, Any]] = {}
    for level, one in _around(context, entry):
        for full_name, value in one.tags.items():
            database, schema, name = split_name(full_name)
            found.setdefault(
                full_name,
                {
                    "TAG_DATABASE": database,
                    "TAG_SCHEMA": schema,
                    "TAG_NAME": name,
                    "TAG_VALUE": value,
                    "LEVEL": level,
                    "OBJECT_DATABASE": entry.database or None,
                    "OBJECT_SCHEMA": entry.schema or None,
                    "OBJECT_NAME": entry.name,
                    "DOMAIN": domain,
                    "COLUMN_NAME": None,
                    "APPLY_METHOD": "MANUAL" if one is entry else "INHERITED",
                },
            )
    return list(found.values())
