"""Column definitions of CREATE TABLE and ALTER TABLE."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox.catalog import TableColumn
from firnline_sandbox.errors import duplicate_column, invalid_identifier, unsupported
from firnline_sandbox.types import SnowflakeType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firnline_sandbox.context import Context
    from firnline_sandbox.statements.scanner import Scanner
    from firnline_sandbox.types import Column

_CONSTRAINT_WORDS: Final = (
    "ENFORCED",
    "DEFERRABLE",
    "RELY",
    "NORELY",
    "ENABLE",
    "DISABLE",
    "VALIDATE",
    "NOVALIDATE",
)
_RESERVED: Final = frozenset({"rowid"})  # DuckDB's name for a row's place, which DML uses


@dataclass(slots=True)
class ColumnList:
    """The parenthesised part of CREATE TABLE. ``columns`` have no physical names yet."""

    columns: list[TableColumn] = field(default_factory=list)
    names_only: bool = False


def read_column_list(scanner: Scanner) -> ColumnList:
    """Read ``(name type …, …, CONSTRAINT …)``, or ``(name, …)`` before AS."""
    found = ColumnList()
    primary: list[str] = []
    unique: list[str] = []

    def read() -> None:
        scanner.take("CONSTRAINT") and scanner.identifier()
        if scanner.take("PRIMARY", "KEY"):
            primary.extend(scanner.items(scanner.identifier))
            _skip_constraint_options(scanner)
        elif scanner.sees("UNIQUE", "("):
            scanner.take("UNIQUE")
            unique.extend(scanner.items(scanner.identifier))
            _skip_constraint_options(scanner)
        elif scanner.take("FOREIGN", "KEY"):
            scanner.items(scanner.identifier)
            _read_reference(scanner)
        elif scanner.sees("CHECK", "("):
            raise unsupported("CHECK constraint")
        else:
            found.columns.append(_read_column(scanner, found))

    scanner.items(read)
    known = {column.name for column in found.columns}
    for name in (*primary, *unique):
        if name not in known:
            raise invalid_identifier(name)
    found.columns = [
        replace(
            column,
            primary_key=column.primary_key or column.name in primary,
            unique_key=column.unique_key or column.name in unique,
            nullable=column.nullable and column.name not in primary,
        )
        for column in found.columns
    ]
    return found


def _read_column(scanner: Scanner, found: ColumnList) -> TableColumn:
    name = scanner.identifier()
    if scanner.sees(",") or scanner.sees(")"):
        found.names_only = True
        return TableColumn(name=name, type=SnowflakeType("NULL"), physical="")
    from firnline_sandbox.translate.parsing import parse_type

    return read_column_options(scanner, name, parse_type(scanner.type_text()))


def read_column_options(scanner: Scanner, name: str, type_: SnowflakeType) -> TableColumn:
    """Read what follows a column's type: NOT NULL, DEFAULT, AUTOINCREMENT, COMMENT and constraints."""
    options: dict[str, Any] = {}
    while not (scanner.at_end or scanner.sees(",") or scanner.sees(")")):
        if scanner.take("NOT", "NULL"):
            options["nullable"] = False
        elif scanner.take("NULL"):
            options["nullable"] = True
        elif scanner.take("DEFAULT"):
            options["default"] = scanner.until(",", "NOT", "COMMENT", "PRIMARY", "UNIQUE", "CONSTRAINT", "REFERENCES")
        elif scanner.take_any("AUTOINCREMENT", "IDENTITY"):
            options |= {"increment": _read_increment(scanner), "sequence": uuid.uuid4().hex[:16]}
        elif scanner.take("COMMENT"):
            options["comment"] = scanner.text()
        elif scanner.take("PRIMARY", "KEY"):
            options |= {"primary_key": True, "nullable": False}
            _skip_constraint_options(scanner)
        elif scanner.take("UNIQUE"):
            options["unique_key"] = True
            _skip_constraint_options(scanner)
        elif scanner.take("CONSTRAINT"):
            scanner.identifier()
        elif scanner.take("FOREIGN", "KEY") or scanner.sees("REFERENCES"):
            _read_reference(scanner)
        elif scanner.take("COLLATE"):
            collation = scanner.text()
            if collation not in ("", "utf8"):
                raise unsupported(f"COLLATE '{collation}'")
        elif any(scanner.sees(word) for word in _REFUSED_OPTIONS):
            raise unsupported(f"column option {scanner.here.keyword}")
        else:
            raise scanner.unexpected()
    return TableColumn(name=name, type=type_, physical="", **options)


