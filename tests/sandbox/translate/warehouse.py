"""A small database for the translator's tests: a bare DuckDB connection, and what translation asks around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb

from firnline_sandbox import types as t
from firnline_sandbox.errors import from_duckdb, missing_object
from firnline_sandbox.translate import MACROS, Relation, Translated, parse_statement, parse_type, translate_query
from firnline_sandbox.translate.scopes import physical_names
from firnline_sandbox.translate.values import quote_name
from firnline_sandbox.types import Column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Answers:
    """What translation asks around it."""

    duckdb: duckdb.DuckDBPyConnection
    tables: dict[str, Relation]
    session: dict[str, str]

    def relation(self, parts: tuple[str, ...]) -> Relation:
        """Find a table by the last part of its name."""
        if parts[-1] not in self.tables:
            raise missing_object("object", ".".join(parts))
        return self.tables[parts[-1]]

    def table_function(self, name: str, arguments: Sequence[Any], named: Mapping[str, Any]) -> Relation | None:
        """Know one table function: DIGITS(n)."""
        if name != "DIGITS":
            return None
        sql = f'(SELECT range AS "N" FROM range({arguments[0]}))'
        return Relation(sql, (Column("N", t.INTEGER, physical="N"),))

    def staged_files(self, location: str, options: Mapping[str, Any]) -> Relation:
        """Know one file of two columns."""
        assert location.startswith("@stage"), (location, options)
        columns = (Column("$1", t.TEXT, physical="$1"), Column("$2", t.TEXT, physical="$2"))
        return Relation("(SELECT 'a' AS \"$1\", '1' AS \"$2\")", columns)

    def system_function(self, name: str, arguments: list[Any]) -> Any:
        """Give the call back as text."""
        return f"{name}({', '.join(map(repr, arguments))})"

    def found(self, sql: str) -> list[Any]:
        """Run it."""
        return [value for (value,) in self.duckdb.execute(sql).fetchall()]

    def session_value(self, name: str) -> str | None:
        """Look it up."""
        return self.session.get(name)

    def user_function(self, name: str, arguments: tuple[t.SnowflakeType, ...]) -> tuple[str, t.SnowflakeType] | None:
        """Know one function: TWICE(number)."""
        return ("sf_signed", t.INTEGER) if name == "TWICE" else None

    def knows_function(self, parts: tuple[str, ...], *, table: bool) -> bool:
        """Know none."""
        del parts, table
        return False

    def find_function(self, *_: object, **__: object) -> None:
        """Find none."""

    def next_value(self, sequence: tuple[str, ...]) -> str:
        """Every sequence stands at 7."""
        return "CAST(7 AS BIGINT)"


class Warehouse(Answers):
    """Tables by name, in one DuckDB connection; it answers what the engine would."""

    def __init__(self) -> None:
        self.duckdb = duckdb.connect()
        self.duckdb.execute("SET TimeZone = 'UTC'")
        for macro in MACROS:
            self.duckdb.execute(macro)
        self.tables: dict[str, Relation] = {}
        self.session = {"CURRENT_DATABASE": "DB", "CURRENT_SCHEMA": "PUBLIC", "CURRENT_USER": "ME"}

    def add(self, name: str, columns: Mapping[str, str], rows: str = "", *, not_null: Sequence[str] = ()) -> None:
        """Create a table: column names with Snowflake types, and its rows as the text of a Snowflake VALUES clause."""
        physical = physical_names(columns)
        described = tuple(
            Column(column, parse_type(type_), column not in not_null, own)
            for (column, type_), own in zip(columns.items(), physical, strict=True)
        )
        body = ", ".join(f"{quote_name(column.physical)} {column.type.duckdb}" for column in described)
        self.duckdb.execute(f"CREATE TABLE {quote_name(name)} ({body})")
        self.tables[name] = Relation(quote_name(name), described)
        if rows:
            listed = ", ".join(
                f"CAST(COLUMN{index + 1} AS {type_})"
                if type_ not in {"VARIANT", "OBJECT", "ARRAY"}
                else f"CAST(PARSE_JSON(COLUMN{index + 1}) AS {type_})"
                for index, type_ in enumerate(columns.values())
            )
            values = self.translate(f"SELECT {listed} FROM VALUES {rows}")
            self.duckdb.execute(f"INSERT INTO {quote_name(name)} {values.sql}")

    def translate(self, sql: str, params: Sequence[Any] = ()) -> Translated:
        """Translate a query."""
        return translate_query(parse_statement(sql), self, params)

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a query; errors are Snowflake's. DuckDB's types must be those that translation announces."""
        translated = self.translate(sql, params)
        try:
            relation = (
                self.duckdb.execute(translated.sql, list(params)) if params else self.duckdb.execute(translated.sql)
            )
            rows = relation.fetchall()
        except duckdb.Error as failure:
            raise from_duckdb(failure) from failure
        found = [str(kind[1]) for kind in relation.description]
        expected = [
            column.type.duckdb.replace("TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE") for column in translated.columns
        ]
        assert found == expected, f"{sql}\n{translated.sql}\n{found} instead of {expected}"
        names = [kind[0] for kind in relation.description]
        assert names == [column.physical for column in translated.columns]
        return rows

    def one(self, sql: str, params: Sequence[Any] = ()) -> Any:
        """Run a query of one row and column."""
        [(value,)] = self.rows(sql, params)
        return value

    def type_of(self, sql: str) -> str:
        """Give the Snowflake type of a query's first column."""
        return self.translate(sql).columns[0].type.sql

    def names(self, sql: str) -> list[str]:
        """Give the names of a query's columns."""
        return [column.name for column in self.translate(sql).columns]
