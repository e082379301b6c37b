"""Aggregate functions; each is also a window function, its OVER written right after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlglot import exp

from firnline_sandbox import types as t
from firnline_sandbox.errors import invalid_argument, unsupported
from firnline_sandbox.translate.casts import cast
from firnline_sandbox.translate.clauses import direction
from firnline_sandbox.translate.functions import Call, function
from firnline_sandbox.translate.operators import as_condition, as_text, numeric
from firnline_sandbox.translate.values import Value, typed

if TYPE_CHECKING:
    from firnline_sandbox.types import SnowflakeType

_AVERAGE_SCALE: Final = 6
_SLIDING_SCALE: Final = 3
_MOST_SCALE: Final = 12


def written(call: Call, word: str, *arguments: str, order: str = "") -> str:
    """Write an aggregate call with its DISTINCT, order and OVER."""
    distinct = "DISTINCT " if call.distinct else ""
    return f"{word}({distinct}{', '.join(arguments)}{order}){call.over}"


def slides(window: exp.Window | None) -> bool:
    """Tell whether a window's frame has an end that moves by a number of rows."""
    spec = window.args.get("spec") if window is not None else None
    if spec is None:
        return False
    return any(isinstance(spec.args.get(end), exp.Expr) for end in ("start", "end"))


def within_order(call: Call) -> str:
    """Write WITHIN GROUP (ORDER BY ...) as an ORDER BY inside the call."""
    if call.within is None:
        return ""
    parts = [call.translation.value(item.this, call.scope).sql + direction(item) for item in call.within.expressions]
    return " ORDER BY " + ", ".join(parts)


@function("COUNT")
def count(call: Call) -> Value:
    """Count rows, or those in which no argument is NULL."""
    if len(call) == 1 and isinstance(call.nodes[0], exp.Star):
        return Value(f"count(*){call.over}", t.number(18), nullable=False)
    if len(call) == 1 and isinstance(call.nodes[0], exp.Column) and isinstance(call.nodes[0].this, exp.Star):
        raise unsupported("COUNT(table.*)")
    values = call.values()
    if len(values) == 1:
        argument = typed(values[0])
    else:
        present = " AND ".join(f"{value.sql} IS NOT NULL" for value in values)
        row = ", ".join(typed(value) for value in values)
        argument = f"CASE WHEN {present} THEN row({row}) END"
    return Value(written(call, "count", argument), t.number(18), nullable=False)


@function("COUNT_IF")
def count_if(call: Call) -> Value:
    """Count the rows for which a condition holds."""
    test = as_condition(call.value(0))
    return Value(f"count(CASE WHEN {test.sql} THEN 1 END){call.over}", t.number(18), nullable=False)


@function("SUM")
def total(call: Call) -> Value:
    """Add up: a NUMBER keeps its scale and gets 38 digits."""
    value = numeric(call.value(0))
    sql = written(call, "sum", typed(value))
    if value.type.kind == "FLOAT":
        return Value(sql, t.FLOAT)
    type_ = t.number(38, value.type.scale or 0)
    return Value(f"CAST({sql} AS {type_.duckdb})", type_)


@function("AVG")
def average(call: Call) -> Value:
    """Give the mean: a NUMBER gets up to six decimals more."""
    value = numeric(call.value(0))
    if value.type.kind == "FLOAT":
        return Value(written(call, "avg", value.sql), t.FLOAT)
    mean = written(call, "avg", typed(value))
    if slides(call.window):  # with three decimals more at most, and the others cut off
        type_ = scaled(value.type, _SLIDING_SCALE)
        factor = f"1e{type_.scale}"
        return Value(f"CAST(trunc(round({mean} * {factor}, 6)) / {factor} AS {type_.duckdb})", type_)
    type_ = scaled(value.type, _AVERAGE_SCALE)
    return Value(f"CAST({mean} AS {type_.duckdb})", type_)


@function("MIN", "MAX")
def extreme(call: Call) -> Value:
    """Give the smallest or largest value."""
    value = call.value(0)
    return Value(written(call, call.name.lower(), typed(value)), value.type)


@function("ANY_VALUE")
def any_value(call: Call) -> Value:
    """Give some value."""
    value = call.value(0)
    return Value(written(call, "any_value", typed(value)), value.type)


@function("MODE")
def mode(call: Call) -> Value:
    """Give the most frequent value."""
    value = call.value(0)
    return Value(written(call, "mode", typed(value)), value.type)


