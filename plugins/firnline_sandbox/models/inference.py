"""From a call in SQL to a model's worker: one DuckDB function runs every function of every model.

DuckDB wants the exact parameters of a Python function when it is made, and a transaction does not see a function made
after its start. So there is one function, made early, whose arguments come packed: a text that says what to run, a list
of the floating-point arguments, one of the whole numbers, and one of everything else as text. A macro for each function
of a model, made on the statement's own cursor, packs the arguments.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from firnline_sandbox.errors import carried, error, unsupported
from firnline_sandbox.models.workers import Call, HandlerError, WorkerCancelledError, WorkerError
from firnline_sandbox.statements.scanner import quote_text
from firnline_sandbox.translate.parsing import parse_type
from firnline_sandbox.types import ARRAY, OBJECT, VARIANT, SnowflakeType

if TYPE_CHECKING:
    from collections.abc import Callable

    from snowflake.connector.errors import ProgrammingError

    from firnline_sandbox.context import Context
    from firnline_sandbox.history import History
    from firnline_sandbox.models.manifest import Argument, Method
    from firnline_sandbox.models.objects import ModelVersion
    from firnline_sandbox.models.room import ModelRoom

CALL_FUNCTION: Final = "firnline_call_model"

_FLOATS, _INTEGERS, _TEXTS = "floats", "integers", "texts"
_LISTS: Final = {_FLOATS: "DOUBLE", _INTEGERS: "BIGINT", _TEXTS: "VARCHAR"}
# How a value that travels as text is written in DuckDB, and the Arrow type that it is read back into.
_AS_TEXT: Final[dict[str, tuple[str, pa.DataType]]] = {
    "TEXT": ("CAST({} AS VARCHAR)", pa.string()),
    "BOOLEAN": ("CAST({} AS VARCHAR)", pa.bool_()),
    "DATE": ("CAST({} AS VARCHAR)", pa.date32()),
    "TIME": ("CAST({} AS VARCHAR)", pa.time64("us")),
    "TIMESTAMP_NTZ": ("CAST({} AS VARCHAR)", pa.timestamp("us")),
    "TIMESTAMP_LTZ": ("CAST(CAST({} AS TIMESTAMP) AS VARCHAR)", pa.timestamp("us")),
    "TIMESTAMP_TZ": ("CAST(CAST({} AS TIMESTAMP) AS VARCHAR)", pa.timestamp("us")),
    "BINARY": ("hex({})", pa.binary()),
    "VARIANT": ("CAST({} AS VARCHAR)", pa.string()),
    "OBJECT": ("CAST({} AS VARCHAR)", pa.string()),
    "ARRAY": ("CAST({} AS VARCHAR)", pa.string()),
}


def parameter_types() -> list[str]:
    """Name the DuckDB types of :data:`CALL_FUNCTION`'s parameters."""
    return ["VARCHAR", *(f"{type_}[]" for type_ in _LISTS.values())]


def provide_function(
    context: Context, room: ModelRoom, version: ModelVersion, method: Method, *, partitions: bool = False
) -> tuple[str, bool]:
    """Make a model's function callable in this statement.

    With ``partitions``, the function takes one argument, an ARRAY of a partition's rows, each an ARRAY of values, and
    returns the same. Any other table function returns, for each row, an ARRAY of the output columns.

    Returns:
        Its name in Snowflake SQL, and whether it returns an OBJECT; else it returns a VARIANT.

    Raises:
        ProgrammingError: 100357, what the model needs is not installed here; 2, it takes a type that the sandbox lacks.
    """
    room.require_runnable(version, method)
    position = room.manifest(version).methods.index(method)
    suffix = f"{position}_partitions" if partitions else str(position)
    name = f"FIRNLINE$MODEL${version.id.upper()}${suffix.upper()}"
    macro = f"firnline_model_{version.id}_{suffix}"
    types = [argument_type(argument) for argument in method.inputs]
    call = {
        "query": context.query_id,
        "version": version.id,
        "name": method.name,
        "handler": method.handler,
        "partition_kinds": [type_.kind for type_ in types] if partitions else [],
    }
    context.duckdb.execute(_macro(macro, call, [ARRAY] if partitions else types))
    is_object = method.return_type == "OBJECT"
    context.engine.functions[name] = (macro, OBJECT if is_object else VARIANT)
    return name, is_object


