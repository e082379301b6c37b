"""Casts between Snowflake types, explicit and implied, and the type that several expressions have in common."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from firnline_sandbox import types as t
from firnline_sandbox.errors import runtime_error_call, type_mismatch
from firnline_sandbox.translate.values import Value, quote_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from firnline_sandbox.types import SnowflakeType

    _Writer = Callable[[Value, SnowflakeType, bool], str]

MOST_DIGITS: Final = 38
LONG: Final = 120


def cast(value: Value, target: SnowflakeType, *, safe: bool = False) -> Value:
    """Cast explicitly; ``safe`` is TRY_CAST, which gives NULL where CAST raises.

    Raises:
        ProgrammingError: 2016, Snowflake has no such cast.
    """
    if value.type == target and not value.is_constant:
        return value
    if value.inner is not None and target.kind not in t.SEMI_STRUCTURED and _converts(value.inner, target, safe=safe):
        value = value.inner
    sql = _cast_sql(value, target, safe)
    return Value(sql, target, value.nullable or safe, volatile=value.volatile)


def _converts(value: Value, target: SnowflakeType, *, safe: bool) -> bool:
    """Say whether what a VARIANT was made of can be cast instead, with the same result or error."""
    if value.type.kind == "TEXT" != target.kind and not safe:
        return False  # the error of a text that is no number names the VARIANT
    return value.type.kind == target.kind or (value.type.kind, target.kind) in _CASTS


def _cast_sql(value: Value, target: SnowflakeType, safe: bool) -> str:
    source = value.type
    if source.kind == "NULL":
        return f"CAST(NULL AS {target.duckdb})"
    if source.kind == target.kind:
        return _within_kind(value, target, safe)
    writer = _CASTS.get((source.kind, target.kind))
    if writer is None:
        raise type_mismatch(f"invalid type [CAST({source.sql} AS {target.sql})] for parameter 'TO_{target.kind}'")
    return writer(value, target, safe)


def _within_kind(value: Value, target: SnowflakeType, safe: bool) -> str:
    source = value.type
    match target.kind:
        case "NUMBER":
            return _number_to_number(value, target, safe)
        case "TEXT" if (target.length or 0) < min(source.length or t.MAX_TEXT, t.MAX_TEXT):
            return f"{'sf_try_fit_text' if safe else 'sf_fit_text'}({value.sql}, {target.length})"
        case _:
            return value.sql


def _number_to_number(value: Value, target: SnowflakeType, safe: bool) -> str:
    source = value.type
    word = "TRY_CAST" if safe else "CAST"
    digits = (target.precision or MOST_DIGITS) - (target.scale or 0)
    if target.scale:
        same = source.scale == target.scale and source.precision == target.precision and not value.is_constant
        return value.sql if same else f"{word}({value.sql} AS {target.duckdb})"
    narrow = digits < (source.precision or MOST_DIGITS) - (source.scale or 0) and digits <= _BIGINT_DIGITS
    inner = f"{word}({value.sql} AS DECIMAL({digits},0))" if narrow else value.sql
    return inner if not narrow and not source.scale and not value.is_constant else f"{word}({inner} AS BIGINT)"


_BIGINT_DIGITS: Final = 18


def _plain(value: Value, target: SnowflakeType, safe: bool) -> str:
    return f"{'TRY_CAST' if safe else 'CAST'}({value.sql} AS {target.duckdb})"


def _macro(name: str) -> Callable[[Value, SnowflakeType, bool], str]:
    """Call a macro that exists in a strict form and, with the prefix ``sf_try_``, in a safe one."""

    def write(value: Value, target: SnowflakeType, safe: bool) -> str:  # noqa: ARG001 - one signature for all writers
        return once(f"{'sf_try_' if safe else 'sf_'}{name}", value.sql)

    return write


def _total(name: str) -> Callable[[Value, SnowflakeType, bool], str]:
    """Call a macro that cannot fail."""

    def write(value: Value, target: SnowflakeType, safe: bool) -> str:  # noqa: ARG001 - one signature for all writers
        return once(name, value.sql)

    return write


def once(macro: str, sql: str) -> str:
    """Call a macro that mentions its argument several times.

    DuckDB writes the argument in each of these places, and casts of casts would grow without end: a long one is
    computed first, and a lambda gets its value.
    """
    if len(sql) <= LONG:
        return f"{macro}({sql})"
    return f"list_extract(list_transform([{sql}], lambda once_: {macro}(once_)), 1)"


def _text_to_number(value: Value, target: SnowflakeType, safe: bool) -> str:
    inner = Value(value.sql, t.FLOAT)
    return _digits_checked(inner, target, safe, "text")


def _digits_checked(value: Value, target: SnowflakeType, safe: bool, origin: str) -> str:
    word = "TRY_CAST" if safe else "CAST"
    sql = f"sf_round_half_up({value.sql})" if origin == "float" and not target.scale else value.sql
    digits = target.precision or MOST_DIGITS
    if not target.scale and digits <= _BIGINT_DIGITS:
        return f"{word}({word}({sql} AS DECIMAL({digits},0)) AS BIGINT)"
    return f"{word}({sql} AS {target.duckdb})"


def _float_to_number(value: Value, target: SnowflakeType, safe: bool) -> str:
    return _digits_checked(value, target, safe, "float")


def _to_text(writer: Callable[[Value, SnowflakeType, bool], str]) -> Callable[[Value, SnowflakeType, bool], str]:
    """Check the length of a text that a cast makes."""

    def write(value: Value, target: SnowflakeType, safe: bool) -> str:
        sql = writer(value, target, safe)
        if (target.length or t.MAX_TEXT) >= t.MAX_TEXT:
            return sql
        return f"{'sf_try_fit_text' if safe else 'sf_fit_text'}({sql}, {target.length})"

    return write


def _from_variant(shown: str, convert: _Writer) -> _Writer:
    """Convert what a VARIANT holds; a strict cast that cannot names the value and the type."""

    def write(value: Value, target: SnowflakeType, safe: bool) -> str:
        if safe:
            return convert(value, target, True)
        held = Value("held", t.VARIANT) if len(value.sql) > LONG else value
        failure = runtime_error_call(100071, f"sf_without_marks(CAST({held.sql} AS VARCHAR))", quote_text(shown))
        present = f"{held.sql} IS NOT NULL AND json_type({held.sql}) <> 'NULL'"
        sql = f"CASE WHEN {present} THEN coalesce({convert(held, target, True)}, {failure}) END"
        return sql if held is value else f"list_extract(list_transform([{value.sql}], lambda held: {sql}), 1)"

    return write


def _variant_to_number(value: Value, target: SnowflakeType, safe: bool) -> str:
    return _text_to_number(Value(f"sf_variant_number_text({value.sql})", t.TEXT), target, safe)


def _by_text(macro: str) -> _Writer:
    return lambda value, target, safe: _macro(macro)(_variant_text(value), target, safe)


def _variant_to_timestamp(value: Value, target: SnowflakeType, safe: bool) -> str:
    """Take a number for a moment, and show the session's clock at it."""
    text = _macro("text_to_timestamp")(_variant_text(value), target, safe)
    whole = f"sf_number_to_timestamp(TRY_CAST({value.sql} AS BIGINT))"
    moment = f"CAST(timezone('UTC', {whole}) AS TIMESTAMP)"
    return f"CASE WHEN sf_typeof({value.sql}) = 'INTEGER' THEN {moment} ELSE {text} END"


