"""ingest.stage: COPY INTO of CSV, JSON and Parquet; rejected rows are kept, and a file is loaded once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from moto.server import ThreadedMotoServer
from pydantic import ValidationError

from firnline.domain import SourceContext
from firnline.errors import DataError, StoppedByGateError, UsageError
from firnline_sandbox.platform import SandboxPlatform
from firnline_snowpark.ingest.stage_listing import stage_sql
from firnline_snowpark.ingest.stage_params import StageParams, files_state
from tests.snowpark.churn_world import World
from tests.snowpark.fetched import count_fetched


@pytest.fixture(scope="module")
def folder(world: World) -> Path:
    project = world.context("given").project
    landing = project / "landing"
    landing.mkdir()
    (landing / "a.csv").write_text("id;amount\n1;2,5\nx;3\n3;4\n".replace(",", "."))
    (landing / "b.csv").write_text("id;amount\n5;6\n")
    (landing / "a.json").write_text('[{"id": 1, "at": {"day": "2026-01-05"}}, {"id": 2}]')
    pq.write_table(pa.table({"id": [1, 2], "name": ["a", None]}), landing / "a.parquet")
    return landing


CSV: dict[str, Any] = {
    "location": "landing/*.csv",
    "format": "csv",
    "options": {"FIELD_DELIMITER": ";"},
    "columns": {"ID": "NUMBER(38,0)", "AMOUNT": "FLOAT"},
}


@pytest.mark.usefixtures("folder")
def test_rows_that_do_not_fit_are_kept_and_counted(world: World) -> None:
    with count_fetched() as fetched:
        found = world.run("ingest.stage", CSV | {"on_error": "continue", "max_rejected": 0.3})
    assert world.rows(found["table"]) == [(1, 2.5), (3, 4.0), (5, 6.0)]
    [rejected] = world.rows(found["rejected"], "LINE", "ERROR", "RECORD")
    assert rejected == (3, "Numeric value 'x' is not recognized", "x;3")
    assert found["metrics"].values == {"rows": 3, "loaded": 3, "files": 2, "rejected": 1}
    assert fetched.rows < 20  # a line a statement and a file
    with pytest.raises(StoppedByGateError, match=r"1 of 4 rows do not fit, kept in .* line 3: Numeric value 'x'"):
        world.run("ingest.stage", CSV | {"on_error": "continue", "max_rejected": 0.2})
    with pytest.raises(DataError, match=r"(?s)cannot be loaded.*'x' is not recognized"):
        world.run("ingest.stage", CSV)
    skipped = world.run("ingest.stage", CSV | {"on_error": "skip_file"})
    assert world.rows(skipped["table"]) == [(5, 6.0)]


@pytest.mark.usefixtures("folder")
def test_json_and_parquet_are_typed_by_the_platform(world: World) -> None:
    found = world.run("ingest.stage", {"location": "landing/a.json", "format": "json"})["table"]
    assert sorted(found.columns) == ["at", "id"]
    [day] = world.session.sql(f'SELECT "at":day::DATE::TEXT FROM {found.name} WHERE "id" = 1').collect()
    assert day[0] == "2026-01-05"
    found = world.run("ingest.stage", {"location": "landing/a.parquet", "format": "parquet"})["table"]
    assert world.rows(found) == [(1, "a"), (2, None)]


def test_a_file_of_a_stage_is_loaded_once(world: World, folder: Path) -> None:
    world.session.sql("CREATE STAGE ONCE").collect()
    put = lambda name: world.session.file.put(str(folder / name), "@ONCE", auto_compress=False)  # noqa: E731 (short)
    put("b.csv")
    params = CSV | {"location": "@ONCE", "into": "LANDED", "on_error": "continue", "max_rejected": 1.0}
    first = world.run("ingest.stage", params)
    assert first["metrics"].values == {"rows": 1, "loaded": 1, "files": 1, "rejected": 0}
    again = world.run("ingest.stage", params)
    assert again["metrics"].values == {"rows": 1, "loaded": 0, "files": 0, "rejected": 0}
    put("a.csv")
    more = world.run("ingest.stage", params)
    assert more["metrics"].values == {"rows": 3, "loaded": 2, "files": 1, "rejected": 1}
    assert world.rows(first["table"]) == [(5, 6.0)]  # what an earlier run saw stays as it was


def test_json_of_a_bucket_is_loaded_by_the_platform(world: World) -> None:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        keys = {"aws_access_key_id": "key", "aws_secret_access_key": "not-so-secret"}
        client = boto3.client("s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1", **keys)
        client.create_bucket(Bucket="orders")
        client.put_object(Bucket="orders", Key="in/a.json", Body=b'{"id": 1}\n{"id": 2}\n')
        world.session.sql(
            f"CREATE STAGE BUCKET URL = 's3compat://orders/in/' ENDPOINT = 'http://{host}:{port}' "
            "CREDENTIALS = (AWS_KEY_ID = 'key' AWS_SECRET_KEY = 'not-so-secret')"
        ).collect()
        params = {"location": "@BUCKET", "format": "json", "columns": {"ID": "NUMBER(38,0)"}, "into": "FROM_BUCKET"}
        assert world.rows(world.run("ingest.stage", params)["table"]) == [(1,), (2,)]
        client.put_object(Bucket="orders", Key="in/b.json", Body=b'{"id": 3}')
        later = world.run("ingest.stage", params)
        assert later["metrics"].values == {"rows": 3, "loaded": 1, "files": 1, "rejected": 0}
    finally:
        server.stop()


def test_the_state_follows_the_files(tmp_path: Path, folder: Path) -> None:
    context = SourceContext(project=folder.parent, open_platform=lambda: pytest.fail("no platform is needed"))
    params = StageParams(location="landing/*.json", format="json")
    first = files_state(params, context)
    assert files_state(params, context) == first
    (folder / "late.json").write_text("{}")
    assert files_state(params, context) != first
    (folder / "late.json").unlink()
    with pytest.raises(UsageError, match="no file is called"):
        files_state(StageParams(location="landing/*.tsv", format="csv"), context)
    platform = SandboxPlatform.open(":memory:", wait_s=1)
    try:
        staged = SourceContext(project=tmp_path, open_platform=lambda: platform)
        session = platform.session("test")
        session.sql("CREATE STAGE S").collect()
        params = StageParams(location="@S", format="csv")
        empty = files_state(params, staged)
        session.file.put(str(folder / "b.csv"), "@S", auto_compress=False)
        assert files_state(params, staged) != empty
        with pytest.raises(DataError, match="@NONE cannot be listed"):
            files_state(StageParams(location="@NONE", format="csv"), staged)
    finally:
        platform.close()


def test_an_address_becomes_a_stage() -> None:
    params = StageParams(location="s3://bucket/it's/", integration="READS_S3", format="parquet")
    expected = "CREATE OR REPLACE TEMPORARY STAGE S URL = 's3://bucket/it''s/' STORAGE_INTEGRATION = READS_S3"
    assert stage_sql("S", params.location, params.integration) == expected


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"location": "a.csv", "into": "T"}, "into needs a named stage"),
        ({"location": "a.csv", "integration": "I"}, "integration goes with"),
        ({"location": "https://x/y.csv"}, "no address that a stage can have"),
        ({"location": "@S; DROP TABLE T"}, "is no stage and path"),
        ({"location": "@S", "options": {"A = 1) X": 1}}, "should match pattern"),
        ({"location": "@S", "columns": {"A": "INT) --"}}, "should match pattern"),
    ],
)
def test_params_that_do_not_fit_are_refused(params: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        StageParams.model_validate({"format": "csv"} | params)
