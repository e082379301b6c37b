"""ALTER TABLE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox.catalog import Table, changed
from firnline_sandbox.errors import unsupported
from firnline_sandbox.result import Result
from firnline_sandbox.statements import alter_columns
from firnline_sandbox.statements.registry import statement
from firnline_sandbox.statements.renaming import rename, swap
from firnline_sandbox.statements.tags import set_tags, unset_tags

if TYPE_CHECKING:
    from firnline_sandbox.context import Context
    from firnline_sandbox.statements.scanner import Scanner

# Options that change nothing in a sandbox, whatever their value.
WITHOUT_EFFECT: Final = frozenset(
    {
        "DATA_RETENTION_TIME_IN_DAYS",
        "MAX_DATA_EXTENSION_TIME_IN_DAYS",
        "CHANGE_TRACKING",
        "DEFAULT_DDL_COLLATION",
        "ENABLE_SCHEMA_EVOLUTION",
        "LOG_LEVEL",
        "TRACE_LEVEL",
    }
)


@statement("ALTER TABLE")
def alter_table(context: Context, sql: str) -> Result:
    """Carry out any of the forms of ALTER TABLE."""
    scanner = context.scanner(sql)
    scanner.expect("ALTER", "TABLE")
    if_exists = scanner.take("IF", "EXISTS")
    parts = scanner.name()
    if if_exists and context.catalog.find_relation(context.qualify(parts), context.session_id) is None:
        return Result.status()
    table = context.table(parts)
    match scanner.take_any(
        "RENAME", "SWAP", "ADD", "DROP", "ALTER", "MODIFY", "CLUSTER", "SUSPEND", "RESUME", "SET", "UNSET"
    ):
        case "RENAME" if scanner.take("COLUMN"):
            alter_columns.rename_column(context, scanner, table)
        case "RENAME":
            scanner.expect("TO")
            rename(context, table, context.qualify(scanner.name()))
        case "SWAP":
            scanner.expect("WITH")
            swap(context, table, context.table(scanner.name()))
        case "ADD":
            alter_columns.add(context, scanner, table)
        case "DROP":
            alter_columns.drop(context, scanner, table)
        case "ALTER" | "MODIFY":
            alter_columns.alter_columns(context, scanner, table)
        case "CLUSTER":
            scanner.expect("BY")
            context.catalog.put(changed(table, cluster_by=f"LINEAR({scanner.balanced()})"))
        case "SUSPEND" | "RESUME":
            scanner.expect("RECLUSTER")  # rows of a sandbox lie in no clusters
        case "SET":
            context.catalog.put(_set(context, scanner, table))
        case "UNSET":
            context.catalog.put(_unset(context, scanner, table))
        case _:
            raise unsupported(f"ALTER TABLE {scanner.here.text}")
    scanner.expect_end()
    return Result.status()


def _set(context: Context, scanner: Scanner, table: Table) -> Table:
    if scanner.take("TAG"):
        return set_tags(context, scanner, table)
    return changed(table, **read_settings(scanner, "ALTER TABLE SET"))


def _unset(context: Context, scanner: Scanner, table: Table) -> Table:
    if scanner.take("TAG"):
        return unset_tags(context, scanner, table)
    return changed(table, **read_unsettings(scanner, "ALTER TABLE UNSET"))


def read_settings(scanner: Scanner, where: str) -> dict[str, Any]:
    """Read ``COMMENT = '…'`` and options without effect, up to the end."""
    found: dict[str, Any] = {}
    while not scanner.at_end:
        key = scanner.identifier()
        if key != "COMMENT" and key not in WITHOUT_EFFECT:
            raise unsupported(f"{where} {key}")
        scanner.expect("=")
        value = scanner.value()
        if key == "COMMENT":
            found["comment"] = str(value)
        scanner.take(",")
    return found


def read_unsettings(scanner: Scanner, where: str) -> dict[str, Any]:
    """Read the names of options that go back to their defaults, up to the end."""
    found: dict[str, Any] = {}
    while not scanner.at_end:
        key = scanner.identifier()
        if key == "COMMENT":
            found["comment"] = ""
        elif key not in WITHOUT_EFFECT:
            raise unsupported(f"{where} {key}")
        scanner.take(",")
    return found
