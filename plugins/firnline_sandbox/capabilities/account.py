"""The account around the data: warehouses, roles, policies, views of usage, SHOW and DESCRIBE, the front ends."""

from __future__ import annotations

from typing import Final

from firnline_sandbox.capabilities.row import Area, Capability

_compute = Area("Warehouses and monitors")
_access = Area("Roles, grants and policies")
_views = Area("Views of the catalog and of usage")
_shows = Area("SHOW and DESCRIBE")
_front = Area("Sessions and front ends")

_COMPUTE: Final[tuple[Capability, ...]] = (
    _compute.partial(
        "warehouses: size, suspend, resume, multi-cluster, credits",
        "CREATE WAREHOUSE IF NOT EXISTS w WAREHOUSE_SIZE = SMALL INITIALLY_SUSPENDED = TRUE",
        "SHOW WAREHOUSES LIKE 'w'",
        'SELECT "state", "size" FROM TABLE(RESULT_SCAN(LAST_QUERY_ID()))',
        gives=[("SUSPENDED", "Small")],
        note="they bill and they are not machines: every statement runs on this one, whatever the size",
    ),
    _compute.refused(
        "Snowpark-optimized warehouses",
        "CREATE WAREHOUSE w2 WAREHOUSE_TYPE = 'SNOWPARK-OPTIMIZED'",
        says="warehouse option WAREHOUSE_TYPE",
    ),
    _compute.supported(
        "resource monitors that notify and suspend",
        "CREATE OR REPLACE RESOURCE MONITOR m WITH CREDIT_QUOTA = 1 TRIGGERS ON 100 PERCENT DO SUSPEND",
        "SHOW RESOURCE MONITORS LIKE 'm'",
        'SELECT "name", "credit_quota" FROM TABLE(RESULT_SCAN(LAST_QUERY_ID()))',
        gives=[("M", "1.00")],
    ),
    _compute.supported(
        "STATEMENT_TIMEOUT_IN_SECONDS, QUERY_TAG, TIMEZONE, LOCK_TIMEOUT",
        "ALTER SESSION SET QUERY_TAG = 'x'",
        "SHOW PARAMETERS LIKE 'QUERY_TAG'",
        'SELECT "value" FROM TABLE(RESULT_SCAN(LAST_QUERY_ID()))',
        gives=[("x",)],
    ),
    _compute.refused(
        "parameters that change formats",
        "ALTER SESSION SET DATE_OUTPUT_FORMAT = 'DD.MM.YYYY'",
        says="DATE_OUTPUT_FORMAT",
    ),
    _compute.refused(
        "compute pools",
        "CREATE COMPUTE POOL p MIN_NODES = 1 MAX_NODES = 1 INSTANCE_FAMILY = CPU_X64_XS",
        says="CREATE COMPUTE POOL",
    ),
    _compute.refused("services", "CREATE SERVICE s IN COMPUTE POOL p", says="CREATE SERVICE"),
)

