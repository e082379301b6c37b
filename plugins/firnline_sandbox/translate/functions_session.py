"""Functions that ask the session or the engine, and generated values: sequences, random numbers."""

from __future__ import annotations

import secrets
from typing import Final

from firnline_sandbox import types as t
from firnline_sandbox.errors import error
from firnline_sandbox.translate.casts import cast
from firnline_sandbox.translate.functions import Call, function
from firnline_sandbox.translate.literals import constant_value
from firnline_sandbox.translate.operators import numeric
from firnline_sandbox.translate.values import ABSENT, Value, quote_text, typed

_SESSION: Final = (
    "CURRENT_ACCOUNT", "CURRENT_ACCOUNT_NAME", "CURRENT_AVAILABLE_ROLES", "CURRENT_CLIENT", "CURRENT_DATABASE",
    "CURRENT_ORGANIZATION_NAME", "CURRENT_REGION", "CURRENT_ROLE", "CURRENT_SCHEMA", "CURRENT_SCHEMAS",
    "CURRENT_SECONDARY_ROLES", "CURRENT_SESSION", "CURRENT_STATEMENT", "CURRENT_TRANSACTION", "CURRENT_USER",
    "CURRENT_VERSION", "CURRENT_WAREHOUSE",
)  # fmt: skip


@function(*_SESSION)
def session_value(call: Call) -> Value:
    """Answer from the session, as a constant."""
    answer = call.translation.around.session_value(call.name)
    if answer is None:
        return Value("CAST(NULL AS VARCHAR)", t.TEXT)
    return Value(quote_text(answer), t.TEXT, nullable=False, constant=answer)


@function("LAST_QUERY_ID")
def last_query_id(call: Call) -> Value:
    """Give the id of an earlier query of this session; -1 is the last."""
    number = int(call.constant(0, -1))
    answer = call.translation.around.session_value("LAST_QUERY_ID" if number == -1 else f"LAST_QUERY_ID({number})")
    if answer is None:
        return Value("CAST(NULL AS VARCHAR)", t.TEXT)
    return Value(quote_text(answer), t.TEXT, nullable=False, constant=answer)


@function("SYSTEM$TYPEOF")
def system_typeof(call: Call) -> Value:
    """Name an expression's type."""
    kind = {"TEXT": "VARCHAR"}.get(call.value(0).type.kind, call.value(0).type.kind)
    type_ = call.value(0).type
    shown = type_.sql if type_.kind in {"NUMBER", "TEXT"} else kind
    storage = {"NUMBER": "SB16", "TEXT": "LOB", "FLOAT": "DOUBLE"}.get(type_.kind, type_.kind)
    return Value(quote_text(f"{shown}[{storage}]"), t.TEXT, nullable=False)


@function("GET_DDL", "SYSTEM$")
def system_function(call: Call) -> Value:
    """Ask the engine: GET_DDL, or any SYSTEM$ function, with constant arguments."""
    arguments = [call.constant(index) for index in range(len(call))]
    return constant_value(call.translation.around.system_function(call.name, arguments))


# --- generated values ------------------------------------------------------------------------------------------------


@function("SEQ1", "SEQ2", "SEQ4", "SEQ8")
def row_sequence(call: Call) -> Value:
    """Number the rows from 0."""
    return Value(call.scope.row_number() or "(row_number() OVER () - 1)", t.INTEGER, nullable=False)


@function("RANDOM")
def random(call: Call) -> Value:
    """Give a random 64-bit integer; with a seed, the same ones in every run.

    It is a hash of the seed and the row's number, so an alias of it keeps its value wherever it is used.
    """
    given = call.constant(0, None)
    if isinstance(given, str) and not given.lstrip("-").isdigit():
        raise error(100038, "22018", f"Numeric value '{given}' is not recognized")
    seed = secrets.randbits(62) if given is None else int(given)
    row = call.scope.row_number()
    if row is None:
        return Value("CAST((random() - 0.5) * 1.8e19 AS BIGINT)", t.INTEGER, nullable=False, volatile=True)
    return Value(f"sf_signed(hash({seed}, {row}))", t.INTEGER, nullable=False)


def unit_interval(generator: Value) -> str:
    """Turn a random integer into a number from 0 to 1."""
    return f"(CAST(CAST(hash({generator.sql}) >> 11 AS BIGINT) AS DOUBLE) / 9007199254740992)"


@function("UNIFORM")
def uniform(call: Call) -> Value:
    """Give a random number between two, an integer if both are integers."""
    low, high, generator = numeric(call.value(0)), numeric(call.value(1)), call.value(2)
    unit = unit_interval(generator)
    if "FLOAT" in {low.type.kind, high.type.kind}:
        low, high = cast(low, t.FLOAT), cast(high, t.FLOAT)
        return call.build(f"({low.sql} + {unit} * ({high.sql} - {low.sql}))", t.FLOAT)
    if low.type.scale or high.type.scale:
        type_ = t.number(38, max(low.type.scale or 0, high.type.scale or 0))
        return call.build(f"CAST({low.sql} + {unit} * ({high.sql} - {low.sql}) AS {type_.duckdb})", type_)
    return call.build(f"CAST({typed(low)} + floor({unit} * ({high.sql} - {low.sql} + 1)) AS BIGINT)", t.INTEGER)


@function("NORMAL")
def normal(call: Call) -> Value:
    """Give a normally distributed random number (Box and Muller)."""
    mean, deviation = cast(numeric(call.value(0)), t.FLOAT), cast(numeric(call.value(1)), t.FLOAT)
    generator = call.value(2)
    first = unit_interval(generator)
    second = unit_interval(Value(f"hash({generator.sql}, 1)", t.INTEGER))
    sql = f"({mean.sql} + {deviation.sql} * sqrt(-2 * ln(1 - {first})) * cos(2 * pi() * {second}))"
    return call.build(sql, t.FLOAT)


@function("RANDSTR")
def random_text(call: Call) -> Value:
    """Give a random text of letters and digits."""
    count, generator = call.as_type(0, t.INTEGER), call.value(1)
    return call.build(f"sf_random_text({count.sql}, {generator.sql})", t.TEXT)


def constant_seed(call: Call, index: int) -> int | None:
    """Give a seed that is a constant."""
    value = call.value(index)
    return None if value.constant is ABSENT or value.constant is None else int(str(value.constant))
