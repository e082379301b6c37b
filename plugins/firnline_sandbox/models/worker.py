"""Run the handlers that a packaged model brings along, as Snowflake's warehouse would.

A program: ``python -P -X snowflake_import_directory=<version folder>/ worker.py``. It serves one model version, imports
each generated handler file at its first call, and ends when its standard input ends.

Frames are those of ``workers.frames``. A request carries the arguments as columns, and in its metadata ``handler``
(``functions.predict.infer``) and ``json_columns`` (positions whose text is JSON).
A reply carries one text column, the JSON of each row's result; or no rows, with the traceback under ``error``.

The handler of a table function is a class. One with ``process`` is called like a function. One with ``end_partition``
gets, in each row's only argument, the rows of a whole partition; their types are told by ``partition_kinds``.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from firnline_sandbox.workers.frames import (
    claim_standard_output,
    from_bytes,
    message,
    own_traceback,
    read_frame,
    to_bytes,
    write_frame,
)
from firnline_sandbox.workers.variants import encode_all
from firnline_sandbox.workers.warehouse_module import FLATTEN, provide_module

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """A loaded handler: what to call, and the names of the features where they all come in one OBJECT."""

    function: Callable[[pd.DataFrame], Any]
    features: tuple[str, ...] | None
    takes_partitions: bool


def main() -> None:
    """Answer requests until the parent closes the pipe."""
    requests, replies = sys.stdin.buffer, claim_standard_output()
    provide_module()
    folder = Path(sys._xoptions["snowflake_import_directory"])  # noqa: SLF001
    sys.path.insert(0, str(folder))
    handlers: dict[str, Handler] = {}
    while (request := read_frame(requests)) is not None:
        try:
            reply = _answer(from_bytes(request), folder, handlers)
        except KeyboardInterrupt:
            return
        except BaseException as error:  # noqa: BLE001 - whatever a model's code raises is the caller's answer
            reply = message({"error": own_traceback(error, __file__)})
        write_frame(replies, to_bytes(reply))


def _answer(request: pa.Table, folder: Path, handlers: dict[str, Handler]) -> pa.Table:
    metadata = request.schema.metadata
    name = metadata[b"handler"].decode()
    if name not in handlers:
        handlers[name] = _load_handler(folder, name)
    handler = handlers[name]
    frame = request.to_pandas()
    frame.columns = range(frame.shape[1])
    for position in json.loads(metadata[b"json_columns"]):
        frame[position] = [None if text is None else json.loads(text) for text in frame[position]]
    if handler.takes_partitions:
        kinds = json.loads(metadata[b"partition_kinds"])
        rows = [_rows(handler.function(_partition(each, kinds, handler.features))) for each in frame[0]]
    else:
        rows = _rows(handler.function(frame if handler.features is None else _flatten(frame[0], handler.features)))
    if len(rows) != request.num_rows:
        message = f"the handler {name} returned {len(rows)} rows for {request.num_rows}"
        raise ValueError(message)
    return pa.table({"result": pa.array(encode_all(rows), pa.string())})


def _load_handler(folder: Path, name: str) -> Handler:
    module_name, function_name = name.rsplit(".", 1)
    path = folder.joinpath(*module_name.split(".")).with_suffix(".py")
    spec = importlib.util.spec_from_file_location(f"handler_{module_name.replace('.', '_')}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = getattr(module, function_name)
    takes_partitions = hasattr(found, "end_partition")
    method = getattr(found, "end_partition" if takes_partitions else "process", found)
    features = (*module.input_cols, *module.param_cols) if getattr(method, FLATTEN, False) else None

    def run(frame: pd.DataFrame) -> Any:
        return getattr(found(), method.__name__)(frame)

    function = found if method is found else run  # a table function starts anew with each partition
    return Handler(function=function, features=features, takes_partitions=takes_partitions)


def _rows(result: Any) -> list[Any]:
    """Give each row's result: a function's value, or a list of a table function's columns."""
    return list(map(list, result.itertuples(index=False))) if hasattr(result, "itertuples") else list(result)


def _partition(rows: list[list[Any]], kinds: list[str], features: tuple[str, ...] | None) -> pd.DataFrame:
    """Make a table of a partition's rows, which came as JSON."""
    import pandas as pd

    frame = pd.DataFrame(rows, columns=range(len(kinds)), dtype=object)
    for position, kind in enumerate(kinds):
        if kind == "BINARY":
            frame[position] = [None if text is None else bytes.fromhex(text) for text in frame[position]]
    return frame if features is None else _flatten(frame[0], features)


def _flatten(objects: Any, features: tuple[str, ...]) -> pd.DataFrame:
    """Spread a column of objects over columns in the order of the features, whatever the order of the keys.

    The client names a key as it names the column in SQL: upper-cased, or in double quotes.
    """
    import pandas as pd

    columns = {}
    for position, feature in enumerate(features):
        names = (f'"{feature}"', feature, feature.upper())
        columns[position] = [next((row[name] for name in names if name in row), None) for row in objects]
    return pd.DataFrame(columns)


if __name__ == "__main__":
    main()