def _macro(name: str, call: dict[str, Any], types: list[SnowflakeType]) -> str:
    """Write the macro that packs arguments of these types for :data:`CALL_FUNCTION`."""
    packed: dict[str, list[str]] = {group: [] for group in _LISTS}
    for position, type_ in enumerate(types):
        group = _group(type_)
        form = _AS_TEXT[type_.kind][0] if group == _TEXTS else f"CAST({{}} AS {_LISTS[group]})"
        packed[group].append(form.format(f"a{position}"))
    places = [[_group(type_), type_.kind] for type_ in types]
    lists = ", ".join(f"CAST([{', '.join(packed[group])}] AS {type_}[])" for group, type_ in _LISTS.items())
    parameters = ", ".join(f"a{position}" for position in range(len(types)))
    body = f"CAST({CALL_FUNCTION}({quote_text(json.dumps(call | {'places': places}))}, {lists}) AS JSON)"
    return f"CREATE OR REPLACE TEMP MACRO {name}({parameters}) AS {body}"


def typed_arguments(method: Method, given: tuple[str, ...]) -> list[str]:
    """Bring the arguments to the types of the parameters, and fill in those that have a default."""
    count = len(method.inputs)
    if not method.required <= len(given) <= count:
        few = len(given) < method.required
        raise error(
            938 if few else 939,
            "22023",
            f"SQL compilation error: error line 1 at position 0\n{'not enough' if few else 'too many'} arguments for "
            f"function [{method.name}], expected {count}, got {len(given)}",
        )
    defaults = [argument.default or "NULL" for argument in method.inputs[len(given) :]]
    pairs = zip((*given, *defaults), method.inputs, strict=True)
    return [f"CAST({text} AS {argument_type(argument).sql})" for text, argument in pairs]


def argument_type(argument: Argument) -> SnowflakeType:
    """Give an argument's type.

    Raises:
        ProgrammingError: 2, the sandbox cannot hand such values to a model.
    """
    type_ = parse_type(argument.sql_type)
    if type_.kind not in {"FLOAT", "NUMBER", *_AS_TEXT}:
        raise unsupported(f"argument {argument.name} of type {argument.sql_type} of a model's function")
    return type_


def _group(type_: SnowflakeType) -> str:
    if type_.kind == "FLOAT" or (type_.kind == "NUMBER" and type_.scale):
        return _FLOATS
    return _INTEGERS if type_.kind == "NUMBER" else _TEXTS


def call_function_for(room: ModelRoom, history: History) -> Callable[..., pa.Array]:
    """Make the Python side of :data:`CALL_FUNCTION`: Arrow arrays in, the JSON of each row's result out."""

    def call_model(calls: Any, floats: Any, integers: Any, texts: Any) -> pa.Array:
        if len(calls) == 0:
            return pa.array([], pa.string())
        call = json.loads(calls[0].as_py())
        lists = {_FLOATS: floats, _INTEGERS: integers, _TEXTS: texts}
        arguments, json_columns = _unpack(
            call["places"], {group: _flat(value) for group, value in lists.items()}, len(calls)
        )
        run = Call(
            folder=room.files.folder(call["version"]),
            handler=call["handler"],
            json_columns=json_columns,
            partition_kinds=tuple(call["partition_kinds"]),
        )
        try:
            return room.workers.run(run, arguments, lambda: history.is_cancelled(call["query"]))
        except WorkerError as failure:
            raise carried(_explain(failure, call["name"], call["handler"])) from failure

    return call_model


def _explain(failure: WorkerError, name: str, handler: str) -> ProgrammingError:
    match failure:
        case WorkerCancelledError():
            return error(604, "57014", "SQL execution canceled")
        case HandlerError():
            return error(
                100357, "P0000", f"Python Interpreter Error:\n{failure}\n in function {name} with handler {handler}"
            )
    return error(100357, "P0000", f"Python Interpreter Error:\n{failure}")


def _flat(lists: Any) -> pa.Array:
    """Give the elements of all lists, one after the other."""
    if isinstance(lists, pa.ChunkedArray):
        lists = lists.combine_chunks()
    return lists.flatten()


def _unpack(places: list[list[str]], values: dict[str, pa.Array], rows: int) -> tuple[pa.Table, tuple[int, ...]]:
    """Give the arguments as columns of their own types, and the positions of those whose text is JSON."""
    widths = {group: sum(place[0] == group for place in places) for group in values}
    taken = dict.fromkeys(values, 0)
    columns, json_columns = [], []
    for position, (group, kind) in enumerate(places):
        every = pa.array(range(taken[group], rows * widths[group], widths[group]))
        column = values[group].take(every)
        taken[group] += 1
        if group == _TEXTS:
            column = _from_text(column, kind)
        if kind in {"VARIANT", "OBJECT", "ARRAY"}:
            json_columns.append(position)
        columns.append(column)
    names = [str(position) for position in range(len(columns))]
    return pa.table(columns, names=names), tuple(json_columns)


def _from_text(column: pa.Array, kind: str) -> pa.Array:
    wanted = _AS_TEXT[kind][1]
    if kind == "BINARY":
        return pa.array([None if text is None else bytes.fromhex(text) for text in column.to_pylist()], wanted)
    return column.cast(wanted)
