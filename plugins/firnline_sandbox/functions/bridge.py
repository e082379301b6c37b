"""From a call in DuckDB's SQL to a worker: Arrow arrays in, an Arrow array out.

A Python function of DuckDB has one result type and any arguments, so there is one for each type of result, made when
it is first needed. Its first argument, a constant text, says what to run.
"""

from __future__ import annotations

import functools
import hashlib
import json
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from firnline_sandbox.errors import carried, error
from firnline_sandbox.workers.frames import from_bytes, message, metadata_of, to_bytes
from firnline_sandbox.workers.process import HandlerError, Limits, WorkerCancelledError, WorkerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from snowflake.connector.errors import ProgrammingError

    from firnline_sandbox.engine import SandboxEngine
    from firnline_sandbox.functions.room import FunctionRoom

ROWS: Final = "rows"  # a function of each row of arguments
GROUPS: Final = "groups"  # a function of lists, each with the arguments of a group's rows


@dataclass(frozen=True, slots=True)
class Errand:
    """What a call in SQL is to run: a function's id, the query for which it runs, and how its arguments come."""

    function: str
    query: str
    shape: str

    def to_text(self) -> str:
        """Write the constant that stands in the SQL."""
        return json.dumps([self.function, self.query, self.shape])


@functools.lru_cache(maxsize=256)
def _errand(text: str) -> Errand:
    return Errand(*json.loads(text))


class Bridge:
    """The Python functions that one engine's database knows."""

    def __init__(self, engine: SandboxEngine, room: FunctionRoom) -> None:
        self._history = engine.history
        self._room = room
        self._cursor = engine.database.cursor()
        self._names: dict[tuple[str, bool], str] = {}
        self._lock = threading.Lock()

    def function_name(self, result: str, *, volatile: bool) -> str:
        """Give the DuckDB function that returns this DuckDB type, making it at first use."""
        with self._lock:
            name = self._names.get((result, volatile))
            if name is None:
                digest = hashlib.sha256(f"{result}{volatile}".encode()).hexdigest()[:16]
                name = f"firnline_call_{digest}"
                self._cursor.create_function(
                    name,
                    self._called(),
                    None,  # any arguments
                    result,
                    type="arrow",
                    null_handling="special",
                    side_effects=volatile,
                )
                self._names[result, volatile] = name
            return name

    def close(self) -> None:
        """Let go of the database."""
        self._cursor.close()

    def _called(self) -> Callable[..., Any]:
        def call_function(*columns: Any) -> Any:
            return self._call(columns)

        return call_function

    def _call(self, columns: tuple[Any, ...]) -> Any:
        errand = _errand(columns[0][0].as_py())
        rows = len(columns[0])
        names = [str(position) for position in range(len(columns) - 1)]
        arguments = pa.table([_storage(column) for column in columns[1:]], names=names)
        request = to_bytes(message({"shape": errand.shape, "rows": str(rows)}, arguments))
        limits = Limits(seconds=self._room.limits.seconds, cancelled=lambda: self._history.is_cancelled(errand.query))
        name = self._room.code(errand.function).name
        try:
            with self._room.functions.lease(errand.function) as worker:
                reply = from_bytes(worker.call(name, request, limits))
                if (failure := metadata_of(reply).get("error")) is not None:
                    raise HandlerError(failure)
        except WorkerError as failure:
            raise carried(explained(failure, name, self._room.code(errand.function).handler)) from failure
        return reply.column(0).combine_chunks()


def _storage(column: Any) -> Any:
    """Give a column in plain Arrow types."""
    if isinstance(column.type, pa.BaseExtensionType):
        return pa.chunked_array([chunk.storage for chunk in column.chunks], column.type.storage_type)
    return column


def explained(failure: WorkerError, name: str, handler: str) -> ProgrammingError:
    """Word a worker's failure as Snowflake does."""
    if isinstance(failure, WorkerCancelledError):
        return error(604, "57014", "SQL execution canceled")
    return error(100357, "P0000", f"Python Interpreter Error:\n{failure} in function {name} with handler {handler}")
