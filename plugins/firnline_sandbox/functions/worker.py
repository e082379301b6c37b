"""Run user-defined functions and procedures, one of them in each process.

A program: ``python -P -m firnline_sandbox.functions.worker <own folder> <megabytes> [session]``. It loads one function
or procedure, answers calls of it, and ends when its standard input ends. Frames are those of ``workers.frames``: the
first one has the code under ``load``; each other one is a call. Procedures talk back while they run, see ``channel``.
"""

from __future__ import annotations

import builtins
import importlib
import linecache
import resource
import shutil
import sys
import types
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from firnline_sandbox.functions import handlers
from firnline_sandbox.functions.code import Code
from firnline_sandbox.functions.objects import AGGREGATE, TABLE
from firnline_sandbox.workers.frames import (
    claim_standard_output,
    from_bytes,
    message,
    metadata_of,
    own_traceback,
    read_frame,
    to_bytes,
    write_frame,
)
from firnline_sandbox.workers.warehouse_module import provide_module

if TYPE_CHECKING:
    from typing import BinaryIO

BODY: Final = "_udf_code"
_MEGABYTE: Final = 2**20


def main(folder: Path, megabytes: int, *, with_session: bool) -> None:
    """Load what the first frame has, and answer calls until the parent closes the pipe."""
    requests, replies = sys.stdin.buffer, claim_standard_output()
    if megabytes:
        _limit_memory(megabytes)
    provide_module()
    if with_session:
        import snowflake.snowpark  # noqa: F401 (it takes seconds, and every procedure needs it)
    first = read_frame(requests)
    if first is None:
        return
    code = Code.from_json(metadata_of(from_bytes(first))["load"])
    worker = Worker(folder, code, requests, replies)
    write_frame(replies, to_bytes(message(worker.load())))
    while (request := read_frame(requests)) is not None:
        try:
            reply = worker.answer(from_bytes(request))
        except KeyboardInterrupt:
            return
        except BaseException as error:  # noqa: BLE001 - whatever a handler raises is the caller's answer
            reply = to_bytes(message({"error": traceback_of(error)}))
        write_frame(replies, reply)


def _limit_memory(megabytes: int) -> None:
    """Let allocations fail beyond a limit; a lower one that the system sets stays."""
    _, hardest = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = megabytes * _MEGABYTE
    if hardest == resource.RLIM_INFINITY or wanted < hardest:
        resource.setrlimit(resource.RLIMIT_DATA, (wanted, hardest))


def traceback_of(error: BaseException) -> str:
    """Format a traceback without this program's frames."""
    return own_traceback(error, __file__, handlers.__file__)


class Worker:
    """One loaded function or procedure."""

    def __init__(self, folder: Path, code: Code, requests: BinaryIO, replies: BinaryIO) -> None:
        self._folder = folder
        self._code = code
        self._requests = requests
        self._replies = replies
        self._handler: Any = None

    def load(self) -> dict[str, str]:
        """Load the code; give its error, if it has one."""
        try:
            _place_imports(self._folder / "imports", self._code.imports)
            self._handler = _find_handler(self._code)
        except BaseException as error:  # noqa: BLE001 - the code's own error
            return {"error": traceback_of(error)}
        return {}

    def answer(self, request: pa.Table) -> bytes:
        """Answer one call."""
        code, metadata = self._code, metadata_of(request)
        rows = int(metadata["rows"])
        if code.with_session:
            from firnline_sandbox.functions.channel import run_procedure

            return run_procedure(code, self._handler, request, (self._requests, self._replies), self._folder)
        columns = [request.column(position).combine_chunks() for position in range(request.num_columns)]
        columns = [pa.concat_arrays(one.chunks) if isinstance(one, pa.ChunkedArray) else one for one in columns]
        if code.variety == AGGREGATE:
            result = handlers.run_aggregate(code, self._handler, columns[0])
        elif code.variety == TABLE and metadata["shape"] == "groups":
            result = handlers.run_table_groups(code, self._handler, columns[0])
        elif code.variety == TABLE:
            result = handlers.run_table_rows(code, self._handler, columns, rows)
        else:
            result = handlers.run_scalar(code, self._handler, columns, rows)
        return to_bytes(pa.table({"result": result}))


def _place_imports(folder: Path, sources: tuple[str, ...]) -> None:
    """Copy the imports into one folder, as Snowflake does, and let Python find modules there and in archives."""
    folder.mkdir(parents=True, exist_ok=True)
    sys.path.insert(0, str(folder))
    sys._xoptions["snowflake_import_directory"] = f"{folder}/"  # noqa: SLF001
    for source in map(Path, sources):
        if source.is_dir():
            shutil.copytree(source, folder, dirs_exist_ok=True)
        else:
            shutil.copy(source, folder / source.name)
    for path in sorted(folder.iterdir()):
        if path.suffix in {".zip", ".whl", ".egg"} and zipfile.is_zipfile(path):
            sys.path.insert(1, str(path))


def _find_handler(code: Code) -> Any:
    """Execute the body, or import the module, and look the handler up in it."""
    path = code.handler.split(".")
    if code.body is not None:
        found: Any = _execute(code.body)
    else:
        found, path = _import_longest(path)
    for name in path:
        found = getattr(found, name)
    return found


def _execute(body: str) -> types.ModuleType:
    module = types.ModuleType(BODY)
    file = f"{BODY}.py"
    sys.modules[BODY] = module
    linecache.cache[file] = (len(body), None, body.splitlines(keepends=True), file)
    builtins.exec(compile(body, file, "exec"), module.__dict__)  # noqa: S102 - that is what this process is for
    return module


def _import_longest(path: list[str]) -> tuple[types.ModuleType, list[str]]:
    for length in range(len(path) - 1, 0, -1):
        name = ".".join(path[:length])
        try:
            return importlib.import_module(name), path[length:]
        except ModuleNotFoundError as error:
            if length == 1 or error.name is None or not (name + ".").startswith(error.name + "."):
                raise
    raise ModuleNotFoundError(f"No module named '{path[0]}'")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), with_session="session" in sys.argv[3:])
