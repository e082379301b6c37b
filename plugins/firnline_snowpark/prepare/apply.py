"""Carry out cleaning rules on one table, and count what they did."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from snowflake.snowpark import Window
from snowflake.snowpark import functions as sf
from snowflake.snowpark.types import (
    ArrayType,
    BooleanType,
    DataType,
    DateType,
    DoubleType,
    LongType,
    MapType,
    StringType,
    TimestampTimeZone,
    TimestampType,
    VariantType,
)

from firnline.errors import DataError
from firnline_snowpark.columns import quoted, resolve_column, resolve_columns, unquoted
from firnline_snowpark.duplicates import rows_by_repetition

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from snowflake.snowpark import Column, DataFrame

    from firnline_snowpark.prepare.rules import TableRules

TYPES: Final[Mapping[str, DataType]] = {
    "text": StringType(),
    "integer": LongType(),
    "number": DoubleType(),
    "boolean": BooleanType(),
    "date": DateType(),
    "timestamp": TimestampType(TimestampTimeZone.NTZ),
}
_PARSERS: Final[Mapping[str, str]] = {"date": "TRY_TO_DATE", "timestamp": "TRY_TO_TIMESTAMP_NTZ"}
_SEMI_STRUCTURED: Final = (VariantType, MapType, ArrayType)
_RANK: Final = "FIRNLINE_RANK"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """A column of the result while it is put together.

    Attributes:
        value: its expression over the source's columns.
        given: whether the source has a value, as an expression; None if the column was taken as it is.
        comparable: whether rows can be ordered by it.
    """

    value: Column
    given: Column | None = None
    comparable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaning:
    """What is about to happen to one table.

    Attributes:
        clean: the rows that stay, with their final columns.
        counts: aggregates over the source that tell what happened: name → expression.
        source: the raw table.
    """

    source: DataFrame
    clean: DataFrame
    counts: Mapping[str, Column] = field(default_factory=dict)


def cleaning(source: DataFrame, rules: TableRules, *, where: str) -> Cleaning:
    """Turn rules into a data frame and into counts; nothing runs yet.

    Raises:
        DataError: if a rule names a column that the table lacks, or one that it has twice.
    """
    fields = {unquoted(f.name): f.datatype for f in source.schema.fields}
    made = {name: _taken(name, kind, trim=rules.trim) for name, kind in fields.items()}
    _lower(made, rules, where)
    _cast(made, fields, rules, where)
    _extract(made, fields, rules, where)
    counts = {
        f"malformed/{name}": _count(m.given & m.value.is_null()) for name, m in made.items() if m.given is not None
    }
    counts |= _fill(made, rules, where)
    names = list(made)
    required = resolve_columns(rules.required, names, where=where)
    if required:
        counts["incomplete"] = _count(_any_null([made[name].value for name in required]))
    typed = source.select(*[m.value.alias(quoted(name)) for name, m in made.items()])
    if required:
        typed = typed.filter(~_any_null([sf.col(quoted(name)) for name in required]))
    kept = _deduplicated(typed, rules, made, where)
    dropped = resolve_columns(rules.drop, names, where=where)
    clean = kept.select(*[sf.col(quoted(name)) for name in names if name not in dropped])
    return Cleaning(source=source, clean=clean, counts=counts)


def _taken(name: str, kind: DataType, *, trim: bool) -> _Made:
    column = sf.col(quoted(name))
    if trim and isinstance(kind, StringType):
        stripped = sf.trim(column)
        column = sf.iff(stripped == sf.lit(""), sf.lit(None).cast(StringType()), stripped)
    return _Made(value=column, comparable=not isinstance(kind, _SEMI_STRUCTURED))


def _lower(made: dict[str, _Made], rules: TableRules, where: str) -> None:
    for name in resolve_columns(rules.lower, list(made), where=f"{where}.lower"):
        made[name] = _Made(value=sf.lower(made[name].value))


def _cast(made: dict[str, _Made], fields: Mapping[str, DataType], rules: TableRules, where: str) -> None:
    for written, cast in rules.casts.items():
        name = resolve_column(written, list(made), where=f"{where}.casts")
        value = made[name].value
        match fields[name]:
            case StringType():
                made[name] = _Made(value=_read(value, cast.type, cast.formats), given=value.is_not_null())
            case VariantType():
                text = value.cast(StringType())
                made[name] = _Made(value=_read(text, cast.type, cast.formats), given=value.is_not_null())
            case _:
                made[name] = _Made(value=value.cast(TYPES[cast.type]))


def _extract(made: dict[str, _Made], fields: Mapping[str, DataType], rules: TableRules, where: str) -> None:
    for written, extract in rules.extract.items():
        source = resolve_column(extract.column, list(fields), where=f"{where}.extract.{written}")
        if not isinstance(fields[source], _SEMI_STRUCTURED):
            raise DataError(
                f"{where}.extract.{written}: column {source!r} is no VARIANT, OBJECT or ARRAY but {fields[source]}",
                hint="extract takes values out of semi-structured columns; use casts for others",
            )
        name = written.upper() if written not in fields else written
        if name in made:
            raise DataError(
                f"{where}.extract: column {name!r} is there already", hint="give the new column another name"
            )
        value = _at_path(sf.col(quoted(source)), extract.path)
        if extract.type == "size":
            made[name] = _Made(value=sf.array_size(value), given=value.is_not_null())
        else:
            made[name] = _Made(value=_read(value.cast(StringType()), extract.type, ()), given=value.is_not_null())


def _at_path(value: Column, path: str) -> Column:
    for part in path.replace("[", ".[").split("."):
        value = value[int(part[1:-1])] if part.startswith("[") else value[part]
    return value


def _read(text: Column, kind: str, formats: Sequence[str]) -> Column:
    """Return text as a type, NULL where it cannot be read."""
    if kind == "text":
        return text
    value = text.try_cast(TYPES[kind])
    if not formats:
        return value
    return sf.coalesce(value, *[sf.call_function(_PARSERS[kind], text, sf.lit(f)) for f in formats])


def _fill(made: dict[str, _Made], rules: TableRules, where: str) -> dict[str, Column]:
    counts: dict[str, Column] = {}
    for written, filler in rules.fill.items():
        name = resolve_column(written, list(made), where=f"{where}.fill")
        value = made[name].value
        counts[f"filled/{name}"] = _count(value.is_null())
        made[name] = replace(made[name], value=sf.coalesce(value, sf.lit(filler)))
    return counts


def _deduplicated(typed: DataFrame, rules: TableRules, made: Mapping[str, _Made], where: str) -> DataFrame:
    """Keep one row of each key that is there more than once.

    Only those rows are ranked: a window over the whole table would have to hold all of it.
    """
    keys = resolve_columns(rules.keys, list(made), where=f"{where}.keys")
    if not keys:
        return typed
    window = Window.partition_by(*[sf.col(quoted(key)) for key in keys]).order_by(*_order(rules, made, where))
    repeated = rows_by_repetition(typed, keys, which="repeated").with_column(_RANK, sf.row_number().over(window))
    chosen = repeated.filter(sf.col(_RANK) == sf.lit(1)).drop(_RANK)
    return rows_by_repetition(typed, keys, which="others").union_all(chosen)


def _order(rules: TableRules, made: Mapping[str, _Made], where: str) -> list[Column]:
    """Order by the column that decides, then by all that can be compared, so that the choice is always the same."""
    comparable = [sf.col(quoted(name)).asc_nulls_last() for name, column in made.items() if column.comparable]
    if rules.order_by is None:
        return comparable
    decides = sf.col(quoted(resolve_column(rules.order_by, list(made), where=f"{where}.order_by")))
    return [decides.asc_nulls_last() if rules.keep == "first" else decides.desc_nulls_last(), *comparable]


def _any_null(values: Sequence[Column]) -> Column:
    condition = values[0].is_null()
    for value in values[1:]:
        condition = condition | value.is_null()
    return condition


def _count(condition: Column) -> Column:
    return sf.sum(sf.iff(condition, sf.lit(1), sf.lit(0)))


def counted(work: Cleaning) -> dict[str, int]:
    """Run the counts: ``rows`` of the source and one number for each of ``work.counts``, in one pass."""
    names = list(work.counts)
    [row] = work.source.agg(sf.count(sf.lit(1)), *[work.counts[name] for name in names]).collect()
    return {"rows": int(row[0]), **{name: int(row[place + 1] or 0) for place, name in enumerate(names)}}