_ACCESS: Final[tuple[Capability, ...]] = (
    _access.refused("CREATE ROLE", "CREATE ROLE r", says="CREATE ROLE", note="a session is always ACCOUNTADMIN"),
    _access.refused("GRANT", "GRANT SELECT ON TABLE t TO ROLE r", says="GRANT SELECT"),
    _access.refused("REVOKE", "REVOKE SELECT ON TABLE t FROM ROLE r", says="REVOKE SELECT"),
    _access.refused("SHOW GRANTS", "SHOW GRANTS ON TABLE t", says="SHOW GRANTS"),
    _access.refused("CREATE USER", "CREATE USER u", says="CREATE USER"),
    _access.refused(
        "masking policies",
        "CREATE MASKING POLICY m AS (v VARCHAR) RETURNS VARCHAR -> '*'",
        says="CREATE MASKING POLICY",
    ),
    _access.refused(
        "row access policies",
        "CREATE ROW ACCESS POLICY r AS (v VARCHAR) RETURNS BOOLEAN -> TRUE",
        says="CREATE ROW ACCESS",
    ),
    _access.refused("network policies", "CREATE NETWORK POLICY n", says="CREATE NETWORK POLICY"),
    _access.refused("secrets", "CREATE SECRET s TYPE = GENERIC_STRING SECRET_STRING = 'x'", says="CREATE SECRET"),
    _access.refused("integrations", "CREATE API INTEGRATION i", says="CREATE API INTEGRATION"),
    _access.refused("shares", "CREATE SHARE s", says="CREATE SHARE"),
    _access.supported(
        "tags",
        "CREATE TAG g",
        "ALTER TABLE t SET TAG g = 'x'",
        "SELECT SYSTEM$GET_TAG('g', 't', 'TABLE')",
        gives=[("x",)],
    ),
    _access.refused(
        "tags of columns", "CREATE TAG g", "SELECT SYSTEM$GET_TAG('g', 't.id', 'COLUMN')", says="tags of a column"
    ),
)

_VIEWS: Final[tuple[Capability, ...]] = (
    _views.supported(
        "INFORMATION_SCHEMA",
        "SELECT COLUMN_NAME FROM INFORMATION_SCHEMA.COLUMNS"
        " WHERE TABLE_SCHEMA = CURRENT_SCHEMA() AND TABLE_NAME = 'T' ORDER BY ORDINAL_POSITION",
        gives=[("ID",), ("NAME",)],
    ),
    _views.refused(
        "INFORMATION_SCHEMA.LOAD_HISTORY",
        "SELECT * FROM INFORMATION_SCHEMA.LOAD_HISTORY",
        says="INFORMATION_SCHEMA.LOAD_HISTORY",
    ),
    _views.refused(
        "INFORMATION_SCHEMA.OBJECT_PRIVILEGES",
        "SELECT * FROM INFORMATION_SCHEMA.OBJECT_PRIVILEGES",
        says="INFORMATION_SCHEMA.OBJECT_PRIVILEGES",
    ),
    _views.supported(
        "QUERY_HISTORY as table function and in ACCOUNT_USAGE",
        "ALTER SESSION SET QUERY_TAG = 'seen'",
        "SELECT 1",
        "SELECT COUNT(*) > 0 FROM SNOWFLAKE.ACCOUNT_USAGE.QUERY_HISTORY WHERE QUERY_TAG = 'seen'",
        gives=[(True,)],
        note="with no delay",
    ),
    _views.supported(
        "WAREHOUSE_METERING_HISTORY, QUERY_ATTRIBUTION_HISTORY",
        "SELECT COUNT(*) >= 0 FROM SNOWFLAKE.ACCOUNT_USAGE.WAREHOUSE_METERING_HISTORY",
        gives=[(True,)],
    ),
    _views.refused(
        "ACCESS_HISTORY", "SELECT * FROM SNOWFLAKE.ACCOUNT_USAGE.ACCESS_HISTORY", says="ACCOUNT_USAGE.ACCESS_HISTORY"
    ),
    _views.refused(
        "LOGIN_HISTORY", "SELECT * FROM SNOWFLAKE.ACCOUNT_USAGE.LOGIN_HISTORY", says="ACCOUNT_USAGE.LOGIN_HISTORY"
    ),
    _views.refused(
        "ORGANIZATION_USAGE",
        "SELECT * FROM SNOWFLAKE.ORGANIZATION_USAGE.RATE_SHEET_DAILY",
        says="ORGANIZATION_USAGE.RATE_SHEET_DAILY",
    ),
    _views.supported(
        "TASK_HISTORY",
        "CREATE TASK k AS SELECT 1",
        "SELECT COUNT(*) FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY(TASK_NAME => 'K', ERROR_ONLY => TRUE))",
        gives=[(0,)],
    ),
    _views.refused(
        "COPY_HISTORY",
        "SELECT * FROM TABLE(INFORMATION_SCHEMA.COPY_HISTORY(TABLE_NAME => 'T', START_TIME => CURRENT_TIMESTAMP))",
        says="table function INFORMATION_SCHEMA.COPY_HISTORY",
    ),
)

