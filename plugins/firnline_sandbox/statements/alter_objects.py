"""ALTER of views, schemas, databases, stages, file formats, sequences and tags."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from firnline_sandbox.catalog import Database, Entry, FileFormat, Schema, Sequence, Stage, Tag, View, changed
from firnline_sandbox.errors import COMPILATION, error, missing_object, unsupported
from firnline_sandbox.result import Result
from firnline_sandbox.stages.formats import checked_options
from firnline_sandbox.statements.alter_table import read_settings, read_unsettings
from firnline_sandbox.statements.registry import statement
from firnline_sandbox.statements.renaming import (
    rename,
    rename_database,
    rename_schema,
    swap_databases,
    swap_schemas,
)
from firnline_sandbox.statements.show_containers import next_value
from firnline_sandbox.statements.stage import read_format_options, read_stage_options
from firnline_sandbox.statements.tables import make_sequence
from firnline_sandbox.statements.tags import set_tags, unset_tags

if TYPE_CHECKING:
    from firnline_sandbox.context import Context
    from firnline_sandbox.statements.scanner import Scanner

AnyEntry = TypeVar("AnyEntry", bound=Entry)


def _target(context: Context, scanner: Scanner, kind: type[AnyEntry]) -> AnyEntry | None:
    """Read ``ALTER <kind> [IF EXISTS] name``; None means that it need not exist and does not."""
    scanner.expect("ALTER", *kind.kind.split())
    if_exists = scanner.take("IF", "EXISTS")
    parts = scanner.name()
    if kind is Database:
        names: tuple[str, str, str] = ("", "", parts[-1])
    elif kind is Schema:
        database, schema = context.qualify_schema(parts)
        names = (database, "", schema)
    else:
        names = context.qualify(parts)
    found = context.catalog.find(kind, names, context.session_id)
    if found is None and not if_exists:
        raise missing_object(kind.kind.lower(), ".".join(part for part in names if part))
    return found


def _common(context: Context, scanner: Scanner, entry: AnyEntry) -> bool:
    """Carry out the forms that most objects share: RENAME TO, SET TAG, UNSET TAG; False if it is another form."""
    if scanner.take("RENAME", "TO"):
        rename(context, entry, context.qualify(scanner.name()))
        scanner.expect_end()
    elif scanner.take("SET", "TAG"):
        context.catalog.put(set_tags(context, scanner, entry))
    elif scanner.take("UNSET", "TAG"):
        context.catalog.put(unset_tags(context, scanner, entry))
    else:
        return False
    return True


def _refuse(scanner: Scanner, kind: str) -> NoReturn:
    raise unsupported(f"ALTER {kind} {scanner.rest()}")


@statement("ALTER VIEW")
def alter_view(context: Context, sql: str) -> Result:
    """RENAME TO, SET and UNSET COMMENT, SECURE and tags."""
    scanner = context.scanner(sql)
    view = _target(context, scanner, View)
    if view is None or _common(context, scanner, view):
        return Result.status()
    verb = scanner.take_any("SET", "UNSET")
    if verb is None:
        _refuse(scanner, "VIEW")
    if scanner.take("SECURE"):
        scanner.expect_end()
        context.catalog.put(changed(view, is_secure=verb == "SET"))
        return Result.status()
    read = read_settings if verb == "SET" else read_unsettings
    context.catalog.put(changed(view, **read(scanner, f"ALTER VIEW {verb}")))
    return Result.status()


@statement("ALTER SCHEMA")
def alter_schema(context: Context, sql: str) -> Result:
    """RENAME TO, SWAP WITH, SET and UNSET."""
    scanner = context.scanner(sql)
    schema = _target(context, scanner, Schema)
    if schema is None:
        return Result.status()
    if scanner.take("RENAME", "TO"):
        rename_schema(context, schema, context.qualify_schema(scanner.name()))
    elif scanner.take("SWAP", "WITH"):
        home = context.qualify_schema(scanner.name())
        other = context.catalog.schema(*home)
        if other is None:
            raise missing_object("schema", ".".join(home))
        swap_schemas(context, schema, other)
    elif not (scanner.take("ENABLE", "MANAGED", "ACCESS") or scanner.take("DISABLE", "MANAGED", "ACCESS")):
        _alter_container(context, scanner, schema)
    scanner.expect_end()
    return Result.status()


@statement("ALTER DATABASE")
def alter_database(context: Context, sql: str) -> Result:
    """RENAME TO, SWAP WITH, SET and UNSET."""
    scanner = context.scanner(sql)
    database = _target(context, scanner, Database)
    if database is None:
        return Result.status()
    if scanner.take("RENAME", "TO"):
        rename_database(context, database, scanner.identifier())
    elif scanner.take("SWAP", "WITH"):
        name = scanner.identifier()
        other = context.catalog.database(name)
        if other is None:
            raise missing_object("database", name)
        swap_databases(context, database, other)
    else:
        _alter_container(context, scanner, database)
    scanner.expect_end()
    return Result.status()


def _alter_container(context: Context, scanner: Scanner, entry: Schema | Database) -> None:
    verb = scanner.take_any("SET", "UNSET")
    if verb is None:
        _refuse(scanner, entry.kind)
    if scanner.take("TAG"):
        altered = set_tags(context, scanner, entry) if verb == "SET" else unset_tags(context, scanner, entry)
        context.catalog.put(altered)
        return
    read = read_settings if verb == "SET" else read_unsettings
    context.catalog.put(changed(entry, **read(scanner, f"ALTER {entry.kind} {verb}")))


@statement("ALTER STAGE")
def alter_stage(context: Context, sql: str) -> Result:
    """RENAME TO, SET and UNSET of options and tags; REFRESH has nothing to do."""
    scanner = context.scanner(sql)
    stage = _target(context, scanner, Stage)
    if stage is None or _common(context, scanner, stage):
        return Result.status()
    if scanner.take("SET"):
        context.catalog.put(changed(stage, **read_stage_options(context, scanner)))
    elif scanner.take("UNSET"):
        context.catalog.put(changed(stage, **read_unsettings(scanner, "ALTER STAGE UNSET")))
    else:
        _refuse(scanner, "STAGE")
    return Result.status()


@statement("ALTER FILE FORMAT")
def alter_file_format(context: Context, sql: str) -> Result:
    """RENAME TO and SET of options."""
    scanner = context.scanner(sql)
    format_ = _target(context, scanner, FileFormat)
    if format_ is None or _common(context, scanner, format_):
        return Result.status()
    if not scanner.take("SET"):
        _refuse(scanner, "FILE FORMAT")
    given, comment = read_format_options(scanner)
    options = checked_options(dict(format_.options) | given)
    context.catalog.put(changed(format_, options=options, comment=comment or format_.comment))
    return Result.status()


@statement("ALTER SEQUENCE")
def alter_sequence(context: Context, sql: str) -> Result:
    """RENAME TO, SET INCREMENT, ORDER, NOORDER and COMMENT."""
    scanner = context.scanner(sql)
    sequence = _target(context, scanner, Sequence)
    if sequence is None or _common(context, scanner, sequence):
        return Result.status()
    if scanner.take("UNSET", "COMMENT"):
        context.catalog.put(changed(sequence, comment=""))
        return Result.status()
    scanner.take("SET")
    altered = sequence
    while not scanner.at_end:
        if scanner.take("INCREMENT"):
            scanner.take("BY")
            scanner.take("=")
            altered = _with_step(context, altered, scanner.integer())
        elif word := scanner.take_any("ORDER", "NOORDER"):
            altered = replace(altered, ordered=word == "ORDER")
        elif scanner.take("COMMENT"):
            scanner.expect("=")
            altered = replace(altered, comment=scanner.text())
        else:
            raise scanner.unexpected()
        scanner.take(",")
    context.catalog.put(changed(altered))
    return Result.status()


def _with_step(context: Context, sequence: Sequence, step: int) -> Sequence:
    if step == 0:
        raise error(1015, "22023", f"{COMPILATION}invalid value [0] for parameter 'INCREMENT'")
    first = next_value(context, sequence)
    following = first if first == sequence.start else first - sequence.step + step
    context.transaction.cursor.execute(f"DROP SEQUENCE {sequence.physical}")
    make_sequence(context, sequence.id, following, step)
    return replace(sequence, start=following, step=step)


@statement("ALTER TAG")
def alter_tag(context: Context, sql: str) -> Result:
    """RENAME TO, ADD and DROP ALLOWED_VALUES, SET and UNSET."""
    scanner = context.scanner(sql)
    tag = _target(context, scanner, Tag)
    if tag is None or _common(context, scanner, tag):
        return Result.status()
    changes: dict[str, Any] = {}
    allowed = list(tag.allowed_values or ())
    if scanner.take("ADD", "ALLOWED_VALUES"):
        changes["allowed_values"] = tuple(dict.fromkeys([*allowed, *_texts(scanner)]))
    elif scanner.take("DROP", "ALLOWED_VALUES"):
        gone = _texts(scanner)
        changes["allowed_values"] = tuple(value for value in allowed if value not in gone)
    elif scanner.take("UNSET", "ALLOWED_VALUES"):
        changes["allowed_values"] = None
    elif scanner.take("SET", "ALLOWED_VALUES"):
        changes["allowed_values"] = tuple(_texts(scanner))
    elif scanner.take("SET", "COMMENT"):
        scanner.take("=")
        changes["comment"] = scanner.text()
    elif scanner.take("UNSET", "COMMENT"):
        changes["comment"] = ""
    else:
        _refuse(scanner, "TAG")
    scanner.expect_end()
    context.catalog.put(changed(tag, **changes))
    return Result.status()


def _texts(scanner: Scanner) -> list[str]:
    found = [scanner.text()]
    while scanner.take(","):
        found.append(scanner.text())
    return found
