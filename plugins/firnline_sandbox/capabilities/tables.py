"""Tables and what changes them, transactions, Scripting, functions and procedures."""

from __future__ import annotations

from typing import Final

from firnline_sandbox.capabilities.row import Area, Capability

_ddl = Area("Tables, views and sequences")
_dml = Area("Changing data")
_code = Area("Scripting, functions and procedures")

_DDL: Final[tuple[Capability, ...]] = (
    _ddl.supported(
        "CREATE TABLE, TEMPORARY and TRANSIENT too; LIKE; AS SELECT",
        "CREATE TEMPORARY TABLE x AS SELECT id FROM t",
        "SELECT COUNT(*) FROM x",
        gives=[(2,)],
    ),
    _ddl.supported(
        "DEFAULT, AUTOINCREMENT, NOT NULL",
        "CREATE TABLE x (a INT AUTOINCREMENT, b INT DEFAULT 7, c INT NOT NULL)",
        "INSERT INTO x (c) VALUES (5)",
        "SELECT * FROM x",
        gives=[(1, 7, 5)],
    ),
    _ddl.supported(
        "PRIMARY KEY, UNIQUE, FOREIGN KEY are kept and not checked, as in Snowflake",
        "CREATE TABLE x (a INT PRIMARY KEY)",
        "INSERT INTO x VALUES (1), (1)",
        "SELECT COUNT(*) FROM x",
        gives=[(2,)],
    ),
    _ddl.refused("CHECK constraints", "CREATE TABLE x (a INT CHECK (a > 0))", says="column option CHECK"),
    _ddl.refused("computed columns", "CREATE TABLE x (a INT AS (1 + 1))", says="column option AS"),
    _ddl.partial(
        "CREATE TABLE ... CLONE",
        "CREATE TABLE x CLONE t",
        "INSERT INTO x VALUES (3, 'c')",
        "SELECT (SELECT COUNT(*) FROM x), (SELECT COUNT(*) FROM t)",
        gives=[(3, 2)],
        note="a copy: it takes the time and the room of one, and is of the present only (no AT or BEFORE)",
    ),
    _ddl.refused("CREATE SCHEMA ... CLONE", "CREATE SCHEMA x CLONE public", says="CREATE SCHEMA CLONE"),
    _ddl.refused("CREATE DATABASE ... CLONE", "CREATE DATABASE x CLONE firnline", says="CREATE DATABASE"),
    _ddl.refused("UNDROP", "UNDROP TABLE t", says="UNDROP TABLE"),
    _ddl.refused("CREATE OR ALTER", "CREATE OR ALTER TABLE t (id INT)", says="CREATE OR ALTER"),
    _ddl.supported(
        "ALTER TABLE: columns, names, constraints, SWAP, comments, tags",
        "ALTER TABLE t ADD COLUMN z INT DEFAULT 4",
        "ALTER TABLE t RENAME COLUMN z TO y",
        "SELECT DISTINCT y FROM t",
        gives=[(4,)],
    ),
    _ddl.partial(
        "CLUSTER BY",
        "ALTER TABLE t CLUSTER BY (id)",
        "SELECT COUNT(*) FROM t",
        gives=[(2,)],
        note="taken, and without an effect",
    ),
    _ddl.partial(
        "DATA_RETENTION_TIME_IN_DAYS",
        "ALTER TABLE t SET DATA_RETENTION_TIME_IN_DAYS = 1",
        "SELECT COUNT(*) FROM t",
        gives=[(2,)],
        note="taken, and without an effect: there is no time travel",
    ),
    _ddl.refused("search optimization", "ALTER TABLE t ADD SEARCH OPTIMIZATION", says="ALTER TABLE"),
    _ddl.supported("views", "CREATE VIEW v AS SELECT id FROM t WHERE id > 1", "SELECT * FROM v", gives=[(2,)]),
    _ddl.supported(
        "recursive views",
        "CREATE RECURSIVE VIEW v (n) AS SELECT 1 UNION ALL SELECT n + 1 FROM v WHERE n < 3",
        "SELECT SUM(n) FROM v",
        gives=[(6,)],
    ),
    _ddl.refused(
        "materialized views", "CREATE MATERIALIZED VIEW v AS SELECT id FROM t", says="CREATE MATERIALIZED VIEW"
    ),
    _ddl.refused("semantic views", "CREATE SEMANTIC VIEW v TABLES (t)", says="CREATE SEMANTIC VIEW"),
    _ddl.supported("sequences", "CREATE SEQUENCE s START 5", "SELECT s.NEXTVAL", gives=[(5,)]),
    _ddl.supported("databases and schemas", "CREATE SCHEMA x_schema", "SELECT CURRENT_SCHEMA()", gives=[("X_SCHEMA",)]),
    _ddl.supported("GET_DDL", "SELECT GET_DDL('table', 't') ILIKE 'create or replace table t (%'", gives=[(True,)]),
    _ddl.partial(
        "dynamic tables: TARGET_LAG, DOWNSTREAM, INITIALIZE, refresh history",
        "CREATE DYNAMIC TABLE x TARGET_LAG = '1 minute' WAREHOUSE = compute_wh AS SELECT SUM(id) AS s FROM t",
        "INSERT INTO t VALUES (5, 'e')",
        "ALTER DYNAMIC TABLE x REFRESH",
        "SELECT s FROM x",
        gives=[(8,)],
        note="every refresh computes all rows (REFRESH_MODE is FULL) when the lag has passed, as tasks run",
    ),
    _ddl.refused(
        "dynamic tables that are refreshed incrementally",
        "CREATE DYNAMIC TABLE x LAG = '1 day' WAREHOUSE = compute_wh REFRESH_MODE = INCREMENTAL AS SELECT 1 a",
        says="REFRESH_MODE = INCREMENTAL",
    ),
    _ddl.refused("external tables", "CREATE EXTERNAL TABLE x LOCATION = @st", says="CREATE EXTERNAL TABLE"),
    _ddl.refused("hybrid tables", "CREATE HYBRID TABLE x (a INT PRIMARY KEY)", says="CREATE HYBRID TABLE"),
    _ddl.refused("Iceberg tables", "CREATE ICEBERG TABLE x (a INT)", says="CREATE ICEBERG TABLE"),
    _ddl.refused("event tables", "CREATE EVENT TABLE x", says="CREATE EVENT TABLE"),
    _ddl.supported(
        "streams on tables: standard, APPEND_ONLY, SHOW_INITIAL_ROWS",
        "CREATE STREAM s ON TABLE t",
        "UPDATE t SET name = 'z' WHERE id = 1",
        "SELECT id, name, METADATA$ACTION, METADATA$ISUPDATE FROM s ORDER BY 3",
        gives=[(1, "a", "DELETE", True), (1, "z", "INSERT", True)],
        note="a stream never grows stale; an update that leaves a row as it was counts as one",
    ),
    _ddl.refused(
        "streams on views, stages, external and temporary tables",
        "CREATE VIEW v AS SELECT 1 AS a",
        "CREATE STREAM s ON VIEW v",
        says="CREATE STREAM ON VIEW",
    ),
    _ddl.partial(
        "tasks: SCHEDULE (intervals, cron), AFTER, WHEN, FINALIZE, retries, EXECUTE TASK, triggered by streams",
        "CREATE TASK k WAREHOUSE = compute_wh SCHEDULE = '5 MINUTE' AS INSERT INTO t VALUES (3, 'c')",
        "CREATE TASK after_k AFTER k AS SELECT 1",
        "SELECT SYSTEM$TASK_DEPENDENTS_ENABLE('k')",
        "SHOW TASKS",
        'SELECT "name", "state" FROM TABLE(RESULT_SCAN(LAST_QUERY_ID())) ORDER BY 1',
        gives=[("AFTER_K", "started"), ("K", "started")],
        note="they run while a process has the sandbox open, or as the clock is moved; one task at a time;"
        " what was missed is not made up for; a task without a warehouse costs nothing",
    ),
    _ddl.refused(
        "tasks whose body is a script",
        "CREATE TASK k SCHEDULE = '1 minute' AS BEGIN SELECT 1; END",
        says="Snowflake Scripting in a task",
    ),
    _ddl.refused("alerts", "CREATE ALERT a IF (EXISTS (SELECT 1)) THEN SELECT 1", says="CREATE ALERT"),
)

