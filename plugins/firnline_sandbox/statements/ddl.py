"""CREATE and DROP of databases, schemas, sequences and tags, and DROP of everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

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
)
from firnline_sandbox.catalog.snapshot import new_fields
from firnline_sandbox.errors import already_exists, missing_object, unsupported
from firnline_sandbox.result import Result
from firnline_sandbox.statements.creation import Creation, entry_fields, read_creation, replaced, require_schema
from firnline_sandbox.statements.registry import statement
from firnline_sandbox.statements.removal import remove_entry
from firnline_sandbox.statements.tables import make_sequence

if TYPE_CHECKING:
    from firnline_sandbox.context import Context
    from firnline_sandbox.statements.scanner import Scanner

_KINDS: Final[dict[str, type[Entry]]] = {
    "TABLE": Table,
    "VIEW": View,
    "STAGE": Stage,
    "FILE FORMAT": FileFormat,
    "SEQUENCE": Sequence,
    "TAG": Tag,
}


@statement("CREATE DATABASE")
def create_database(context: Context, sql: str) -> Result:
    """Create a database with its PUBLIC schema, and make it the current one."""
    scanner = context.scanner(sql)
    creation = read_creation(scanner, "DATABASE")
    (name,) = creation.parts
    if scanner.sees("CLONE") or scanner.sees("FROM"):
        raise unsupported(f"CREATE DATABASE {scanner.here.text}")
    comment = read_comment_only(scanner, "CREATE DATABASE")
    old = context.catalog.database(name)
    if old is not None:
        if creation.if_not_exists:
            return Result.status(f"{name} already exists, statement succeeded.")
        if not creation.replace:
            raise already_exists(name)
        _remove_database(context, old)
    owner = context.connection.role or ""
    context.catalog.add(Database(**new_fields(name=name, comment=comment, owner=owner)))
    context.catalog.add(Schema(**new_fields(database=name, name="PUBLIC", owner=owner)))
    context.connection.use(name, "PUBLIC")
    return Result.status(f"Database {name} successfully created.")


@statement("CREATE SCHEMA")
def create_schema(context: Context, sql: str) -> Result:
    """Create a schema, and make it the current one."""
    scanner = context.scanner(sql)
    creation = read_creation(scanner, "SCHEMA")
    database, name = context.qualify_schema(creation.parts)
    if scanner.sees("CLONE"):
        raise unsupported("CREATE SCHEMA CLONE")
    while scanner.take("WITH", "MANAGED", "ACCESS"):
        continue
    comment = read_comment_only(scanner, "CREATE SCHEMA")
    old = context.catalog.schema(database, name)
    if old is not None:
        if creation.if_not_exists:
            return Result.status(f"{name} already exists, statement succeeded.")
        if not creation.replace:
            raise already_exists(f"{database}.{name}")
        _remove_schema(context, old)
    owner = context.connection.role or ""
    context.catalog.add(Schema(**new_fields(database=database, name=name, comment=comment, owner=owner)))
    context.connection.use(database, name)
    return Result.status(f"Schema {name} successfully created.")


def read_comment_only(scanner: Scanner, where: str) -> str:
    """Read ``COMMENT = '…'`` and the options that have no effect in a sandbox."""
    comment = ""
    while not scanner.at_end:
        if scanner.take("COMMENT"):
            scanner.expect("=")
            comment = scanner.text()
        elif scanner.here.keyword in {"DATA_RETENTION_TIME_IN_DAYS", "MAX_DATA_EXTENSION_TIME_IN_DAYS"}:
            scanner.identifier()
            scanner.expect("=")
            scanner.integer()
        else:
            raise unsupported(f"{where} option {scanner.here.text}")
    return comment


@statement("CREATE SEQUENCE")
def create_sequence(context: Context, sql: str) -> Result:
    """Create a sequence."""
    scanner = context.scanner(sql)
    creation = read_creation(scanner, "SEQUENCE")
    names = context.qualify(creation.parts)
    require_schema(context, names)
    old = replaced(context, Sequence, creation, names)
    if old is not None and creation.if_not_exists:
        return Result.status(f"{names[2]} already exists, statement succeeded.")
    if old is not None and not creation.replace:
        raise already_exists(".".join(names))
    options: dict[str, Any] = {}
    while not scanner.at_end:
        if word := scanner.take_any("START", "INCREMENT"):
            scanner.take_any("WITH", "BY")
            scanner.take("=")
            options["start" if word == "START" else "step"] = scanner.integer()
        elif word := scanner.take_any("ORDER", "NOORDER"):
            options["ordered"] = word == "ORDER"
        elif scanner.take("COMMENT"):
            scanner.expect("=")
            options["comment"] = scanner.text()
        else:
            scanner.expect("WITH")
    if old is not None:
        remove_entry(context.transaction, context.engine, old)
    sequence = Sequence(**entry_fields(context, creation, names) | options)
    make_sequence(context, sequence.id, sequence.start, sequence.step)
    context.catalog.add(sequence)
    return Result.status(f"Sequence {names[2]} successfully created.")


@statement("CREATE TAG")
def create_tag(context: Context, sql: str) -> Result:
    """Create a tag."""
    scanner = context.scanner(sql)
    creation = read_creation(scanner, "TAG")
    names = context.qualify(creation.parts)
    require_schema(context, names)
    old = context.catalog.find(Tag, names)
    if old is not None and creation.if_not_exists:
        return Result.status(f"{names[2]} already exists, statement succeeded.")
    if old is not None and not creation.replace:
        raise already_exists(".".join(names))
    options: dict[str, Any] = {}
    while not scanner.at_end:
        if scanner.take("ALLOWED_VALUES"):
            values = [scanner.text()]
            while scanner.take(","):
                values.append(scanner.text())
            options["allowed_values"] = tuple(values)
        elif scanner.take("COMMENT"):
            scanner.expect("=")
            options["comment"] = scanner.text()
        else:
            raise unsupported(f"CREATE TAG option {scanner.here.text}")
    if old is not None:
        context.catalog.remove(old)
    context.catalog.add(Tag(**entry_fields(context, creation, names) | options))
    return Result.status(f"Tag {names[2]} successfully created.")


@statement("DROP DATABASE")
def drop_database(context: Context, sql: str) -> Result:
    """Drop a database with all that is in it."""
    scanner = context.scanner(sql)
    scanner.expect("DROP", "DATABASE")
    if_exists, parts = _read_drop(scanner)
    (name,) = parts
    database = context.catalog.database(name)
    if database is None:
        return _absent("database", name, if_exists)
    _remove_database(context, database)
    if context.connection.database == name:
        context.connection.use(None, None)
    return Result.status(f"{name} successfully dropped.")


@statement("DROP SCHEMA")
def drop_schema(context: Context, sql: str) -> Result:
    """Drop a schema with all that is in it."""
    scanner = context.scanner(sql)
    scanner.expect("DROP", "SCHEMA")
    if_exists, parts = _read_drop(scanner)
    database, name = context.qualify_schema(parts)
    schema = context.catalog.schema(database, name)
    if schema is None:
        return _absent("schema", f"{database}.{name}", if_exists)
    _remove_schema(context, schema)
    if (context.connection.database, context.connection.schema) == (database, name):
        context.connection.use(database, None)
    return Result.status(f"{name} successfully dropped.")


def _remove_database(context: Context, database: Database) -> None:
    for schema in context.catalog.entries(Schema, database=database.name):
        _remove_schema(context, schema)
    remove_entry(context.transaction, context.engine, database)


def _remove_schema(context: Context, schema: Schema) -> None:
    for entry in list(context.catalog):
        if (entry.database, entry.schema) == (schema.database, schema.name):
            remove_entry(context.transaction, context.engine, entry)
    remove_entry(context.transaction, context.engine, schema)


@statement(*(f"DROP {kind}" for kind in _KINDS))
def drop(context: Context, sql: str) -> Result:
    """Drop an object of a schema."""
    scanner = context.scanner(sql)
    scanner.expect("DROP")
    kind = next(kind for kind in _KINDS if scanner.take(*kind.split()))
    if_exists, parts = _read_drop(scanner)
    names = context.qualify(parts)
    shown = ".".join(names)
    entry = context.catalog.find(_KINDS[kind], names, context.session_id)
    if entry is None:
        if kind in {"TABLE", "VIEW"} and context.catalog.find_relation(names, context.session_id) is not None:
            from firnline_sandbox.errors import wrong_kind

            raise wrong_kind(shown, kind)
        return _absent(kind.lower(), shown, if_exists)
    remove_entry(context.transaction, context.engine, entry)
    return Result.status(f"{names[2]} successfully dropped.")


def _read_drop(scanner: Scanner) -> tuple[bool, tuple[str, ...]]:
    if_exists = scanner.take("IF", "EXISTS")
    parts = scanner.name()
    if_exists = scanner.take("IF", "EXISTS") or if_exists
    scanner.take_any("CASCADE", "RESTRICT")
    scanner.expect_end()
    return if_exists, parts


def _absent(kind: str, name: str, if_exists: bool) -> Result:
    if if_exists:
        short = name.rsplit(".", 1)[-1]
        return Result.status(f"Drop statement executed successfully ({short} already dropped).")
    raise missing_object(kind, name)


def create_header(context: Context, scanner: Scanner, *kind: str) -> tuple[Creation, tuple[str, str, str]]:
    """Read a CREATE up to the name and complete the name; its schema must exist."""
    creation = read_creation(scanner, *kind)
    names = context.qualify(creation.parts)
    require_schema(context, names)
    return creation, names
