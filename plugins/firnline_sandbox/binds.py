"""Values that clients bind to a statement."""

from __future__ import annotations

import datetime as dt
import decimal
import json
from typing import TYPE_CHECKING, Any

from firnline_sandbox.errors import invalid_argument

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class BatchBinds(list[Any]):
    """The rows of values of an ``executemany``: each ``?`` stands for one column of them."""


def bind_values(params: Any) -> list[Any]:
    """Give the values of a qmark statement: one value or a sequence, ``(TYPE, value)`` pairs unwrapped."""
    if params is None:
        return []
    values = list(params) if isinstance(params, list | tuple) else [params]
    return [_value(value) for value in values]


def _value(value: Any) -> Any:
    match value:
        case (str(), inner) if isinstance(value, tuple):
            return inner
        case bytearray():
            return bytes(value)
        case dict() | list():
            return json.dumps(value)
        case None | bool() | int() | float() | str() | bytes() | decimal.Decimal():
            return value
        case dt.date() | dt.time() | dt.datetime() | dt.timedelta():
            return value
        case _ if hasattr(value, "item"):
            return value.item()  # a NumPy scalar
        case _:
            raise invalid_argument(f"Binding data of type {type(value).__name__} is not supported.")


def format_literals(command: str, params: Sequence[Any] | Mapping[str, Any]) -> str:
    """Put the values of a pyformat statement into its text, as literals."""
    if isinstance(params, dict):
        return command % {name: _literal(value) for name, value in params.items()}
    values = params if isinstance(params, list | tuple) else [params]
    try:
        return command % tuple(_literal(value) for value in values)
    except TypeError as failure:
        raise invalid_argument(str(failure)) from failure


def _literal(value: Any) -> str:
    match value:
        case None:
            return "NULL"
        case bool():
            return "TRUE" if value else "FALSE"
        case int() | float() | decimal.Decimal():
            return str(value)
        case str():
            return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
        case bytes() | bytearray():
            return f"X'{value.hex()}'"
        case dt.datetime() | dt.date() | dt.time():
            return f"'{value}'"
        case list() | tuple():
            return "(" + ", ".join(_literal(item) for item in value) + ")"
        case _ if hasattr(value, "item"):
            return _literal(value.item())
        case _:
            raise invalid_argument(f"Binding data of type {type(value).__name__} is not supported.")
