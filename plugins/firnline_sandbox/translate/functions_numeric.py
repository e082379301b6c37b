"""Numeric and conversion functions."""

from __future__ import annotations

from firnline_sandbox import types as t
from firnline_sandbox.errors import invalid_argument, unsupported
from firnline_sandbox.translate.casts import cast
from firnline_sandbox.translate.functions import Call, declare, function
from firnline_sandbox.translate.operators import arithmetic, numeric
from firnline_sandbox.translate.values import Value, typed

declare("SQRT", (t.FLOAT,), t.FLOAT, "sf_sqrt({0})")
for _name in ("EXP", "LN", "SIN", "COS", "TAN", "ASIN", "ACOS", "ATAN", "SINH", "COSH", "TANH", "COT", "CBRT"):
    declare(_name, (t.FLOAT,), t.FLOAT, _name.lower() + "({0})")
declare("ASINH", (t.FLOAT,), t.FLOAT, "asinh({0})")
declare("ACOSH", (t.FLOAT,), t.FLOAT, "acosh({0})")
declare("ATANH", (t.FLOAT,), t.FLOAT, "atanh({0})")
declare("ATAN2", (t.FLOAT, t.FLOAT), t.FLOAT, "atan2({0}, {1})")
declare("DEGREES", (t.FLOAT,), t.FLOAT, "degrees({0})")
declare("RADIANS", (t.FLOAT,), t.FLOAT, "radians({0})")
declare("PI", (), t.FLOAT, "pi()", nullable=False)
declare("POW POWER", (t.FLOAT, t.FLOAT), t.FLOAT, "pow({0}, {1})")
declare("SQUARE", (t.FLOAT,), t.FLOAT, "pow({0}, 2)")
declare("LOG", (t.FLOAT, t.FLOAT), t.FLOAT, "(ln({1}) / ln({0}))")
declare("FACTORIAL", (t.INTEGER,), t.INTEGER, "CAST(factorial(CAST({0} AS INTEGER)) AS BIGINT)")
declare("SIGN", (None,), t.number(1), "CAST(sign({0}) AS BIGINT)")
declare("BITAND BIT_AND", (t.INTEGER, t.INTEGER), t.INTEGER, "({0} & {1})")
declare("BITOR BIT_OR", (t.INTEGER, t.INTEGER), t.INTEGER, "({0} | {1})")
declare("BITXOR BIT_XOR", (t.INTEGER, t.INTEGER), t.INTEGER, "xor({0}, {1})")
declare("BITNOT BIT_NOT", (t.INTEGER,), t.INTEGER, "(~{0})")
declare("BITSHIFTLEFT BIT_SHIFTLEFT", (t.INTEGER, t.INTEGER), t.INTEGER, "({0} << {1})")
declare("BITSHIFTRIGHT BIT_SHIFTRIGHT", (t.INTEGER, t.INTEGER), t.INTEGER, "({0} >> {1})")
declare("GETBIT", (t.INTEGER, t.INTEGER), t.INTEGER, "(({0} >> {1}) & 1)")


@function("ABS")
def absolute(call: Call) -> Value:
    """Keep the number's type."""
    value = numeric(call.value(0))
    return call.build(f"abs({typed(value)})", value.type)


@function("CEIL", "FLOOR")
def whole(call: Call) -> Value:
    """Round up or down, at a scale if one is given."""
    value = numeric(call.value(0))
    word = call.name.lower()
    scale = int(call.constant(1, 0))
    if scale:
        factor = 10 ** abs(scale)
        inner = (
            f"{word}({typed(value)} * {factor}) / {factor}"
            if scale > 0
            else f"{word}({typed(value)} / {factor}) * {factor}"
        )
        return call.build(f"CAST({inner} AS {value.type.duckdb})", value.type)
    if value.type.kind == "FLOAT":
        return call.build(f"{word}({value.sql})", t.FLOAT)
    if not value.type.scale:
        return value
    digits = (value.type.precision or 38) - value.type.scale + 1
    return call.build(f"CAST({word}({typed(value)}) AS BIGINT)", t.number(digits))