def _same(value: Value, target: SnowflakeType, safe: bool) -> str:  # noqa: ARG001 - one signature for all writers
    return value.sql


def _json_text(inner: str) -> Callable[[Value, SnowflakeType, bool], str]:
    def write(value: Value, target: SnowflakeType, safe: bool) -> str:  # noqa: ARG001 - one signature for all writers
        return f"to_json({inner.format(value.sql)})"

    return write


def _marked(kind: str, writer: str | None) -> Callable[[Value, SnowflakeType, bool], str]:
    """Keep the type of what JSON has no word for."""

    def write(value: Value, target: SnowflakeType, safe: bool) -> str:  # noqa: ARG001 - one signature for all writers
        inner = f"CAST({value.sql} AS VARCHAR)" if writer is None else once(writer, value.sql)
        return f"sf_marked('{kind}', {inner})"

    return write


def _float_to_variant(value: Value, target: SnowflakeType, safe: bool) -> str:  # noqa: ARG001 - see above
    """Write a constant as it is and any other FLOAT with all digits and an exponent, as Snowflake does."""
    if isinstance(value.constant, float) and math.isfinite(value.constant) and "e" not in repr(value.constant):
        return f"CAST('{int(value.constant) if value.constant.is_integer() else value.constant!r}' AS JSON)"
    return f"sf_float_to_variant({value.sql})"