_SHOWS: Final[tuple[Capability, ...]] = (
    _shows.supported(
        "SHOW [TERSE] with LIKE, IN, STARTS WITH, LIMIT, and Snowflake's columns",
        "SHOW TERSE TABLES LIKE 't%' LIMIT 1",
        'SELECT "name", "kind" FROM TABLE(RESULT_SCAN(LAST_QUERY_ID()))',
        gives=[("T", "TABLE")],
        note="the kinds are listed below",
    ),
    _shows.supported(
        "DESCRIBE",
        "DESCRIBE TABLE t",
        'SELECT "name", "type" FROM TABLE(RESULT_SCAN(LAST_QUERY_ID()))',
        gives=[("ID", "NUMBER(38,0)"), ("NAME", "VARCHAR(16777216)")],
    ),
    _shows.refused("SHOW PIPES", "SHOW PIPES", says="SHOW PIPES"),
    _shows.refused("SHOW ROLES", "SHOW ROLES", says="SHOW ROLES"),
    _shows.refused("SHOW LOCKS", "SHOW LOCKS", says="SHOW LOCKS"),
    _shows.refused("SHOW INTEGRATIONS", "SHOW INTEGRATIONS", says="SHOW INTEGRATIONS"),
    _shows.refused("SHOW IMPORTED KEYS", "SHOW IMPORTED KEYS", says="SHOW IMPORTED KEYS"),
)

_FRONT: Final[tuple[Capability, ...]] = (
    _front.supported(
        "Snowpark's DataFrames",
        "from snowflake.snowpark.functions import col",
        "answer = session.table('t').filter(col('id') > 1).select('name').collect()[0][0]",
        gives="b",
        language="python",
    ),
    _front.supported(
        "pandas in and out",
        "import pandas",
        "session.write_pandas(pandas.DataFrame({'X': [1, 2]}), 'FRAME', auto_create_table=True)",
        "answer = session.table('FRAME').to_pandas()['X'].tolist()",
        gives=[1, 2],
        language="python",
    ),
    _front.supported(
        "asynchronous queries",
        "job = session.sql('SELECT 7').collect_nowait()",
        "answer = job.result()[0][0]",
        gives=7,
        language="python",
    ),
    _front.supported(
        "the real connector over HTTP, for other processes",
        "import pathlib, tempfile, snowflake.connector",
        "from firnline_sandbox import SandboxEngine",
        "with tempfile.TemporaryDirectory() as folder, SandboxEngine.open(pathlib.Path(folder) / 'sandbox') as engine:",
        "    place = engine.listener.endpoint",
        "    client = snowflake.connector.connect(user='u', password=place.token, account='sandbox',",
        "        host='127.0.0.1', port=place.port, protocol='http')",
        "    answer = client.cursor().execute('SELECT 1 + 1').fetchone()[0]",
        "    client.close()",
        gives=2,
        note="loopback only, with a random token; `firnline sandbox start` runs it by hand; "
        "PUT reports a file that it skipped as uploaded",
        language="python",
    ),
    _front.refused("notebooks", "CREATE NOTEBOOK n", says="CREATE NOTEBOOK"),
    _front.refused("Streamlit", "CREATE STREAMLIT s", says="CREATE STREAMLIT"),
    _front.refused("applications", "CREATE APPLICATION a", says="CREATE APPLICATION"),
    _front.refused("replication", "CREATE FAILOVER GROUP f", says="CREATE FAILOVER GROUP"),
)
ROWS: Final = (*_COMPUTE, *_ACCESS, *_VIEWS, *_SHOWS, *_FRONT)
