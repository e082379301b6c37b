"""GET_DDL: the statements that would make an object again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox.catalog import Entry, FileFormat, Sequence, Table, Tag, View
from firnline_sandbox.dynamic.objects import DynamicTable
from firnline_sandbox.errors import missing_object, unsupported
from firnline_sandbox.statements.registry import system_function
from firnline_sandbox.statements.scanner import shown_identifier, split_name
from firnline_sandbox.statements.show_relations import relations

if TYPE_CHECKING:
    from collections.abc import Callable

    from firnline_sandbox.catalog import TableColumn
    from firnline_sandbox.context import Context

_KINDS: Final[dict[str, type[Entry]]] = {
    "TABLE": Table,
    "VIEW": View,
    "SEQUENCE": Sequence,
    "FILE_FORMAT": FileFormat,
    "TAG": Tag,
}


@system_function("GET_DDL")
def get_ddl(context: Context, arguments: list[Any]) -> str:
    """``GET_DDL('kind', 'name' [, with full names])``.

    Raises:
        ProgrammingError: 2003, there is no such object; 2, the sandbox writes no DDL of this kind.
    """
    kind, name, *rest = arguments
    with_full_names = bool(rest and rest[0])
    match str(kind).upper():
        case "SCHEMA":
            database, schema = context.qualify_schema(split_name(str(name)))
            return _schema(context, database, schema)
        case "DATABASE":
            (database,) = split_name(str(name))
            return _database(context, database)
        case "FUNCTION" | "PROCEDURE" as routine:
            from firnline_sandbox.functions.system import routine_ddl

            return routine_ddl(context, routine, str(name))
        case known if known in _KINDS:
            names = context.qualify(split_name(str(name)))
            entry = context.catalog.find(_KINDS[known], names, context.session_id)
            if entry is None:
                raise missing_object(known.replace("_", " ").lower(), ".".join(names))
            return _written(entry, with_full_names=with_full_names)
        case _:
            raise unsupported(f"GET_DDL of a {str(kind).lower()}")


def _database(context: Context, database: str) -> str:
    from firnline_sandbox.catalog import Schema

    if context.catalog.database(database) is None:
        raise missing_object("database", database)
    schemas = context.catalog.entries(Schema, database=database)
    parts = [f"create or replace database {shown_identifier(database)};"]
    return "\n\n".join([*parts, *(_schema(context, database, schema.name) for schema in schemas)])


def _schema(context: Context, database: str, schema: str) -> str:
    if context.catalog.schema(database, schema) is None:
        raise missing_object("schema", f"{database}.{schema}")
    found: list[Entry] = list(relations(context, database, schema))
    for kind in (Sequence, FileFormat, Tag):
        found += context.catalog.entries(kind, database=database, schema=schema, session=context.session_id)
    written = [
        _written(entry, with_full_names=False)
        for entry in found
        if type(entry) in _WRITERS or isinstance(entry, DynamicTable)
    ]
    return "\n\n".join([f"create or replace schema {shown_identifier(schema)};", *written])


def _written(entry: Entry, *, with_full_names: bool) -> str:
    if isinstance(entry, DynamicTable):
        return f"{entry.text};"
    name = entry.full_name if with_full_names else shown_identifier(entry.name)
    return _WRITERS[type(entry)](entry, name)


def _comment(text: str) -> str:
    return f"COMMENT={_quoted(text)}" if text else ""


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def _table(table: Table, name: str) -> str:
    lines = [_column(column) for column in table.columns]
    keys = [shown_identifier(column.name) for column in table.columns if column.primary_key]
    if keys:
        lines.append(f"primary key ({', '.join(keys)})")
    lines += [f"unique ({shown_identifier(column.name)})" for column in table.columns if column.unique_key]
    body = ",\n".join(f"\t{line}" for line in lines)
    variety = "" if table.variety == "TABLE" else f"{table.variety} "
    cluster = f" cluster by {table.cluster_by.removeprefix('LINEAR')}" if table.cluster_by else ""
    return f"create or replace {variety}TABLE {name}{cluster} (\n{body}\n){_comment(table.comment)};"


def _column(column: TableColumn) -> str:
    parts = [shown_identifier(column.name), column.type.sql]
    if not column.nullable:
        parts.append("NOT NULL")
    if column.default is not None:
        parts.append(f"DEFAULT {column.default}")
    if column.increment is not None:
        parts.append(f"autoincrement start {column.increment[0]} increment {column.increment[1]} noorder")
    if column.comment:
        parts.append(f"COMMENT {_quoted(column.comment)}")
    return " ".join(parts)


def _view(view: View, name: str) -> str:
    columns = ",\n".join(
        f"\t{shown_identifier(column.name)}{f' COMMENT {_quoted(column.comment)}' if column.comment else ''}"
        for column in view.columns
    )
    secure = "secure " if view.is_secure else ""
    comment = f" {_comment(view.comment)}" if view.comment else ""
    return f"create or replace {secure}view {name}(\n{columns}\n){comment} as {view.query};"


def _sequence(sequence: Sequence, name: str) -> str:
    order = "order" if sequence.ordered else "noorder"
    comment = f" {_comment(sequence.comment)}" if sequence.comment else ""
    counts = f"start with {sequence.start} increment by {sequence.step}"
    return f"create or replace sequence {name} {counts} {order}{comment};"


def _file_format(format_: FileFormat, name: str) -> str:
    lines = [f"\t{key} = {_option(value)}" for key, value in format_.options.items()]
    if format_.comment:
        lines.append(f"\t{_comment(format_.comment)}")
    return "\n".join([f"CREATE OR REPLACE FILE FORMAT {name}", *lines, ";"])


def _option(value: Any) -> str:
    match value:
        case bool():
            return str(value).upper()
        case int() | float():
            return str(value)
        case list() | tuple():
            return f"({', '.join(_quoted(str(item)) for item in value)})"
        case str() if value.isalnum() and value.isupper():
            return value
        case _:
            return _quoted(str(value).replace("\n", "\\n")).replace("\\\\n", "\\n")


def _tag(tag: Tag, name: str) -> str:
    allowed = ""
    if tag.allowed_values is not None:
        allowed = f" ALLOWED_VALUES {', '.join(_quoted(value) for value in tag.allowed_values)}"
    comment = f" {_comment(tag.comment)}" if tag.comment else ""
    return f"create or replace TAG {name}{allowed}{comment};"


_WRITERS: Final[dict[type[Entry], Callable[[Any, str], str]]] = {
    Table: _table,
    View: _view,
    Sequence: _sequence,
    FileFormat: _file_format,
    Tag: _tag,
}