@function("MEDIAN")
def median(call: Call) -> Value:
    """Give the middle value, or the mean of the two middle ones."""
    return _continuous(call, numeric(call.value(0)), "0.5")


def _continuous(call: Call, value: Value, fraction: str) -> Value:
    sql = f"quantile_cont(CAST({value.sql} AS DOUBLE), {fraction}){call.over}"
    if value.type.kind == "FLOAT":
        return Value(sql, t.FLOAT)
    type_ = t.number(38, max(value.type.scale or 0, min((value.type.scale or 0) + 3, _MOST_SCALE)))
    return Value(f"CAST({sql} AS {type_.duckdb})", type_)


@function("PERCENTILE_CONT", "PERCENTILE_DISC")
def percentile(call: Call) -> Value:
    """``PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY x)``."""
    if call.within is None or len(call.within.expressions) != 1:
        raise invalid_argument(f"function {call.name} needs WITHIN GROUP (ORDER BY ...)")
    item = call.within.expressions[0]
    fraction = float(call.constant(0))
    if item.args.get("desc"):
        fraction = 1 - fraction
    value = call.translation.value(item.this, call.scope)
    if call.name == "PERCENTILE_CONT":
        return _continuous(call, numeric(value), repr(fraction))
    return Value(f"quantile_disc({typed(value)}, {fraction!r}){call.over}", value.type)


@function("APPROX_PERCENTILE")
def approximate_percentile(call: Call) -> Value:
    """The exact percentile, as a FLOAT."""
    value = cast(numeric(call.value(0)), t.FLOAT)
    return Value(f"quantile_cont({value.sql}, {float(call.constant(1))!r}){call.over}", t.FLOAT)


@function("APPROX_COUNT_DISTINCT", "HLL")
def approximate_count(call: Call) -> Value:
    """The exact count of distinct values, which is within the error that Snowflake allows itself."""
    call.distinct = True
    counted: Value = count(call)
    return counted


_DEVIATIONS: Final = {
    "STDDEV": "stddev_samp",
    "STDDEV_SAMP": "stddev_samp",
    "STDDEV_POP": "stddev_pop",
    "VARIANCE": "var_samp",
    "VAR_SAMP": "var_samp",
    "VARIANCE_SAMP": "var_samp",
    "VAR_POP": "var_pop",
    "VARIANCE_POP": "var_pop",
    "SKEW": "skewness",
    "KURTOSIS": "kurtosis",
}


@function(*_DEVIATIONS)
def deviation(call: Call) -> Value:
    """Standard deviations, variances, skew and kurtosis."""
    given = numeric(call.value(0))
    value = cast(given, t.FLOAT)
    if given.type.kind != "NUMBER":
        return Value(written(call, _DEVIATIONS[call.name], value.sql), t.FLOAT)
    if call.name.startswith("STDDEV"):  # of a NUMBER: the root of its variance, which has six decimals more
        word = "var_pop" if call.name.endswith("POP") else "var_samp"
        return Value(f"sqrt(CAST({written(call, word, value.sql)} AS {scaled(given.type, 6).duckdb}))", t.FLOAT)
    if call.name == "SKEW":
        return Value(written(call, "skewness", value.sql), t.FLOAT)
    type_ = scaled(given.type, 6) if call.name.startswith("VAR") else t.number(38, _MOST_SCALE)
    return Value(f"CAST({written(call, _DEVIATIONS[call.name], value.sql)} AS {type_.duckdb})", type_)


@function(
    "CORR", "COVAR_POP", "COVAR_SAMP", "REGR_AVGX", "REGR_AVGY", "REGR_COUNT", "REGR_INTERCEPT", "REGR_R2",
    "REGR_SLOPE", "REGR_SXX", "REGR_SXY", "REGR_SYY",
)  # fmt: skip
def pair_statistic(call: Call) -> Value:
    """Statistics of pairs; the dependent variable comes first."""
    first, second = (cast(numeric(call.value(index)), t.FLOAT).sql for index in (0, 1))
    if call.name == "REGR_COUNT":
        return Value(f"CAST(regr_count({first}, {second}){call.over} AS BIGINT)", t.number(18), nullable=False)
    if call.name.startswith(("CORR", "COVAR")):  # symmetric; of two that are no numbers, Snowflake names the second
        first, second = second, first
    sql = f"{call.name.lower()}({first}, {second}){call.over}"
    # A column that does not vary has no correlation.
    if call.name == "CORR":  # a NaN among the values stays one
        sql = f"CASE WHEN NOT isnan({sql}) OR isnan(sum({first} + {second}){call.over}) THEN {sql} END"
    return Value(sql, t.FLOAT)


