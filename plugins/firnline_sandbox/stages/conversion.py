"""From staged rows to a table's columns: one conversion a column, strict for loading and safe for finding errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlglot import exp

from firnline_sandbox.errors import invalid_argument, unsupported
from firnline_sandbox.stages.parquet import FIELD
from firnline_sandbox.stages.rows import FILE, METADATA, ROW_NUMBER, WIDTH
from firnline_sandbox.translate import parse_statement
from firnline_sandbox.translate.casts import cast
from firnline_sandbox.translate.dispatch import Translation
from firnline_sandbox.translate.safe_macros import safely
from firnline_sandbox.translate.scopes import Scope, Source
from firnline_sandbox.translate.values import Value, quote_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firnline_sandbox.catalog import TableColumn
    from firnline_sandbox.context import Context
    from firnline_sandbox.stages.formats import Format
    from firnline_sandbox.stages.rows import StagedRows
    from firnline_sandbox.statements.copy_syntax import Load

ALIAS: Final = "_staged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """How one column is filled: DuckDB SQL over the staged rows under :data:`ALIAS`."""

    column: TableColumn
    sql: str

    @property
    def caught(self) -> str:
        """Write the conversion as a list of its one value; NULL, without a list, where it fails."""
        return f"TRY([{safely(self.sql)}])"

    def works(self, caught: str) -> str:
        """Write a test of whether the caught conversion neither failed nor breaks NOT NULL."""
        return f"{caught} IS NOT NULL" if self.column.nullable else f"{caught}[1] IS NOT NULL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversions:
    """All columns of one load."""

    columns: tuple[Conversion, ...]
    width: int | None  # how many fields each record must have

    @property
    def right_width(self) -> str:
        """Write a test of a record's number of fields."""
        return "true" if self.width is None else f"{ALIAS}.{WIDTH} = {self.width}"

    def select(self, rows: StagedRows) -> str:
        """Write the query of converted rows."""
        listed = ", ".join(f"{item.sql} AS c{index}" for index, item in enumerate(self.columns))
        return f"SELECT {listed} FROM {rows.relation.sql} AS {ALIAS}"  # noqa: S608 (SQL of our own making)

    def select_caught(self, rows: StagedRows) -> str:
        """Write the query of all rows, failing or not: file, number, width, whether that is right, and the values."""
        width = f"{ALIAS}.{WIDTH}" if self.width is not None else "NULL"
        values = ", ".join(f"{item.caught} AS v{index}" for index, item in enumerate(self.columns))
        places = f"{ALIAS}.{FILE} AS f, {ALIAS}.{ROW_NUMBER} AS r, {width} AS w, {self.right_width} AS fits"
        return f"SELECT {places}, {values} FROM {rows.relation.sql} AS {ALIAS}"  # noqa: S608 (SQL of our own making)


def conversions(context: Context, load: Load, format_: Format, rows: StagedRows) -> Conversions:
    """Say how a load fills its columns.

    Raises:
        ProgrammingError: the columns and the staged rows do not go together.
    """
    columns, nodes, width = _sources(context, load, format_, rows)
    scope = Scope()
    source = Source((load.alias.upper() or "",), ALIAS, rows.relation.columns)
    source.open_ended = True
    scope.sources.append(source)
    translation = Translation(context.surroundings, load.params)
    made = []
    for column, node in zip(columns, nodes, strict=True):
        value = translation.value(node.this if isinstance(node, exp.Alias) else node, scope)
        made.append(Conversion(column=column, sql=_converted(value, column, truncates=load.truncates)))
    return Conversions(columns=tuple(made), width=width)


def _converted(value: Value, column: TableColumn, *, truncates: bool) -> str:
    type_ = column.type
    if truncates and type_.kind == "TEXT":
        from firnline_sandbox.types import TEXT

        return f"left({cast(value, TEXT).sql}, {type_.length})"
    return cast(value, type_).sql


