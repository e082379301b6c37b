"""COMMENT ON."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from firnline_sandbox.catalog import (
    Database,
    Entry,
    FileFormat,
    Schema,
    Sequence,
    Stage,
    Table,
    Tag,
    View,
    Warehouse,
    changed,
)
from firnline_sandbox.errors import missing_object, unsupported
from firnline_sandbox.result import Result
from firnline_sandbox.statements.registry import statement
from firnline_sandbox.statements.targets import column_named

if TYPE_CHECKING:
    from firnline_sandbox.context import Context

_KINDS: Final[dict[str, type[Entry]]] = {
    cls.kind: cls for cls in (Database, FileFormat, Schema, Sequence, Stage, Table, Tag, View, Warehouse)
}
_PHRASES: Final = [f"COMMENT {middle}{kind}" for kind in (*_KINDS, "COLUMN") for middle in ("ON ", "IF EXISTS ON ")]


@statement(*_PHRASES)
def comment_on(context: Context, sql: str) -> Result:
    """``COMMENT [IF EXISTS] ON <kind> <name> IS '…'``."""
    scanner = context.scanner(sql)
    scanner.expect("COMMENT")
    if_exists = scanner.take("IF", "EXISTS")
    scanner.expect("ON")
    if scanner.take("COLUMN"):
        *parts, column_name = scanner.name()
        scanner.expect("IS")
        _comment_on_column(context, tuple(parts), column_name, scanner.text())
        scanner.expect_end()
        return Result.status()
    kind = next(kind for kind in _KINDS if scanner.take(*kind.split()))
    names = _full_name(context, kind, scanner.name())
    scanner.expect("IS")
    comment = scanner.text()
    scanner.expect_end()
    entry = context.catalog.find(_KINDS[kind], names, context.session_id)
    if entry is not None:
        context.catalog.put(changed(entry, comment=comment))
    elif not if_exists:
        raise missing_object(kind.lower(), ".".join(part for part in names if part))
    return Result.status()


def _full_name(context: Context, kind: str, parts: tuple[str, ...]) -> tuple[str, str, str]:
    if kind in {"DATABASE", "WAREHOUSE"}:
        return ("", "", parts[-1])
    if kind == "SCHEMA":
        database, schema = context.qualify_schema(parts)
        return (database, "", schema)
    return context.qualify(parts)


def _comment_on_column(context: Context, parts: tuple[str, ...], name: str, comment: str) -> None:
    names = context.qualify(parts)
    relation = context.catalog.find_relation(names, context.session_id)
    if relation is None:
        raise missing_object("table", ".".join(names))
    if not isinstance(relation, Table):
        raise unsupported("COMMENT ON COLUMN of a view")
    column = column_named(relation, name)
    columns = tuple(replace(each, comment=comment) if each is column else each for each in relation.columns)
    context.catalog.put(changed(relation, columns=columns))