@function("BOOLAND_AGG", "BOOLOR_AGG")
def boolean_aggregate(call: Call) -> Value:
    """Combine conditions over rows."""
    word = "bool_and" if call.name == "BOOLAND_AGG" else "bool_or"
    return Value(written(call, word, as_condition(call.value(0)).sql), t.BOOLEAN)


@function("BOOLXOR_AGG")
def exactly_one(call: Call) -> Value:
    """Tell whether a condition holds for exactly one row."""
    test = as_condition(call.value(0)).sql
    return Value(f"(count(CASE WHEN {test} THEN 1 END){call.over} = 1)", t.BOOLEAN)


@function("BITAND_AGG", "BIT_AND_AGG", "BITOR_AGG", "BIT_OR_AGG", "BITXOR_AGG", "BIT_XOR_AGG")
def bit_aggregate(call: Call) -> Value:
    """Combine bits over rows."""
    word = next(found for found in ("bit_and", "bit_xor", "bit_or") if found.split("_")[1].upper() in call.name)
    return Value(written(call, word, cast(numeric(call.value(0)), t.INTEGER).sql), t.INTEGER)


@function("LISTAGG", "STRING_AGG")
def listagg(call: Call) -> Value:
    """Join texts over rows; no rows give an empty text."""
    value = as_text(call.value(0))
    separator = call.as_type(1, t.TEXT).sql if len(call) > 1 else "''"
    order = within_order(call)
    if call.distinct and order:
        order = f" ORDER BY {value.sql}{direction(call.within.expressions[0])}" if call.within is not None else ""
    return Value(
        f"coalesce({written(call, 'string_agg', value.sql, separator, order=order)}, '')", t.TEXT, nullable=False
    )


@function("ARRAY_AGG", "ARRAYAGG")
def array_agg(call: Call) -> Value:
    """Collect the values that are not NULL; no rows give an empty array."""
    value = cast(call.value(0), t.VARIANT)
    order = within_order(call)
    sql = f"{written(call, 'list', value.sql, order=order)}"
    return Value(f"sf_list_to_array({sql})", t.ARRAY, nullable=False)


@function("ARRAY_UNIQUE_AGG")
def array_unique_agg(call: Call) -> Value:
    """Collect the distinct values."""
    call.distinct = True
    collected: Value = array_agg(call)
    return collected


@function("OBJECT_AGG")
def object_agg(call: Call) -> Value:
    """Collect keys and values; rows with a NULL in either are left out."""
    key, value = as_text(call.value(0)).sql, cast(call.value(1), t.VARIANT).sql
    pair = f"CASE WHEN {key} IS NOT NULL AND {value} IS NOT NULL THEN row({key}, {value}) END"
    return Value(f"sf_pairs_to_object(list({pair}){call.over})", t.OBJECT, nullable=False)


@function("MIN_BY", "MAX_BY")
def extreme_by(call: Call) -> Value:
    """Give the value in the row where another one is smallest or largest."""
    value, key = call.value(0), call.value(1)
    if len(call) > 2:
        raise unsupported(f"{call.name} with a count")
    return Value(f"arg_{call.name[:3].lower()}({typed(value)}, {typed(key)}){call.over}", value.type)


@function("GROUPING", "GROUPING_ID")
def grouping(call: Call) -> Value:
    """Tell which columns are aggregated over in a row of CUBE or ROLLUP."""
    return Value(
        f"CAST(grouping({', '.join(value.sql for value in call.values())}) AS BIGINT)", t.INTEGER, nullable=False
    )


@function("HASH_AGG")
def hash_agg(call: Call) -> Value:
    """A hash over all rows that does not depend on their order; its values are the sandbox's own."""
    row = ", ".join(f"coalesce(CAST({value.sql} AS VARCHAR), chr(30))" for value in call.values())
    return Value(f"sf_signed(bit_xor(hash(concat_ws(chr(31), {row}))){call.over})", t.number(19))


def scaled(type_: SnowflakeType, more: int) -> SnowflakeType:
    """Widen a NUMBER's scale, up to twelve decimals."""
    scale = type_.scale or 0
    return t.number(38, max(scale, min(scale + more, _MOST_SCALE)))
