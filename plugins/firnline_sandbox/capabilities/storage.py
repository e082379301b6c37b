"""Stages, file formats, loading and unloading."""

from __future__ import annotations

from typing import Final

from firnline_sandbox.capabilities.row import Area, Capability

_stages = Area("Stages and files")

ROWS: Final[tuple[Capability, ...]] = (
    _stages.supported(
        "internal stages; PUT, GET, LIST, REMOVE",
        "COPY INTO @st/x.csv FROM (SELECT 1) SINGLE = TRUE FILE_FORMAT = (TYPE = CSV COMPRESSION = NONE)",
        "LIST @st",
        'SELECT "name", "size" FROM TABLE(RESULT_SCAN(LAST_QUERY_ID()))',
        gives=[("st/x.csv", 2)],
    ),
    _stages.supported(
        "COPY INTO a table, once per file",
        "COPY INTO @st/x FROM t",
        "COPY INTO t FROM @st/x",
        "COPY INTO t FROM @st/x",
        "SELECT COUNT(*) FROM t",
        gives=[(4,)],
    ),
    _stages.supported(
        "COPY INTO a location: CSV, JSON, Parquet",
        "COPY INTO @st/x FROM t FILE_FORMAT = (TYPE = PARQUET) HEADER = TRUE",
        "CREATE FILE FORMAT f TYPE = PARQUET",
        "SELECT COUNT(*), MAX($1:NAME::VARCHAR) FROM @st/x (FILE_FORMAT => f)",
        gives=[(2, "b")],
    ),
    _stages.supported(
        "SELECT from staged files, METADATA$ columns",
        "COPY INTO @st/x.csv FROM t SINGLE = TRUE FILE_FORMAT = (TYPE = CSV COMPRESSION = NONE)",
        "SELECT $2, METADATA$FILENAME FROM @st/x.csv ORDER BY 1",
        gives=[("a", "x.csv"), ("b", "x.csv")],
    ),
    _stages.supported(
        "INFER_SCHEMA",
        "COPY INTO @st/x FROM t FILE_FORMAT = (TYPE = PARQUET) HEADER = TRUE",
        "CREATE FILE FORMAT f TYPE = PARQUET",
        "SELECT COLUMN_NAME FROM TABLE(INFER_SCHEMA(LOCATION => '@st/x', FILE_FORMAT => 'f')) ORDER BY ORDER_ID",
        gives=[("ID",), ("NAME",)],
    ),
    _stages.supported(
        "COPY FILES",
        "COPY INTO @st/x.csv FROM t SINGLE = TRUE",
        "CREATE STAGE other",
        "COPY FILES INTO @other FROM @st",
        gives=[("x.csv",)],
    ),
    _stages.supported(
        "file formats CSV, JSON, PARQUET",
        "CREATE FILE FORMAT f TYPE = JSON STRIP_OUTER_ARRAY = TRUE",
        "SHOW FILE FORMATS",
        'SELECT "name", "type" FROM TABLE(RESULT_SCAN(LAST_QUERY_ID()))',
        gives=[("F", "JSON")],
    ),
    _stages.refused("Avro", "CREATE FILE FORMAT f TYPE = AVRO", says="file format TYPE = AVRO"),
    _stages.refused("ORC", "CREATE FILE FORMAT f TYPE = ORC", says="file format TYPE = ORC"),
    _stages.refused("XML files", "CREATE FILE FORMAT f TYPE = XML", says="file format TYPE = XML"),
    _stages.supported(
        "external stages on S3 and Azure",
        "CREATE STAGE s3 URL = 's3://bucket/x' CREDENTIALS = (AWS_KEY_ID = 'a' AWS_SECRET_KEY = 'b')",
        "CREATE STAGE az URL = 'azure://account.blob.core.windows.net/container'",
        "SHOW STAGES",
        'SELECT "name", "url" FROM TABLE(RESULT_SCAN(LAST_QUERY_ID())) WHERE "url" <> \'\' ORDER BY 1',
        gives=[("AZ", "azure://account.blob.core.windows.net/container"), ("S3", "s3://bucket/x")],
        note="through fsspec, so `s3fs` or `adlfs` has to be installed",
    ),
    _stages.refused("external stages on Google Cloud", "CREATE STAGE g URL = 'gcs://b/x'", says="external stage URL"),
    _stages.refused(
        "storage integrations", "CREATE STORAGE INTEGRATION i TYPE = EXTERNAL_STAGE", says="CREATE STORAGE INTEGRATION"
    ),
    _stages.refused("COPY INTO a bare URL", "COPY INTO 's3://bucket/x' FROM t", says="location s3://"),
    _stages.refused("directory tables", "SELECT * FROM DIRECTORY(@st)", says="stage @st as an argument"),
    _stages.refused("ALTER STAGE ... REFRESH", "ALTER STAGE st REFRESH", says="ALTER STAGE"),
    _stages.refused(
        "presigned and scoped URLs",
        "SELECT GET_PRESIGNED_URL(@st, 'x')",
        says="stage @st as an argument",
    ),
    _stages.refused("Snowpipe", "CREATE PIPE p AS COPY INTO t FROM @st", says="CREATE PIPE"),
    _stages.refused("ALTER PIPE", "ALTER PIPE p REFRESH", says="ALTER PIPE"),
    _stages.refused("Git repositories", "CREATE GIT REPOSITORY g ORIGIN = 'https://x'", says="CREATE GIT REPOSITORY"),
)
