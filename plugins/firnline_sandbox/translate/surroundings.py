"""What translation asks of the engine around it, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from firnline_sandbox.types import Column, SnowflakeType


@dataclass(frozen=True, slots=True)
class Relation:
    """Something that a query can select from.

    ``sql`` is DuckDB text for a FROM clause: a quoted physical table, or a SELECT in parentheses. ``Column.physical``
    is the column's name inside it.
    """

    sql: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Translated:
    """A query in DuckDB SQL.

    The statement's n-th bind value is written ``$n`` (DuckDB takes the values as a list, in order); ``columns`` have
    the names that Snowflake shows, and in ``physical`` the names in DuckDB, which are unique ignoring case.
    """

    sql: str
    columns: tuple[Column, ...]
    ordered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UserFunction:
    """A user-defined function that a call means: its parameters with their defaults in SQL, and what it gives.

    One that a worker runs has ``physical``, a DuckDB function, and the constant texts that come before its arguments:
    ``rows`` for a call with each row's arguments, ``groups`` for one with lists of the arguments of several rows. One
    in SQL has ``body``, and ``around``, which answers for the names in it.
    """

    name: str
    parameters: tuple[tuple[str, SnowflakeType, str | None], ...]
    returns: SnowflakeType | None
    columns: tuple[Column, ...] = ()
    aggregate: bool = False
    volatile: bool = True
    physical: str = ""
    rows: str = ""
    groups: str = ""
    body: str | None = None
    around: Surroundings | None = None

    def with_body(self, body: str, around: Surroundings) -> UserFunction:
        """Give the same as a function in SQL."""
        return replace(self, body=body, around=around)

    def with_calls(self, physical: str, *, rows: str, groups: str) -> UserFunction:
        """Give the same as a function that a worker runs."""
        return replace(self, physical=physical, rows=rows, groups=groups)


class Surroundings(Protocol):
    """The catalog and the session, as one statement sees them. Name parts are resolved: upper-cased unless quoted."""

    def relation(self, parts: tuple[str, ...]) -> Relation:
        """Find a table, view or stream.

        Raises:
            ProgrammingError: 2003, there is none.
        """

    def table_function(self, name: str, arguments: Sequence[Any], named: Mapping[str, Any]) -> Relation | None:
        """Answer a table function with constant arguments, such as RESULT_SCAN; None for one that is unknown."""

    def staged_files(self, location: str, options: Mapping[str, Any]) -> Relation:
        """Read ``FROM @stage/path (FILE_FORMAT => ..., PATTERN => ...)``; the columns are ``$1``, ``$2`` and so on."""

    def system_function(self, name: str, arguments: list[Any]) -> Any:
        """Answer a SYSTEM$ function with constant arguments by a constant."""

    def found(self, sql: str) -> list[Any]:
        """Run a query of one column in DuckDB SQL and give its values: PIVOT makes columns of them."""

    def session_value(self, name: str) -> str | None:
        """Answer CURRENT_DATABASE, CURRENT_USER, LAST_QUERY_ID and the like."""

    def variable(self, name: str) -> Any:
        """Give a session variable's value.

        Raises:
            ProgrammingError: 2211, there is none of this name.
        """

    def user_function(self, name: str, arguments: tuple[SnowflakeType, ...]) -> tuple[str, SnowflakeType] | None:
        """Find a function of the sandbox's own making: its name in DuckDB and what it returns."""

    def knows_function(self, parts: tuple[str, ...], *, table: bool) -> bool:
        """Say whether there is a user-defined function (or table function) of this name."""

    def find_function(
        self,
        parts: tuple[str, ...],
        given: Sequence[SnowflakeType],
        named: Mapping[str, SnowflakeType],
        *,
        table: bool,
    ) -> UserFunction | None:
        """Find a user-defined function by its name and the types of a call's arguments; None if there is none.

        Raises:
            ProgrammingError: 1044, no function of this name takes such arguments.
        """

    def next_value(self, sequence: tuple[str, ...]) -> str:
        """Write DuckDB SQL for a sequence's NEXTVAL."""
