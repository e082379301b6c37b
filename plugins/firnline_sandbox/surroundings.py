"""The catalog and the session as the translator asks for them (see ``translate.surroundings.Surroundings``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from firnline_sandbox.catalog import Sequence as CatalogSequence
from firnline_sandbox.catalog import Table, View
from firnline_sandbox.errors import missing_object, recursive_view
from firnline_sandbox.statements import registry
from firnline_sandbox.statements.words import find_variable
from firnline_sandbox.translate.absent_functions import refused_function
from firnline_sandbox.translate.surroundings import Relation
from firnline_sandbox.types import Column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from firnline_sandbox.context import Context
    from firnline_sandbox.translate.surroundings import UserFunction
    from firnline_sandbox.types import SnowflakeType

_DEEPEST_VIEW = 40


class StatementSurroundings:
    """Answers for one statement."""

    def __init__(self, context: Context, depth: int = 0) -> None:
        self._context = context
        self._depth = depth
        self._extra: dict[tuple[str, ...], Relation] = {}

    def add(self, parts: tuple[str, ...], relation: Relation) -> None:
        """Make a relation known to this statement alone."""
        self._extra[parts] = relation

    def relation(self, parts: tuple[str, ...]) -> Relation:
        """Find a table or view, or a view of INFORMATION_SCHEMA."""
        if parts in self._extra:
            return self._extra[parts]
        full = self._context.qualify(parts)
        if full[1] == "INFORMATION_SCHEMA":
            from firnline_sandbox.statements.information_schema import information_schema

            return information_schema(self._context, full[0], full[2])
        if full[0] == "SNOWFLAKE" and self._context.catalog.database("SNOWFLAKE") is None:
            from firnline_sandbox.statements.information_schema import account_usage

            return account_usage(self._context, full[1], full[2])
        found = self._context.catalog.find_relation(full, self._context.session_id)
        if found is not None and self._context.reads is not None and not isinstance(found, View):
            self._context.reads[found.id] = getattr(found, "version", 0)
        if isinstance(found, Table):
            return Relation(found.physical, tuple(column.column for column in found.columns))
        if isinstance(found, View):
            return self._view(found)
        if found is not None and found.kind == "STREAM":
            from firnline_sandbox.streams.reading import stream_relation

            return stream_relation(self._context, found)  # type: ignore[arg-type]
        raise missing_object("object", ".".join(full))

    def _view(self, view: View) -> Relation:
        if self._depth >= _DEEPEST_VIEW:
            raise recursive_view(view.full_name)
        from firnline_sandbox.translate import parse_statement, translate_query

        inner = StatementSurroundings(self._context.at(view.home), self._depth + 1)
        query = registry.rewrite_query(self._context, view.query)
        translated = translate_query(parse_statement(query), inner)
        columns = tuple(
            Column(named.name, column.type, column.nullable, column.physical)
            for named, column in zip(view.columns, translated.columns, strict=True)
        )
        return Relation(f"({translated.sql})", columns)

    def table_function(self, name: str, arguments: Sequence[Any], named: Mapping[str, Any]) -> Relation | None:
        """Answer RESULT_SCAN, INFER_SCHEMA and the table functions of INFORMATION_SCHEMA."""
        from firnline_sandbox.statements.table_functions import call_table_function

        return call_table_function(self._context, name, arguments, named)

    def staged_files(self, location: str, options: Mapping[str, Any]) -> Relation:
        """Read files of a stage."""
        from firnline_sandbox.stages.reading import staged_files

        return staged_files(self._context, location, options)

    def system_function(self, name: str, arguments: list[Any]) -> Any:
        """Answer a SYSTEM$ function."""
        function = registry.find_system_function(name.upper())
        if function is None:
            raise refused_function((name.upper(),))
        return function(self._context, arguments)

    def found(self, sql: str) -> list[Any]:
        """Run a query of one column now."""
        params = list(self._context.params) if "$" in sql and self._context.params else None
        return [value for (value,) in self._context.duckdb.execute(sql, params).fetchall()]

    def session_value(self, name: str) -> str | None:
        """Answer CURRENT_DATABASE and the like."""
        return self._context.connection.session_value(name, self._context.home)

    def variable(self, name: str) -> Any:
        """Give a session variable's value."""
        return find_variable(self._context.connection.variables, name)

    def user_function(self, name: str, arguments: tuple[SnowflakeType, ...]) -> tuple[str, SnowflakeType] | None:
        """Find a function that the sandbox made itself (a packaged model's, for one)."""
        del arguments
        return self._context.engine.functions.get(name.upper())

    def knows_function(self, parts: tuple[str, ...], *, table: bool) -> bool:
        """Say whether the catalog has a function of this name."""
        from firnline_sandbox.functions.lookup import knows_function

        return knows_function(self._context, parts, table=table)

    def find_function(
        self,
        parts: tuple[str, ...],
        given: Sequence[SnowflakeType],
        named: Mapping[str, SnowflakeType],
        *,
        table: bool,
    ) -> UserFunction | None:
        """Find a user-defined function of the catalog."""
        from firnline_sandbox.functions.lookup import find_function

        return find_function(self._context, parts, given, named, table=table)

    def next_value(self, sequence: tuple[str, ...]) -> str:
        """Write DuckDB SQL for the next value of a sequence."""
        full = self._context.qualify(sequence)
        found = self._context.catalog.find(CatalogSequence, full, self._context.session_id)
        if found is None:
            raise missing_object("sequence", ".".join(full))
        physical = found.physical.replace("'", "''")
        return f"nextval('{physical}')"
