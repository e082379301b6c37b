"""Operators: arithmetic with Snowflake's precision and scale, comparison, logic, text and set tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlglot import exp

from firnline_sandbox import types as t
from firnline_sandbox.errors import runtime_error_call, type_mismatch, unsupported
from firnline_sandbox.translate.casts import cast, coerce, common_type
from firnline_sandbox.translate.dispatch import Translation, expression
from firnline_sandbox.translate.intervals import add_interval, is_interval
from firnline_sandbox.translate.values import ABSENT, Value, typed

if TYPE_CHECKING:
    from firnline_sandbox.translate.scopes import Scope
    from firnline_sandbox.types import SnowflakeType

MOST_DIGITS: Final = 38
_DIVISION_SCALE: Final = 6
_MOST_SCALE: Final = 12


def numeric(value: Value) -> Value:
    """Bring an operand of arithmetic to a number."""
    if value.type.is_numeric:
        return value
    if value.type.kind == "VARIANT":
        return cast(value, t.FLOAT)
    if value.type.kind == "TEXT":
        # Snowflake takes the text for a number with decimals.
        return cast(value, t.number(18, 5))
    return cast(value, t.INTEGER)


def combine(*values: Value) -> tuple[bool, bool]:
    """Tell whether an expression of these is nullable, and whether it is volatile."""
    return any(value.nullable for value in values), any(value.volatile for value in values)


@expression(exp.Paren)
def paren(translation: Translation, node: exp.Paren, scope: Scope) -> Value:
    """Parentheses; every operator writes its own, so they add nothing."""
    return translation.value(node.this, scope)


@expression(exp.Neg)
def negate(translation: Translation, node: exp.Neg, scope: Scope) -> Value:
    """A minus sign."""
    value = numeric(translation.value(node.this, scope))
    if is_interval(value):
        return Value(f"(- {value.sql})", value.type)
    constant = ABSENT if value.constant is ABSENT or value.constant is None else -value.constant
    sql = (
        f"-{value.sql}" if constant is not ABSENT and value.sql[0].isdigit() else f"(- {value.sql})"
    )  # -- starts a comment
    return Value(sql, value.type, value.nullable, constant, value.volatile)


@expression(exp.Add, exp.Sub)
def add(translation: Translation, node: exp.Add | exp.Sub, scope: Scope) -> Value:
    """``+`` and ``-``, also for dates, timestamps and intervals."""
    left, right = translation.value(node.this, scope), translation.value(node.expression, scope)
    sign = "+" if isinstance(node, exp.Add) else "-"
    if is_interval(right):
        return add_interval(left, sign, right)
    if is_interval(left) and sign == "+":
        return add_interval(right, sign, left)
    if left.type.kind == "DATE" or left.type.is_timestamp:
        return _shift_days(left, sign, right)
    if right.type.kind == "DATE" and sign == "+":
        return _shift_days(right, sign, left)
    return arithmetic(left, sign, right)


def _shift_days(moment: Value, sign: str, other: Value) -> Value:
    nullable, volatile = combine(moment, other)
    if other.type.kind == moment.type.kind == "DATE" and sign == "-":
        return Value(f"({moment.sql} - {other.sql})", t.number(9), nullable, volatile=volatile)
    if other.type.kind in {"DATE", *t.TIMESTAMPS} or (other.type.kind == "TEXT" and not other.is_constant):
        raise type_mismatch(
            f"Invalid argument types for function '{sign}': ({moment.type.sql}, {other.type.sql})",
        )
    days = cast(numeric(other), t.INTEGER)
    if moment.type.kind == "DATE":
        return Value(f"({moment.sql} {sign} CAST({days.sql} AS INTEGER))", t.DATE, nullable, volatile=volatile)
    return Value(
        f"({moment.sql} {sign} to_days(CAST({days.sql} AS INTEGER)))", moment.type, nullable, volatile=volatile
    )


def arithmetic(left: Value, sign: str, right: Value) -> Value:
    """Add, subtract, multiply, divide or take the remainder of two numbers."""
    left, right = numeric(left), numeric(right)
    nullable, volatile = combine(left, right)
    if "FLOAT" in {left.type.kind, right.type.kind}:
        left, right = cast(left, t.FLOAT), cast(right, t.FLOAT)
        sql = f"sf_divide({left.sql}, {right.sql})" if sign == "/" else f"{left.sql} {sign} {right.sql}"
        if sign == "%":
            sql = f"{left.sql} % {_nonzero(right.sql)}"
        return Value(f"({sql})", t.FLOAT, nullable, volatile=volatile)
    type_ = _result_type(left.type, sign, right.type)
    if sign == "/":
        # DuckDB divides decimals as doubles too; casting to the result's scale rounds the quotient there.
        sql = f"CAST(sf_divide({typed(left)}, {typed(right)}) AS {type_.duckdb})"
    elif sign == "%":
        sql = f"CAST({typed(left)} % {_nonzero(typed(right))} AS {type_.duckdb})"
    elif type_.scale or left.type.scale or right.type.scale:
        sql = f"CAST({typed(left)} {sign} {typed(right)} AS {type_.duckdb})"
    else:
        sql = f"({typed(left)} {sign} {right.sql})"
    return Value(sql, type_, nullable, volatile=volatile)


def _nonzero(sql: str) -> str:
    return f"CASE WHEN {sql} = 0 THEN {runtime_error_call(100051)} ELSE {sql} END"


def _result_type(left: SnowflakeType, sign: str, right: SnowflakeType) -> SnowflakeType:
    """Give the precision and scale of a result: docs.snowflake.com, 'Arithmetic operators'."""
    left_scale, right_scale = left.scale or 0, right.scale or 0
    left_digits, right_digits = (left.precision or 38) - left_scale, (right.precision or 38) - right_scale
    match sign:
        case "*":
            scale = min(left_scale + right_scale, max(left_scale, right_scale, _MOST_SCALE))
            digits = left_digits + right_digits
        case "/":
            scale = max(left_scale, min(left_scale + _DIVISION_SCALE, _MOST_SCALE))
            digits = left_digits + right_scale
        case "%":
            scale, digits = max(left_scale, right_scale), max(left_digits, right_digits)
        case _:
            scale, digits = max(left_scale, right_scale), max(left_digits, right_digits) + 1
    return t.number(digits + scale, scale)


@expression(exp.Mul, exp.Div, exp.Mod)
def multiply(translation: Translation, node: exp.Binary, scope: Scope) -> Value:
    """``*``, ``/`` and ``%``."""
    sign = {exp.Mul: "*", exp.Div: "/", exp.Mod: "%"}[type(node)]
    return arithmetic(translation.value(node.this, scope), sign, translation.value(node.expression, scope))


_COMPARISONS: Final = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.NullSafeEQ: "IS NOT DISTINCT FROM",
    exp.NullSafeNEQ: "IS DISTINCT FROM",
}


@expression(*_COMPARISONS)
def comparison(translation: Translation, node: exp.Binary, scope: Scope) -> Value:
    """``=``, ``<`` and the like, after bringing both sides to one type."""
    sign = _COMPARISONS[type(node)]
    left = translation.value(node.this, scope)
    if isinstance(node.expression, exp.Any | exp.All):
        return _quantified(translation, left, sign, node.expression, scope)
    return compare(left, sign, translation.value(node.expression, scope))


def _quantified(translation: Translation, left: Value, sign: str, node: exp.Any | exp.All, scope: Scope) -> Value:
    if not isinstance(node.this, exp.Query):
        raise unsupported("ANY or ALL of a list")
    word = "ANY" if isinstance(node, exp.Any) else "ALL"
    return Value(f"({left.sql} {sign} {word} ({translation.query(node.this, scope).sql}))", t.BOOLEAN)


def compare(left: Value, sign: str, right: Value) -> Value:
    """Compare two values."""
    if left.type == t.ROW or right.type == t.ROW:
        return Value(f"({left.sql} {sign} {right.sql})", t.BOOLEAN)
    left, right = alike(left, right, f"'{sign}'")
    nullable, volatile = combine(left, right)
    return Value(f"({left.sql} {sign} {right.sql})", t.BOOLEAN, nullable and "DISTINCT" not in sign, volatile=volatile)


def alike(left: Value, right: Value, where: str) -> tuple[Value, Value]:
    """Bring two values to a type in which they can be compared."""
    kinds = {left.type.kind, right.type.kind}
    if len(kinds) == 1 and not kinds & t.SEMI_STRUCTURED:
        return left, right
    if kinds == {"NUMBER", "FLOAT"} or "NULL" in kinds:
        return left, right
    if kinds <= t.SEMI_STRUCTURED:
        return _comparable_variant(left), _comparable_variant(right)
    if kinds & t.SEMI_STRUCTURED:
        scalar = right.type if left.type.is_semi_structured else left.type
        if scalar.kind == "NUMBER":
            scalar = t.FLOAT if not scalar.scale else t.number(MOST_DIGITS, max(scalar.scale, _MOST_SCALE))
        elif scalar.kind == "TEXT":
            scalar = t.TEXT  # a longer text than the one that it is compared with is just another
        return cast(left, scalar), cast(right, scalar)
    common = common_type((left.type, right.type), where)
    if kinds == {"TEXT", "NUMBER"}:
        common = t.number(MOST_DIGITS, common.scale or 0) if common.scale else t.INTEGER
        return _as_number(left, common), _as_number(right, common)
    return coerce(left, common), coerce(right, common)


def _as_number(value: Value, common: SnowflakeType) -> Value:
    if value.type.kind == "NUMBER":
        return value
    # A text may have more decimals than the number it is compared with.
    return cast(value, t.number(MOST_DIGITS, max(common.scale or 0, _MOST_SCALE)))


def _comparable_variant(value: Value) -> Value:
    return Value(f"json({value.sql})", t.VARIANT, value.nullable, volatile=value.volatile)


@expression(exp.And, exp.Or)
def logic(translation: Translation, node: exp.And | exp.Or, scope: Scope) -> Value:
    """AND and OR; a long chain is written without deep nesting."""
    kind = type(node)
    operands: list[exp.Expr] = []
    pending: list[exp.Expr] = [node]
    while pending:
        current = pending.pop()
        if type(current) is kind:
            pending += [current.expression, current.this]
        else:
            operands.append(current)
    values = [condition(translation, operand, scope) for operand in operands]
    word = " AND " if kind is exp.And else " OR "
    nullable, volatile = combine(*values)
    return Value(f"({word.join(value.sql for value in values)})", t.BOOLEAN, nullable, volatile=volatile)


@expression(exp.Not)
def negation(translation: Translation, node: exp.Not, scope: Scope) -> Value:
    """NOT."""
    value = condition(translation, node.this, scope)
    return Value(f"(NOT {value.sql})", t.BOOLEAN, value.nullable, volatile=value.volatile)


def condition(translation: Translation, node: exp.Expr, scope: Scope) -> Value:
    """Translate an expression that must be BOOLEAN."""
    return as_condition(translation.value(node, scope))


def as_condition(value: Value) -> Value:
    """Bring a value to BOOLEAN, as WHERE, AND, IFF and CASE do."""
    return value if value.type.kind == "BOOLEAN" else cast(value, t.BOOLEAN)


@expression(exp.Is)
def is_test(translation: Translation, node: exp.Is, scope: Scope) -> Value:
    """IS NULL, IS TRUE and IS FALSE."""
    value = translation.value(node.this, scope)
    word = {"true": "TRUE", "false": "FALSE"}.get(translation.value(node.expression, scope).sql, "NULL")
    if word != "NULL":
        value = as_condition(value)
    return Value(f"({value.sql} IS {word})", t.BOOLEAN, nullable=False, volatile=value.volatile)


@expression(exp.Between)
def between(translation: Translation, node: exp.Between, scope: Scope) -> Value:
    """BETWEEN."""
    value = translation.value(node.this, scope)
    low = compare(value, ">=", translation.value(node.args["low"], scope))
    high = compare(value, "<=", translation.value(node.args["high"], scope))
    nullable, volatile = combine(low, high)
    return Value(f"({low.sql} AND {high.sql})", t.BOOLEAN, nullable, volatile=volatile)


@expression(exp.In)
def membership(translation: Translation, node: exp.In, scope: Scope) -> Value:
    """IN a list or a query."""
    left = translation.value(node.this, scope)
    if (subquery := node.args.get("query")) is not None:
        inner = translation.query(subquery.unnest(), scope)
        if len(inner.columns) == 1 and inner.columns[0].type.kind != left.type.kind:
            column = Value("_in", inner.columns[0].type)
            left, right = alike(left, column, "IN")
            return Value(f"({left.sql} IN (SELECT {right.sql} FROM ({inner.sql}) AS _q(_in)))", t.BOOLEAN)
        return Value(f"({left.sql} IN ({inner.sql}))", t.BOOLEAN)
    options = [translation.value(option, scope) for option in node.expressions]
    nullable, volatile = combine(left, *options)
    if left.type == t.ROW or all(option.type.kind in {left.type.kind, "NULL"} for option in options):
        listed = ", ".join(option.sql for option in options)
        return Value(f"({left.sql} IN ({listed}))", t.BOOLEAN, nullable, volatile=volatile)
    tests = [compare(left, "=", option).sql for option in options]
    return Value(f"({' OR '.join(tests)})", t.BOOLEAN, nullable, volatile=volatile)


@expression(exp.Tuple)
def row(translation: Translation, node: exp.Tuple, scope: Scope) -> Value:
    """A row of values, for comparisons."""
    values = [translation.value(part, scope) for part in node.expressions]
    return Value(f"({', '.join(typed(value) for value in values)})", t.ROW)


@expression(exp.DPipe)
def concatenation(translation: Translation, node: exp.DPipe, scope: Scope) -> Value:
    """``||`` on texts or binaries."""
    left, right = translation.value(node.this, scope), translation.value(node.expression, scope)
    nullable, volatile = combine(left, right)
    if {left.type.kind, right.type.kind} == {"BINARY"}:
        return Value(f"({left.sql} || {right.sql})", t.BINARY, nullable, volatile=volatile)
    left, right = as_text(left), as_text(right)
    length = (left.type.length or t.MAX_TEXT) + (right.type.length or t.MAX_TEXT)
    return Value(f"({left.sql} || {right.sql})", t.text(length), nullable, volatile=volatile)


def as_text(value: Value) -> Value:
    """Bring a value to text."""
    return value if value.type.kind == "TEXT" else cast(value, t.TEXT)


@expression(exp.Exists)
def exists(translation: Translation, node: exp.Exists, scope: Scope) -> Value:
    """EXISTS (SELECT ...)."""
    return Value(f"EXISTS ({translation.query(node.this.unnest(), scope).sql})", t.BOOLEAN, nullable=False)


@expression(exp.Subquery, exp.Select, exp.Union, exp.Except, exp.Intersect)
def scalar_subquery(translation: Translation, node: exp.Query, scope: Scope) -> Value:
    """A query in parentheses that gives one value."""
    inner = translation.query(node.unnest(), scope)
    if len(inner.columns) != 1:
        return Value(f"({inner.sql})", t.ROW)
    return Value(f"({inner.sql})", inner.columns[0].type)
