"""``prepare.flatten``: paths into VARIANT columns become typed columns, arrays become rows by LATERAL FLATTEN."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from snowflake.snowpark.types import ArrayType, DataType, MapType, StringType, VariantType

from firnline.domain import Grid, Metrics, Report, Text
from firnline.errors import DataError
from firnline_snowpark.columns import quoted, resolve_column, resolve_columns, unquoted
from firnline_snowpark.literals import literal
from firnline_snowpark.prepare.flatten_params import path_parts
from firnline_snowpark.tables import write_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firnline.domain import Outputs, StepContext, Table
    from firnline_snowpark.prepare.flatten_params import FlatColumn, FlattenParams

SQL_TYPES: Final[Mapping[str, str]] = {
    "number": "FLOAT",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP_NTZ",
}
_PARSERS: Final[Mapping[str, str]] = {"date": "TRY_TO_DATE", "timestamp": "TRY_TO_TIMESTAMP_NTZ"}
_SEMI_STRUCTURED: Final = (VariantType, MapType, ArrayType)
LONGEST_EXAMPLE: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Flattening:
    """What is about to happen to a table, as SQL.

    Attributes:
        source: the FROM clause.
        rows: expressions of the columns that stay: name → SQL.
        raw: new column → the value as it stands, text for what is to be read.
        typed: new column → its value in terms of its raw one.
        unparsed: text column → condition under which it holds no JSON.
    """

    source: str
    rows: Mapping[str, str]
    raw: Mapping[str, str]
    typed: Mapping[str, str]
    unparsed: Mapping[str, str] = field(default_factory=dict)

    def inner(self) -> str:
        """Return the query that takes the values out, before they are read."""
        columns = [f"{sql} AS {quoted(name)}" for name, sql in self.rows.items()]
        columns += [f"{sql} AS R{place}" for place, sql in enumerate(self.raw.values())]
        return f"SELECT {', '.join(columns)} FROM {self.source}"  # noqa: S608 (names are quoted)

    def query(self) -> str:
        """Return the query of the result."""
        kept = [quoted(name) for name in self.rows]
        made = [f"{sql} AS {quoted(name)}" for name, sql in self.typed.items()]
        return f"SELECT {', '.join([*kept, *made])} FROM ({self.inner()})"  # noqa: S608 (names are quoted)

    def counts(self) -> str:
        """Return the query of how many values there are of each new column, how many cannot be read, and an example."""
        parts = ["COUNT(*)"]
        for place, sql in enumerate(self.typed.values()):
            failed = f"R{place} IS NOT NULL AND ({sql}) IS NULL"
            parts += [
                f"COUNT(R{place})",
                f"COUNT_IF({failed})",
                f"MIN(IFF({failed}, LEFT(CAST(R{place} AS TEXT), {LONGEST_EXAMPLE}), NULL))",
            ]
        return f"SELECT {', '.join(parts)} FROM ({self.inner()})"  # noqa: S608 (names are quoted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How well a new column could be read."""

    column: str
    type: str
    values: int
    failed: int
    example: str


def run(context: StepContext, params: FlattenParams, table: Table) -> Outputs:
    """Flatten the table; tell what could not be read.

    Raises:
        DataError: a column is not there or holds no structure, or more values are malformed than may be.
    """
    session = context.session
    kinds = {unquoted(f.name): f.datatype for f in session.table(table.name).schema.fields}
    work = flattening(table.name, kinds, params, where=f"{context.stage}.params")
    context.progress("counting values that cannot be read")
    [row] = session.sql(work.counts()).collect()
    readings = [
        Reading(
            column=name,
            type=params.columns[written].type,
            values=row[at],
            failed=row[at + 1],
            example=row[at + 2] or "",
        )
        for at, name, written in zip(range(1, len(row), 3), work.typed, params.columns, strict=True)
    ]
    _refuse_malformed(context.stage, readings, params.max_failed)
    before, *unparsed = _whole(context, table.name, work)
    context.progress("flattening", before)
    result = write_table(context, session.sql(work.query()))
    context.progress("flattened", result.rows)
    return {
        "table": result,
        **_findings(before, int(row[0]), readings, dict(zip(work.unparsed, unparsed, strict=True))),
    }