_NTZ, _LTZ, _TZ = "TIMESTAMP_NTZ", "TIMESTAMP_LTZ", "TIMESTAMP_TZ"

_CASTS: Final[dict[tuple[str, str], Callable[[Value, SnowflakeType, bool], str]]] = {
    ("TEXT", "NUMBER"): _text_to_number,
    ("TEXT", "FLOAT"): _macro("text_to_float"),
    ("TEXT", "BOOLEAN"): _macro("text_to_boolean"),
    ("TEXT", "DATE"): _macro("text_to_date"),
    ("TEXT", "TIME"): _macro("text_to_time"),
    ("TEXT", _NTZ): _macro("text_to_timestamp"),
    ("TEXT", _LTZ): _macro("text_to_timestamp_tz"),
    ("TEXT", _TZ): _macro("text_to_timestamp_tz"),
    ("TEXT", "BINARY"): _total("unhex"),
    ("TEXT", "VARIANT"): _json_text("{0}"),
    ("TEXT", "ARRAY"): _total("sf_array_of"),
    ("NUMBER", "FLOAT"): _plain,
    ("NUMBER", "TEXT"): _to_text(_plain),
    ("NUMBER", "BOOLEAN"): lambda value, *_: f"({value.sql} <> 0)",
    ("NUMBER", "VARIANT"): _json_text("{0}"),
    ("NUMBER", "ARRAY"): _total("sf_array_of"),
    ("NUMBER", _NTZ): _total("sf_number_to_timestamp"),
    ("NUMBER", _LTZ): lambda value, *_: f"timezone('UTC', sf_number_to_timestamp({value.sql}))",
    ("NUMBER", _TZ): lambda value, *_: f"timezone('UTC', sf_number_to_timestamp({value.sql}))",
    ("FLOAT", "NUMBER"): _float_to_number,
    ("FLOAT", "TEXT"): _to_text(_total("sf_float_to_text")),
    ("FLOAT", "BOOLEAN"): lambda value, *_: f"({value.sql} <> 0)",
    ("FLOAT", "VARIANT"): _float_to_variant,
    ("BOOLEAN", "NUMBER"): _plain,
    ("BOOLEAN", "FLOAT"): _plain,
    ("BOOLEAN", "TEXT"): _to_text(_plain),
    ("BOOLEAN", "VARIANT"): _json_text("{0}"),
    ("DATE", "TEXT"): _to_text(_plain),
    ("DATE", _NTZ): _plain,
    ("DATE", _LTZ): _plain,
    ("DATE", _TZ): _plain,
    ("DATE", "VARIANT"): _marked("d", None),
    ("TIME", "TEXT"): _to_text(_total("sf_time_to_text")),
    ("TIME", "VARIANT"): _marked("t", "sf_time_to_text"),
    (_NTZ, "TEXT"): _to_text(_total("sf_timestamp_to_text")),
    (_NTZ, "DATE"): _plain,
    (_NTZ, "TIME"): _plain,
    (_NTZ, _LTZ): _plain,
    (_NTZ, _TZ): _plain,
    (_NTZ, "VARIANT"): _marked("n", "sf_timestamp_to_text"),
    **{
        (kind, target): writer
        for kind in (_LTZ, _TZ)
        for target, writer in {
            "TEXT": _to_text(_total("sf_timestamp_tz_to_text")),
            "DATE": _plain,
            "TIME": lambda value, *_: f"CAST(CAST({value.sql} AS TIMESTAMP) AS TIME)",
            _NTZ: _plain,
            _LTZ: _same,
            _TZ: _same,
            "VARIANT": _marked("l" if kind == _LTZ else "z", "sf_timestamp_tz_to_text"),
        }.items()
    },
    ("BINARY", "TEXT"): _total("hex"),
    ("BINARY", "VARIANT"): _marked("b", "hex"),
    ("VARIANT", "NUMBER"): _from_variant("FIXED", _variant_to_number),
    ("VARIANT", "FLOAT"): _from_variant("REAL", _by_text("text_to_float")),
    ("VARIANT", "BOOLEAN"): _from_variant("BOOLEAN", _by_text("text_to_boolean")),
    ("VARIANT", "DATE"): _from_variant("DATE", _by_text("text_to_date")),
    ("VARIANT", "TIME"): _from_variant("TIME", _by_text("text_to_time")),
    ("VARIANT", _NTZ): _from_variant("TIMESTAMP_NTZ", _variant_to_timestamp),
    ("VARIANT", _LTZ): _from_variant("TIMESTAMP_LTZ", _by_text("text_to_timestamp_tz")),
    ("VARIANT", _TZ): _from_variant("TIMESTAMP_TZ", _by_text("text_to_timestamp_tz")),
    ("VARIANT", "BINARY"): lambda value, *_: f"unhex(sf_json_text({value.sql}))",
    ("VARIANT", "TEXT"): _to_text(_total("sf_json_text")),
    ("VARIANT", "OBJECT"): _macro("variant_to_object"),
    ("VARIANT", "ARRAY"): _total("sf_variant_to_array"),
    ("OBJECT", "VARIANT"): _same,
    ("OBJECT", "TEXT"): _to_text(_total("sf_json_text")),
    ("OBJECT", "ARRAY"): _total("sf_array_of"),
    ("ARRAY", "VARIANT"): _same,
    ("ARRAY", "TEXT"): _to_text(_total("sf_json_text")),
}


