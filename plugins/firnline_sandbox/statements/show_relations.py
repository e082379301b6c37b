"""SHOW TABLES, VIEWS, OBJECTS, COLUMNS, PRIMARY KEYS and UNIQUE KEYS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox.catalog import Entry, Table, View
from firnline_sandbox.errors import missing_context
from firnline_sandbox.statements.registry import statement
from firnline_sandbox.statements.showing import TERSE, Show, read_show, yes_no
from firnline_sandbox.statements.sizes import estimated_bytes, row_counts
from firnline_sandbox.types import INTEGER, MAX_BINARY, MAX_TEXT, TEXT, TIMESTAMP_LTZ

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from firnline_sandbox.catalog import TableColumn
    from firnline_sandbox.context import Context
    from firnline_sandbox.result import Result
    from firnline_sandbox.statements.listing import Columns
    from firnline_sandbox.types import SnowflakeType

_TABLE_TEXTS: Final = (
    "database_name", "schema_name", "kind", "comment", "cluster_by", "rows", "bytes", "owner", "retention_time",
    "automatic_clustering", "change_tracking", "search_optimization", "search_optimization_progress",
    "search_optimization_bytes", "is_external", "enable_schema_evolution", "owner_role_type", "is_event", "budget",
    "is_hybrid", "is_iceberg", "is_dynamic", "is_immutable",
)  # fmt: skip
_NUMBERS: Final = frozenset({"rows", "bytes", "search_optimization_progress", "search_optimization_bytes"})
TABLE_COLUMNS: Final[Columns] = {"created_on": TIMESTAMP_LTZ, "name": TEXT} | {
    name: INTEGER if name in _NUMBERS else TEXT for name in _TABLE_TEXTS
}
OBJECT_COLUMNS: Final[Columns] = {"created_on": TIMESTAMP_LTZ, "name": TEXT} | {
    name: INTEGER if name in _NUMBERS else TEXT
    for name in (
        "database_name", "schema_name", "kind", "comment", "cluster_by", "rows", "bytes", "owner", "retention_time",
        "owner_role_type", "budget", "is_hybrid", "is_dynamic", "is_iceberg",
    )
}  # fmt: skip
VIEW_COLUMNS: Final[Columns] = {"created_on": TIMESTAMP_LTZ} | dict.fromkeys(
    (
        "name", "reserved", "database_name", "schema_name", "owner", "comment", "text", "is_secure",
        "is_materialized", "owner_role_type", "change_tracking",
    ),
    TEXT,
)  # fmt: skip
COLUMN_COLUMNS: Final[Columns] = dict.fromkeys(
    (
        "table_name", "schema_name", "column_name", "data_type", "null?", "default", "kind", "expression", "comment",
        "database_name", "autoincrement", "schema_evolution_record",
    ),
    TEXT,
)  # fmt: skip
KEY_COLUMNS: Final[Columns] = {
    "created_on": TIMESTAMP_LTZ,
    "database_name": TEXT,
    "schema_name": TEXT,
    "table_name": TEXT,
    "column_name": TEXT,
    "key_sequence": INTEGER,
    "constraint_name": TEXT,
    "rely": TEXT,
    "comment": TEXT,
}


def relations(context: Context, database: str | None, schema: str | None) -> list[Entry]:
    """List tables, views and whatever else has columns of its own, of a schema, a database or all."""
    found = context.catalog.entries(Entry, database=database, schema=schema, session=context.session_id)
    return [entry for entry in found if entry.namespace == "RELATION" and entry.kind != "STREAM"]


@statement("SHOW TABLES", "SHOW TERSE TABLES", writes=False)
def show_tables(context: Context, sql: str) -> Result:
    """List tables with their numbers of rows."""
    show = read_show(context, context.scanner(sql), "TABLES")
    found = context.catalog.entries(Table, database=show.database, schema=show.schema, session=context.session_id)
    counts = row_counts(context, found)
    return show.answer(TABLE_COLUMNS, [_table_row(table, counts) for table in found], terse=TERSE)


def _table_row(table: Table, counts: Mapping[str, int]) -> dict[str, Any]:
    no = dict.fromkeys(("is_external", "is_event", "is_hybrid", "is_iceberg", "is_dynamic", "is_immutable"), "N")
    rows = counts[table.id]
    return no | {
        "is_dynamic": yes_no(table.kind == "DYNAMIC TABLE"),
        "created_on": table.created,
        "name": table.name,
        "database_name": table.database,
        "schema_name": table.schema,
        "kind": table.variety,
        "comment": table.comment,
        "cluster_by": table.cluster_by,
        "rows": rows,
        "bytes": estimated_bytes(table, rows),
        "owner": table.owner,
        "retention_time": "1",
        "automatic_clustering": "ON" if table.cluster_by else "OFF",
        "change_tracking": "OFF",
        "search_optimization": "OFF",
        "search_optimization_progress": None,
        "search_optimization_bytes": None,
        "enable_schema_evolution": "N",
        "owner_role_type": "ROLE",
        "budget": None,
    }


@statement("SHOW VIEWS", "SHOW TERSE VIEWS", writes=False)
def show_views(context: Context, sql: str) -> Result:
    """List views with their texts."""
    show = read_show(context, context.scanner(sql), "VIEWS")
    found = context.catalog.entries(View, database=show.database, schema=show.schema, session=context.session_id)
    rows = [
        {
            "created_on": view.created,
            "name": view.name,
            "kind": "VIEW",
            "reserved": "",
            "database_name": view.database,
            "schema_name": view.schema,
            "owner": view.owner,
            "comment": view.comment,
            "text": view.text,
            "is_secure": str(view.is_secure).lower(),
            "is_materialized": "false",
            "owner_role_type": "ROLE",
            "change_tracking": "OFF",
        }
        for view in found
    ]
    return show.answer(VIEW_COLUMNS, rows, terse=TERSE)


@statement("SHOW OBJECTS", "SHOW TERSE OBJECTS", writes=False)
def show_objects(context: Context, sql: str) -> Result:
    """List tables and views together."""
    show = read_show(context, context.scanner(sql), "OBJECTS")
    found = relations(context, show.database, show.schema)
    counts = row_counts(context, [entry for entry in found if isinstance(entry, Table)])
    return show.answer(OBJECT_COLUMNS, [_object_row(entry, counts) for entry in found], terse=TERSE)


def _object_row(entry: Entry, counts: Mapping[str, int]) -> dict[str, Any]:
    rows = counts.get(entry.id)
    is_table = isinstance(entry, Table)
    return {
        "created_on": entry.created,
        "name": entry.name,
        "database_name": entry.database,
        "schema_name": entry.schema,
        "kind": entry.variety if isinstance(entry, Table) else entry.kind,
        "comment": entry.comment,
        "cluster_by": entry.cluster_by if isinstance(entry, Table) else "",
        "rows": rows,
        "bytes": estimated_bytes(entry, rows) if isinstance(entry, Table) and rows is not None else None,
        "owner": entry.owner,
        "retention_time": "1" if is_table else "",
        "owner_role_type": "ROLE",
        "budget": None,
        "is_hybrid": "N",
        "is_dynamic": yes_no(entry.kind == "DYNAMIC TABLE"),
        "is_iceberg": "N",
    }


def _wanted(context: Context, show: Show) -> list[Entry]:
    """List the relations that SHOW COLUMNS and SHOW … KEYS are about."""
    if show.relation is None:
        return relations(context, show.database, show.schema)
    found = context.catalog.find_relation(show.relation, context.session_id)
    if found is None:
        raise missing_context(".".join(show.relation))
    return [found]


def columns_of(entry: Entry) -> tuple[TableColumn, ...]:
    """Give a relation's columns."""
    columns: tuple[TableColumn, ...] = getattr(entry, "columns", ())
    return columns


