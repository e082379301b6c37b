"""What all SHOW statements have in common: TERSE, LIKE, IN, STARTS WITH, LIMIT, and the rows that they leave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox.errors import missing_context, missing_session_context
from firnline_sandbox.result import Result
from firnline_sandbox.statements.listing import answer, matches, read_like
from firnline_sandbox.types import TEXT, TIMESTAMP_LTZ

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firnline_sandbox.context import Context
    from firnline_sandbox.statements.listing import Columns
    from firnline_sandbox.statements.scanner import Scanner

INFORMATION_SCHEMA: Final = "INFORMATION_SCHEMA"
TERSE: Final[Columns] = {
    "created_on": TIMESTAMP_LTZ,
    "name": TEXT,
    "kind": TEXT,
    "database_name": TEXT,
    "schema_name": TEXT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """Which objects a SHOW statement asks for; ``database`` and ``schema`` are None for all of them.

    ``relation`` is what stands after IN TABLE or IN VIEW.
    """

    terse: bool = False
    pattern: str | None = None
    database: str | None = None
    schema: str | None = None
    relation: tuple[str, str, str] | None = None
    prefix: str | None = None
    limit: int | None = None
    after: str | None = None

    def answer(
        self, columns: Columns, rows: Sequence[dict[str, Any]], *, terse: Columns | None = None, key: str = "name"
    ) -> Result:
        """Leave out what was not asked for, and put the rest in the order of the columns."""
        kept = [row for row in rows if matches(self.pattern, row[key])]
        if self.prefix is not None:
            kept = [row for row in kept if row[key].startswith(self.prefix)]
        if self.after is not None:
            kept = _following(kept, key, self.after)
        if self.limit is not None:
            kept = kept[: self.limit]
        return answer(terse if self.terse and terse is not None else columns, kept)


def _following(rows: list[dict[str, Any]], key: str, after: str) -> list[dict[str, Any]]:
    for index, row in enumerate(rows):
        if row[key].startswith(after):
            return rows[index + 1 :]
    return [row for row in rows if row[key] > after]


def read_show(context: Context, scanner: Scanner, *kind: str, scope: str = "SCHEMA") -> Show:
    """Read ``SHOW [TERSE] <kind> [HISTORY] [LIKE …] [IN …] [STARTS WITH …] [LIMIT … [FROM …]]``.

    Args:
        context: the statement's context.
        scanner: at the statement's start.
        kind: the keywords between SHOW and the clauses.
        scope: what a bare name after IN means: SCHEMA, DATABASE, or TABLE; ACCOUNT where IN may not stand.

    Raises:
        ProgrammingError: 2043, the database or schema after IN does not exist.
    """
    scanner.expect("SHOW")
    terse = scanner.take("TERSE")
    scanner.expect(*kind)
    scanner.take("HISTORY")  # dropped objects are not kept, so there is no more to show
    pattern = read_like(scanner)
    place = _read_place(context, scanner, scope)
    pattern = pattern if pattern is not None else read_like(scanner)
    prefix = limit = after = None
    if scanner.take("STARTS", "WITH"):
        prefix = scanner.text()
    if scanner.take("LIMIT"):
        limit = scanner.integer()
        if scanner.take("FROM"):
            after = scanner.text()
    scanner.expect_end()
    return Show(terse=terse, pattern=pattern, prefix=prefix, limit=limit, after=after, **place)


def _read_place(context: Context, scanner: Scanner, scope: str) -> dict[str, Any]:
    database, schema = context.home
    if scope == "ACCOUNT":
        return {}
    if not scanner.take("IN"):
        return {"database": database, "schema": None if scope == "DATABASE" else schema}
    match scanner.take_any("ACCOUNT", "DATABASE", "SCHEMA", "TABLE", "VIEW"):
        case "ACCOUNT":
            return {}
        case "DATABASE":
            return _in_database(context, database if _names_nothing(scanner) else scanner.identifier())
        case "SCHEMA":
            return _in_schema(context, scanner)
        case "TABLE" | "VIEW":
            return {"relation": context.qualify(scanner.name())}
        case _ if scope == "TABLE":
            return {"relation": context.qualify(scanner.name())}
        case _ if scope == "DATABASE":
            return _in_database(context, scanner.identifier())
        case _:
            return _in_schema(context, scanner)


def _names_nothing(scanner: Scanner) -> bool:
    return scanner.at_end or scanner.sees("STARTS", "WITH") or scanner.here.keyword in {"LIMIT", "LIKE"}


def _in_database(context: Context, name: str | None) -> dict[str, Any]:
    if name is None:
        raise missing_session_context()
    if context.catalog.database(name) is None:
        raise missing_context(name)
    return {"database": name}


def _in_schema(context: Context, scanner: Scanner) -> dict[str, Any]:
    if _names_nothing(scanner):
        database, schema = context.home
        if database is None or schema is None:
            raise missing_session_context()
    else:
        database, schema = context.qualify_schema(scanner.name())
    if context.catalog.schema(database, schema) is None and schema != INFORMATION_SCHEMA:
        raise missing_context(f"{database}.{schema}")
    return {"database": database, "schema": schema}


def yes_no(value: bool) -> str:
    """Write a flag as most SHOW columns do."""
    return "Y" if value else "N"