def _variant_text(value: Value) -> Value:
    return Value(once("sf_json_text", value.sql), t.TEXT)


def coerce(value: Value, target: SnowflakeType) -> Value:
    """Convert as Snowflake does without being asked; a text or number keeps its own length or precision."""
    if value.type.kind == target.kind and target.kind != "NUMBER":
        return value
    if value.type.kind == "NUMBER" == target.kind and (value.type.scale or 0) == (target.scale or 0):
        return value
    return cast(value, target)


def common_type(types: Iterable[SnowflakeType], where: str) -> SnowflakeType:
    """Find the type that several expressions are brought to (CASE, COALESCE, UNION, VALUES, IN).

    Raises:
        ProgrammingError: 2016, they have none.
    """
    common = t.NULL
    for type_ in types:
        common = _common(common, type_, where)
    return common


# Where two kinds meet, the one further to the right wins; kinds of other families meet only through text or VARIANT.
_FAMILIES: Final = (("DATE", _NTZ, _LTZ, _TZ), ("TEXT", "NUMBER"), ("BOOLEAN",))


def _common(left: SnowflakeType, right: SnowflakeType, where: str) -> SnowflakeType:
    if left == right or right.kind == "NULL":
        return left
    if left.kind == "NULL":
        return right
    kinds = {left.kind, right.kind}
    if kinds == {"NUMBER"}:
        return common_number(left, right)
    if kinds == {"TEXT"}:
        return t.text(max(left.length or t.MAX_TEXT, right.length or t.MAX_TEXT))
    if len(kinds) == 1:
        return left
    if kinds == {"NUMBER", "FLOAT"}:
        return t.FLOAT
    if kinds & t.SEMI_STRUCTURED:
        return t.VARIANT
    if "TEXT" in kinds:
        return left if right.kind == "TEXT" else right
    timeline = _FAMILIES[0]
    if kinds <= set(timeline):
        return max(left, right, key=lambda type_: timeline.index(type_.kind))
    if kinds == {"BOOLEAN", "NUMBER"}:
        return t.BOOLEAN
    raise type_mismatch(f"Can not convert parameter of type [{right.sql}] into expected type [{left.sql}] in {where}")


def common_number(left: SnowflakeType, right: SnowflakeType) -> SnowflakeType:
    """Hold both types' digits before and after the point."""
    scale = max(left.scale or 0, right.scale or 0)
    digits = max((left.precision or 0) - (left.scale or 0), (right.precision or 0) - (right.scale or 0))
    return t.number(digits + scale, scale)
