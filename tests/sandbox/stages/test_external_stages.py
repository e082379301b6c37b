"""External stages on S3, spoken by a server in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto.server import ThreadedMotoServer
from snowflake.connector.errors import ProgrammingError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.sandbox.stages.conftest import Warehouse

SECRET = "not-so-secret"
CREDENTIALS = f"CREDENTIALS = (AWS_KEY_ID = 'key' AWS_SECRET_KEY = '{SECRET}')"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """Run an S3 server on a free port."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint: str, warehouse: Warehouse) -> Iterator[Any]:
    """Make a bucket, and the external stage ``ext`` on its folder ``in``."""
    resource = boto3.resource(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="key", aws_secret_access_key=SECRET
    )
    made = resource.create_bucket(Bucket="firnline")
    warehouse.rows(f"CREATE STAGE ext URL = 's3compat://firnline/in/' ENDPOINT = '{endpoint}' {CREDENTIALS}")
    yield made
    made.objects.all().delete()
    made.delete()


def keys(bucket: Any) -> list[str]:
    """List a bucket's objects without the empty ones by which Arrow marks folders."""
    return [item.key for item in bucket.objects.all() if not item.key.endswith("/")]


def test_files_of_a_bucket_are_listed_read_and_loaded(warehouse: Warehouse, bucket: Any) -> None:
    bucket.put_object(Key="in/a.csv", Body=b"1,x\n2,y\n")
    bucket.put_object(Key="in/sub/b.csv", Body=b"3,z\n")
    bucket.put_object(Key="elsewhere/c.csv", Body=b"4,w\n")
    assert [(row[0], row[1]) for row in warehouse.rows("LIST @ext")] == [
        ("s3compat://firnline/in/a.csv", 8),
        ("s3compat://firnline/in/sub/b.csv", 4),
    ]
    assert warehouse.rows("SELECT $2, METADATA$FILENAME FROM @ext/sub") == [("z", "in/sub/b.csv")]
    warehouse.rows("CREATE TABLE t (a INT, b STRING)")
    loaded = warehouse.rows("COPY INTO t FROM @ext FILES = ('a.csv')")
    assert loaded[0][:4] == ("s3compat://firnline/in/a.csv", "LOADED", 2, 2)
    assert warehouse.rows("COPY INTO t FROM @ext PATTERN = '.*a[.]csv'") == [("Copy executed with 0 files processed.",)]
    bucket.put_object(Key="in/a.csv", Body=b"5,changed\n")
    warehouse.rows("COPY INTO t FROM @ext PURGE = TRUE")
    assert warehouse.rows("SELECT a FROM t ORDER BY a") == [(1,), (2,), (3,), (5,)]
    assert warehouse.rows("LIST @ext") == []
    assert keys(bucket) == ["elsewhere/c.csv"]


def test_rows_are_unloaded_into_a_bucket(warehouse: Warehouse, bucket: Any) -> None:
    warehouse.rows("CREATE TABLE t AS SELECT SEQ4() a FROM TABLE(GENERATOR(ROWCOUNT => 10))")
    warehouse.rows("COPY INTO @ext/out/ FROM t FILE_FORMAT = (TYPE = PARQUET) HEADER = TRUE")
    assert keys(bucket) == ["in/out/data_0_0_0.snappy.parquet"]
    warehouse.rows("CREATE FILE FORMAT p TYPE = PARQUET")
    assert warehouse.rows("SELECT SUM($1:A::INT) FROM @ext/out (FILE_FORMAT => p)") == [(45,)]
    with pytest.raises(ProgrammingError, match="Files already existing"):
        warehouse.rows("COPY INTO @ext/out/ FROM t FILE_FORMAT = (TYPE = PARQUET)")
    warehouse.rows("REMOVE @ext/out")
    assert keys(bucket) == []


def test_what_snowflake_does_not_do_with_external_stages_is_refused(
    warehouse: Warehouse, bucket: Any, tmp_path: Path
) -> None:
    del bucket
    for sql in (f"PUT file://{tmp_path}/x @ext", f"GET @ext file://{tmp_path}"):
        with pytest.raises(ProgrammingError, match="an external stage"):
            warehouse.rows(sql)


def test_a_bucket_that_is_not_there_is_an_error_of_the_stage(warehouse: Warehouse, endpoint: str) -> None:
    warehouse.rows(f"CREATE STAGE ext URL = 's3compat://nowhere/' ENDPOINT = '{endpoint}' {CREDENTIALS}")
    with pytest.raises(ProgrammingError, match="Failure using stage area") as raised:
        warehouse.rows("SELECT $1 FROM @ext")
    assert raised.value.errno == 91003


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("URL = 'gcs://bucket/'", "external stage URL = gcs://"),
        ("URL = 'file:///etc/'", "external stage URL = file://"),
        ("URL = 's3://bucket/' STORAGE_INTEGRATION = i", "STORAGE_INTEGRATION"),
        ("URL = 's3://bucket/' CREDENTIALS = (AWS_ROLE = 'r')", r"CREDENTIALS \(AWS_ROLE\)"),
        ("URL = 's3compat://bucket/'", "needs ENDPOINT"),
        ("URL = 's3compat://bucket/' ENDPOINT = 'http://example.org'", "over http:// on another machine"),
        ("URL = 'azure://example.org/container'", "azure://<account>"),
    ],
)
def test_definitions_that_cannot_be_obeyed_are_refused(warehouse: Warehouse, options: str, message: str) -> None:
    with pytest.raises(ProgrammingError, match=message):
        warehouse.rows(f"CREATE STAGE ext {options}")


def test_the_query_history_has_no_secrets(warehouse: Warehouse, bucket: Any) -> None:
    del bucket
    texts = [record.text for record in warehouse.connection.engine.history.records()]
    assert any("CREDENTIALS = (****)" in text for text in texts)
    assert not any(SECRET in text for text in texts)
