"""Functions and procedures as the catalog keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final

from firnline_sandbox.catalog.entries import Entry
from firnline_sandbox.statements.scanner import shown_identifier
from firnline_sandbox.translate.parsing import parse_type
from firnline_sandbox.types import SnowflakeType

SCALAR: Final = "SCALAR"
TABLE: Final = "TABLE"
AGGREGATE: Final = "AGGREGATE"

_SHORT: Final = {"TEXT": "VARCHAR"}


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument: its name, its type as SQL spells it, and Snowflake SQL for its default."""

    name: str
    sql_type: str
    default: str | None = None

    @property
    def type(self) -> SnowflakeType:
        """Give the type."""
        return parse_type(self.sql_type)


@dataclass(frozen=True, slots=True, kw_only=True)
class Routine(Entry):
    """What functions and procedures have in common.

    ``rows`` (the arguments) and ``output`` (a table's columns; a procedure without any gives those that come) are kept
    as plain tuples, which JSON has.
    """

    text: str = ""
    rows: tuple[tuple[str, str, str | None], ...] = ()
    returns: str = ""
    output: tuple[tuple[str, str], ...] | None = None
    variety: str = SCALAR
    language: str = "PYTHON"
    body: str | None = None
    handler: str = ""
    imports: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    runtime_version: str = ""
    strict: bool = False
    volatile: bool = True
    secure: bool = False
    options: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Bring what comes from JSON into tuples."""
        object.__setattr__(self, "rows", tuple(tuple(row) for row in self.rows))
        if self.output is not None:
            object.__setattr__(self, "output", tuple(tuple(row) for row in self.output))
        for name in ("imports", "packages"):
            object.__setattr__(self, name, tuple(getattr(self, name)))

    @property
    def key(self) -> tuple[str, str, str, str, int | None]:
        """Give what must be unique: a name may be used again with other arguments."""
        return (self.namespace or self.kind, self.database, self.schema, self.signature, self.session)

    @property
    def arguments(self) -> tuple[Argument, ...]:
        """Give the arguments."""
        return tuple(Argument(*row) for row in self.rows)

    @property
    def signature(self) -> str:
        """Give the name and the kinds of the arguments, such as ``ADD(NUMBER, NUMBER)``."""
        return signature(self.name, [argument.type for argument in self.arguments])

    @property
    def full_name(self) -> str:
        """Give the dotted name with the kinds of the arguments."""
        parts = [shown_identifier(part) for part in (self.database, self.schema) if part]
        return ".".join([*parts, self.signature])

    @property
    def returns_shown(self) -> str:
        """Give what it returns as SHOW and DESCRIBE word it."""
        if self.output is None:
            return self.returns
        return f"TABLE ({', '.join(f'{shown_identifier(name)} {type_}' for name, type_ in self.output)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Function(Routine):
    """A user-defined function: of values, of tables, or of groups."""

    kind: ClassVar[str] = "FUNCTION"


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure(Routine):
    """A stored procedure."""

    kind: ClassVar[str] = "PROCEDURE"

    execute_as: str = "OWNER"


def short_type(type_: SnowflakeType) -> str:
    """Give a type without its parameters, as signatures have it."""
    return _SHORT.get(type_.kind, type_.kind)


def signature(name: str, types: list[SnowflakeType]) -> str:
    """Write a name with the kinds of its arguments."""
    return f"{shown_identifier(name)}({', '.join(short_type(type_) for type_ in types)})"
