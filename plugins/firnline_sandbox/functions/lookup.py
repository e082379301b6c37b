"""Finding functions and procedures by the names that statements use."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from firnline_sandbox.functions.bridge import GROUPS, ROWS, Errand
from firnline_sandbox.functions.code import code_of, rows_type, wire_type
from firnline_sandbox.functions.imports import import_file
from firnline_sandbox.functions.objects import AGGREGATE, TABLE, Function
from firnline_sandbox.functions.overloads import choose, named_routines, wrong_arguments
from firnline_sandbox.translate.parsing import parse_type
from firnline_sandbox.translate.surroundings import UserFunction
from firnline_sandbox.types import Column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from firnline_sandbox.context import Context
    from firnline_sandbox.functions.objects import Routine
    from firnline_sandbox.functions.room import FunctionRoom
    from firnline_sandbox.types import SnowflakeType


def room_of(context: Context) -> FunctionRoom:
    """Give the engine's workers of functions."""
    return cast("FunctionRoom", context.engine.part("functions"))


def provide(context: Context, routine: Routine) -> str:
    """Let workers know a function's code, and give the id that stands for it."""
    imports = [import_file(context, text) for text in routine.imports]
    room_of(context).provide(routine.id, code_of(routine, imports))
    return routine.id


def knows_function(context: Context, parts: tuple[str, ...], *, table: bool) -> bool:
    """Say whether there is a function of this name."""
    if len(parts) < 3 and None in context.home:
        return False
    return any((one.variety == TABLE) == table for one in named_routines(context, Function, parts))


def find_function(
    context: Context,
    parts: tuple[str, ...],
    given: Sequence[SnowflakeType],
    named: Mapping[str, SnowflakeType],
    *,
    table: bool,
) -> UserFunction | None:
    """Find the function that a call means; None if there is none of this name.

    Raises:
        ProgrammingError: 1044, there are some, but none takes such arguments.
    """
    found = [one for one in named_routines(context, Function, parts) if (one.variety == TABLE) == table]
    if not found:
        return None
    chosen = choose(found, given, dict(named))
    if chosen is None:
        raise wrong_arguments(parts[-1], [*given, *named.values()])
    return _described(context, chosen)


def _described(context: Context, function: Function) -> UserFunction:
    parameters = tuple((one.name, one.type, one.default) for one in function.arguments)
    columns = tuple(Column(name, parse_type(sql_type), physical=name) for name, sql_type in function.output or ())
    returns = None if function.variety == TABLE else parse_type(function.returns)
    described = UserFunction(
        name=function.name,
        parameters=parameters,
        returns=returns,
        columns=columns,
        aggregate=function.variety == AGGREGATE,
        volatile=function.volatile,
    )
    if function.language == "SQL":
        around = context.at((function.database, function.schema)).surroundings
        return described.with_body(function.body or "", around)
    bridge = room_of(context).bridge
    identity = provide(context, function)
    if returns is None:
        result = rows_type(tuple((column.name, column.type) for column in columns))
    else:
        result = wire_type(returns)
    name = bridge.function_name(result, volatile=function.volatile and function.variety != AGGREGATE)
    shapes = {shape: Errand(identity, context.query_id, shape).to_text() for shape in (ROWS, GROUPS)}
    return described.with_calls(name, rows=shapes[ROWS], groups=shapes[GROUPS])