_DML: Final[tuple[Capability, ...]] = (
    _dml.supported(
        "INSERT, INSERT OVERWRITE",
        "INSERT OVERWRITE INTO t SELECT 9, 'z'",
        "SELECT * FROM t",
        gives=[(9, "z")],
    ),
    _dml.refused(
        "INSERT into several tables", "INSERT ALL INTO t (id) VALUES (x) SELECT 5 AS x", says="INSERT into several"
    ),
    _dml.supported(
        "UPDATE ... FROM, DELETE ... USING, TRUNCATE",
        "UPDATE t SET name = u.n FROM (SELECT 1 AS i, 'z' AS n) AS u WHERE t.id = u.i",
        "DELETE FROM t USING (SELECT 2 AS i) AS u WHERE t.id = u.i",
        "SELECT * FROM t",
        gives=[(1, "z")],
    ),
    _dml.supported(
        "MERGE",
        "MERGE INTO t USING (SELECT 1 AS i UNION SELECT 3) AS u ON t.id = u.i"
        " WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (id) VALUES (u.i)",
        "SELECT id FROM t ORDER BY 1",
        gives=[(2,), (3,)],
    ),
    _dml.supported(
        "transactions, committed by DDL and AUTOCOMMIT",
        "BEGIN",
        "DELETE FROM t",
        "ROLLBACK",
        "SELECT COUNT(*) FROM t",
        gives=[(2,)],
    ),
    _dml.partial(
        "transactions of several sessions",
        "BEGIN",
        "DELETE FROM t",
        "COMMIT",
        "SELECT COUNT(*) FROM t",
        gives=[(0,)],
        note="one session writes at a time: others wait even if they write to another table",
    ),
)

