"""CREATE TABLE: with columns, AS a query, LIKE, CLONE and USING TEMPLATE."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox.catalog import Table, TableColumn
from firnline_sandbox.catalog.storage import next_version
from firnline_sandbox.errors import already_exists, invalid_argument, unsupported
from firnline_sandbox.result import Result
from firnline_sandbox.statements.columns import (
    ColumnList,
    check_default,
    from_query,
    read_column_list,
    with_physical_names,
)
from firnline_sandbox.statements.creation import (
    Creation,
    entry_fields,
    read_creation,
    read_tags,
    replaced,
    require_schema,
)
from firnline_sandbox.statements.fetching import translate
from firnline_sandbox.statements.registry import statement
from firnline_sandbox.statements.removal import remove_entry
from firnline_sandbox.statements.scanner import quote_identifier
from firnline_sandbox.statements.template import read_template
from firnline_sandbox.translate.casts import cast
from firnline_sandbox.translate.values import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firnline_sandbox.context import Context
    from firnline_sandbox.statements.scanner import Scanner
    from firnline_sandbox.translate import Translated

# Options that change nothing in a sandbox, whatever their value.
_WITHOUT_EFFECT: Final = frozenset(
    {
        "DATA_RETENTION_TIME_IN_DAYS",
        "MAX_DATA_EXTENSION_TIME_IN_DAYS",
        "CHANGE_TRACKING",
        "DEFAULT_DDL_COLLATION",
        "ENABLE_SCHEMA_EVOLUTION",
    }
)


@statement("CREATE TABLE")
def create_table(context: Context, sql: str) -> Result:
    """Create a table, empty or from a query or another table."""
    scanner = context.scanner(sql)
    creation = read_creation(scanner, "TABLE")
    names = context.qualify(creation.parts)
    require_schema(context, names)
    message = _make_room(context, creation, names)
    if message is not None:
        return Result.status(message)
    if scanner.take("LIKE"):
        _create_like(context, scanner, creation, names)
    elif scanner.take("CLONE"):
        _create_clone(context, scanner, creation, names)
    else:
        _create_from_definition(context, scanner, creation, names)
    return Result.status(f"Table {names[2]} successfully created.")


def _make_room(context: Context, creation: Creation, names: tuple[str, str, str]) -> str | None:
    """Check the name; a message means that IF NOT EXISTS found the table and nothing is to be done."""
    old = replaced(context, Table, creation, names)
    if old is None:
        return None
    if creation.if_not_exists:
        return f"{names[2]} already exists, statement succeeded."
    if not creation.replace or not isinstance(old, Table):
        raise already_exists(".".join(names))
    return None


def _create_from_definition(
    context: Context, scanner: Scanner, creation: Creation, names: tuple[str, str, str]
) -> None:
    given = None
    if scanner.sees("(") and not _is_query_in_parentheses(scanner):
        given = read_column_list(scanner)
    elif scanner.sees("USING", "TEMPLATE"):
        given = ColumnList(read_template(context, scanner))
    options = read_table_options(context, scanner)
    if given is None and scanner.sees("("):
        given = read_column_list(scanner)
        options |= read_table_options(context, scanner)
    translated = None
    if scanner.take("AS"):
        translated = translate(context, scanner.rest())
    scanner.expect_end()
    if translated is None:
        if given is None or given.names_only:
            raise scanner.unexpected()
        columns = given.columns
    else:
        columns = columns_of_query(translated, given)
    fields = entry_fields(context, creation, names) | options
    store(context, creation, fields, columns, translated)


def _is_query_in_parentheses(scanner: Scanner) -> bool:
    return scanner.words[scanner.position + 1].keyword in {"SELECT", "WITH"}


def read_table_options(context: Context, scanner: Scanner) -> dict[str, Any]:
    """Read COMMENT, CLUSTER BY, TAG and the options without effect here."""
    options: dict[str, Any] = {}
    while not (scanner.at_end or scanner.sees("AS") or scanner.sees("(")):
        if scanner.take("CLUSTER", "BY"):
            options["cluster_by"] = f"LINEAR({scanner.balanced()})"
        elif scanner.take("COMMENT"):
            scanner.take("=")
            options["comment"] = scanner.text()
        elif scanner.take("WITH"):
            if not scanner.sees("TAG"):
                raise unsupported(f"CREATE TABLE WITH {scanner.here.text}")
        elif scanner.take("TAG"):
            options["tags"] = read_tags(context, scanner)
        elif scanner.take("COPY", "GRANTS"):
            continue
        elif scanner.here.keyword in _WITHOUT_EFFECT:
            scanner.identifier()
            scanner.expect("=")
            scanner.value()
        elif scanner.here.kind == "word" and scanner.words[scanner.position + 1 :][:1] != []:
            raise unsupported(f"CREATE TABLE option {scanner.here.text}")
        else:
            raise scanner.unexpected()
    return options


def columns_of_query(translated: Translated, given: ColumnList | None) -> list[TableColumn]:
    """Give the columns of CREATE TABLE AS, with the names and types that were written before AS.

    Raises:
        ProgrammingError: 1015, their number differs from the query's.
    """
    columns = from_query(translated.columns)
    if given is None:
        return columns
    if len(given.columns) != len(columns):
        raise invalid_argument(
            f"Invalid column definition list: {len(given.columns)} names for {len(columns)} columns of the query"
        )
    if given.names_only:
        return [replace(column, name=named.name) for column, named in zip(columns, given.columns, strict=True)]
    return given.columns


def store(
    context: Context,
    creation: Creation,
    fields: dict[str, Any],
    columns: Sequence[TableColumn],
    translated: Translated | None = None,
) -> Table:
    """Make the table in DuckDB and in the catalog, filling it from a query if there is one."""
    transaction = context.transaction
    variety = "TEMPORARY" if creation.temporary else "TRANSIENT" if creation.transient else "TABLE"
    table = Table(
        **fields,
        columns=with_physical_names(columns),
        variety=variety,
        version=next_version(transaction.cursor),
    )
    for column in table.columns:
        check_default(context, column)
    make_physical(context, table)
    if translated is not None:
        fill(context, table, translated)
    old = replaced(context, Table, creation, (table.database, table.schema, table.name))
    if old is not None:
        remove_entry(transaction, context.engine, old)
    transaction.catalog.add(table)
    return table


def make_physical(context: Context, table: Table) -> None:
    """Make the DuckDB table and the sequences behind its AUTOINCREMENT columns."""
    cursor = context.transaction.cursor
    for column in table.columns:
        if column.sequence is not None and column.increment is not None:
            make_sequence(context, column.sequence, *column.increment)
    definitions = ", ".join(
        f"{quote_identifier(column.physical)} {column.type.duckdb}{'' if column.nullable else ' NOT NULL'}"
        for column in table.columns
    )
    cursor.execute(f"CREATE TABLE {table.physical} ({definitions})")


def make_sequence(context: Context, sequence_id: str, start: int, step: int) -> None:
    """Make a DuckDB sequence that counts up or down without end."""
    bounds = f"MINVALUE {min(start, 1)} MAXVALUE {2**63 - 1}" if step > 0 else f"MINVALUE {-(2**63)} MAXVALUE {start}"
    context.transaction.cursor.execute(
        f'CREATE SEQUENCE data."s_{sequence_id}" INCREMENT BY {step} {bounds} START WITH {start}'
    )


def fill(context: Context, table: Table, translated: Translated) -> None:
    """Insert a query's rows, column by column in order."""
    parts = [
        cast(Value(f"q.{quote_identifier(source.physical)}", source.type), column.type).sql
        for source, column in zip(translated.columns, table.columns, strict=True)
    ]
    context.transaction.cursor.execute(
        f"INSERT INTO {table.physical} SELECT {', '.join(parts)} FROM ({translated.sql}) AS q",  # noqa: S608
        list(context.params) or None,
    )


