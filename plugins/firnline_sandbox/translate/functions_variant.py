"""What a VARIANT holds: IS_DATE, AS_DATE and the like, and the digests of APPROX_PERCENTILE."""

from __future__ import annotations

from typing import Final

from firnline_sandbox import types as t
from firnline_sandbox.errors import invalid_argument
from firnline_sandbox.translate.casts import LONG, cast, once
from firnline_sandbox.translate.functions import Call, function
from firnline_sandbox.translate.functions_aggregate import written
from firnline_sandbox.translate.functions_semi import as_variant
from firnline_sandbox.translate.operators import numeric
from firnline_sandbox.translate.values import Value

_WHOLE: Final = ("INTEGER",)
_EXACT: Final = ("INTEGER", "DECIMAL")
_NUMERIC: Final = ("INTEGER", "DECIMAL", "DOUBLE")
_KINDS: Final[dict[str, tuple[tuple[str, ...], t.SnowflakeType]]] = {
    "ARRAY": (("ARRAY",), t.ARRAY),
    "OBJECT": (("OBJECT",), t.OBJECT),
    "BOOLEAN": (("BOOLEAN",), t.BOOLEAN),
    "VARCHAR": (("VARCHAR",), t.TEXT),
    "CHAR": (("VARCHAR",), t.TEXT),
    "BINARY": (("BINARY",), t.BINARY),
    "DATE": (("DATE",), t.DATE),
    "DATE_VALUE": (("DATE",), t.DATE),
    "TIME": (("TIME",), t.TIME),
    "TIMESTAMP_NTZ": (("TIMESTAMP_NTZ",), t.TIMESTAMP_NTZ),
    "TIMESTAMP_LTZ": (("TIMESTAMP_LTZ",), t.TIMESTAMP_LTZ),
    "TIMESTAMP_TZ": (("TIMESTAMP_TZ",), t.TIMESTAMP_TZ),
    "INTEGER": (_WHOLE, t.INTEGER),
    "DECIMAL": (_EXACT, t.INTEGER),
    "DOUBLE": (_NUMERIC, t.FLOAT),
    "REAL": (_NUMERIC, t.FLOAT),
    "NUMBER": (_EXACT, t.INTEGER),
}


def _test(sql: str, kinds: tuple[str, ...]) -> str:
    return f"({once('sf_typeof', sql)} IN ({', '.join(repr(kind) for kind in kinds)}))"


@function(*(f"IS_{name}" for name in _KINDS if name != "NUMBER"))
def is_kind(call: Call) -> Value:
    """Tell what kind of value a VARIANT holds."""
    call.require_kind(0, t.SEMI_STRUCTURED)
    return call.build(_test(as_variant(call.value(0)).sql, _KINDS[call.name.removeprefix("IS_")][0]), t.BOOLEAN)


@function(*(f"AS_{name}" for name in _KINDS if name != "DATE_VALUE"))
def as_kind(call: Call) -> Value:
    """Give a VARIANT's value if it is of a kind, else NULL."""
    if call.name in {"AS_DECIMAL", "AS_NUMBER"} and call.value(0).type.kind not in {*t.SEMI_STRUCTURED, "NULL"}:
        given = call.value(0).type.sql
        raise invalid_argument(f"invalid type [{given}] for parameter '{call.name}(variantValue...)'")
    call.require_kind(0, t.SEMI_STRUCTURED)
    kinds, type_ = _KINDS[call.name.removeprefix("AS_")]
    if call.name == "AS_INTEGER":
        kinds = _EXACT
    if type_ == t.INTEGER and len(call) > 1:
        type_ = t.number(int(call.constant(1)), int(call.constant(2, 0)))
    value = as_variant(call.value(0))
    given = "held" if len(value.sql) > LONG else value.sql
    converted = given if type_.is_semi_structured else cast(Value(given, t.VARIANT), type_).sql
    sql = f"CASE WHEN {_test(given, kinds)} THEN {converted} END"
    if given == "held":
        sql = f"list_extract(list_transform([{value.sql}], lambda held: {sql}), 1)"
    return call.build(sql, type_, nullable=True)


@function("APPROX_PERCENTILE_ACCUMULATE")
def digest(call: Call) -> Value:
    """Collect values in the form of a t-digest in which each value is a centroid of its own."""
    value = cast(numeric(call.value(0)), t.FLOAT)
    return Value(f"sf_digest({written(call, 'list', value.sql)})", t.OBJECT)


@function("APPROX_PERCENTILE_COMBINE")
def digest_of_digests(call: Call) -> Value:
    """Put digests together."""
    call.require_kind(0, t.SEMI_STRUCTURED)
    states = written(call, "list", f"sf_digest_values({as_variant(call.value(0)).sql})")
    return Value(f"sf_digest(flatten({states}))", t.OBJECT)


@function("APPROX_PERCENTILE_ESTIMATE")
def estimate(call: Call) -> Value:
    """Read a percentile off a digest."""
    fraction = float(call.constant(1))
    if not 0 <= fraction <= 1:
        raise invalid_argument(f"Invalid value [{fraction}] for function '{call.name}'")
    state = call.as_type(0, t.OBJECT).sql
    return call.build(f"list_aggregate(sf_digest_values({state}), 'quantile_cont', {fraction!r})", t.FLOAT)