_REFUSED_OPTIONS: Final = ("AS", "CHECK", "MASKING", "PROJECTION", "TAG", "WITH")


def _read_increment(scanner: Scanner) -> tuple[int, int]:
    start, step = 1, 1
    if scanner.sees("("):
        start, step = scanner.items(scanner.integer)
    if scanner.take("START"):
        scanner.take("WITH")
        scanner.take("=")
        start = scanner.integer()
    if scanner.take("INCREMENT"):
        scanner.take("BY")
        scanner.take("=")
        step = scanner.integer()
    scanner.take_any("ORDER", "NOORDER")
    return start, step


def _read_reference(scanner: Scanner) -> None:
    # Snowflake keeps foreign keys for information only and checks nothing.
    scanner.expect("REFERENCES")
    scanner.name()
    if scanner.sees("("):
        scanner.items(scanner.identifier)
    while scanner.take("ON"):
        scanner.identifier()
        scanner.identifier()
        scanner.take("ACTION")
    _skip_constraint_options(scanner)


def _skip_constraint_options(scanner: Scanner) -> None:
    while True:
        if scanner.take("NOT"):
            if scanner.sees("NULL"):
                scanner.position -= 1
                return
            continue
        if scanner.take("INITIALLY"):
            scanner.identifier()
        elif not scanner.take_any(*_CONSTRAINT_WORDS):
            return


def with_physical_names(columns: Sequence[TableColumn], taken: Sequence[str] = ()) -> tuple[TableColumn, ...]:
    """Give new columns names that are unique in DuckDB, which ignores case.

    Raises:
        ProgrammingError: 1110, two columns have the same name.
    """
    used = {name.lower() for name in taken} | _RESERVED
    seen: set[str] = set()
    named = []
    for column in columns:
        if column.name in seen:
            raise duplicate_column(column.name)
        seen.add(column.name)
        physical, number = column.name or "_", 1
        while physical.lower() in used:
            number += 1
            physical = f"{column.name}__{number}"
        used.add(physical.lower())
        named.append(replace(column, physical=physical))
    return tuple(named)


def from_query(columns: Sequence[Column]) -> list[TableColumn]:
    """Give table columns for a query's result: a bare NULL becomes a VARCHAR."""
    from firnline_sandbox.types import TEXT

    return [
        TableColumn(
            name=column.name,
            type=TEXT if column.type.kind == "NULL" else column.type,
            physical="",
            nullable=column.nullable,
        )
        for column in columns
    ]


def check_default(context: Context, column: TableColumn) -> None:
    """Translate a column's default once, so that CREATE TABLE refuses what INSERT could not compute."""
    if column.default is not None:
        default_sql(context, column)


def default_sql(context: Context, column: TableColumn) -> str:
    """Write DuckDB SQL for what a column gets when INSERT leaves it out."""
    from firnline_sandbox.translate import parse_statement, translate_expression
    from firnline_sandbox.translate.casts import cast
    from firnline_sandbox.translate.values import Value

    if column.sequence is not None:
        return f"nextval('data.\"s_{column.sequence}\"')"
    if column.default is None:
        return f"CAST(NULL AS {column.type.duckdb})"
    tree = parse_statement(f"SELECT {column.default}").expressions[0]
    sql, type_ = translate_expression(tree, context.surroundings, {})
    return cast(Value(sql, type_), column.type).sql
