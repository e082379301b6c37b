"""CREATE, ALTER and DROP STREAM, and SYSTEM$STREAM_HAS_DATA."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from firnline_sandbox.catalog import Table, View, changed, offsets
from firnline_sandbox.errors import already_exists, missing_object, unsupported
from firnline_sandbox.result import Result
from firnline_sandbox.statements.alter_table import read_settings, read_unsettings
from firnline_sandbox.statements.creation import entry_fields, read_creation, read_tags, replaced, require_schema
from firnline_sandbox.statements.registry import statement, system_function
from firnline_sandbox.statements.removal import remove_entry
from firnline_sandbox.statements.renaming import rename
from firnline_sandbox.statements.tags import set_tags, unset_tags
from firnline_sandbox.streams import capture
from firnline_sandbox.streams.objects import Stream
from firnline_sandbox.streams.reading import stream_relation

if TYPE_CHECKING:
    from firnline_sandbox.context import Context
    from firnline_sandbox.statements.scanner import Scanner


@statement("CREATE STREAM")
def create_stream(context: Context, sql: str) -> Result:
    """Create a stream on a table, which starts with the table's next change, or with its rows."""
    scanner = context.scanner(sql)
    creation = read_creation(scanner, "STREAM")
    names = context.qualify(creation.parts)
    require_schema(context, names)
    if scanner.sees("CLONE"):
        raise unsupported("CREATE STREAM CLONE")
    old = replaced(context, Stream, creation, names)
    if old is not None and creation.if_not_exists:
        return Result.status(f"{names[2]} already exists, statement succeeded.")
    if old is not None and not (creation.replace and isinstance(old, Stream)):
        raise already_exists(".".join(names))
    scanner.take("COPY", "GRANTS")
    scanner.expect("ON")
    if not scanner.take("TABLE"):
        raise unsupported(f"CREATE STREAM ON {scanner.here.text.upper()}")
    parts = scanner.name()
    table = _source(context, parts)
    options = _read_options(context, scanner)
    shows_rows = options.pop("shows_rows")
    table = capture.start(context.transaction, table)
    stream = Stream(
        **entry_fields(context, creation, names) | options,
        source=table.id,
        source_name=".".join(context.qualify(parts)),
    )
    position = table.version
    if shows_rows:
        position = capture.note_rows(context.duckdb, table, capture.INSERTED, "true", only=stream.id) - 1
    if old is not None:
        context.catalog.remove(old)
        offsets.remove(context.duckdb, old.id)
    context.catalog.add(stream)
    offsets.add(context.duckdb, stream.id, table.id, position)
    if isinstance(old, Stream) and old.source != table.id:
        capture.stop(context.transaction, old)
    return Result.status(f"Stream {names[2]} successfully created.")


def _source(context: Context, parts: tuple[str, ...]) -> Table:
    found = context.catalog.find_relation(context.qualify(parts), context.session_id)
    if isinstance(found, View):
        raise unsupported("streams on views")
    table = context.table(parts)
    if table.session is not None:
        raise unsupported("streams on temporary tables")
    if table.kind != "TABLE":
        raise unsupported(f"streams on a {table.kind.lower()}")
    return table


def _read_options(context: Context, scanner: Scanner) -> dict[str, Any]:
    options: dict[str, Any] = {"shows_rows": False}
    if scanner.sees("AT") or scanner.sees("BEFORE"):
        raise unsupported("time travel (AT, BEFORE) in CREATE STREAM")
    while not scanner.at_end:
        if scanner.sees("TAG") or scanner.sees("WITH", "TAG"):
            scanner.take("WITH")
            scanner.expect("TAG")
            options["tags"] = read_tags(context, scanner)
            continue
        key = scanner.identifier()
        scanner.expect("=")
        match key:
            case "APPEND_ONLY":
                options["append_only"] = scanner.value() is True
            case "SHOW_INITIAL_ROWS":
                options["shows_rows"] = scanner.value() is True
            case "COMMENT":
                options["comment"] = scanner.text()
            case _:
                raise unsupported(f"CREATE STREAM option {key}")
    return options


def find_stream(context: Context, names: tuple[str, str, str]) -> Stream:
    """Find a stream by its full name.

    Raises:
        ProgrammingError: 2003, there is none.
    """
    found = context.catalog.find(Stream, names)
    if found is None:
        raise missing_object("stream", ".".join(names))
    return found


@statement("ALTER STREAM")
def alter_stream(context: Context, sql: str) -> Result:
    """RENAME TO, SET and UNSET of comment and tags."""
    scanner = context.scanner(sql)
    scanner.expect("ALTER", "STREAM")
    if_exists = scanner.take("IF", "EXISTS")
    names = context.qualify(scanner.name())
    if if_exists and context.catalog.find(Stream, names) is None:
        return Result.status()
    stream = find_stream(context, names)
    if scanner.take("RENAME", "TO"):
        rename(context, stream, context.qualify(scanner.name()))
    elif scanner.take("SET", "TAG"):
        context.catalog.put(set_tags(context, scanner, stream))
    elif scanner.take("UNSET", "TAG"):
        context.catalog.put(unset_tags(context, scanner, stream))
    elif scanner.take("SET"):
        context.catalog.put(changed(stream, **read_settings(scanner, "ALTER STREAM SET")))
    elif scanner.take("UNSET"):
        context.catalog.put(changed(stream, **read_unsettings(scanner, "ALTER STREAM UNSET")))
    else:
        raise unsupported(f"ALTER STREAM {scanner.rest()}")
    scanner.expect_end()
    return Result.status()


@statement("DROP STREAM")
def drop_stream(context: Context, sql: str) -> Result:
    """Drop a stream; its table's changes are kept no longer when it was the last one."""
    scanner = context.scanner(sql)
    scanner.expect("DROP", "STREAM")
    if_exists = scanner.take("IF", "EXISTS")
    names = context.qualify(scanner.name())
    scanner.expect_end()
    if if_exists and context.catalog.find(Stream, names) is None:
        return Result.status(f"Drop statement executed successfully ({names[2]} already dropped).")
    remove_entry(context.transaction, context.engine, find_stream(context, names))
    return Result.status(f"{names[2]} successfully dropped.")


@system_function("SYSTEM$STREAM_HAS_DATA")
def stream_has_data(context: Context, arguments: list[Any]) -> bool:
    """Say whether a stream has changes that nobody consumed; asking consumes nothing."""
    (name,) = arguments
    stream = find_stream(context, context.resolve(str(name)))
    relation = stream_relation(context.peeking(), stream)
    return bool(context.duckdb.execute(f"SELECT count(*) FROM {relation.sql}").fetchall()[0][0])  # noqa: S608
