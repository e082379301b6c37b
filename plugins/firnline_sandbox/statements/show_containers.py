"""SHOW DATABASES, SCHEMAS, STAGES, FILE FORMATS, SEQUENCES and TAGS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox.catalog import Database, FileFormat, Schema, Sequence, Stage, Tag
from firnline_sandbox.stages.formats import complete
from firnline_sandbox.statements.registry import statement
from firnline_sandbox.statements.showing import INFORMATION_SCHEMA, TERSE, read_show, yes_no
from firnline_sandbox.types import INTEGER, TEXT, TIMESTAMP_LTZ

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firnline_sandbox.catalog import Entry
    from firnline_sandbox.context import Context
    from firnline_sandbox.result import Result
    from firnline_sandbox.statements.listing import Columns

DATABASE_COLUMNS: Final[Columns] = {"created_on": TIMESTAMP_LTZ} | dict.fromkeys(
    (
        "name", "is_default", "is_current", "origin", "owner", "comment", "options", "retention_time", "kind",
        "budget", "owner_role_type", "object_visibility",
    ),
    TEXT,
)  # fmt: skip
SCHEMA_COLUMNS: Final[Columns] = {"created_on": TIMESTAMP_LTZ} | dict.fromkeys(
    (
        "name", "is_default", "is_current", "database_name", "owner", "comment", "options", "retention_time",
        "owner_role_type", "budget", "classification_profile_database", "classification_profile_schema",
        "classification_profile", "object_visibility",
    ),
    TEXT,
)  # fmt: skip
STAGE_COLUMNS: Final[Columns] = {"created_on": TIMESTAMP_LTZ} | dict.fromkeys(
    (
        "name", "database_name", "schema_name", "url", "has_credentials", "has_encryption_key", "owner", "comment",
        "region", "type", "cloud", "notification_channel", "storage_integration", "endpoint", "owner_role_type",
        "directory_enabled",
    ),
    TEXT,
)  # fmt: skip
FORMAT_COLUMNS: Final[Columns] = {"created_on": TIMESTAMP_LTZ} | dict.fromkeys(
    ("name", "database_name", "schema_name", "type", "owner", "comment", "format_options", "owner_role_type"), TEXT
)
SEQUENCE_COLUMNS: Final[Columns] = {
    "name": TEXT,
    "database_name": TEXT,
    "schema_name": TEXT,
    "next_value": INTEGER,
    "interval": INTEGER,
    "created_on": TIMESTAMP_LTZ,
    "owner": TEXT,
    "comment": TEXT,
    "owner_role_type": TEXT,
    "ordered": TEXT,
}
TAG_COLUMNS: Final[Columns] = {"created_on": TIMESTAMP_LTZ} | dict.fromkeys(
    (
        "name", "database_name", "schema_name", "owner", "comment", "allowed_values", "owner_role_type", "propagate",
        "on_conflict",
    ),
    TEXT,
)  # fmt: skip


def located(entry: Entry) -> dict[str, Any]:
    """Give the columns that SHOW has for every object of a schema."""
    return {
        "created_on": entry.created,
        "name": entry.name,
        "database_name": entry.database,
        "schema_name": entry.schema,
        "owner": entry.owner,
        "comment": entry.comment,
        "owner_role_type": "ROLE",
    }


@statement("SHOW DATABASES", "SHOW TERSE DATABASES", writes=False)
def show_databases(context: Context, sql: str) -> Result:
    """List databases."""
    show = read_show(context, context.scanner(sql), "DATABASES", scope="ACCOUNT")
    current, _ = context.home
    rows = [
        located(database)
        | {
            "database_name": None,
            "schema_name": None,
            "is_default": "N",
            "is_current": yes_no(database.name == current),
            "origin": "",
            "options": "",
            "retention_time": "1",
            "kind": "STANDARD",
            "budget": None,
            "object_visibility": None,
        }
        for database in context.catalog.entries(Database)
    ]
    return show.answer(DATABASE_COLUMNS, rows, terse=TERSE)


@statement("SHOW SCHEMAS", "SHOW TERSE SCHEMAS", writes=False)
def show_schemas(context: Context, sql: str) -> Result:
    """List schemas, INFORMATION_SCHEMA among them."""
    show = read_show(context, context.scanner(sql), "SCHEMAS", scope="DATABASE")
    found: list[Entry] = list(context.catalog.entries(Schema, database=show.database))
    rows = [_schema_row(context, schema) for schema in found]
    for database in context.catalog.entries(Database):
        if show.database in (None, database.name):
            names = {"name": INFORMATION_SCHEMA, "database_name": database.name, "owner": "", "owner_role_type": ""}
            comment = "Views describing the contents of schemas in this database"
            rows.append(_schema_row(context, database) | names | {"comment": comment, "is_current": "N"})
    rows.sort(key=lambda row: (row["database_name"], row["name"]))
    return show.answer(SCHEMA_COLUMNS, rows, terse=TERSE)


def _schema_row(context: Context, schema: Entry) -> dict[str, Any]:
    empty = ("budget", "classification_profile_database", "classification_profile_schema", "classification_profile")
    return (
        dict.fromkeys((*empty, "object_visibility", "kind", "schema_name"))
        | located(schema)
        | {
            "schema_name": None,
            "is_default": "N",
            "is_current": yes_no((schema.database, schema.name) == context.home),
            "options": "",
            "retention_time": "1",
        }
    )


@statement("SHOW STAGES", "SHOW TERSE STAGES", writes=False)
def show_stages(context: Context, sql: str) -> Result:
    """List stages."""
    show = read_show(context, context.scanner(sql), "STAGES")
    found = context.catalog.entries(Stage, database=show.database, schema=show.schema, session=context.session_id)
    nothing = dict.fromkeys(("region", "cloud", "notification_channel", "storage_integration", "endpoint"))
    rows = [
        nothing
        | located(stage)
        | {
            "url": stage.url,
            "has_credentials": yes_no(bool(stage.credentials)),
            "has_encryption_key": "N",
            "type": _stage_type(stage),
            "cloud": _cloud(stage),
            "endpoint": stage.endpoint or None,
            "directory_enabled": yes_no(stage.directory),
        }
        for stage in found
    ]
    return show.answer(STAGE_COLUMNS, rows)


def _stage_type(stage: Stage) -> str:
    return f"{'EXTERNAL' if stage.url else 'INTERNAL'}{' TEMPORARY' if stage.session is not None else ''}"


def _cloud(stage: Stage) -> str | None:
    if not stage.url:
        return None
    return "AZURE" if stage.url.startswith("azure://") else "AWS"


@statement("SHOW FILE FORMATS", "SHOW TERSE FILE FORMATS", writes=False)
def show_file_formats(context: Context, sql: str) -> Result:
    """List named file formats with all of their options as JSON."""
    show = read_show(context, context.scanner(sql), "FILE", "FORMATS")
    found = context.catalog.entries(FileFormat, database=show.database, schema=show.schema, session=context.session_id)
    rows = [
        located(format_) | {"type": format_.options["TYPE"], "format_options": _format_json(format_.options)}
        for format_ in found
    ]
    return show.answer(FORMAT_COLUMNS, rows)


def _format_json(options: Mapping[str, Any]) -> str:
    complete_format = complete(options)
    return json.dumps({"TYPE": complete_format.type, **complete_format.options})


@statement("SHOW SEQUENCES", "SHOW TERSE SEQUENCES", writes=False)
def show_sequences(context: Context, sql: str) -> Result:
    """List sequences with the values that they give next."""
    show = read_show(context, context.scanner(sql), "SEQUENCES")
    found = context.catalog.entries(Sequence, database=show.database, schema=show.schema, session=context.session_id)
    return show.answer(SEQUENCE_COLUMNS, [sequence_row(context, sequence) for sequence in found], terse=TERSE)


def sequence_row(context: Context, sequence: Sequence) -> dict[str, Any]:
    """Describe a sequence as SHOW SEQUENCES and DESCRIBE SEQUENCE do."""
    return located(sequence) | {
        "kind": "SEQUENCE",
        "next_value": next_value(context, sequence),
        "interval": sequence.step,
        "ordered": yes_no(sequence.ordered),
    }


def next_value(context: Context, sequence: Sequence) -> int:
    """Tell what a sequence gives next, without taking it."""
    sql = "SELECT last_value FROM duckdb_sequences() WHERE schema_name = 'data' AND sequence_name = ?"
    rows = context.duckdb.execute(sql, [f"s_{sequence.id}"]).fetchall()
    last = rows[0][0] if rows else None
    return sequence.start if last is None else int(last) + sequence.step


@statement("SHOW TAGS", "SHOW TERSE TAGS", writes=False)
def show_tags(context: Context, sql: str) -> Result:
    """List tags; their allowed values are a JSON array."""
    show = read_show(context, context.scanner(sql), "TAGS")
    rows = [
        located(tag)
        | {
            "allowed_values": None if tag.allowed_values is None else json.dumps(list(tag.allowed_values)),
            "propagate": None,
            "on_conflict": None,
        }
        for tag in context.catalog.entries(Tag, database=show.database, schema=show.schema)
    ]
    return show.answer(TAG_COLUMNS, rows)