def flattening(table: str, kinds: Mapping[str, DataType], params: FlattenParams, *, where: str) -> Flattening:
    """Turn params into SQL.

    Raises:
        DataError: they name what is not there, or a new column's name is taken.
    """
    values: dict[str, str] = {}
    unparsed: dict[str, str] = {}
    for name, kind in kinds.items():
        column = f"T.{quoted(name)}"
        if isinstance(kind, StringType):
            values[name] = f"TRY_PARSE_JSON({column})"
            unparsed[name] = f"{column} IS NOT NULL AND TRIM({column}) <> '' AND TRY_PARSE_JSON({column}) IS NULL"
        elif isinstance(kind, _SEMI_STRUCTURED):
            values[name] = column
    structured = set(values)
    taken: set[str] = set()
    source, indexes = f"{table} T", {}
    for place, (array, at) in enumerate(params.arrays.items()):
        if array in kinds or array in values:
            raise DataError(f"{where}.arrays: {array!r} is there already", hint="give the array another name")
        given = _value(values, kinds, at.column, at.path, taken, where=f"{where}.arrays.{array}")
        source += f", LATERAL FLATTEN(INPUT => {given}, OUTER => {literal(at.keep_empty)}) F{place}"
        values[array] = f"F{place}.VALUE"
        if at.index is not None:
            indexes[at.index] = f"F{place}.INDEX"
    raw = {
        name: _raw(column, _value(values, kinds, column.column, column.path, taken, where=f"{where}.columns.{name}"))
        for name, column in params.columns.items()
    }
    if params.keep is None:
        kept = tuple(name for name in kinds if name not in taken)
    else:
        kept = resolve_columns(params.keep, list(kinds), where=f"{where}.keep")
    rows = {name: f"T.{quoted(name)}" for name in kept}
    names = [name.upper() for name in (*indexes, *raw)]
    if twice := [name for name in names if names.count(name) > 1 or name in rows]:
        raise DataError(f"{where}: column {twice[0]!r} is there already", hint="give the new column another name")
    rows |= {name.upper(): sql for name, sql in indexes.items()}
    return Flattening(
        source=source,
        rows=rows,
        raw={name.upper(): sql for name, sql in raw.items()},
        typed={name.upper(): _typed(c, f"R{place}") for place, (name, c) in enumerate(params.columns.items())},
        unparsed={name: sql for name, sql in unparsed.items() if name in taken & structured},
    )


def _value(
    values: Mapping[str, str], kinds: Mapping[str, DataType], written: str, path: str, taken: set[str], *, where: str
) -> str:
    """Return the expression of the value at a path; ``taken`` learns which of the table's columns it is in."""
    if written not in values:
        name = resolve_column(written, list(dict.fromkeys([*kinds, *values])), where=where)
        if name not in values:
            raise DataError(
                f"{where}: column {name!r} holds no structure but {kinds[name].simple_string()}",
                hint=f"take one of {', '.join(values)}"
                if values
                else "the table has no VARIANT, OBJECT, ARRAY or text",
            )
        written = name
    if written in kinds:
        taken.add(written)
    return values[written] + "".join(f"[{literal(part)}]" for part in path_parts(path))


def _raw(column: FlatColumn, value: str) -> str:
    match column.type:
        case "variant" | "size":
            return f"CAST({value} AS VARIANT)"
        case _:
            return f"CAST({value} AS TEXT)"


def _typed(column: FlatColumn, raw: str) -> str:
    match column.type:
        case "text" | "variant":
            return raw
        case "size":
            return f"ARRAY_SIZE({raw})"
        case "integer":  # a cast alone would round
            whole = f"TRY_CAST({raw} AS NUMBER(38, 0))"
            return f"IFF(TRY_CAST({raw} AS NUMBER(38, 9)) = {whole}, {whole}, NULL)"
        case kind:
            tried = [f"TRY_CAST({raw} AS {SQL_TYPES[kind]})"]
            tried += [f"{_PARSERS[kind]}({raw}, {literal(text)})" for text in column.formats]
            return f"COALESCE({', '.join(tried)})" if len(tried) > 1 else tried[0]


def _refuse_malformed(stage: str, readings: list[Reading], most: float) -> None:
    broken = [reading for reading in readings if reading.failed > most * reading.values]
    if broken:
        told = "; ".join(f"{r.column} ({r.type}): {r.failed:,} of {r.values:,}, e.g. {r.example!r}" for r in broken[:5])
        raise DataError(
            f"stage {stage}: values that are not of their column's type: {told}",
            hint="mend type, path or formats, or let more of them become NULL with max_failed",
        )


def _whole(context: StepContext, table: str, work: Flattening) -> list[int]:
    counts = ", ".join(["COUNT(*)", *(f"COUNT_IF({condition})" for condition in work.unparsed.values())])
    [row] = context.session.sql(f"SELECT {counts} FROM {table} T").collect()  # noqa: S608 (names are quoted)
    return [int(value) for value in row]


def _findings(before: int, after: int, readings: list[Reading], unparsed: Mapping[str, int]) -> Outputs:
    failed = sum(reading.failed for reading in readings)
    story = f"{before:,} rows became {after:,}. "
    story += (
        f"{failed:,} values are not of their column's type and became NULL." if failed else "Every value could be read."
    )
    if broken := {name: count for name, count in unparsed.items() if count}:
        story += " No JSON: " + ", ".join(f"{count:,} texts in {name}" for name, count in broken.items()) + "."
    rows = tuple((r.column, r.type, r.values, r.failed, r.example) for r in readings)
    grid = Grid(title="Columns", columns=("column", "type", "values", "not of the type", "example"), rows=rows)
    metrics = {"rows": after, "rows_before": before, "failed": failed, "no_json": sum(unparsed.values())}
    return {
        "metrics": Metrics(values={name: float(value) for name, value in metrics.items()}),
        "report": Report(title="Flattened", sections=(Text(body=story), grid)),
    }
