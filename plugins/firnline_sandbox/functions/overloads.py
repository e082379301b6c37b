"""Which of several functions of one name a call means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from firnline_sandbox.errors import error
from firnline_sandbox.functions.objects import Function, Procedure, Routine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snowflake.connector.errors import ProgrammingError

    from firnline_sandbox.context import Context
    from firnline_sandbox.types import SnowflakeType

AnyRoutine = TypeVar("AnyRoutine", Function, Procedure)

# How far an implied conversion goes: the overload with the shortest way is called.
_CONVERSIONS: Final = {
    ("NUMBER", "FLOAT"): 1,
    ("DATE", "TIMESTAMP_NTZ"): 1,
    ("DATE", "TIMESTAMP_LTZ"): 2,
    ("DATE", "TIMESTAMP_TZ"): 2,
    ("TIMESTAMP_NTZ", "TIMESTAMP_LTZ"): 1,
    ("TIMESTAMP_NTZ", "TIMESTAMP_TZ"): 2,
    ("TIMESTAMP_LTZ", "TIMESTAMP_TZ"): 1,
    ("TIMESTAMP_LTZ", "TIMESTAMP_NTZ"): 2,
    ("TIMESTAMP_TZ", "TIMESTAMP_LTZ"): 1,
    ("TIMESTAMP_TZ", "TIMESTAMP_NTZ"): 2,
    ("FLOAT", "NUMBER"): 2,
    ("OBJECT", "VARIANT"): 1,
    ("ARRAY", "VARIANT"): 1,
    ("BOOLEAN", "NUMBER"): 4,
    ("NUMBER", "BOOLEAN"): 4,
}
_FROM_TEXT: Final = frozenset(
    {"NUMBER", "FLOAT", "BOOLEAN", "DATE", "TIME", "TIMESTAMP_NTZ", "TIMESTAMP_LTZ", "TIMESTAMP_TZ", "VARIANT"}
)
_TO_TEXT: Final = _FROM_TEXT - {"VARIANT"}
_TEXT_COST: Final = 5
_VARIANT_COST: Final = 3


def conversion_cost(given: SnowflakeType, wanted: SnowflakeType) -> int | None:
    """Say how far it is from a type to another; None where there is no implied way."""
    if given.kind == wanted.kind:
        return 0
    if given.kind == "NULL":
        return 1
    if (cost := _CONVERSIONS.get((given.kind, wanted.kind))) is not None:
        return cost
    if given.kind == "TEXT" and wanted.kind in _FROM_TEXT:
        return _TEXT_COST
    if given.kind in _TO_TEXT and wanted.kind == "TEXT":
        return _TEXT_COST
    if given.kind == "VARIANT" or wanted.kind == "VARIANT":
        return _VARIANT_COST
    return None


def named_routines(context: Context, kind: type[AnyRoutine], parts: Sequence[str]) -> list[AnyRoutine]:
    """List the functions (or procedures) of a name that a session sees, its temporary ones first."""
    database, schema, name = context.qualify(parts)
    found = [
        entry
        for entry in context.catalog
        if isinstance(entry, kind)
        and entry.name == name
        and (entry.database, entry.schema) == (database, schema)
        and entry.session in (None, context.session_id)
    ]
    return sorted(found, key=lambda entry: entry.session is None)


def choose(
    routines: Sequence[AnyRoutine], given: Sequence[SnowflakeType], named: dict[str, SnowflakeType] | None = None
) -> AnyRoutine | None:
    """Find the routine whose arguments are nearest to what a call gives; None if it fits none."""
    best: tuple[int, AnyRoutine] | None = None
    for routine in routines:
        cost = _cost(routine, given, named or {})
        if cost is not None and (best is None or cost < best[0]):
            best = (cost, routine)
    return None if best is None else best[1]


def _cost(routine: Routine, given: Sequence[SnowflakeType], named: dict[str, SnowflakeType]) -> int | None:
    arguments = routine.arguments
    if len(given) + len(named) > len(arguments) or not named.keys() <= {one.name for one in arguments[len(given) :]}:
        return None
    total = 0
    for position, argument in enumerate(arguments):
        type_ = given[position] if position < len(given) else named.get(argument.name)
        if type_ is None:
            if argument.default is None:
                return None
            continue
        cost = conversion_cost(type_, argument.type)
        if cost is None:
            return None
        total += cost
    return total


def wrong_arguments(name: str, given: Sequence[SnowflakeType]) -> ProgrammingError:
    """Say that no function of this name takes such arguments."""
    types = ", ".join(type_.sql for type_ in given)
    return error(
        1044,
        "42P13",
        f"SQL compilation error: error line 1 at position 7\nInvalid argument types for function '{name}': ({types})",
    )
