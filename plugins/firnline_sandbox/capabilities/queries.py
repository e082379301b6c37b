"""Data types and queries."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Final

from firnline_sandbox.capabilities.row import Area, Capability

_types = Area("Data types")
_queries = Area("Queries")

_TYPES: Final[tuple[Capability, ...]] = (
    _types.supported(
        "NUMBER(p, s) with Snowflake's scale in arithmetic, AVG and division",
        "SELECT 1::NUMBER(10, 2) / 3, SYSTEM$TYPEOF(1::NUMBER(10, 2) * 1::NUMBER(10, 3))",
        gives=[(Decimal("0.33333333"), "NUMBER(20,5)[SB16]")],
    ),
    _types.partial(
        "integers up to 64 bits",
        "SELECT 9223372036854775807, TRY_TO_NUMBER('9223372036854775808')",
        gives=[(9223372036854775807, None)],
        note="a NUMBER with scale 0 is kept in 64 bits: a larger value is an error (100038 or 100039); with a scale,"
        " all 38 digits are there",
    ),
    _types.refused("larger integer constants", "SELECT 9223372036854775808", says="integer 9223372036854775808 of"),
    _types.supported("FLOAT, and 1/0 as an error", "SELECT 1.5::FLOAT + 1", gives=[(2.5,)]),
    _types.supported("BOOLEAN", "SELECT 'yes'::BOOLEAN, 0::BOOLEAN", gives=[(True, False)]),
    _types.supported(
        "VARCHAR(n); a longer text is an error",
        "SELECT SYSTEM$TYPEOF('ab'::VARCHAR(3))",
        gives=[("VARCHAR(3)[LOB]",)],
    ),
    _types.supported("BINARY", "SELECT TO_BINARY('6162', 'HEX')::VARCHAR", gives=[("6162",)]),
    _types.supported(
        "DATE, TIME", "SELECT '2024-02-29'::DATE + 1, '10:00'::TIME", gives=[(dt.date(2024, 3, 1), dt.time(10))]
    ),
    _types.partial(
        "TIMESTAMP_NTZ, TIMESTAMP_LTZ",
        "SELECT '2024-01-01 10:00:00.123456789'::TIMESTAMP_NTZ::VARCHAR",
        gives=[("2024-01-01 10:00:00.123",)],
        note="kept to the microsecond, not to the nanosecond",
    ),
    _types.partial(
        "TIMESTAMP_TZ",
        "SELECT '2024-01-01 10:00:00 +0200'::TIMESTAMP_TZ::VARCHAR",
        gives=[("2024-01-01 08:00:00.000 +0000",)],
        note="the moment is kept, its offset is not: it is shown in the session's TIMEZONE",
    ),
    _types.supported(
        "VARIANT, OBJECT, ARRAY, with JSON null apart from NULL",
        "SELECT PARSE_JSON('null') IS NULL, PARSE_JSON('{\"a\": [1, 2]}'):a[1]::INT",
        gives=[(False, 2)],
    ),
    _types.partial(
        "structured ARRAY(type) and OBJECT(...)",
        "CREATE TABLE x (a ARRAY(INT))",
        "DESCRIBE TABLE x",
        'SELECT "type" FROM TABLE(RESULT_SCAN(LAST_QUERY_ID()))',
        gives=[("ARRAY",)],
        note="the types of the elements are read and dropped",
    ),
    _types.refused("MAP", "CREATE TABLE x (a MAP(VARCHAR, INT))", says="data type MAP"),
    _types.refused("VECTOR", "SELECT [1, 2]::VECTOR(FLOAT, 2)", says="data type VECTOR"),
    _types.refused("GEOGRAPHY", "CREATE TABLE x (a GEOGRAPHY)", says="data type GEOGRAPHY"),
    _types.refused("GEOMETRY", "CREATE TABLE x (a GEOMETRY)", says="data type GEOMETRY"),
    _types.refused("DECFLOAT", "SELECT 1.5::DECFLOAT", says="data type DECFLOAT"),
    _types.refused("FILE", "CREATE TABLE x (a FILE)", says="data type FILE"),
    _types.refused("UUID", "CREATE TABLE x (a UUID)", says="data type UUID"),
    _types.refused("a column of type INTERVAL", "SELECT INTERVAL '1 day'", says="a column of type INTERVAL"),
    _types.refused("collations", "CREATE TABLE x (a VARCHAR COLLATE 'en-ci')", says="COLLATE 'en-ci'"),
)

_QUERIES: Final[tuple[Capability, ...]] = (
    _queries.supported(
        "joins: inner, left, right, full, cross, natural, USING",
        "SELECT COUNT(*) FROM t FULL OUTER JOIN t AS u USING (id) NATURAL JOIN t AS v",
        gives=[(2,)],
    ),
    _queries.supported(
        "ASOF JOIN with MATCH_CONDITION",
        "SELECT u.name FROM (SELECT 9 AS at) ASOF JOIN t AS u MATCH_CONDITION (at >= u.id)",
        gives=[("b",)],
    ),
    _queries.supported(
        "LATERAL", "SELECT u.z FROM t, LATERAL (SELECT t.id + 1 AS z) AS u ORDER BY 1", gives=[(2,), (3,)]
    ),
    _queries.supported(
        "FLATTEN",
        "SELECT f.value::INT FROM TABLE(FLATTEN(INPUT => PARSE_JSON('[5, 6]'))) AS f ORDER BY f.index",
        gives=[(5,), (6,)],
    ),
    _queries.supported(
        "common table expressions, recursive ones",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT SUM(n) FROM r",
        gives=[(6,)],
    ),
    _queries.supported(
        "UNION [ALL] [BY NAME], INTERSECT, EXCEPT (MINUS)",
        "SELECT id FROM t UNION ALL BY NAME SELECT 3 AS id EXCEPT SELECT 1 ORDER BY 1",
        gives=[(2,), (3,)],
    ),
    _queries.supported(
        "GROUP BY with ALL, CUBE, ROLLUP, GROUPING SETS",
        "SELECT id, COUNT(*) FROM t GROUP BY ROLLUP (id) ORDER BY 1",
        gives=[(1, 1), (2, 1), (None, 2)],
    ),
    _queries.supported("QUALIFY", "SELECT id FROM t QUALIFY ROW_NUMBER() OVER (ORDER BY id DESC) = 1", gives=[(2,)]),
    _queries.supported(
        "window frames of ROWS and RANGE",
        "SELECT SUM(id) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t ORDER BY 1",
        gives=[(1,), (3,)],
    ),
    _queries.supported(
        "PIVOT, with values, ANY or a query",
        "SELECT * FROM (SELECT 1 AS a, 'x' AS b) PIVOT (SUM(a) FOR b IN (ANY))",
        gives=[(1,)],
    ),
    _queries.supported(
        "UNPIVOT",
        "SELECT * FROM (SELECT 1 AS x, 2 AS y) UNPIVOT (v FOR n IN (x, y)) ORDER BY 1",
        gives=[("X", 1), ("Y", 2)],
    ),
    _queries.partial(
        "SAMPLE",
        "SELECT COUNT(*) FROM t SAMPLE BLOCK (100)",
        gives=[(2,)],
        note="SYSTEM and BLOCK sample row by row, and a seed gives other rows than in Snowflake",
    ),
    _queries.supported("TOP, LIMIT, OFFSET, FETCH", "SELECT id FROM t ORDER BY id LIMIT 1 OFFSET 1", gives=[(2,)]),
    _queries.supported(
        "* with EXCLUDE, REPLACE, RENAME, ILIKE", "SELECT * EXCLUDE name RENAME id AS z FROM t LIMIT 0", gives=[]
    ),
    _queries.supported("VALUES, and columns by position", "SELECT $1 FROM VALUES (7)", gives=[(7,)]),
    _queries.supported("GENERATOR", "SELECT SEQ4() FROM TABLE(GENERATOR(ROWCOUNT => 2))", gives=[(0,), (1,)]),
    _queries.supported(
        "names in IDENTIFIER(...) and TABLE(...)",
        "SELECT (SELECT COUNT(*) FROM IDENTIFIER('t')), (SELECT COUNT(*) FROM TABLE('t'))",
        gives=[(2, 2)],
    ),
    _queries.supported(
        "RESULT_SCAN",
        "SELECT 1 AS one",
        "SELECT one FROM TABLE(RESULT_SCAN(LAST_QUERY_ID()))",
        gives=[(1,)],
    ),
    _queries.partial(
        "EXPLAIN",
        "EXPLAIN SELECT 1",
        "SELECT COUNT(*) > 0 FROM TABLE(RESULT_SCAN(LAST_QUERY_ID()))",
        gives=[(True,)],
        note="the plan is the sandbox's own; USING JSON is refused",
    ),
    _queries.refused("EXPLAIN USING JSON", "EXPLAIN USING JSON SELECT 1", says="EXPLAIN USING JSON"),
    _queries.refused(
        "MATCH_RECOGNIZE",
        "SELECT * FROM t MATCH_RECOGNIZE (ORDER BY id MEASURES FIRST(id) AS f PATTERN (x+) DEFINE x AS id > 0)",
        says="MATCH_RECOGNIZE",
    ),
    _queries.refused(
        "CONNECT BY", "SELECT id FROM t START WITH id = 1 CONNECT BY id = PRIOR id + 1", says="CONNECT BY"
    ),
    _queries.refused("FOR UPDATE", "SELECT id FROM t FOR UPDATE", says="FOR UPDATE"),
    _queries.refused("time travel with AT", "SELECT * FROM t AT (OFFSET => -60)", says="time travel (AT, BEFORE)"),
    _queries.refused(
        "time travel with BEFORE", "SELECT * FROM t BEFORE (STATEMENT => 'x')", says="time travel (AT, BEFORE)"
    ),
    _queries.refused("EXCEPT ALL, INTERSECT ALL", "SELECT 1 EXCEPT ALL SELECT 2", says="EXCEPT ALL"),
)
ROWS: Final = (*_TYPES, *_QUERIES)
