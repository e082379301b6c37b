"""Functions by family; the page lists all names from the translator's own registry."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Final

from firnline_sandbox.capabilities.row import Area, Capability

_functions = Area("Functions")

ROWS: Final[tuple[Capability, ...]] = (
    _functions.supported(
        "aggregates",
        "SELECT SUM(id), AVG(id), MAX_BY(name, id), LISTAGG(name, ',') WITHIN GROUP (ORDER BY id) FROM t",
        gives=[(3, Decimal("1.500000"), "b", "a,b")],
    ),
    _functions.partial(
        "approximate aggregates",
        "SELECT APPROX_COUNT_DISTINCT(id), HLL(id) FROM t",
        gives=[(2, 2)],
        note="other sketches than Snowflake's: results may differ within the error of the method",
    ),
    _functions.refused("APPROX_TOP_K", "SELECT APPROX_TOP_K(id) FROM t", says="function APPROX_TOP_K"),
    _functions.refused(
        "sketches that are kept: HLL_*, MINHASH, BITMAP_*", "SELECT HLL_ACCUMULATE(id) FROM t", says="function HLL_"
    ),
    _functions.supported(
        "window functions",
        "SELECT id, LAG(id) OVER (ORDER BY id), RANK() OVER (ORDER BY id DESC) FROM t ORDER BY 1",
        gives=[(1, None, 2), (2, 1, 1)],
    ),
    _functions.refused(
        "CONDITIONAL_CHANGE_EVENT",
        "SELECT CONDITIONAL_CHANGE_EVENT(id) OVER (ORDER BY id) FROM t",
        says="function CONDITIONAL_CHANGE_EVENT",
    ),
    _functions.supported(
        "text functions",
        "SELECT SPLIT_PART('a-b', '-', 2), LPAD('7', 3, '0'), INITCAP('ab cd')",
        gives=[("b", "007", "Ab Cd")],
    ),
    _functions.partial(
        "regular expressions",
        "SELECT REGEXP_SUBSTR('abc123', '[0-9]+'), REGEXP_REPLACE('aab', 'a+', 'x'), 'ab' RLIKE 'a.'",
        gives=[("123", "xb", True)],
        note="RE2 instead of Snowflake's POSIX engine: of several alternatives the first wins, not the longest",
    ),
    _functions.supported(
        "hashes and encodings",
        "SELECT MD5('a'), BASE64_ENCODE('a'), HEX_DECODE_STRING('61')",
        gives=[("0cc175b9c0f1b6a831c399e269772661", "YQ==", "a")],
    ),
    _functions.partial(
        "HASH",
        "SELECT HASH('a') = HASH('a'), HASH(1) = HASH(1.0)",
        gives=[(True, False)],
        note="other numbers than Snowflake's, and equal numbers of different scales hash differently",
    ),
    _functions.refused("SHA2 of other sizes than 256", "SELECT SHA2('a', 512)", says="SHA2"),
    _functions.supported(
        "numbers", "SELECT ROUND(2.55, 1), DIV0(1, 0), WIDTH_BUCKET(1, 0, 10, 5)", gives=[(Decimal("2.6"), 0, 1)]
    ),
    _functions.partial(
        "random values",
        "SELECT LENGTH(RANDSTR(5, RANDOM(1))), UNIFORM(1, 1, RANDOM())",
        gives=[(5, 1)],
        note="a seed repeats its values within the sandbox, but not those of Snowflake",
    ),
    _functions.supported(
        "dates and times",
        "SELECT DATEADD('month', 1, '2024-01-31'::DATE), DATEDIFF('day', '2024-01-01', '2024-03-01'),"
        " TIME_SLICE('2024-05-20'::DATE, 1, 'MONTH')",
        gives=[(dt.date(2024, 2, 29), 60, dt.date(2024, 5, 1))],
    ),
    _functions.supported(
        "conversion and format models",
        "SELECT TO_VARCHAR('2024-01-02'::DATE, 'DD.MM.YY'), TRY_TO_NUMBER('x'), TO_VARCHAR(1234.5, '9,999.00')",
        gives=[("02.01.24", None, " 1,234.50")],
    ),
    _functions.refused("number formats with X, E or TM", "SELECT TO_VARCHAR(255, 'XX')", says="number format 'XX'"),
    _functions.supported(
        "conditions",
        "SELECT IFF(id = 1, 'x', 'y'), ZEROIFNULL(NULL), NVL2(id, 1, 2) FROM t LIMIT 1",
        gives=[("x", 0, 1)],
    ),
    _functions.supported(
        "semi-structured data",
        "SELECT OBJECT_CONSTRUCT('a', 1):a::INT, ARRAY_SIZE([1, 2]), TYPEOF(PARSE_JSON('1.5'))",
        gives=[(1, 2, "DECIMAL")],
    ),
    _functions.supported(
        "FILTER and TRANSFORM with lambdas", "SELECT TRANSFORM([1, 2], x INT -> x + 1)[1]::INT", gives=[(3,)]
    ),
    _functions.refused("REDUCE", "SELECT REDUCE([1, 2], 0, (a, x) -> a + x)", says="(a, x) -> a + x"),
    _functions.refused("XML", "SELECT PARSE_XML('<a/>')", says="function PARSE_XML"),
    _functions.refused("geospatial: ST_*, H3_*", "SELECT ST_MAKEPOINT(1, 2)", says="function ST_MAKEPOINT"),
    _functions.refused("vectors: VECTOR_*", "SELECT VECTOR_L2_DISTANCE(1, 1)", says="function VECTOR_L2_DISTANCE"),
    _functions.refused("ENCRYPT, COMPRESS and their like", "SELECT ENCRYPT('a', 'b')", says="function ENCRYPT"),
    _functions.refused("PARSE_URL, PARSE_IP", "SELECT PARSE_URL('http://a')", says="function PARSE_URL"),
    _functions.refused("HAVERSINE", "SELECT HAVERSINE(1, 2, 3, 4)", says="function HAVERSINE"),
    _functions.supported(
        "the session: CURRENT_*, LAST_QUERY_ID",
        "SELECT CURRENT_ROLE(), CURRENT_DATABASE()",
        gives=[("ACCOUNTADMIN", "FIRNLINE")],
    ),
    _functions.partial(
        "SYSTEM$TYPEOF, SYSTEM$WAIT, SYSTEM$CANCEL_QUERY and others",
        "SELECT SYSTEM$WAIT(0)",
        gives=[("waited 0 seconds",)],
        note="the page lists the ones that are there",
    ),
    _functions.supported(
        "SYSTEM$STREAM_HAS_DATA",
        "CREATE STREAM s ON TABLE t",
        "SELECT SYSTEM$STREAM_HAS_DATA('s')",
        gives=[(False,)],
    ),
)
