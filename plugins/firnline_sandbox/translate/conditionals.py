"""CASE and the functions that choose among their arguments; explicit casts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from sqlglot import exp

from firnline_sandbox import types as t
from firnline_sandbox.errors import invalid_argument, syntax_error, unsupported
from firnline_sandbox.translate.casts import cast, coerce, common_type
from firnline_sandbox.translate.dispatch import Translation, expression
from firnline_sandbox.translate.functions import Call, function
from firnline_sandbox.translate.operators import arithmetic, as_condition, compare, condition, numeric
from firnline_sandbox.translate.parsing import resolve_name
from firnline_sandbox.translate.values import ABSENT, Value, typed
from firnline_sandbox.types import from_sqlglot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firnline_sandbox.translate.scopes import Scope
    from firnline_sandbox.types import SnowflakeType


_EXPONENT: Final = re.compile(r"CAST\((\S+) AS DOUBLE\)")


@expression(exp.Cast, exp.TryCast)
def explicit_cast(translation: Translation, node: exp.Cast, scope: Scope) -> Value:
    """``CAST``, ``::`` and ``TRY_CAST``."""
    if node.args.get("format") is not None:
        raise syntax_error("unexpected 'FORMAT' in CAST.")
    target = from_sqlglot(node.to)
    if target is None:
        raise unsupported(f"data type {node.to.sql('snowflake')}")
    value = translation.value(node.this, scope)
    return constant_cast(value, target) or cast(value, target, safe=isinstance(node, exp.TryCast))


@expression(exp.ToBoolean)
def try_cast_to_boolean(translation: Translation, node: exp.ToBoolean, scope: Scope) -> Value:
    """``TRY_CAST(… AS BOOLEAN)``, which the parser reads as a function of its own."""
    return cast(translation.value(node.this, scope), t.BOOLEAN, safe=bool(node.args.get("safe")))


def constant_cast(value: Value, target: SnowflakeType) -> Value | None:
    """Fold the casts of constants that Snowpark writes everywhere: ``1 :: INT``, ``'a' :: STRING``."""
    if value.constant is ABSENT or value.constant is None:
        return None
    if value.type.kind == "NUMBER" and target.kind == "FLOAT":
        return Value(f"CAST({value.sql} AS DOUBLE)", target, nullable=False, constant=float(value.constant))
    if value.type.kind == "FLOAT" and target.kind == "NUMBER" and target.scale:
        written = _EXPONENT.fullmatch(value.sql)  # digits with an exponent keep all of them
        return written and Value(f"CAST('{written[1]}' AS {target.duckdb})", target, nullable=False)
    if value.type.kind != target.kind:
        return None
    if target.kind == "NUMBER":
        fits = not target.scale and not value.type.scale and (value.type.precision or 38) <= (target.precision or 38)
        return Value(value.sql, target, nullable=False, constant=value.constant) if fits else None
    if target.kind == "TEXT" and (target.length or t.MAX_TEXT) >= (value.type.length or t.MAX_TEXT):
        return Value(value.sql, target, nullable=False, constant=value.constant)
    return None


def aligned(values: Sequence[Value], where: str) -> tuple[list[Value], SnowflakeType]:
    """Bring values to their common type."""
    common = common_type((value.type for value in values), where)
    return [value if value.type.kind == "NULL" else coerce(value, common) for value in values], common


def choose(call: Call, template: str, values: Sequence[Value], *, nullable: bool | None = None) -> Value:
    """Write a template over values of one common type."""
    alike, common = aligned(values, call.name)
    sql = template.format(*(typed(value) if value.type.kind != "NULL" else value.sql for value in alike))
    return call.build(sql, common, nullable=nullable)


@expression(exp.Case)
def case(translation: Translation, node: exp.Case, scope: Scope) -> Value:
    """CASE with conditions, or with a value to compare."""
    subject = translation.value(node.this, scope) if node.this is not None else None
    tests, results = [], []
    for branch in node.args["ifs"]:
        if subject is None:
            tests.append(condition(translation, branch.this, scope))
        else:
            tests.append(compare(subject, "=", translation.value(branch.this, scope)))
        results.append(translation.value(branch.args["true"], scope))
    default = node.args.get("default")
    if default is not None:
        results.append(translation.value(default, scope))
    return write_case(tests, results)


def write_case(tests: Sequence[Value], results: Sequence[Value]) -> Value:
    """Write CASE WHEN; a result more than there are tests is the ELSE."""
    alike, common = aligned(results, "CASE")
    written = [result.sql if result.type.kind == "NULL" else typed(result) for result in alike]
    parts = [f"WHEN {test.sql} THEN {result}" for test, result in zip(tests, written, strict=False)]
    nullable = len(alike) == len(tests) or any(value.nullable for value in alike)
    if len(alike) > len(tests):
        parts.append(f"ELSE {written[-1]}")
    volatile = any(value.volatile for value in (*tests, *results))
    return Value(f"CASE {' '.join(parts)} END", common, nullable, volatile=volatile)


@function("IFF")
def iff(call: Call) -> Value:
    """``IFF(test, then, else)``."""
    return write_case([as_condition(call.value(0))], [call.value(1), call.value(2)])


@function("COALESCE", "NVL", "IFNULL")
def coalesce(call: Call) -> Value:
    """Give the first that is not NULL."""
    values = call.values()
    if len(values) < 2:
        raise invalid_argument(f"not enough arguments for function [{call.name}], expected 2, got {len(values)}")
    inner = ", ".join(f"{{{index}}}" for index in range(len(values)))
    return choose(call, f"coalesce({inner})", values, nullable=all(value.nullable for value in values))


@function("NVL2")
def nvl2(call: Call) -> Value:
    """Choose by whether the first argument is NULL."""
    test = Value(f"({call.value(0).sql} IS NOT NULL)", t.BOOLEAN)
    return write_case([test], [call.value(1), call.value(2)])


@function("NULLIF")
def nullif(call: Call) -> Value:
    """Give NULL where both arguments are equal."""
    equal = compare(call.value(0), "=", call.value(1))
    return call.build(
        f"CASE WHEN {equal.sql} THEN NULL ELSE {typed(call.value(0))} END", call.value(0).type, nullable=True
    )


@function("DECODE")
def decode(call: Call) -> Value:
    """Choose by equality, NULL being equal to NULL."""
    subject, rest = call.value(0), call.values(1)
    tests = [compare(subject, "IS NOT DISTINCT FROM", rest[index]) for index in range(0, len(rest) - 1, 2)]
    results = [rest[index] for index in range(1, len(rest), 2)]
    if len(rest) % 2:
        results.append(rest[-1])
    return write_case(tests, results)


@function("EQUAL_NULL")
def equal_null(call: Call) -> Value:
    """Compare with NULL equal to NULL."""
    return compare(call.value(0), "IS NOT DISTINCT FROM", call.value(1))


@function("ZEROIFNULL")
def zero_if_null(call: Call) -> Value:
    """Give 0 for NULL."""
    value = numeric(call.value(0))
    return call.build(f"coalesce({typed(value)}, 0)", value.type, nullable=False)


@function("NULLIFZERO")
def null_if_zero(call: Call) -> Value:
    """Give NULL for 0."""
    value = numeric(call.value(0))
    return call.build(f"nullif({typed(value)}, 0)", value.type, nullable=True)


@function("DIV0", "DIV0NULL")
def divide_or_zero(call: Call) -> Value:
    """Divide; a divisor of 0 (DIV0NULL: or NULL) gives 0."""
    dividend, divisor = numeric(call.value(0)), numeric(call.value(1))
    quotient = arithmetic(dividend, "/", divisor)
    if call.name == "DIV0NULL":
        test = f"coalesce({divisor.sql}, 0) = 0"
    else:
        test = f"{divisor.sql} = 0 AND {dividend.sql} IS NOT NULL"
    zero = f"CAST(0 AS {quotient.type.duckdb})"
    return call.build(f"CASE WHEN {test} THEN {zero} ELSE {quotient.sql} END", quotient.type)


def _extreme(call: Call, ignore_nulls: bool) -> Value:
    word = "greatest" if call.name.startswith("GREATEST") else "least"
    values = call.values()
    inner = ", ".join(f"{{{index}}}" for index in range(len(values)))
    template = f"{word}({inner})"
    if not ignore_nulls and any(value.nullable for value in values):
        missing = " OR ".join(f"{{{index}}} IS NULL" for index, value in enumerate(values) if value.nullable)
        template = f"CASE WHEN {missing} THEN NULL ELSE {template} END"
    return choose(call, template, values)


@function("GREATEST", "LEAST")
def extreme(call: Call) -> Value:
    """Give the largest or smallest, NULL if one is NULL."""
    return _extreme(call, ignore_nulls=False)


@function("GREATEST_IGNORE_NULLS", "LEAST_IGNORE_NULLS")
def extreme_ignoring_nulls(call: Call) -> Value:
    """Give the largest or smallest that is not NULL."""
    return _extreme(call, ignore_nulls=True)


@function("BOOLAND", "BOOLOR", "BOOLXOR")
def boolean_pair(call: Call) -> Value:
    """Combine two numbers as truth values."""
    left, right = (as_condition(call.value(index)) for index in (0, 1))
    word = {"BOOLAND": "AND", "BOOLOR": "OR", "BOOLXOR": "<>"}[call.name]
    return call.build(f"({left.sql} {word} {right.sql})", t.BOOLEAN)


@function("BOOLNOT")
def boolean_not(call: Call) -> Value:
    """Negate a number's truth value."""
    return call.build(f"(NOT {as_condition(call.value(0)).sql})", t.BOOLEAN)


@function("IDENTIFIER")
def identifier(call: Call) -> Value:
    """A column whose name is a constant."""
    parts = resolve_name(str(call.constant(0)))
    return call.scope.qualified(parts[:-1], parts[-1]) if len(parts) > 1 else call.scope.unqualified(parts[-1])


@function("IS_NULL_VALUE")
def is_null_value(call: Call) -> Value:
    """Tell a JSON null from other values."""
    call.require_kind(0, t.SEMI_STRUCTURED)
    return call.build(f"(json_type({call.value(0).sql}) = 'NULL')", t.BOOLEAN)
