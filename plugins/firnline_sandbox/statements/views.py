"""CREATE VIEW."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from firnline_sandbox.catalog import TableColumn, View
from firnline_sandbox.errors import already_exists, invalid_argument, missing_session_context, unsupported
from firnline_sandbox.result import Result
from firnline_sandbox.statements.columns import from_query, with_physical_names
from firnline_sandbox.statements.creation import entry_fields, read_creation, read_tags, replaced, require_schema
from firnline_sandbox.statements.fetching import translate
from firnline_sandbox.statements.registry import statement
from firnline_sandbox.statements.removal import remove_entry

if TYPE_CHECKING:
    from firnline_sandbox.context import Context
    from firnline_sandbox.statements.scanner import Scanner


@statement("CREATE VIEW", "CREATE RECURSIVE VIEW")
def create_view(context: Context, sql: str) -> Result:
    """Create a view. Its query is kept as Snowflake SQL and translated each time it is read."""
    scanner = context.scanner(sql)
    creation = read_creation(scanner, "VIEW")
    names = context.qualify(creation.parts)
    require_schema(context, names)
    old = replaced(context, View, creation, names)
    if old is not None and creation.if_not_exists:
        return Result.status(f"{names[2]} already exists, statement succeeded.")
    if old is not None and not (creation.replace and isinstance(old, View)):
        raise already_exists(".".join(names))
    given = read_view_columns(scanner) if scanner.sees("(") else []
    options = _read_options(context, scanner)
    scanner.expect("AS")
    query = scanner.rest()
    if creation.recursive:
        query = _recursive(names[2], given, query)
    if context.params:
        raise unsupported("bind variables in CREATE VIEW")
    database, schema = context.home
    if database is None or schema is None:
        raise missing_session_context()
    columns = _named(from_query(translate(context.peeking(), query).columns), given)
    if old is not None:
        remove_entry(context.transaction, context.engine, old)
    context.catalog.add(
        View(
            **entry_fields(context, creation, names) | options,
            text=sql.strip().rstrip(";"),
            query=query,
            columns=with_physical_names(columns),
            home=(database, schema),
            is_secure=creation.secure,
        )
    )
    return Result.status(f"View {names[2]} successfully created.")


def _recursive(name: str, given: list[tuple[str, str]], query: str) -> str:
    """Write what CREATE RECURSIVE VIEW stands for: a common table expression of the view's own name."""
    from firnline_sandbox.translate.values import quote_name

    if not given:
        raise invalid_argument(f"Recursive view '{name}' needs a list of its columns")
    columns = ", ".join(quote_name(column) for column, _ in given)
    return f"WITH RECURSIVE {quote_name(name)} ({columns}) AS ({query}) SELECT * FROM {quote_name(name)}"  # noqa: S608 (Snowflake SQL)


def read_view_columns(scanner: Scanner) -> list[tuple[str, str]]:
    """Read ``(name [COMMENT '…'], …)`` into names and comments."""

    def read() -> tuple[str, str]:
        name = scanner.identifier()
        return name, scanner.text() if scanner.take("COMMENT") else ""

    return scanner.items(read)


def _read_options(context: Context, scanner: Scanner) -> dict[str, Any]:
    options: dict[str, Any] = {}
    while not scanner.sees("AS"):
        if scanner.take("COMMENT"):
            scanner.take("=")
            options["comment"] = scanner.text()
        elif scanner.take("COPY", "GRANTS"):
            continue
        elif scanner.take("CHANGE_TRACKING"):
            scanner.expect("=")
            scanner.value()
        elif scanner.sees("TAG") or scanner.sees("WITH", "TAG"):
            scanner.take("WITH")
            scanner.expect("TAG")
            options["tags"] = read_tags(context, scanner)
        elif scanner.at_end:
            raise scanner.unexpected()
        else:
            raise unsupported(f"CREATE VIEW option {scanner.here.text}")
    return options


def _named(columns: list[TableColumn], given: list[tuple[str, str]]) -> list[TableColumn]:
    if not given:
        return columns
    if len(given) != len(columns):
        raise invalid_argument(
            f"Invalid column definition list: {len(given)} names for {len(columns)} columns of the query"
        )
    return [replace(column, name=name, comment=comment) for column, (name, comment) in zip(columns, given, strict=True)]