_CODE: Final[tuple[Capability, ...]] = (
    _code.refused("Snowflake Scripting", "BEGIN LET x := 1; RETURN x; END", says="Snowflake Scripting"),
    _code.refused("DECLARE", "DECLARE x INT; BEGIN RETURN 1; END", says="DECLARE"),
    _code.refused("EXECUTE IMMEDIATE", "EXECUTE IMMEDIATE 'SELECT 1'", says="EXECUTE IMMEDIATE"),
    _code.supported(
        "session variables: SET, UNSET, $name, IDENTIFIER($name)",
        "SET (x, n) = (1, 't')",
        "SELECT name FROM IDENTIFIER($n) WHERE id = $x",
        gives=[("a",)],
    ),
    _code.supported(
        "functions in SQL", "CREATE FUNCTION f (x INT) RETURNS INT AS 'x + 1'", "SELECT f(1)", gives=[(2,)]
    ),
    _code.supported(
        "table functions in SQL",
        "CREATE FUNCTION f () RETURNS TABLE (a INT) AS 'SELECT id FROM t'",
        "SELECT SUM(a) FROM TABLE(f())",
        gives=[(3,)],
    ),
    _code.supported(
        "functions in Python, vectorised ones too",
        "CREATE FUNCTION f (x INT) RETURNS INT LANGUAGE PYTHON RUNTIME_VERSION = '3.11' HANDLER = 'f'"
        " AS 'def f(x): return x + 1'",
        "SELECT f(1)",
        gives=[(2,)],
        note="they run in a worker process with this Python and the packages that are installed here, whatever"
        " RUNTIME_VERSION and PACKAGES say",
    ),
    _code.supported(
        "table functions in Python",
        "CREATE FUNCTION f (n INT) RETURNS TABLE (a INT) LANGUAGE PYTHON RUNTIME_VERSION = '3.11' HANDLER = 'F'"
        " AS 'class F:\n    def process(self, n):\n        for i in range(n): yield (i,)'",
        "SELECT SUM(a) FROM TABLE(f(3))",
        gives=[(3,)],
    ),
    _code.supported(
        "aggregates in Python",
        "CREATE AGGREGATE FUNCTION f (x INT) RETURNS INT LANGUAGE PYTHON RUNTIME_VERSION = '3.11' HANDLER = 'F' AS"
        " 'class F:\n"
        "    def __init__(self): self.total = 0\n"
        "    @property\n"
        "    def aggregate_state(self): return self.total\n"
        "    def accumulate(self, x): self.total += x\n"
        "    def merge(self, other): self.total += other\n"
        "    def finish(self): return self.total'",
        "SELECT f(id) FROM t",
        gives=[(3,)],
    ),
    _code.supported(
        "procedures in Python, with a Snowpark session on the caller's own",
        "CREATE PROCEDURE p () RETURNS INT LANGUAGE PYTHON RUNTIME_VERSION = '3.11'"
        " PACKAGES = ('snowflake-snowpark-python') HANDLER = 'p'"
        " AS 'def p(session): return session.table(\"t\").count()'",
        "CALL p()",
        gives=[(2,)],
    ),
    _code.refused(
        "procedures in SQL",
        "CREATE PROCEDURE p () RETURNS INT LANGUAGE SQL AS 'BEGIN RETURN 1; END'",
        says="procedures in SQL (Snowflake Scripting)",
    ),
    _code.refused(
        "JavaScript",
        "CREATE FUNCTION f (x INT) RETURNS INT LANGUAGE JAVASCRIPT AS 'return X'",
        says="functions and procedures in JAVASCRIPT",
    ),
    _code.refused(
        "Java",
        "CREATE FUNCTION f (x INT) RETURNS INT LANGUAGE JAVA HANDLER = 'A.b' AS ''",
        says="functions and procedures in JAVA",
    ),
    _code.refused(
        "Scala",
        "CREATE FUNCTION f (x INT) RETURNS INT LANGUAGE SCALA HANDLER = 'A.b' AS ''",
        says="functions and procedures in SCALA",
    ),
    _code.refused(
        "external functions",
        "CREATE EXTERNAL FUNCTION f (x INT) RETURNS INT API_INTEGRATION = a AS 'https://x'",
        says="CREATE EXTERNAL FUNCTION",
    ),
)
ROWS: Final = (*_DDL, *_DML, *_CODE)
