"""Reading ``COPY INTO <table>``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlglot import exp

from firnline_sandbox.errors import column_count, invalid_argument, missing_table, unsupported
from firnline_sandbox.statements.registry import rewrite_query
from firnline_sandbox.statements.targets import column_named
from firnline_sandbox.translate import parse_statement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firnline_sandbox.catalog import Table, TableColumn
    from firnline_sandbox.context import Context
    from firnline_sandbox.statements.scanner import Scanner

_OPTIONS: Final = {
    "ON_ERROR": "ABORT_STATEMENT",
    "SIZE_LIMIT": None,
    "PURGE": False,
    "RETURN_FAILED_ONLY": False,
    "MATCH_BY_COLUMN_NAME": "NONE",
    "INCLUDE_METADATA": None,
    "ENFORCE_LENGTH": True,
    "TRUNCATECOLUMNS": False,
    "FORCE": False,
    "LOAD_UNCERTAIN_FILES": False,
    "VALIDATION_MODE": None,
    "LOAD_MODE": "FULL_INGEST",
}
_QUERY_PARTS: Final = frozenset({"expressions", "from_", "hint"})
_MATCHES: Final = frozenset({"NONE", "CASE_SENSITIVE", "CASE_INSENSITIVE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """ON_ERROR: what happens to a file, or the statement, whose rows have errors."""

    action: str  # ABORT_STATEMENT, CONTINUE or SKIP_FILE
    most: float = 1
    percent: bool = False

    @staticmethod
    def parse(text: str) -> Tolerance:
        """Read the option's value.

        Raises:
            ProgrammingError: 1015, it is none of Snowflake's.
        """
        upper = text.upper()
        if upper in {"CONTINUE", "ABORT_STATEMENT", "SKIP_FILE"}:
            return Tolerance(action=upper)
        if found := re.fullmatch(r"SKIP_FILE_(\d+(?:\.\d+)?)(%?)", upper):
            return Tolerance(action="SKIP_FILE", most=float(found[1]), percent=bool(found[2]))
        raise invalid_argument(f"invalid value '{text}' for parameter 'ON_ERROR'")

    def skips(self, errors: int, rows: int) -> bool:
        """Say whether a file with so many errors is left out."""
        if self.action != "SKIP_FILE" or not errors:
            return False
        return errors * 100 > self.most * rows if self.percent else errors >= self.most

    def limit(self, rows: int) -> int:
        """Give the number of errors at which loading stops, as COPY's result shows it."""
        if self.action == "CONTINUE":
            return rows
        return int(self.most * rows / 100) if self.percent else int(self.most)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One ``COPY INTO <table>``. ``projections`` are those of a transformation; None without one."""

    table: Table
    columns: tuple[TableColumn, ...]
    columns_given: bool
    location: str
    projections: tuple[exp.Expression, ...] | None
    alias: str
    params: tuple[Any, ...]
    files: tuple[str, ...] | None
    pattern: str | None
    format: object
    options: Mapping[str, Any]

    @property
    def tolerance(self) -> Tolerance:
        """Give ON_ERROR."""
        return Tolerance.parse(str(self.options["ON_ERROR"]))

    @property
    def match(self) -> str:
        """Give MATCH_BY_COLUMN_NAME."""
        return str(self.options["MATCH_BY_COLUMN_NAME"]).upper()

    @property
    def truncates(self) -> bool:
        """Say whether too long texts are cut."""
        return self.options["TRUNCATECOLUMNS"] is True or self.options["ENFORCE_LENGTH"] is False


def read_load(context: Context, scanner: Scanner) -> Load:
    """Read the statement behind ``COPY INTO``."""
    names = context.qualify(scanner.name())
    if context.catalog.find_relation(names, context.session_id) is None:
        raise missing_table(".".join(names))
    table = context.table(names)
    given = scanner.sees("(")
    listed = scanner.items(scanner.identifier) if given else [column.name for column in table.columns]
    columns = tuple(column_named(table, name) for name in listed)
    location, projections, alias, params = f'@%"{table.name}"', None, "", ()
    hints: dict[str, Any] = {}
    if scanner.take("FROM"):
        if scanner.sees("("):
            first = scanner.binds_so_far
            text = scanner.balanced()
            params = tuple(context.params[first : scanner.binds_so_far])
            projections, location, alias, hints = _read_query(context, text)
        else:
            location = scanner.location()
    if projections is not None and len(projections) != len(columns):
        raise column_count(len(columns), len(projections))
    found = hints | _read_options(scanner)
    options = {key: found.pop(key, default) for key, default in _OPTIONS.items()}
    _check(options)
    files = found.pop("FILES", None)
    return Load(
        table=table,
        columns=columns,
        columns_given=given,
        location=location,
        projections=projections,
        alias=alias,
        params=params,
        files=None if files is None else tuple(str(name) for name in (files if isinstance(files, list) else [files])),
        pattern=found.pop("PATTERN", None),
        format=found.pop("FILE_FORMAT", None),
        options=options,
    )


def _read_options(scanner: Scanner) -> dict[str, Any]:
    found: dict[str, Any] = {}
    known = {*_OPTIONS, "FILES", "PATTERN", "FILE_FORMAT"}
    while not scanner.at_end:
        key = scanner.identifier()
        if key not in known:
            raise unsupported(f"COPY INTO option {key}")
        scanner.expect("=")
        found[key] = scanner.option_value()
        scanner.take(",")
    return found


def _check(options: Mapping[str, Any]) -> None:
    Tolerance.parse(str(options["ON_ERROR"]))
    if str(options["MATCH_BY_COLUMN_NAME"]).upper() not in _MATCHES:
        raise invalid_argument(f"invalid value '{options['MATCH_BY_COLUMN_NAME']}' for MATCH_BY_COLUMN_NAME")
    if str(options["LOAD_MODE"]).upper() != "FULL_INGEST":
        raise unsupported(f"COPY INTO option LOAD_MODE = {options['LOAD_MODE']}")
    mode = options["VALIDATION_MODE"]
    if mode is not None and not re.fullmatch(r"RETURN_(?:ERRORS|ALL_ERRORS|\d+_ROWS)", str(mode).upper()):
        raise invalid_argument(f"invalid value '{mode}' for VALIDATION_MODE")


def _read_query(context: Context, text: str) -> tuple[tuple[exp.Expression, ...], str, str, dict[str, Any]]:
    """Take a transformation apart: a SELECT list over one stage location.

    Raises:
        ProgrammingError: 2, Snowflake's COPY INTO takes no such query.
    """
    tree = parse_statement(rewrite_query(context, text))
    while isinstance(tree, exp.Subquery) and not tree.alias:
        tree = tree.this
    source = tree.args["from_"].this if isinstance(tree, exp.Select) and tree.args.get("from_") else None
    if not isinstance(source, exp.Table) or not isinstance(source.this, exp.Var | exp.Literal):
        raise invalid_argument("COPY INTO needs SELECT ... FROM a stage location in its parentheses")
    for name, part in tree.args.items():
        if part and name not in _QUERY_PARTS:
            raise invalid_argument(f"COPY statement only supports simple SELECT from stage statements, no {name}")
    hints: dict[str, Any] = {}
    if (pattern := source.args.get("pattern")) is not None:
        hints["PATTERN"] = pattern.name
    if (format_ := source.args.get("format")) is not None:
        hints["FILE_FORMAT"] = format_.name if isinstance(format_, exp.Literal) else format_.sql("snowflake")
    return tuple(tree.expressions), str(source.this.name).strip("'"), source.alias, hints
