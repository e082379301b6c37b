"""Arguments reach a model's function with their types, and its results and errors come back."""

from __future__ import annotations

import datetime as dt
import json
import os
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from firnline_sandbox import SandboxEngine
from firnline_sandbox.catalog.snapshot import new_fields
from firnline_sandbox.context import Context
from firnline_sandbox.errors import from_duckdb
from firnline_sandbox.models.inference import provide_function
from firnline_sandbox.models.objects import Model, ModelVersion, to_row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from firnline_sandbox.models.room import ModelRoom

DESCRIBED = """
import pandas as pd

def described(value):
    return None if value is None or value is pd.NaT or value != value else [type(value).__name__, str(value)]

def infer(df):
    return [[described(value) for value in row] for row in df.itertuples(index=False)]
"""


@pytest.fixture
def engine() -> Iterator[SandboxEngine]:
    with SandboxEngine.open() as opened:
        yield opened


def add_model(engine: SandboxEngine, folder: Path, name: str = "M") -> ModelVersion:
    room: ModelRoom = engine.part("models")
    version = ModelVersion.new("V1")
    room.files.add(version.id, folder)
    with engine.write() as transaction:
        fields = new_fields(database="FIRNLINE", schema="PUBLIC", name=name)
        transaction.catalog.add(Model(**fields, default_version="V1", rows=(to_row(version),)))
    return version


def call(engine: SandboxEngine, version: ModelVersion, sql: str) -> list[Any]:
    """Run DuckDB SQL in which ``$f`` stands for the function."""
    room: ModelRoom = engine.part("models")
    cursor = engine.cursors.take()
    try:
        context = Context(engine.connect(), cursor, query_id="q1")
        name, is_object = provide_function(context, room, version, room.manifest(version).methods[0])
        assert is_object
        macro, _ = engine.functions[name]
        return [json.loads(row[0]) for row in cursor.execute(sql.replace("$f", macro)).fetchall()]
    finally:
        engine.cursors.give(cursor)


def test_types_of_arguments(engine: SandboxEngine, package: Callable[..., Path]) -> None:
    types = ("DOUBLE", "BIGINT", "STRING", "BOOLEAN", "TIMESTAMP_NTZ", "BINARY", "OBJECT", "NUMBER(10,2)")
    version = add_model(engine, package(DESCRIBED, inputs=types))
    values = "1.5, 7, 'a''b', true, TIMESTAMP '2026-01-02 03:04:05.678', 'ab'::BLOB, '{\"k\": [1]}'::JSON, 2.25"
    nulls = ", ".join(["NULL"] * len(types))
    rows = call(engine, version, f"SELECT $f({values}) UNION ALL SELECT $f({nulls})")
    assert rows[0] == [
        ["float", "1.5"],
        ["int", "7"],
        ["str", "a'b"],
        ["bool", "True"],
        ["Timestamp", "2026-01-02 03:04:05.678000"],
        ["bytes", "b'ab'"],
        ["dict", "{'k': [1]}"],
        ["float", "2.25"],
    ]
    assert rows[1] == [None] * len(types)


def test_many_rows_come_back_in_order(engine: SandboxEngine, package: Callable[..., Path]) -> None:
    version = add_model(engine, package(inputs=("DOUBLE", "DOUBLE")).joinpath())
    folder = engine.part("models").files.folder(version.id)
    (folder / "functions/predict.py").write_text("def infer(df):\n    return (df[0] * 1000 + df[1]).tolist()")
    rows = call(engine, version, "SELECT $f(i, j) FROM (SELECT i, i % 7 AS j FROM range(10000) AS t(i)) ORDER BY i")
    assert rows == [i * 1000 + i % 7 for i in range(10000)]


def test_no_rows_need_no_worker(engine: SandboxEngine, package: Callable[..., Path]) -> None:
    version = add_model(engine, package())
    assert call(engine, version, "SELECT $f(i) FROM range(0) AS t(i)") == []
    assert engine.part("models").workers.process_ids() == ()


def test_what_the_model_raises_becomes_snowflakes_error(engine: SandboxEngine, package: Callable[..., Path]) -> None:
    version = add_model(engine, package("def infer(df):\n    raise KeyError('#1 \"x\"\\n')"))
    with pytest.raises(duckdb.Error) as caught:
        call(engine, version, "SELECT $f(i) FROM range(3) AS t(i)")
    failure = from_duckdb(caught.value)
    assert (failure.errno, failure.sqlstate) == (100357, "P0000")
    assert "Python Interpreter Error:\nTraceback (most recent call last):" in failure.raw_msg
    assert failure.raw_msg.endswith(
        "KeyError: '#1 \"x\"\\n'\n in function PREDICT with handler functions.predict.infer"
    )


def test_requirements_that_are_not_met(engine: SandboxEngine, package: Callable[..., Path]) -> None:
    from snowflake.connector.errors import ProgrammingError

    version = add_model(engine, package(requirements="no-such-package==1.0"))
    with pytest.raises(ProgrammingError, match=r"no-such-package==1.0 \(not installed\)") as caught:
        call(engine, version, "SELECT $f(1)")
    assert caught.value.errno == 100357


def test_folders_that_no_version_names_are_swept(tmp_path: Path, package: Callable[..., Path]) -> None:
    with SandboxEngine.open(tmp_path / "sandbox") as engine:
        version = add_model(engine, package())
        (engine.models / "left-behind").mkdir()
    with SandboxEngine.open(tmp_path / "sandbox") as engine:
        engine.part("models")
        assert [path.name for path in engine.models.iterdir()] == [version.id]
        model = engine.catalog.find(Model, ("FIRNLINE", "PUBLIC", "M"))
        assert model is not None
        assert model.versions == (version,)
        assert model.versions[0].created.tzinfo == dt.UTC


def test_workers_end_with_the_engine(package: Callable[..., Path]) -> None:
    with SandboxEngine.open() as engine:
        version = add_model(engine, package())
        call(engine, version, "SELECT $f(i) FROM range(3) AS t(i)")
        (process_id,) = engine.part("models").workers.process_ids()
        os.kill(process_id, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(process_id, 0)
