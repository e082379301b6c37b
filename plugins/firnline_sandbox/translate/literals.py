"""Constants, bound values and references to columns."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from sqlglot import exp

from firnline_sandbox import types as t
from firnline_sandbox.errors import invalid_argument, invalid_identifier, syntax_error, unsupported
from firnline_sandbox.translate.casts import cast
from firnline_sandbox.translate.dispatch import Translation, expression
from firnline_sandbox.translate.parsing import identifier_name
from firnline_sandbox.translate.values import ABSENT, Value, quote_text

if TYPE_CHECKING:
    from firnline_sandbox.translate.scopes import Scope

NULL_VALUE: Final = Value("NULL", t.NULL, constant=None)
_MOST_BIGINT: Final = 2**63


@expression(exp.Alias)
def inner_alias(_translation: Translation, node: exp.Alias, _scope: Scope) -> Value:
    """An alias inside of an expression, which only a whole column of a SELECT list may have."""
    raise syntax_error(f"unexpected 'AS' before {node.args['alias'].sql('snowflake')}.")


@expression(exp.Literal)
def literal(_translation: Translation, node: exp.Literal, _scope: Scope) -> Value:
    """A string or a number."""
    if node.is_string:
        return text_constant(node.this)
    return number_constant(node.this)


def text_constant(text: str) -> Value:
    """Write a string constant."""
    return Value(quote_text(text), t.text(len(text)), nullable=False, constant=text)


def number_constant(text: str) -> Value:
    """Write a number constant: with an exponent it is a FLOAT, else a NUMBER that just holds its digits."""
    if "e" in text or "E" in text:
        return Value(f"CAST({text} AS DOUBLE)", t.FLOAT, nullable=False, constant=float(text))
    whole, _, fraction = text.partition(".")
    if fraction.strip("0") == "" and "." not in text:
        number = int(text)
        if abs(number) >= _MOST_BIGINT:
            raise unsupported(f"integer {text} of more than 64 bits")
        return Value(text, t.number(max(len(text.lstrip("-0")), 1)), nullable=False, constant=number)
    digits = len(whole.lstrip("-0")) + len(fraction)
    return Value(text, t.number(max(digits, 1), len(fraction)), nullable=False, constant=Decimal(text))


@expression(exp.RawString)
def raw_string(_translation: Translation, node: exp.RawString, _scope: Scope) -> Value:
    """A ``$$string$$``."""
    return text_constant(node.this)


@expression(exp.HexString)
def hex_string(_translation: Translation, node: exp.HexString, _scope: Scope) -> Value:
    """An ``x'ab'``."""
    return Value(f"unhex({quote_text(node.this)})", t.BINARY, nullable=False)


@expression(exp.Boolean)
def boolean(_translation: Translation, node: exp.Boolean, _scope: Scope) -> Value:
    """TRUE or FALSE."""
    return Value("true" if node.this else "false", t.BOOLEAN, nullable=False, constant=bool(node.this))


@expression(exp.Null)
def null(_translation: Translation, _node: exp.Null, _scope: Scope) -> Value:
    """A bare NULL."""
    return NULL_VALUE


@expression(exp.Placeholder)
def placeholder(translation: Translation, node: exp.Placeholder, _scope: Scope) -> Value:
    """A bound value, ``?`` or ``:1``."""
    index = node.meta.get("index")
    if index is None:
        if not str(node.this).isdigit():
            raise invalid_identifier(f":{node.this}")
        index = int(node.this) - 1
    translation.binds_used.add(index)
    if index >= len(translation.params):
        if translation.params:
            raise invalid_argument(f"Bind variable ? number {index + 1} has no value.")
        return Value(f"CAST(${index + 1} AS VARCHAR)", t.TEXT)
    constant = translation.params[index]
    type_ = type_of(constant)
    if type_.is_semi_structured:
        constant = ABSENT
    return Value(f"CAST(${index + 1} AS {type_.duckdb})", type_, nullable=constant is None, constant=constant)


def type_of(constant: Any) -> t.SnowflakeType:
    """Give the Snowflake type of a Python value."""
    match constant:
        case None:
            return t.NULL
        case bool():
            return t.BOOLEAN
        case int():
            return t.INTEGER
        case float():
            return t.FLOAT
        case Decimal():
            exponent = constant.as_tuple().exponent
            return t.number(38, max(-exponent, 0)) if isinstance(exponent, int) else t.FLOAT
        case bytes() | bytearray():
            return t.BINARY
        case dt.datetime():
            return t.TIMESTAMP_TZ if constant.tzinfo else t.TIMESTAMP_NTZ
        case dt.date():
            return t.DATE
        case dt.time():
            return t.TIME
        case dict():
            return t.OBJECT
        case list() | tuple():
            return t.ARRAY
        case _:
            return t.TEXT


def constant_value(constant: Any) -> Value:
    """Write a Python value as a constant."""
    match constant:
        case None:
            return NULL_VALUE
        case bool():
            return Value(str(constant).lower(), t.BOOLEAN, nullable=False, constant=constant)
        case int() | Decimal():
            return number_constant(str(constant))
        case float():
            return cast(text_constant(repr(constant)), t.FLOAT)
        case dict() | list():
            return Value(f"CAST({quote_text(json.dumps(constant))} AS JSON)", type_of(constant), nullable=False)
        case _:
            return text_constant(str(constant))


@expression(exp.Column)
def column(translation: Translation, node: exp.Column, scope: Scope) -> Value:
    """A column, ``t.$1``, a lambda's argument, or a sequence's NEXTVAL."""
    args = node.args
    name = args["this"]
    if args.get("join_mark"):
        raise unsupported("outer joins written with (+)")
    table = args.get("table")
    if isinstance(name, exp.Parameter):
        return scope.positional(int(name.name), (identifier_name(table),) if table is not None else ())
    key = identifier_name(name)
    if table is None:
        if (type_ := scope.lambda_type(key)) is not None:
            return Value(f'"{key}"', type_)
        if key.startswith("$") and key[1:].isdigit() and scope.find(key) is None:
            return scope.positional(int(key[1:]))  # "$4" in quotes is a position, too
        return scope.unqualified(key)
    qualifier = tuple(identifier_name(args[part]) for part in ("catalog", "db", "table") if args.get(part) is not None)
    if key == "NEXTVAL" and scope.find_source(qualifier) is None:
        return Value(translation.around.next_value(qualifier), t.INTEGER, nullable=False, volatile=True)
    return scope.qualified(qualifier, key)


@expression(exp.Parameter)
def positional(translation: Translation, node: exp.Parameter, scope: Scope) -> Value:
    """``$1``, the first column of the only relation, or ``$name``, a session variable."""
    if node.meta.get("sign") == "@":
        raise unsupported(f"stage @{node.name} as an argument")
    if not node.name.isdigit():
        return variable_value(translation.around.variable(node.name.upper()))
    return scope.positional(int(node.name))


def variable_value(constant: Any) -> Value:
    """Write a session variable's value as a constant of its type."""
    type_ = type_of(constant)
    if type_.kind in {"DATE", "TIME", "BINARY"} or type_.is_timestamp:
        text = constant.hex() if isinstance(constant, bytes) else str(constant)
        return cast(text_constant(text), type_)
    return constant_value(constant)


@expression(exp.Identifier)
def bare_identifier(_translation: Translation, node: exp.Identifier, scope: Scope) -> Value:
    """A lambda's argument inside the lambda."""
    key = identifier_name(node)
    if (type_ := scope.lambda_type(key)) is not None:
        return Value(f'"{key}"', type_)
    return scope.unqualified(key)