@statement("SHOW COLUMNS", writes=False)
def show_columns(context: Context, sql: str) -> Result:
    """List columns with their types as JSON."""
    show = read_show(context, context.scanner(sql), "COLUMNS", scope="TABLE")
    rows = [
        {
            "table_name": entry.name,
            "schema_name": entry.schema,
            "column_name": column.name,
            "data_type": type_json(column.type, nullable=column.nullable),
            "null?": "true" if column.nullable else "NOT_NULL",
            "default": column.default or "",
            "kind": "COLUMN",
            "expression": "",
            "comment": column.comment,
            "database_name": entry.database,
            "autoincrement": shown_increment(column),
            "schema_evolution_record": None,
        }
        for entry in _wanted(context, show)
        for column in columns_of(entry)
    ]
    return show.answer(COLUMN_COLUMNS, rows, key="column_name")


def shown_increment(column: TableColumn) -> str:
    """Describe an AUTOINCREMENT column as Snowflake does; empty for another column."""
    if column.increment is None:
        return ""
    start, step = column.increment
    return f"IDENTITY START {start} INCREMENT {step} NOORDER"


def type_json(type_: SnowflakeType, *, nullable: bool) -> str:
    """Write a type as SHOW COLUMNS does."""
    match type_.kind:
        case "NUMBER":
            found: dict[str, Any] = {"type": "FIXED", "precision": type_.precision, "scale": type_.scale}
        case "FLOAT":
            found = {"type": "REAL"}
        case "TEXT" | "NULL":
            length = type_.length or MAX_TEXT
            found = {"type": "TEXT", "length": length, "byteLength": min(length * 4, MAX_TEXT)}
        case "BINARY":
            length = type_.length or MAX_BINARY
            found = {"type": "BINARY", "length": length, "byteLength": length}
        case "TIME" | "TIMESTAMP_NTZ" | "TIMESTAMP_LTZ" | "TIMESTAMP_TZ":
            found = {"type": type_.kind, "precision": 0, "scale": type_.scale}
        case _:
            found = {"type": type_.kind}
    found["nullable"] = nullable
    if found["type"] in {"TEXT", "BINARY"}:
        found["fixed"] = found["type"] == "BINARY"
    return json.dumps(found, separators=(",", ":"))


