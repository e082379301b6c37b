"""Why a test of Snowpark's suites fails against the sandbox: groups, found by what it said or is about."""

from __future__ import annotations

import re
from typing import Final

UNSORTED: Final = "another text, order or detail"

# The first that matches is the reason: a pattern over "suite::test: what the test said".
_REASONS: Final = (
    (r"Unknown function (PARSE_XML|CHECK_XML|TO_XML|XMLGET|XPATH)|[Xx][Mm][Ll]", "XML is not supported"),
    (r"TYPE = (AVRO|ORC)|avro|orc\b|_orc_", "Avro and ORC files are not supported"),
    (r"TO_GEOGRAPHY|TO_GEOMETRY|geograph|geometr", "geographic types are not supported"),
    (r"CORTEX|TO_FILE|file_type", "Cortex and files as values are not supported"),
    (r"[Cc][Oo][Ll][Ll][Aa][Tt][Ee]|test_collation", "collations are not supported"),
    (r"INTERVAL|month_day_nano|interval_formatting", "columns of INTERVAL types are not supported"),
    (
        r"more than 64 bits|type INT64|decimal_scientific_notation|1111111111111|38_0",
        "whole numbers are kept in 64 bits",
    ),
    (
        r"date_trunc\[|dateadd_timestamp|tz_from_parts|convert_timezone|date_part_timestamp|to_timestamp_all",
        "TIMESTAMP_TZ keeps the moment, not the offset that it was written with",
    ),
    (r"GRANT ", "grants are not supported yet"),
    (r"test_hash\[", "HASH gives the sandbox's own values"),
    (r"undefined", "arrays keep SQL NULL as the null of JSON, not as undefined"),
    (r"SHA2 with", "SHA2 is there with 256 bits alone"),
    (r"SYSTEM\$REFERENCE", "references to objects are not supported"),
    (r"TO_DECFLOAT", "DECFLOAT is not supported"),
    (r"SHOW REGIONS|SHOW PARAMETERS IN", "SHOW of this kind is not supported"),
    (r"test_check_json", "CHECK_JSON says that a text is no JSON, not where"),
    (r"38\.749999", "floating-point sums differ in the last digit"),
    (
        r"test_rank|test_partition_by_order_by_rows_between",
        "rows of a frame, or without an order, come in another order",
    ),
    (r"DATE_INPUT_FORMAT|test_call_with_statement_params", "input formats are AUTO alone"),
    (r"TIMELIMIT|test_generator_table_function", "UNIFORM gives the sandbox's own values, TIMELIMIT is refused"),
    (r"test_explode: ", "structured types are not supported"),
    (r"[Tt]ime travel|AT \(|BEFORE \(", "Time Travel is not supported yet"),
    (r"DYNAMIC TABLE|dynamic_table", "dynamic tables are not supported yet"),
    (r"does not have a current database", "a session whose current schema was dropped has none"),
    (r"test_invalid_configs|select_current_client", "the suites' connection is the sandbox's, which wants no password"),
    (r"DID NOT RAISE Error", "the test patches a class of the connector that the sandbox does not use"),
    (
        r"packages|artifact|conda|pypi|requirements|numpy|environment",
        "packages of other environments are not installed",
    ),
    (r"Timeout", "takes longer than a test may"),
    (
        r"Failed to cast variant|is out of range|TRY_TO_BOOLEAN|try_cast|time_formats",
        "COPY converts with other errors or types",
    ),
    (
        r"scala/test_dataframe_(copy_into|reader_suite|writer_suite)|file_operation",
        "an option or message of COPY and files",
    ),
    (r"test_(udf|udtf|udaf|stored_procedure)\.py|test_udf_suite", "a detail of functions and procedures"),
    (r"Unsupported feature '([^']{1,60})", "not supported: {0}"),
    (r"Unknown (?:user-defined )?function ([\w.$]+)", "not supported: function {0}"),
)


def reason_of(test: str, said: str) -> str:
    """Give the group that a failure belongs to."""
    text = f"{test}: {said}"
    for pattern, reason in _REASONS:
        if found := re.search(pattern, text):
            return reason.format(*found.groups())
    return f"{UNSORTED}: {' '.join(said.split())[:120]}"
