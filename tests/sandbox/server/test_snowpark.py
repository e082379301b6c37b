"""The real Snowpark client over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from snowflake.snowpark import Session
from snowflake.snowpark import functions as F

from tests.sandbox.server.conftest import options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from firnline_sandbox import SandboxEngine


@pytest.fixture(scope="module")
def session(served: SandboxEngine) -> Iterator[Session]:
    opened = Session.builder.configs(options(served)).create()
    yield opened
    opened.close()


def test_data_frames(session: Session) -> None:
    frame = session.create_dataframe([[1, "a"], [2, "b"], [3, "b"]], schema=["x", "y"])
    rows = frame.filter(F.col("x") > 1).group_by("y").agg(F.sum("x").alias("s")).collect()
    assert [tuple(row) for row in rows] == [("b", 5)]
    assert frame.schema.names == ["X", "Y"]


def test_many_rows_through_a_temporary_table(session: Session) -> None:
    session.create_dataframe([[number] for number in range(2000)], schema=["x"]).write.save_as_table(
        "many", mode="overwrite"
    )
    assert session.table("many").count() == 2000
    assert session.table("many").cache_result().agg(F.sum("x")).collect()[0][0] == 1999 * 1000


def test_a_job_in_the_background(session: Session) -> None:
    job = session.sql("select 42 as answer").collect_nowait()
    assert job.result()[0]["ANSWER"] == 42
    assert job.is_done()


def test_large_frames_in_batches(session: Session) -> None:
    frame = session.sql("select seq8() as a, uniform(1, 9, random()) as b from table(generator(rowcount => 1000000))")
    assert sum(len(batch) for batch in frame.to_pandas_batches()) == 1_000_000


def test_show_results_can_be_queried(session: Session) -> None:
    session.sql("create or replace table shown (a int)").collect()
    frame = session.sql("show tables").filter(F.col('"name"') == "SHOWN").select('"name"')
    assert [row[0] for row in frame.collect()] == ["SHOWN"]