@function("ROUND")
def round_(call: Call) -> Value:
    """Round halves away from zero (or to even if asked); a NUMBER keeps as many decimals as asked."""
    value = numeric(call.value(0))
    mode = str(call.constant(2, "HALF_AWAY_FROM_ZERO")).upper()
    word = {"HALF_AWAY_FROM_ZERO": "round", "HALF_TO_EVEN": "round_even"}.get(mode)
    if word is None:
        raise invalid_argument(f"Invalid rounding mode '{mode}'")
    scale = call.value(1) if len(call) > 1 else None
    if value.type.kind == "FLOAT":
        decimals = "0" if scale is None else f"CAST({scale.sql} AS INTEGER)"
        return call.build(f"{word}({value.sql}, {decimals})", t.FLOAT)
    if scale is not None and not isinstance(scale.constant, int):
        return call.build(
            f"CAST({word}({typed(value)}, CAST({scale.sql} AS INTEGER)) AS {value.type.duckdb})", value.type
        )
    places = 0 if scale is None else int(call.constant(1))
    kept = min(max(places, 0), value.type.scale or 0)
    type_ = t.number((value.type.precision or 38) - (value.type.scale or 0) + kept + 1, kept)
    return call.build(f"CAST({word}({typed(value)}, {places}) AS {type_.duckdb})", type_)


@function("TRUNC", "TRUNCATE")
def truncate(call: Call) -> Value:
    """Cut decimals off; of a date or timestamp, DATE_TRUNC with the part second."""
    first = call.value(0)
    if first.type.kind == "DATE" or first.type.is_timestamp:
        from firnline_sandbox.translate.functions_date import truncate_to

        return truncate_to(call.word(1), first)
    value = numeric(first)
    if len(call) > 1 and not call.value(1).is_constant:
        factor = f"pow(10, {numeric(call.value(1)).sql})"
        return call.build(f"CAST(trunc({typed(value)} * {factor}) / {factor} AS {value.type.duckdb})", value.type)
    places = int(call.constant(1, 0))
    kept = min(max(places, 0), value.type.scale or 0)
    inner = f"trunc({typed(value)})" if not places else f"trunc({typed(value)} * 1e{places}) / 1e{places}"
    if value.type.kind == "FLOAT":
        return call.build(inner, t.FLOAT)
    if places:
        inner = (
            f"trunc({typed(value)}, {places})" if places > 0 else f"(trunc({typed(value)} / 1e{-places}) * 1e{-places})"
        )
    type_ = t.number((value.type.precision or 38) - (value.type.scale or 0) + kept, kept)
    return call.build(f"CAST({inner} AS {type_.duckdb})", type_)


@function("MOD")
def modulo(call: Call) -> Value:
    """The remainder."""
    return arithmetic(call.value(0), "%", call.value(1))


@function("WIDTH_BUCKET")
def width_bucket(call: Call) -> Value:
    """Number the bucket of equal width that a value falls into."""
    value, low, high = (cast(numeric(call.value(index)), t.FLOAT).sql for index in range(3))
    count = call.value(3).sql
    return call.build(
        f"CASE WHEN {value} < {low} THEN 0 WHEN {value} >= {high} THEN {count} + 1"
        f" ELSE CAST(floor(({value} - {low}) / (({high} - {low}) / {count})) AS BIGINT) + 1 END",
        t.INTEGER,
    )


def number_target(call: Call, start: int) -> t.SnowflakeType:
    """Read the precision and scale arguments of TO_NUMBER."""
    return t.number(int(call.constant(start, 38)), int(call.constant(start + 1, 0)))


@function("TO_NUMBER", "TO_DECIMAL", "TO_NUMERIC", "TRY_TO_NUMBER", "TRY_TO_DECIMAL", "TRY_TO_NUMERIC")
def to_number(call: Call) -> Value:
    """Convert to NUMBER(38, 0) or as asked; a format is taken for its group marks and currency signs."""
    safe = call.name.startswith("TRY_")
    value = call.value(0)
    if len(call) > 1 and call.value(1).type.kind == "TEXT":
        model = str(call.constant(1)).upper()
        if set(model) - set("0123456789,.$SMI"):
            raise unsupported(f"number format '{model}'")
        value = Value(f"regexp_replace({value.sql}, '[,$\\s]', '', 'g')", t.TEXT, value.nullable)
        return cast(value, number_target(call, 2), safe=safe)
    return cast(value, number_target(call, 1), safe=safe)


@function("TO_DOUBLE", "TRY_TO_DOUBLE")
def to_double(call: Call) -> Value:
    """Convert to FLOAT."""
    return cast(call.value(0), t.FLOAT, safe=call.name.startswith("TRY_"))


@function("TO_BOOLEAN", "TRY_TO_BOOLEAN")
def to_boolean(call: Call) -> Value:
    """Convert to BOOLEAN."""
    return cast(call.value(0), t.BOOLEAN, safe=call.name.startswith("TRY_"))