def _create_like(context: Context, scanner: Scanner, creation: Creation, names: tuple[str, str, str]) -> None:
    source = context.table(scanner.name())
    options = read_table_options(context, scanner)
    scanner.expect_end()
    store(context, creation, entry_fields(context, creation, names) | options, _fresh(source.columns))


def _create_clone(context: Context, scanner: Scanner, creation: Creation, names: tuple[str, str, str]) -> None:
    source = context.table(scanner.name())
    if scanner.sees("AT") or scanner.sees("BEFORE"):
        raise unsupported("time travel (AT, BEFORE)")
    options = read_table_options(context, scanner)
    scanner.expect_end()
    fields = entry_fields(context, creation, names) | {"comment": source.comment} | options
    physical = source.physical
    listed = ", ".join(quote_identifier(column.physical) for column in source.columns)
    table = store(context, creation, fields, _fresh(source.columns))
    context.transaction.cursor.execute(f"INSERT INTO {table.physical} SELECT {listed} FROM {physical}")  # noqa: S608


def _fresh(columns: Sequence[TableColumn]) -> list[TableColumn]:
    """Copy column definitions for another table; its AUTOINCREMENT columns count on their own."""
    import uuid

    return [replace(column, sequence=column.sequence and uuid.uuid4().hex[:16]) for column in columns]
