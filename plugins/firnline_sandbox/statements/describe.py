"""DESCRIBE of tables, views, stages, file formats, sequences, schemas, databases and results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox.catalog import FileFormat, Schema, Sequence, Stage, Table
from firnline_sandbox.errors import error, missing_object, unsupported
from firnline_sandbox.stages.formats import OPTIONS, complete, named_format
from firnline_sandbox.statements.listing import answer
from firnline_sandbox.statements.registry import statement
from firnline_sandbox.statements.show_containers import SEQUENCE_COLUMNS, sequence_row
from firnline_sandbox.statements.show_relations import columns_of, relations, shown_increment
from firnline_sandbox.statements.showing import yes_no
from firnline_sandbox.types import TEXT, TIMESTAMP_LTZ

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Sequence as SequenceOf

    from firnline_sandbox.catalog import Entry, TableColumn
    from firnline_sandbox.context import Context
    from firnline_sandbox.result import Result
    from firnline_sandbox.statements.listing import Columns
    from firnline_sandbox.statements.scanner import Scanner
    from firnline_sandbox.types import Column

RELATION_COLUMNS: Final[Columns] = dict.fromkeys(
    (
        "name", "type", "kind", "null?", "default", "primary key", "unique key", "check", "expression", "comment",
        "policy name", "privacy domain",
    ),
    TEXT,
)  # fmt: skip
CHILD_COLUMNS: Final[Columns] = {"created_on": TIMESTAMP_LTZ, "name": TEXT, "kind": TEXT}
FORMAT_COLUMNS: Final[Columns] = dict.fromkeys(
    ("property", "property_type", "property_value", "property_default"), TEXT
)
STAGE_COLUMNS: Final[Columns] = {"parent_property": TEXT} | FORMAT_COLUMNS
_COPY_OPTIONS: Final = {
    "ON_ERROR": "ABORT_STATEMENT",
    "SIZE_LIMIT": "",
    "PURGE": False,
    "RETURN_FAILED_ONLY": False,
    "ENFORCE_LENGTH": True,
    "TRUNCATECOLUMNS": False,
    "FORCE": False,
}


def _named(scanner: Scanner, *kind: str) -> tuple[str, ...]:
    if scanner.take_any("DESC", "DESCRIBE") is None:
        raise scanner.unexpected()
    scanner.expect(*kind)
    return scanner.name()


def _words(*kinds: str) -> tuple[str, ...]:
    return tuple(f"{verb} {kind}" for verb in ("DESC", "DESCRIBE") for kind in kinds)


@statement(*_words("TABLE", "VIEW"), writes=False)
def describe_relation(context: Context, sql: str) -> Result:
    """List the columns of a table or view."""
    scanner = context.scanner(sql)
    kind = "VIEW" if scanner.words[1].keyword == "VIEW" else "TABLE"
    names = context.qualify(_named(scanner, kind))
    if scanner.take("TYPE"):
        scanner.expect("=")
        if scanner.identifier() != "COLUMNS":
            raise unsupported("DESCRIBE TABLE TYPE = STAGE")
    scanner.expect_end()
    if names[1] == "INFORMATION_SCHEMA":
        return described(context.surroundings.relation(names).columns)
    found = context.catalog.find_relation(names, context.session_id)
    if found is None:
        raise missing_object(kind, ".".join(names))
    return answer(RELATION_COLUMNS, [_column_row(column) for column in columns_of(found)])


def _column_row(column: TableColumn) -> dict[str, Any]:
    return dict.fromkeys(RELATION_COLUMNS) | {
        "name": column.name,
        "type": column.type.sql,
        "kind": "COLUMN",
        "null?": yes_no(column.nullable),
        "default": column.default or shown_increment(column) or None,
        "primary key": yes_no(column.primary_key),
        "unique key": yes_no(column.unique_key),
        "comment": column.comment or None,
    }


def described(columns: SequenceOf[Column]) -> Result:
    """List columns as DESCRIBE TABLE does."""
    rows = [
        dict.fromkeys(RELATION_COLUMNS)
        | {
            "name": column.name,
            "type": column.type.sql,
            "kind": "COLUMN",
            "null?": yes_no(column.nullable),
            "primary key": "N",
            "unique key": "N",
        }
        for column in columns
    ]
    return answer(RELATION_COLUMNS, rows)


@statement(*_words("RESULT"), writes=False)
def describe_result(context: Context, sql: str) -> Result:
    """List the columns of an earlier result: ``'query id'`` or ``LAST_QUERY_ID()``."""
    scanner = context.scanner(sql)
    if scanner.take_any("DESC", "DESCRIBE") is None:
        raise scanner.unexpected()
    scanner.expect("RESULT")
    if scanner.take("LAST_QUERY_ID", "(", ")"):
        query_id = context.connection.session_value("LAST_QUERY_ID", context.home) or ""
    else:
        query_id = scanner.text()
    scanner.expect_end()
    found = context.engine.history.result(query_id)
    if found is None or isinstance(found, Exception):
        raise error(709, "02000", f"Statement {query_id} not found")
    return described(found.columns)


@statement(*_words("SCHEMA", "DATABASE"), writes=False)
def describe_container(context: Context, sql: str) -> Result:
    """List the relations of a schema, or the schemas of a database."""
    scanner = context.scanner(sql)
    kind = "SCHEMA" if scanner.words[1].keyword == "SCHEMA" else "DATABASE"
    parts = _named(scanner, kind)
    scanner.expect_end()
    if kind == "DATABASE":
        (name,) = parts
        if context.catalog.database(name) is None:
            raise missing_object("database", name)
        return answer(CHILD_COLUMNS, _children(context.catalog.entries(Schema, database=name)))
    database, schema = context.qualify_schema(parts)
    if context.catalog.schema(database, schema) is None:
        raise missing_object("schema", f"{database}.{schema}")
    return answer(CHILD_COLUMNS, _children(relations(context, database, schema)))


def _children(entries: SequenceOf[Entry]) -> list[dict[str, Any]]:
    return [
        {
            "created_on": entry.created,
            "name": entry.name,
            "kind": entry.variety if isinstance(entry, Table) else entry.kind,
        }
        for entry in entries
    ]


@statement(*_words("SEQUENCE"), writes=False)
def describe_sequence(context: Context, sql: str) -> Result:
    """Describe a sequence as SHOW SEQUENCES does."""
    scanner = context.scanner(sql)
    names = context.qualify(_named(scanner, "SEQUENCE"))
    scanner.expect_end()
    found = context.catalog.find(Sequence, names, context.session_id)
    if found is None:
        raise missing_object("sequence", ".".join(names))
    return answer(SEQUENCE_COLUMNS, [sequence_row(context, found)])


@statement(*_words("FILE FORMAT"), writes=False)
def describe_file_format(context: Context, sql: str) -> Result:
    """List the options of a file format."""
    scanner = context.scanner(sql)
    names = context.qualify(_named(scanner, "FILE", "FORMAT"))
    scanner.expect_end()
    found = context.catalog.find(FileFormat, names, context.session_id)
    if found is None:
        raise missing_object("file format", ".".join(names))
    return answer(FORMAT_COLUMNS, list(_format_rows(found.options)))


@statement(*_words("STAGE"), writes=False)
def describe_stage(context: Context, sql: str) -> Result:
    """List the file format, copy options, location and directory of a stage."""
    scanner = context.scanner(sql)
    names = context.qualify(_named(scanner, "STAGE"))
    scanner.expect_end()
    stage = context.catalog.find(Stage, names, context.session_id)
    if stage is None:
        raise missing_object("stage", ".".join(names))
    options = dict(stage.file_format)
    if "FORMAT_NAME" in options:
        name = str(options.pop("FORMAT_NAME"))
        options = dict(named_format(context, name).options) | options
        formats = [_property("FORMAT_NAME", name, "", "String"), *_format_rows(options)]
    else:
        formats = list(_format_rows(options))
    copy = [_property(name, default, default) for name, default in _COPY_OPTIONS.items()]
    directory = [_property("ENABLE", stage.directory, default=False), _property("AUTO_REFRESH", False, default=False)]
    groups = {
        "STAGE_FILE_FORMAT": formats,
        "STAGE_COPY_OPTIONS": copy,
        "STAGE_LOCATION": [_property("URL", f'["{stage.url}"]' if stage.url else "", "")],
        "DIRECTORY": directory,
    }
    rows = [{"parent_property": parent} | row for parent, group in groups.items() for row in group]
    return answer(STAGE_COLUMNS, rows)


def _format_rows(options: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    found = complete(options)
    yield _property("TYPE", found.type, "CSV")
    defaults = OPTIONS[found.type]
    for name, value in found.options.items():
        yield _property(name, value, defaults[name])


def _property(name: str, value: Any, default: Any, kind: str | None = None) -> dict[str, Any]:
    kinds = {bool: "Boolean", int: "Integer", list: "List"}
    return {
        "property": name,
        "property_type": kind or kinds.get(type(default), "String"),
        "property_value": _shown(value),
        "property_default": _shown(default),
    }


def _shown(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case list() | tuple():
            return f"[{', '.join(str(item) for item in value)}]"
        case _:
            return str(value).replace("\n", "\\n")
