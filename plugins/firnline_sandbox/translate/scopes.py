"""Which names an expression sees: the relations of its FROM clause, those of the queries around it, and aliases."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from firnline_sandbox.errors import ambiguous_column, invalid_identifier
from firnline_sandbox.translate.values import Value, quote_name
from firnline_sandbox.types import TEXT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlglot import exp

    from firnline_sandbox.translate.surroundings import Relation
    from firnline_sandbox.types import Column, SnowflakeType


ROW: Final = '"sf row"'


ELEMENT_FIELDS: Final = {"KEY": "k", "PATH": "p", "INDEX": "i", "VALUE": "v", "THIS": "t"}


@dataclass(slots=True)
class Source:
    """One relation of a FROM clause: its names in Snowflake, its alias in DuckDB."""

    names: tuple[
        str, ...
    ]  # ("T",) for an alias, ("DB", "S", "T") for a bare table: any tail of it refers to the source
    alias: str
    columns: tuple[Column, ...]
    hidden: frozenset[str] = frozenset()  # columns that a USING join took away from `*` and from unqualified references
    outer: bool = False  # the side of an outer join that may be missing
    relation: str = ""  # its text in the FROM clause, before the alias; "" where the FROM clause is the caller's
    base: str = ""  # the same before FLATTEN was put into it
    host: Source | None = None  # FLATTEN: the source into which it was put
    row: str = ""  # an integer that tells its rows apart, where it has one of its own
    numbered: bool = False  # its rows are to be numbered, see `number_rows`
    open_ended: bool = False  # it may have more columns than are known ($9 of a staged file is NULL, no error)

    def value(self, column: Column) -> Value:
        """Refer to one of the columns."""
        nullable = column.nullable or self.outer
        if self.host is None:
            return Value(f"{self.alias}.{quote_name(column.physical)}", column.type, nullable)
        if column.name == "SEQ":
            return Value(f"({self.host.row_number()} + 1)", column.type, nullable)
        return Value(f"{self.alias}.{ELEMENT_FIELDS[column.name]}", column.type, nullable)

    def row_number(self) -> str | None:
        """Write an integer that tells the rows apart; None if the FROM clause is not ours to number them in."""
        if self.row:
            return self.row
        if not self.relation:
            return None
        self.numbered = True
        return f"{self.alias}.{ROW}"


@dataclass(slots=True)
class Scope:
    """The names that one SELECT's expressions see."""

    parent: Scope | None = None
    ctes: dict[str, Relation] = field(default_factory=dict)
    sources: list[Source] = field(default_factory=list)
    merged: dict[str, Value] = field(default_factory=dict)  # USING columns
    aliases: dict[str, Callable[[], Value]] = field(default_factory=dict)  # of this SELECT's projections
    aliases_first: bool = False  # ORDER BY prefers them to columns
    lambda_names: dict[str, SnowflakeType] = field(default_factory=dict)
    numbering: bool = True  # whether rows may be numbered: not for what a FLATTEN is told besides its input
    windows: dict[str, exp.Expr] = field(default_factory=dict)
    _index: dict[str, tuple[Source, Column] | None] = field(default_factory=dict)
    _indexed: int = 0

    def child(self) -> Scope:
        """Open the scope of a sub-query."""
        return Scope(parent=self, ctes=self.ctes)

    def unqualified(self, name: str) -> Value:
        """Find a column, or an alias of the same SELECT, by its bare name.

        Raises:
            ProgrammingError: 904 there is none, 2028 there are several.
        """
        scope: Scope | None = self
        while scope is not None:
            if (found := scope.find(name)) is not None:
                return found
            scope = scope.parent
        raise invalid_identifier(_shown(name))

    def find(self, name: str) -> Value | None:
        """Find a bare name in this scope alone."""
        if self.aliases_first and name in self.aliases:
            return self.aliases[name]()
        if (merged := self.merged.get(name)) is not None:
            return merged
        columns = self._columns()
        if name in columns:
            found = columns[name]
            if found is None:
                raise ambiguous_column(name)
            return found[0].value(found[1])
        if (alias := self.aliases.get(name)) is not None:
            return alias()
        return None

    def qualified(self, qualifier: tuple[str, ...], name: str) -> Value:
        """Find a column by its name and (a tail of) its relation's.

        Raises:
            ProgrammingError: 904 there is none, 2028 there are several.
        """
        if (source := self.find_source(qualifier)) is None:
            raise invalid_identifier(".".join(_shown(part) for part in (*qualifier, name)))
        matching = [column for column in source.columns if column.name == name]
        if not matching:
            raise invalid_identifier(".".join(_shown(part) for part in (*qualifier, name)))
        if len(matching) > 1:
            raise ambiguous_column(name)
        return source.value(matching[0])

    def find_source(self, qualifier: tuple[str, ...]) -> Source | None:
        """Find a relation by (a tail of) its name, here or in the queries around."""
        scope: Scope | None = self
        while scope is not None:
            matching = [source for source in scope.sources if source.names[-len(qualifier) :] == qualifier]
            if len(matching) > 1 and len({source.names for source in matching}) == 1:
                raise ambiguous_column(qualifier[-1])
            if matching:
                return matching[0]
            scope = scope.parent
        return None

    def lambda_type(self, name: str) -> SnowflakeType | None:
        """Give the type of a lambda's argument; None if there is none of this name."""
        scope: Scope | None = self
        while scope is not None:
            if scope.lambda_names and (type_ := scope.lambda_names.get(name)) is not None:
                return type_
            scope = scope.parent
        return None

    def positional(self, index: int, qualifier: tuple[str, ...] = ()) -> Value:
        """Find ``$index``, counted from one, among the columns of all sources or of the named one.

        Raises:
            ProgrammingError: 904, there are fewer columns.
        """
        source = self.sources[0] if len(self.sources) == 1 else None
        if qualifier:
            source = self.find_source(qualifier)
        if source is not None and source.open_ended:
            found = next((column for column in source.columns if column.name == f"${index}"), None)
            return source.value(found) if found is not None else Value("CAST(NULL AS VARCHAR)", TEXT)
        if not qualifier and len(self.sources) > 1:  # of a join: counted from the first relation on
            joined = [(each, column) for each in self.sources for column in each.columns]
            if 0 < index <= len(joined):
                return joined[index - 1][0].value(joined[index - 1][1])
        if source is None or not 0 < index <= len(source.columns):
            raise invalid_identifier(f"${index}")
        return source.value(source.columns[index - 1])

    def staged_field(self, name: str, qualifier: tuple[str, ...] = ()) -> Value | None:
        """Find the typed column behind ``$1:name`` of staged files whose rows have fields; NULL if it is absent."""
        source = self.find_source(qualifier) if qualifier else self.sources[0] if len(self.sources) == 1 else None
        if source is None or not source.open_ended:
            return None
        fields = {column.name: column for column in source.columns if column.name.startswith("$1:")}
        if not fields:
            return None
        found = fields.get(f"$1:{name}")
        return source.value(found) if found is not None else Value("CAST(NULL AS VARCHAR)", TEXT)

    def row_number(self) -> str | None:
        """Write an integer that tells this SELECT's rows apart and is the same in each run; None if there is none."""
        keys = [key for source in self.sources if (key := source.row_number()) is not None]
        if len(keys) != len(self.sources):
            return None
        if not keys:
            return "0"
        return keys[0] if len(keys) == 1 else f"CAST(hash({', '.join(keys)}) >> 1 AS BIGINT)"

    def number_rows(self, from_clause: str) -> str:
        """Put row numbers into those relations of a written FROM clause that need them."""
        for source in self.sources:
            if source.numbered:
                plain = f"{source.base} AS {source.alias}"
                numbered = f"(SELECT *, row_number() OVER () - 1 AS {ROW} FROM {source.base}) AS {source.alias}"
                from_clause = from_clause.replace(plain, numbered)
        return from_clause

    def forget_index(self) -> None:
        """Look the sources' columns up anew: they have changed."""
        self._index.clear()
        self._indexed = 0

    def _columns(self) -> dict[str, tuple[Source, Column] | None]:
        for source in self.sources[self._indexed :]:
            for column in source.columns:
                if column.name not in source.hidden:
                    self._index[column.name] = None if column.name in self._index else (source, column)
            self._indexed += 1
        return self._index


def _shown(name: str) -> str:
    return name if name.isidentifier() and name == name.upper() else quote_name(name)


def physical_names(names: Iterable[str]) -> list[str]:
    """Give each column a name that is unique in DuckDB, which ignores case: ``a, A`` become ``a, A__2``."""
    taken: set[str] = set()
    given = []
    for name in names:
        candidate = name or "_"
        number = 1
        while candidate.lower() in taken:
            number += 1
            candidate = f"{name}__{number}"
        taken.add(candidate.lower())
        given.append(candidate)
    return given
