"""CREATE, ALTER and DROP DYNAMIC TABLE."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox.catalog import Table, Warehouse, changed
from firnline_sandbox.catalog.storage import next_version
from firnline_sandbox.dynamic.objects import ACTIVE, DOWNSTREAM, SUSPENDED, DynamicTable
from firnline_sandbox.dynamic.refreshing import CREATION, MANUAL, refresh
from firnline_sandbox.errors import (
    already_exists,
    invalid_argument,
    missing_object,
    missing_session_context,
    unsupported,
)
from firnline_sandbox.result import Result
from firnline_sandbox.statements.columns import from_query, with_physical_names
from firnline_sandbox.statements.creation import entry_fields, read_creation, replaced, require_schema
from firnline_sandbox.statements.fetching import translate
from firnline_sandbox.statements.registry import statement
from firnline_sandbox.statements.removal import remove_entry
from firnline_sandbox.statements.tables import make_physical

if TYPE_CHECKING:
    from firnline_sandbox.context import Context
    from firnline_sandbox.statements.scanner import Scanner

_LAG: Final = re.compile(r"(\d+)\s*(second|minute|hour|day)s?", re.IGNORECASE)
_SECONDS: Final = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400}
_SHORTEST_S: Final = 60
_WITHOUT_EFFECT: Final = frozenset({"DATA_RETENTION_TIME_IN_DAYS", "MAX_DATA_EXTENSION_TIME_IN_DAYS"})


@statement("CREATE DYNAMIC TABLE")
def create_dynamic_table(context: Context, sql: str) -> Result:
    """Create a dynamic table, with its rows unless INITIALIZE = ON_SCHEDULE."""
    scanner = context.scanner(sql)
    creation = read_creation(scanner, "DYNAMIC", "TABLE")
    names = context.qualify(creation.parts)
    require_schema(context, names)
    if creation.temporary:
        raise unsupported("temporary dynamic tables")
    old = replaced(context, DynamicTable, creation, names)
    if old is not None and creation.if_not_exists:
        return Result.status(f"{names[2]} already exists, statement succeeded.")
    if old is not None and not (creation.replace and isinstance(old, Table)):
        raise already_exists(".".join(names))
    if scanner.sees("CLONE") or scanner.sees("("):
        raise unsupported("a dynamic table as a clone or with a list of columns")
    options = _read_options(context, scanner)
    starts = options.pop("starts", True)
    scanner.expect("AS")
    query = scanner.rest()
    database, schema = context.home
    if database is None or schema is None:
        raise missing_session_context()
    columns = from_query(translate(context.peeking(), query).columns)
    table = DynamicTable(
        **entry_fields(context, creation, names) | options,
        columns=with_physical_names(columns),
        version=next_version(context.duckdb),
        text=sql.strip().rstrip(";"),
        query=query,
        home=(database, schema),
    )
    make_physical(context, table)
    if old is not None:
        remove_entry(context.transaction, context.engine, old)
    context.catalog.add(table)
    if starts:
        refresh(context, table, CREATION)
    context.transaction.after_commit(context.engine.part("tasks").start)
    return Result.status(f"Dynamic table {names[2]} successfully created.")


def _read_options(context: Context, scanner: Scanner) -> dict[str, Any]:
    options: dict[str, Any] = {}
    while not scanner.sees("AS"):
        if scanner.take("CLUSTER", "BY"):
            options["cluster_by"] = f"LINEAR({scanner.balanced()})"
        elif scanner.take("COPY", "GRANTS"):
            continue
        elif scanner.at_end:
            raise scanner.unexpected()
        else:
            _read_option(context, scanner, options)
    if missing := {"lag", "warehouse"} - options.keys():
        wanted = "TARGET_LAG" if "lag" in missing else "WAREHOUSE"
        raise invalid_argument(f"Missing option(s): [{wanted}]")
    return options


def _read_option(context: Context, scanner: Scanner, options: dict[str, Any]) -> None:
    key = scanner.identifier()
    scanner.expect("=")
    match key:
        case "TARGET_LAG" | "LAG":
            options |= _lag(str(scanner.value()))
        case "WAREHOUSE":
            name = scanner.name()[-1]
            if context.catalog.find(Warehouse, ("", "", name)) is None:
                raise missing_object("warehouse", name)
            options["warehouse"] = name
        case "REFRESH_MODE":
            options["mode"] = str(scanner.value()).upper()
            if options["mode"] == "INCREMENTAL":
                raise unsupported("REFRESH_MODE = INCREMENTAL")
            if options["mode"] not in {"AUTO", "FULL"}:
                raise invalid_argument(f"Invalid REFRESH_MODE '{options['mode']}'")
        case "INITIALIZE":
            options["starts"] = str(scanner.value()).upper() != "ON_SCHEDULE"
        case "COMMENT":
            options["comment"] = scanner.text()
        case _ if key in _WITHOUT_EFFECT:
            scanner.value()
        case _:
            raise unsupported(f"dynamic table option {key}")


def _lag(text: str) -> dict[str, Any]:
    if text.upper() == DOWNSTREAM:
        return {"lag": DOWNSTREAM, "lag_s": 0}
    found = _LAG.fullmatch(text.strip())
    seconds = int(found[1]) * _SECONDS[found[2].lower()] if found else 0
    if seconds < _SHORTEST_S:
        raise invalid_argument(f"Invalid TARGET_LAG '{text}': at least 1 minute, or DOWNSTREAM")
    return {"lag": text, "lag_s": seconds}


def find_dynamic(context: Context, parts: tuple[str, ...]) -> DynamicTable:
    """Find a dynamic table.

    Raises:
        ProgrammingError: 2003, there is none.
    """
    names = context.qualify(parts)
    found = context.catalog.find(DynamicTable, names)
    if found is None:
        raise missing_object("dynamic table", ".".join(names))
    return found


@statement("ALTER DYNAMIC TABLE")
def alter_dynamic_table(context: Context, sql: str) -> Result:
    """REFRESH, SUSPEND, RESUME, and SET of lag, warehouse and comment."""
    scanner = context.scanner(sql)
    scanner.expect("ALTER", "DYNAMIC", "TABLE")
    if_exists = scanner.take("IF", "EXISTS")
    parts = scanner.name()
    if if_exists and context.catalog.find(DynamicTable, context.qualify(parts)) is None:
        return Result.status()
    table = find_dynamic(context, parts)
    match scanner.take_any("REFRESH", "SUSPEND", "RESUME", "SET"):
        case "REFRESH":
            scanner.expect_end()
            made = refresh(context, table, context.connection.refreshes or MANUAL)
            return Result.status(f"Dynamic table {table.name} refreshed ({made.action}).")
        case "SUSPEND":
            context.catalog.put(changed(table, state=SUSPENDED))
        case "RESUME":
            context.catalog.put(changed(table, state=ACTIVE))
        case "SET":
            options: dict[str, Any] = {}
            while not scanner.at_end:
                _read_option(context, scanner, options)
                scanner.take(",")
            if options.keys() & {"mode", "starts"}:
                raise unsupported("ALTER DYNAMIC TABLE SET REFRESH_MODE or INITIALIZE")
            context.catalog.put(changed(table, **options))
        case _:
            raise unsupported(f"ALTER DYNAMIC TABLE {scanner.rest()}")
    scanner.expect_end()
    context.transaction.after_commit(context.engine.part("tasks").start)
    return Result.status()


@statement("DROP DYNAMIC TABLE")
def drop_dynamic_table(context: Context, sql: str) -> Result:
    """Drop a dynamic table."""
    scanner = context.scanner(sql)
    scanner.expect("DROP", "DYNAMIC", "TABLE")
    if_exists = scanner.take("IF", "EXISTS")
    parts = scanner.name()
    scanner.expect_end()
    names = context.qualify(parts)
    if if_exists and context.catalog.find(DynamicTable, names) is None:
        return Result.status(f"Drop statement executed successfully ({names[2]} already dropped).")
    remove_entry(context.transaction, context.engine, find_dynamic(context, parts))
    return Result.status(f"{names[2]} successfully dropped.")
