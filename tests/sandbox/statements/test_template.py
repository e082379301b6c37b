"""CREATE TABLE USING TEMPLATE over INFER_SCHEMA."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from snowflake.connector.errors import ProgrammingError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., list[dict[str, Any]]]


def test_a_table_gets_the_columns_of_staged_files(run: Run, tmp_path: Path) -> None:
    table = pa.table({"ID": pa.array([1, 2], pa.int64()), "Name": ["a", "b"], "P": pa.array([0.5, 1.5], pa.float64())})
    pyarrow.parquet.write_table(table, tmp_path / "f.parquet")
    run("CREATE STAGE s")
    run("CREATE FILE FORMAT f TYPE = PARQUET")
    run(f"PUT 'file://{tmp_path}/f.parquet' @s AUTO_COMPRESS = FALSE")
    run(
        "CREATE TABLE t USING TEMPLATE (SELECT ARRAY_AGG(OBJECT_CONSTRUCT(*))"
        " FROM TABLE(INFER_SCHEMA(LOCATION => '@s', FILE_FORMAT => 'f'))) COMMENT = 'inferred'"
    )
    assert [(row["name"], row["type"]) for row in run("DESC TABLE t")] == [
        ("ID", "NUMBER(38,0)"),
        ("Name", "VARCHAR(16777216)"),
        ("P", "FLOAT"),
    ]
    assert run("SHOW TABLES")[0]["comment"] == "inferred"


def test_a_query_that_describes_nothing_is_refused(run: Run) -> None:
    with pytest.raises(ProgrammingError, match="one array that describes columns"):
        run("CREATE TABLE t USING TEMPLATE (SELECT 1)")
