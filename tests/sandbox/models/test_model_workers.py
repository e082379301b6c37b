"""Packaged models run in subprocesses that are warm, can be stopped, and end with the sandbox."""

from __future__ import annotations

import json
import os
import threading
import time
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from firnline_sandbox.models.workers import (
    Call,
    HandlerError,
    WorkerCancelledError,
    WorkerDiedError,
    WorkerError,
    WorkerLimits,
    WorkerPool,
    WorkerTimeoutError,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NUMBERS = pa.table({"a": [1.0, 2.5]})


def predict(pool: WorkerPool, folder: Path, arguments: pa.Table = NUMBERS, **options: object) -> list[object]:
    call = Call(folder=folder, handler="functions.predict.infer", **options)  # type: ignore[arg-type]
    return [json.loads(text) for text in pool.run(call, arguments).to_pylist()]


def ended(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return True
    return False


def test_each_row_gets_its_result(pool: WorkerPool, package: Callable[..., Path]) -> None:
    assert predict(pool, package()) == [{"output_feature_0": 2.0}, {"output_feature_0": 5.0}]


def test_a_worker_stays_warm(pool: WorkerPool, package: Callable[..., Path]) -> None:
    folder = package("import os\ndef infer(df):\n    return [os.getpid()] * len(df)")
    assert predict(pool, folder) == predict(pool, folder)
    assert len(pool.process_ids()) == 1


def test_only_so_many_stay_warm(package: Callable[..., Path]) -> None:
    pool = WorkerPool(WorkerLimits(warm=1))
    first, second = package(), package()
    predict(pool, first)
    process_ids = pool.process_ids()
    predict(pool, second)
    assert len(pool.process_ids()) == 1
    assert ended(process_ids[0])
    pool.close()


def test_what_the_model_raises_is_told_with_its_own_frames(pool: WorkerPool, package: Callable[..., Path]) -> None:
    folder = package("def infer(df):\n    raise ValueError('no such category: 7')")
    with pytest.raises(HandlerError, match="ValueError: no such category: 7") as caught:
        predict(pool, folder)
    assert str(caught.value).startswith("Traceback (most recent call last):")
    assert "predict.py" in str(caught.value)
    assert "worker.py" not in str(caught.value)
    assert predict(pool, package()) == [{"output_feature_0": 2.0}, {"output_feature_0": 5.0}]


def test_what_the_model_prints_does_not_reach_the_replies(pool: WorkerPool, package: Callable[..., Path]) -> None:
    folder = package(
        "import os\ndef infer(df):\n    print('hello')\n    os.write(1, b'from C')\n    return [1] * len(df)"
    )
    assert predict(pool, folder) == [1, 1]


def test_a_model_that_ends_its_process_is_named_with_its_last_words(
    pool: WorkerPool, package: Callable[..., Path]
) -> None:
    folder = package("import os, sys\ndef infer(df):\n    print('out of fuel', flush=True)\n    os._exit(3)")
    with pytest.raises(WorkerDiedError, match=r"ended with exit code 3(?s:.*)out of fuel"):
        predict(pool, folder)
    assert pool.process_ids() == ()


def test_a_model_that_takes_too_long_is_killed(package: Callable[..., Path]) -> None:
    pool = WorkerPool(WorkerLimits(seconds=1.5))
    with pytest.raises(WorkerTimeoutError, match=r"took longer than 1.5 seconds"):
        predict(pool, package("import time\ndef infer(df):\n    time.sleep(60)"))
    assert pool.process_ids() == ()
    pool.close()


def test_a_call_can_be_cancelled(pool: WorkerPool, package: Callable[..., Path]) -> None:
    folder = package("import time\ndef infer(df):\n    time.sleep(60)")
    call = Call(folder=folder, handler="functions.predict.infer")
    cancelled = threading.Event()
    threading.Timer(0.5, cancelled.set).start()
    began = time.monotonic()
    with pytest.raises(WorkerCancelledError):
        pool.run(call, NUMBERS, cancelled.is_set)
    assert time.monotonic() - began < 10


def test_closing_ends_processes_even_in_the_middle_of_a_call(package: Callable[..., Path]) -> None:
    pool = WorkerPool()
    folder = package("import time\ndef infer(df):\n    time.sleep(60)")
    failures: list[WorkerError] = []

    def call() -> None:
        try:
            predict(pool, folder)
        except WorkerError as failure:
            failures.append(failure)

    thread = threading.Thread(target=call)
    thread.start()
    while not pool.process_ids():
        time.sleep(0.01)
    (process_id,) = pool.process_ids()
    time.sleep(0.3)
    pool.close()
    thread.join(10)
    assert isinstance(failures[0], WorkerDiedError)
    assert ended(process_id)
    with pytest.raises(WorkerError, match="closed"):
        predict(pool, folder)


def test_two_threads_share_a_worker(pool: WorkerPool, package: Callable[..., Path]) -> None:
    folder = package()
    answers: list[object] = []
    threads = [threading.Thread(target=lambda: answers.append(predict(pool, folder))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [[{"output_feature_0": 2.0}, {"output_feature_0": 5.0}]] * 4
    assert len(pool.process_ids()) == 1


def test_values_that_json_lacks(pool: WorkerPool, package: Callable[..., Path]) -> None:
    folder = package(
        """
        import datetime, decimal, numpy as np, pandas as pd

        def infer(df):
            return [
                {"x": np.float64("nan"), "y": np.array([1, 2]), "z": b"\\x01"},
                {"x": pd.Timestamp("2026-01-02 03:04:05"), "y": decimal.Decimal("1.50"), "z": float("inf")},
            ]
        """
    )
    assert predict(pool, folder) == [
        {"x": None, "y": [1, 2], "z": "01"},
        {"x": "2026-01-02 03:04:05.000", "y": 1.5, "z": "inf"},
    ]


def test_json_arguments_arrive_as_objects(pool: WorkerPool, package: Callable[..., Path]) -> None:
    folder = package("def infer(df):\n    return [None if v is None else v['k'] for v in df[0]]", inputs=("OBJECT",))
    arguments = pa.table({"a": ['{"k": [1, 2]}', None]})
    assert predict(pool, folder, arguments, json_columns=(0,)) == [[1, 2], None]


def test_wide_input_is_spread_by_name(pool: WorkerPool, package: Callable[..., Path]) -> None:
    folder = package(
        """
        import pandas as pd
        from _snowflake import vectorized

        input_cols, param_cols = ["A", "b c", "low"], []

        @vectorized(input=pd.DataFrame, flatten_object_input=True)
        def infer(df):
            df.columns = input_cols + param_cols
            return df.to_dict("records")
        """,
        inputs=("OBJECT",),
    )
    arguments = pa.table({"a": ['{"LOW": 3, "\\"b c\\"": 2, "A": 1}']})
    assert predict(pool, folder, arguments, json_columns=(0,)) == [{"A": 1, "b c": 2, "low": 3}]


def test_a_handler_that_loses_rows_is_an_error(pool: WorkerPool, package: Callable[..., Path]) -> None:
    with pytest.raises(HandlerError, match="returned 1 rows for 2"):
        predict(pool, package("def infer(df):\n    return [1]"))