def constraint_name(table: Table, kind: str) -> str:
    """Name a table's constraint that was given no name, the same one each time."""
    return f"SYS_CONSTRAINT_{table.id}_{kind}"


def _keys(tables: list[Entry], kind: str) -> Iterator[dict[str, Any]]:
    for table in tables:
        if not isinstance(table, Table):
            continue
        named = [column for column in table.columns if (column.primary_key if kind == "PK" else column.unique_key)]
        for number, column in enumerate(named, start=1):
            yield {
                "created_on": table.created,
                "database_name": table.database,
                "schema_name": table.schema,
                "table_name": table.name,
                "column_name": column.name,
                "key_sequence": number,
                "constraint_name": constraint_name(table, kind),
                "rely": "false",
                "comment": None,
            }


@statement("SHOW PRIMARY KEYS", "SHOW TERSE PRIMARY KEYS", writes=False)
def show_primary_keys(context: Context, sql: str) -> Result:
    """List the columns of primary keys."""
    show = read_show(context, context.scanner(sql), "PRIMARY", "KEYS", scope="TABLE")
    return show.answer(KEY_COLUMNS, list(_keys(_wanted(context, show), "PK")), key="table_name")


@statement("SHOW UNIQUE KEYS", "SHOW TERSE UNIQUE KEYS", writes=False)
def show_unique_keys(context: Context, sql: str) -> Result:
    """List the columns of unique keys."""
    show = read_show(context, context.scanner(sql), "UNIQUE", "KEYS", scope="TABLE")
    return show.answer(KEY_COLUMNS, list(_keys(_wanted(context, show), "UK")), key="table_name")
