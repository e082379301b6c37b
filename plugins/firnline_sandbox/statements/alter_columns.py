"""What ALTER TABLE does to columns: ADD, DROP, RENAME, types, NOT NULL, defaults, comments, keys."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from firnline_sandbox.errors import COMPILATION, error, unsupported
from firnline_sandbox.statements.columns import check_default, default_sql, read_column_options, with_physical_names
from firnline_sandbox.statements.physical import put_columns, rebuild, with_column, without_keys
from firnline_sandbox.statements.scanner import quote_identifier
from firnline_sandbox.statements.show_relations import constraint_name
from firnline_sandbox.statements.tables import make_sequence
from firnline_sandbox.statements.targets import column_named
from firnline_sandbox.translate.parsing import parse_type

if TYPE_CHECKING:
    from snowflake.connector.errors import ProgrammingError

    from firnline_sandbox.catalog import Table, TableColumn
    from firnline_sandbox.context import Context
    from firnline_sandbox.statements.scanner import Scanner
    from firnline_sandbox.types import SnowflakeType

_REFUSED_ADDITIONS: Final = (
    ("SEARCH", "OPTIMIZATION"),
    ("ROW", "ACCESS"),
    ("AGGREGATION", "POLICY"),
    ("JOIN", "POLICY"),
    ("DATA", "METRIC"),
    ("STORAGE", "LIFECYCLE"),
)
_REFUSED_CHANGES: Final = frozenset({"MASKING", "PROJECTION", "TAG"})


def _column_error(errno: int, message: str) -> ProgrammingError:
    return error(errno, "42601", f"{COMPILATION}{message}")


# -- ADD


def add(context: Context, scanner: Scanner, table: Table) -> Table:
    """``ADD [COLUMN] [IF NOT EXISTS] name type …, …``, or a PRIMARY KEY, UNIQUE or FOREIGN KEY."""
    if any(scanner.sees(*words) for words in _REFUSED_ADDITIONS):
        raise unsupported(f"ALTER TABLE ADD {scanner.rest()}")
    if scanner.here.keyword in {"CONSTRAINT", "FOREIGN"} or scanner.sees("PRIMARY", "KEY") or scanner.sees("UNIQUE"):
        return _add_constraint(context, scanner, table)
    while True:
        scanner.take("COLUMN")
        if_not_exists = scanner.take("IF", "NOT", "EXISTS")
        name = scanner.identifier()
        column = read_column_options(scanner, name, parse_type(scanner.type_text()))
        if any(known.name == name for known in table.columns):
            if not if_not_exists:
                raise _column_error(1430, f"column '{name}' already exists")
        else:
            table = _add_column(context, table, column)
        if not scanner.take(","):
            scanner.expect_end()
            return table


def _add_column(context: Context, table: Table, column: TableColumn) -> Table:
    (named,) = with_physical_names([column], [known.physical for known in table.columns])
    check_default(context, named)
    cursor = context.transaction.cursor
    is_empty = cursor.execute(f"SELECT 1 FROM {table.physical} LIMIT 1").fetchone() is None  # noqa: S608
    if not is_empty and named.sequence is not None:
        raise _column_error(2, f"Cannot add AUTOINCREMENT column '{column.name}' to non-empty table '{table.name}'.")
    if not is_empty and not named.nullable and named.default is None:
        raise _column_error(
            2140,
            f"Non-nullable column '{column.name}' cannot be added to non-empty table '{table.name}' "
            "unless it has a non-null default value.",
        )
    if named.sequence is not None and named.increment is not None:
        make_sequence(context, named.sequence, *named.increment)
    columns = [*table.columns, named]
    if named.nullable and named.default is None:
        cursor.execute(
            f"ALTER TABLE {table.physical} ADD COLUMN {quote_identifier(named.physical)} {named.type.duckdb}"
        )
        return put_columns(context, table, columns)
    value = f"CAST(NULL AS {named.type.duckdb})" if is_empty else default_sql(context, named)
    return rebuild(context, table, columns, {named.physical: value})


def _add_constraint(context: Context, scanner: Scanner, table: Table) -> Table:
    if scanner.take("CONSTRAINT"):
        scanner.identifier()
    if scanner.take("FOREIGN", "KEY"):
        scanner.rest()  # kept for information only, in Snowflake too
        return table
    is_primary = scanner.take("PRIMARY", "KEY")
    if not is_primary:
        scanner.expect("UNIQUE")
    keys = [column_named(table, name) for name in scanner.items(scanner.identifier)]
    scanner.rest()  # ENFORCED, RELY and the like: Snowflake checks neither key
    if is_primary and any(column.primary_key for column in table.columns):
        raise _column_error(2200, f"Primary key already exists for table '{table.name}'")
    columns = list(table.columns)
    for key in keys:
        marked = replace(key, primary_key=True, nullable=False) if is_primary else replace(key, unique_key=True)
        columns = with_column(columns, marked)
    if [column.nullable for column in columns] == [column.nullable for column in table.columns]:
        return put_columns(context, table, columns)
    _refuse_nulls(context, table, [key for key in keys if key.nullable])
    return rebuild(context, table, columns)


def _refuse_nulls(context: Context, table: Table, columns: list[TableColumn]) -> None:
    for column in columns:
        sql = f"SELECT 1 FROM {table.physical} WHERE {quote_identifier(column.physical)} IS NULL LIMIT 1"  # noqa: S608
        if context.transaction.cursor.execute(sql).fetchone() is not None:
            raise _column_error(
                2216, f"Column '{column.name}' contains null values. Not null constraint cannot be added."
            )


# -- DROP


def drop(context: Context, scanner: Scanner, table: Table) -> Table:
    """``DROP [COLUMN] [IF EXISTS] a, b``, or a key."""
    if scanner.take("CLUSTERING", "KEY"):
        from firnline_sandbox.catalog import changed

        scanner.expect_end()
        altered = changed(table, cluster_by="")
        context.catalog.put(altered)
        return altered
    if scanner.here.keyword in {"CONSTRAINT", "FOREIGN"} or scanner.sees("PRIMARY", "KEY") or scanner.sees("UNIQUE"):
        return _drop_constraint(context, scanner, table)
    scanner.take("COLUMN")
    if_exists = scanner.take("IF", "EXISTS")
    names = [scanner.identifier()]
    while scanner.take(","):
        names.append(scanner.identifier())
    scanner.expect_end()
    gone = [column_named(table, name) for name in names if not if_exists or _has(table, name)]
    left = [column for column in table.columns if column not in gone]
    if not left:
        raise _column_error(2208, f"Cannot drop all columns of table '{table.name}'.")
    for column in gone:
        context.transaction.cursor.execute(
            f"ALTER TABLE {table.physical} DROP COLUMN {quote_identifier(column.physical)}"
        )
        if column.sequence is not None:
            context.transaction.cursor.execute(f'DROP SEQUENCE IF EXISTS data."s_{column.sequence}"')
    return put_columns(context, table, left)


def _has(table: Table, name: str) -> bool:
    return any(column.name == name for column in table.columns)


def _drop_constraint(context: Context, scanner: Scanner, table: Table) -> Table:
    unique: list[str] | None = None
    primary = False
    if scanner.take("CONSTRAINT"):
        name = scanner.identifier()
        primary = name.lower() == constraint_name(table, "PK").lower()
        if name.lower() == constraint_name(table, "UK").lower():
            unique = [column.name for column in table.columns]
        elif not primary:
            raise unsupported(
                f"DROP CONSTRAINT {name}: names of constraints are not kept, DROP PRIMARY KEY is possible"
            )
    elif scanner.take("PRIMARY", "KEY"):
        primary = True
    elif scanner.take("UNIQUE"):
        unique = scanner.items(scanner.identifier)
    else:
        scanner.expect("FOREIGN", "KEY")
        scanner.items(scanner.identifier)
    scanner.take_any("CASCADE", "RESTRICT")
    scanner.expect_end()
    return put_columns(context, table, without_keys(table.columns, primary=primary, unique=unique))


# -- RENAME COLUMN and ALTER COLUMN


def rename_column(context: Context, scanner: Scanner, table: Table) -> Table:
    """``RENAME COLUMN a TO b``."""
    old = column_named(table, scanner.identifier())
    scanner.expect("TO")
    name = scanner.identifier()
    scanner.expect_end()
    if _has(table, name):
        raise _column_error(1430, f"column '{name}' already exists")
    return put_columns(context, table, with_column(table.columns, replace(old, name=name)))


def alter_columns(context: Context, scanner: Scanner, table: Table) -> Table:
    """``ALTER|MODIFY [COLUMN] c <change>, [COLUMN] d <change> …``, perhaps in parentheses."""
    in_parentheses = scanner.take("(")
    while True:
        scanner.take("COLUMN")
        table = _alter_column(context, scanner, table, column_named(table, scanner.identifier()))
        if not scanner.take(","):
            break
    if in_parentheses:
        scanner.expect(")")
    scanner.expect_end()
    return table


def _alter_column(context: Context, scanner: Scanner, table: Table, column: TableColumn) -> Table:
    if scanner.take("DROP", "DEFAULT"):
        return put_columns(context, table, with_column(table.columns, replace(column, default=None)))
    if scanner.take("DROP", "NOT", "NULL"):
        return rebuild(context, table, with_column(table.columns, replace(column, nullable=True)))
    if scanner.take("SET", "NOT", "NULL") or scanner.take("NOT", "NULL"):
        _refuse_nulls(context, table, [column])
        return rebuild(context, table, with_column(table.columns, replace(column, nullable=False)))
    if scanner.take("SET", "DEFAULT"):
        return _set_default(context, table, replace(column, default=scanner.until(",", ")")))
    if scanner.take("COMMENT"):
        return put_columns(context, table, with_column(table.columns, replace(column, comment=scanner.text())))
    if scanner.take("UNSET", "COMMENT"):
        return put_columns(context, table, with_column(table.columns, replace(column, comment="")))
    if scanner.here.keyword in {"SET", "UNSET"} and scanner.words[scanner.position + 1].keyword in _REFUSED_CHANGES:
        raise unsupported(f"ALTER COLUMN {scanner.rest()}")
    scanner.take("SET", "DATA")
    scanner.take("TYPE")
    return _change_type(context, table, column, parse_type(scanner.type_text()))


def _set_default(context: Context, table: Table, column: TableColumn) -> Table:
    if not (column.default or "").upper().endswith(".NEXTVAL"):
        raise _column_error(2, f"Unsupported feature 'Alter Column Set Default' for column '{column.name}'.")
    check_default(context, column)
    return put_columns(context, table, with_column(table.columns, column))


def _change_type(context: Context, table: Table, column: TableColumn, wanted: SnowflakeType) -> Table:
    reason = _refusal(column.type, wanted)
    if reason is not None:
        raise error(
            2108,
            "22000",
            f"{COMPILATION}cannot change column {column.name} from type {column.type.sql} to {wanted.sql} "
            f"because {reason}.",
        )
    columns = with_column(table.columns, replace(column, type=wanted))
    if column.type.duckdb == wanted.duckdb and not _shrinks(column.type, wanted):
        return put_columns(context, table, columns)
    _refuse_too_large(context, table, column, wanted)
    return rebuild(context, table, columns)


def _refusal(old: SnowflakeType, new: SnowflakeType) -> str | None:
    if old.kind != new.kind:
        return "they have incompatible types"
    if old.kind == "NUMBER" and old.scale != new.scale:
        return "changing the scale of a number is not supported"
    if old.kind in {"TEXT", "BINARY"} and (new.length or 0) < (old.length or 0):
        return f"reducing the byte-length of a {'varchar' if old.kind == 'TEXT' else 'binary'} is not supported"
    return None


def _shrinks(old: SnowflakeType, new: SnowflakeType) -> bool:
    return old.kind == "NUMBER" and (new.precision or 0) < (old.precision or 0)


def _refuse_too_large(context: Context, table: Table, column: TableColumn, wanted: SnowflakeType) -> None:
    if not _shrinks(column.type, wanted):
        return
    digits = (wanted.precision or 38) - (wanted.scale or 0)
    sql = f"SELECT 1 FROM {table.physical} WHERE abs({quote_identifier(column.physical)}) >= 1e{digits} LIMIT 1"  # noqa: S608
    if context.transaction.cursor.execute(sql).fetchone() is not None:
        raise error(
            2108,
            "22000",
            f"{COMPILATION}cannot change column {column.name} from type {column.type.sql} to {wanted.sql} "
            "because some of its values have more digits.",
        )