def _sources(
    context: Context, load: Load, format_: Format, rows: StagedRows
) -> tuple[tuple[TableColumn, ...], Sequence[exp.Expression], int | None]:
    """Give the columns to fill, a Snowflake expression for each, and the width that records must have."""
    if load.projections is not None:
        if load.match != "NONE":
            raise invalid_argument("MATCH_BY_COLUMN_NAME cannot be used with a transformation")
        return load.columns, load.projections, None
    if load.match != "NONE":
        columns, texts = _matched(context, load, format_, rows)
        return columns, _parsed(texts), None
    if format_.type != "CSV":
        if len(load.columns) != 1 or not load.columns[0].type.is_semi_structured:
            raise invalid_argument(
                f"{format_.type} file format can produce one and only one column of type variant, object, or array. "
                "Load data into separate columns using the MATCH_BY_COLUMN_NAME copy option or copy with "
                "transformation."
            )
        return load.columns, _parsed(["$1"]), None
    texts = [_csv_text(column, index, format_) for index, column in enumerate(load.columns, 1)]
    # With a list of columns Snowflake takes as many fields as there are columns, and NULL for those that are not there.
    counted = format_["ERROR_ON_COLUMN_COUNT_MISMATCH"] is True and not load.columns_given
    return load.columns, _parsed(texts), len(texts) if counted else None


def _parsed(texts: Sequence[str]) -> list[exp.Expression]:
    return list(parse_statement(f"SELECT {', '.join(texts)}").expressions) if texts else []


def _csv_text(column: TableColumn, place: int, format_: Format) -> str:
    """Write what a CSV field becomes before the cast to the column's type."""
    field = f"${place}"
    kind = column.type.kind
    if column.type.is_semi_structured:
        return f"PARSE_JSON({field})"
    if kind == "BINARY":
        return f"TO_BINARY({field}, {quote_text(str(format_['BINARY_FORMAT']))})"
    option = "TIMESTAMP_FORMAT" if column.type.is_timestamp else f"{kind}_FORMAT"
    pattern = str(format_.options.get(option, "AUTO"))
    if pattern.upper() == "AUTO" or not (kind in {"DATE", "TIME"} or column.type.is_timestamp):
        return field
    return f"TO_{kind}({field}, {quote_text(pattern)})"


def _matched(
    context: Context, load: Load, format_: Format, rows: StagedRows
) -> tuple[tuple[TableColumn, ...], list[str]]:
    """Pair columns with the fields of their names; a column without one gets its default."""
    if load.columns_given:
        raise unsupported("a list of columns with MATCH_BY_COLUMN_NAME")
    folds = load.match == "CASE_INSENSITIVE"
    fields = _fields(context, format_, rows)
    metadata = {str(name).upper(): str(value) for name, value in (load.options["INCLUDE_METADATA"] or {}).items()}
    columns, texts = [], []
    for column in load.columns:
        if column.name in metadata:
            columns.append(column)
            texts.append(_metadata(metadata[column.name]))
            continue
        found = [
            text for name, text in fields if name == column.name or (folds and name.upper() == column.name.upper())
        ]
        if len(found) > 1:
            raise invalid_argument(f"column '{column.name}' matches several fields of the files")
        if found:
            columns.append(column)
            texts.append(found[0] if format_.type != "CSV" else _csv_text(column, int(found[0][1:]), format_))
    if not columns:
        raise invalid_argument("no column of the table matches a field of the files")
    return tuple(columns), texts


def _metadata(name: str) -> str:
    if not name.upper().startswith(METADATA):
        raise invalid_argument(f"INCLUDE_METADATA takes METADATA$ columns, not '{name}'")
    return name.upper()


def _fields(context: Context, format_: Format, rows: StagedRows) -> list[tuple[str, str]]:
    """Give the names of the fields in the files, and the Snowflake expression of each."""
    match format_.type:
        case "CSV":
            if format_["PARSE_HEADER"] is not True:
                raise invalid_argument("MATCH_BY_COLUMN_NAME with CSV files needs PARSE_HEADER = TRUE")
            return [(name, f"${index}") for index, name in enumerate(rows.headers or (), 1)]
        case "PARQUET":
            names = [
                column.name.removeprefix(FIELD) for column in rows.relation.columns if column.name.startswith(FIELD)
            ]
        case _:
            sql = f'SELECT DISTINCT unnest(json_keys("$1")) FROM {rows.relation.sql}'  # noqa: S608
            names = [name for (name,) in context.duckdb.execute(sql).fetchall()]
    return [(name, '$1:"' + name.replace('"', '""') + '"') for name in names]
