"""Why a test of Snowpark's suites fails against the sandbox: groups, found by what it said or is about."""

from __future__ import annotations

import re
from typing import Final

UNSORTED: Final = "not looked at yet"

# The first that matches is the reason: a pattern over "suite::test: what the test said".
_REASONS: Final = (
    (r"Unknown function (PARSE_XML|CHECK_XML|TO_XML|XMLGET|XPATH)", "XML is not supported"),
    (r"(?i)xml", "XML is not supported"),
    (r"TO_GEOGRAPHY|TO_GEOMETRY|ST_", "geographic types are not supported"),
    (r"(?i)cortex|AI_|TO_FILE|file_type", "Cortex and files as values are not supported"),
    (r"(?i)collat", "collations are not supported"),
    (r"(?i)INTERVAL|month_day_nano", "columns of INTERVAL types are not supported"),
    (r"more than 64 bits|destination type INT64|decimal_scientific_notation", "whole numbers are kept in 64 bits"),
    (
        r"date_trunc\[|dateadd_timestamp|tz_from_parts|convert_timezone|date_part_timestamp|to_timestamp_all",
        "TIMESTAMP_TZ keeps the moment, not the offset that it was written with",
    ),
    (r"test_hash\[", "HASH gives the sandbox's own values"),
    (r"undefined", "arrays keep SQL NULL as JSON null, not as undefined"),
    (r"SHA2 with", "SHA2 is there with 256 bits alone"),
    (r"SYSTEM\$REFERENCE", "references to objects are not supported"),
    (r"test_check_json", "CHECK_JSON says that a text is no JSON, not where"),
    (r"38\.749999", "floating-point sums differ in the last digit"),
    (r"DATE_INPUT_FORMAT|test_call_with_statement_params", "input formats are AUTO alone"),
    (
        r"TIMELIMIT|test_generator_table_function",
        "UNIFORM and GENERATOR give the sandbox's own values, TIMELIMIT is refused",
    ),
    (r"(?i)time travel|AT \(|BEFORE \(", "Time Travel is not supported yet"),
    (r"DYNAMIC TABLE|dynamic_table", "dynamic tables are not supported yet"),
    (r"GET_DDL", "GET_DDL is not supported yet"),
    (r"(?i)iceberg", "Iceberg tables are not supported"),
    (r"(?i)anaconda|packages|artifact|conda|pypi|requirements", "packages of other environments are not installed"),
    (r"Timeout", "takes longer than a test may"),
    (
        r"(?i)DDL of stages, files|COPY INTO|file format|infer_schema|(?i)FILE_FORMAT",
        "an option of files, COPY or formats is not supported",
    ),
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
