"""The errors that the sandbox raises: each is the connector's ProgrammingError with Snowflake's number and text.

SnowflakeError (private carrier, turned into snowflake.connector.errors.ProgrammingError at the cursor)
  made by: syntax_error 1003 · missing_object 2003 · already_exists 2002 · invalid_identifier 904 ·
           ambiguous_column 2028 · unknown_function 2140 · unknown_user_function 2141 · bad_number 100038 ·
           bad_boolean 100037 · bad_date 100040 ·
           bad_timestamp 100035 · bad_cast 100069 · division_by_zero 100051 · null_in_not_null 100072 ·
           text_too_long 100078 · number_out_of_range 100039 · missing_file 253006 · cancelled 604 · locked 625 ·
           unsupported 2

The functions build the error; the caller raises it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import duckdb
    from snowflake.connector.errors import OperationalError, ProgrammingError

COMPILATION: Final = "SQL compilation error:\n"
SUPPORT_PAGE: Final = "docs/reference/sandbox.md"  # what is supported, written from firnline_sandbox.capabilities
CARRIED_MARK: Final = "firnline carries "  # starts the message of errors that Python functions raise inside DuckDB
RUNTIME_MARK: Final = "firnline#"  # starts the message of error() calls that translated SQL makes


def error(errno: int, sqlstate: str, message: str) -> ProgrammingError:
    """Build an error with Snowflake's number, SQL state and text."""
    # The connector takes seconds to import, and opening a sandbox must not wait for it.
    from snowflake.connector.errors import ProgrammingError

    return ProgrammingError(msg=message, errno=errno, sqlstate=sqlstate, send_telemetry=False)


def failed_query(query_id: str, failure: Exception) -> Exception:
    """The result of a query that failed is asked for: the query's own error, after what the connector says."""
    from snowflake.connector.errors import ProgrammingError

    if not isinstance(failure, ProgrammingError):
        return failure
    text = f"Status of query '{query_id}' is FAILED_WITH_ERROR, results are unavailable: {failure.raw_msg}"
    raised: Exception = error(failure.errno or 1, failure.sqlstate or "XX000", text)
    raised.sfqid = query_id  # type: ignore[attr-defined]
    return raised


def unsupported(feature: str) -> ProgrammingError:
    """Refuse, by name, a feature that Snowflake has and the sandbox lacks."""
    text = f"Unsupported feature '{feature}': it is not supported by the sandbox, see {SUPPORT_PAGE}."
    return error(2, "0A000", COMPILATION + text)


def syntax_error(message: str) -> ProgrammingError:
    """The text does not parse."""
    return error(1003, "42000", f"{COMPILATION}syntax error {message}")


def missing_object(kind: str, name: str) -> ProgrammingError:
    """An object is absent; Snowflake does not say whether it is hidden."""
    return error(2003, "42S02", f"{COMPILATION}{kind.capitalize()} '{name}' does not exist or not authorized.")


def missing_table(name: str) -> ProgrammingError:
    """The table that COPY INTO or TRUNCATE names is absent; the connector looks at the end of this text."""
    return error(2003, "42S02", f"{COMPILATION}Table '{name}' does not exist")


def missing_context(name: str) -> ProgrammingError:
    """A USE statement, or a session's start, names an object that is absent."""
    return error(
        2043, "02000", f"{COMPILATION}Object does not exist, or operation cannot be performed. (object '{name}')"
    )


def already_exists(name: str) -> ProgrammingError:
    """An object of this name exists."""
    return error(2002, "42710", f"{COMPILATION}Object '{name}' already exists.")


def invalid_identifier(name: str) -> ProgrammingError:
    """No column has this name."""
    return error(904, "42000", f"{COMPILATION}error line 1 at position 0\ninvalid identifier '{name}'")


def missing_variable(name: str) -> ProgrammingError:
    """The session has no variable of this name."""
    return error(2211, "02000", f"{COMPILATION}Session variable '${name}' does not exist")


def ambiguous_column(name: str) -> ProgrammingError:
    """More than one column has this name."""
    return error(2028, "42601", f"{COMPILATION}ambiguous column name '{name}'")


def unknown_function(name: str) -> ProgrammingError:
    """The function is unknown to the sandbox; Snowflake may well have it."""
    return error(2140, "42601", f"{COMPILATION}Unknown function {name}")


def unknown_user_function(name: str, *, table: bool = False) -> ProgrammingError:
    """A name with its schema, or that of a table function, is nobody's."""
    return error(2141, "42601", f"{COMPILATION}Unknown {'table' if table else 'user-defined'} function {name}")


def invalid_argument(message: str) -> ProgrammingError:
    """A function or statement got an argument that it cannot take."""
    return error(1015, "42000", f"{COMPILATION}{message}")


def type_mismatch(message: str) -> ProgrammingError:
    """Types that do not go together."""
    return error(2016, "22000", f"{COMPILATION}{message}")


def missing_file(name: str) -> ProgrammingError:
    """A local file or stage file is absent."""
    return error(253006, "22000", f"File doesn't exist: {name}")


def null_in_not_null(column: str) -> ProgrammingError:
    """A NOT NULL column was to be given a NULL."""
    return error(100072, "22000", f"NULL result in a non-nullable column '{column}'")


def cancelled_error() -> ProgrammingError:
    """The query was cancelled."""
    return error(604, "57014", "SQL execution canceled")


def timed_out(seconds: int) -> ProgrammingError:
    """The statement took longer than STATEMENT_TIMEOUT_IN_SECONDS."""
    return error(
        630, "57014", f"Statement reached its statement or warehouse timeout of {seconds} second(s) and was canceled."
    )


def lost_transaction(reason: str) -> ProgrammingError:
    """A statement failed, and what came before it in the transaction cannot be brought back."""
    return error(
        1, "25000", f"A statement of the open transaction failed and the sandbox had to roll back all of it: {reason}"
    )


def lost_engine(reason: str) -> OperationalError:
    """The process that has the sandbox open cannot be reached any more."""
    from snowflake.connector.errors import OperationalError

    return OperationalError(
        msg=f"The sandbox went away: {reason}", errno=250001, sqlstate="08006", send_telemetry=False
    )


def empty_statement() -> ProgrammingError:
    """There is no statement in the text."""
    return error(900, "42000", f"{COMPILATION}Empty SQL statement.")


def missing_session_context() -> ProgrammingError:
    """A name is partial and the session has no current database or schema."""
    return error(
        90105,
        "22000",
        "Cannot perform operation. This session does not have a current database. Call 'USE DATABASE', "
        "or use a qualified name.",
    )


def not_a_table(name: str) -> ProgrammingError:
    """The statement needs a table and got a view."""
    return error(2203, "42601", f"{COMPILATION}Object found is of type 'VIEW', not specified type 'TABLE': '{name}'")


def recursive_view(name: str) -> ProgrammingError:
    """Views that read each other."""
    return error(2037, "42601", f"{COMPILATION}View definition for '{name}' is recursive or nested too deeply.")


def invalid_parameter(name: str) -> ProgrammingError:
    """No session parameter has this name, or it cannot have this value."""
    return error(1006, "22023", f"{COMPILATION}invalid parameter '{name}'")


def closed_connection() -> ProgrammingError:
    """The session has ended."""
    return error(250002, "08003", "Connection is closed")


def unknown_query(query_id: str) -> ProgrammingError:
    """A result was asked for that is not kept (any more)."""
    return error(709, "02000", f"Statement {query_id} not found")


def duplicate_column(name: str) -> ProgrammingError:
    """A table or view would have two columns of one name."""
    return error(2025, "42S21", f"{COMPILATION}duplicate column name '{name}'")


def wrong_kind(name: str, wanted: str) -> ProgrammingError:
    """The object has this name but is of another kind."""
    other = "TABLE" if wanted == "VIEW" else "VIEW"
    return error(
        2203, "42601", f"{COMPILATION}Object found is of type '{other}', not specified type '{wanted}': '{name}'"
    )


def column_count(expected: int, found: int) -> ProgrammingError:
    """An INSERT has more or fewer values than columns."""
    return error(
        1011, "21S01", f"{COMPILATION}Insert value list does not match column list expecting {expected} but got {found}"
    )


def nondeterministic_merge() -> ProgrammingError:
    """Several rows of a MERGE's source want to change one row of its target."""
    return error(100090, "42P18", "Duplicate row detected during DML action")


def locked(timeout_s: float) -> ProgrammingError:
    """Another session's open transaction keeps this statement waiting for too long."""
    return error(
        625,
        "57014",
        f"Statement waited {timeout_s:g} s for a transaction of another session and was aborted (LOCK_TIMEOUT).",
    )


def number_out_of_range(column: str, detail: str) -> ProgrammingError:
    """A number does not fit what the sandbox keeps it in."""
    return error(100039, "22003", f"Numeric value out of range in the sandbox, column '{column}': {detail}")


_RUNTIME: Final = {
    100051: ("22012", "Division by zero"),
    100038: ("22018", "Numeric value '{0}' is not recognized"),
    100037: ("22018", "Boolean value '{0}' is not recognized"),
    100040: ("22007", "Date '{0}' is not recognized"),
    100035: ("22007", "Timestamp '{0}' is not recognized"),
    100108: ("22007", "Time '{0}' is not recognized"),
    100078: ("22000", "String '{0}' is too long and would be truncated"),
    100069: ("22P02", "Error parsing JSON: {0}"),
    100071: ("22000", "Failed to cast variant value {0} to {1}"),
    100090: ("42P18", "Single-row subquery returns more than one row."),
    100132: ("P0000", "Invalid floating point operation: sqrt({0})"),
    100183: ("22023", "FLATTEN with RECURSIVE of data nested deeper than the sandbox follows"),
}

# What only DuckDB's binder finds out, in Snowflake's words: pattern, number, SQL state, text.
_COMPILATION_PATTERNS: Final = (
    (r"GROUP BY clause cannot contain aggregates", 979, "42601", "An aggregate is not a valid group by expression"),
    (r"WHERE clause cannot contain aggregates", 1007, "42601", "Invalid aggregate function in where clause"),
    (
        r"(?:WHERE|HAVING|GROUP BY) clause cannot contain window functions|window functions are not allowed in",
        2054,
        "42601",
        "Window function may not appear outside of SELECT, QUALIFY, and ORDER BY clauses.",
    ),
    (
        r"GROUPING (?:statement cannot be used without groups|function is not supported here)",
        2080,
        "42601",
        "GROUPING function without a GROUP BY",
    ),
    (
        r"column \"(.*?)\" must appear in the GROUP BY clause",
        979,
        "42601",
        "[{0}] is not a valid group by expression",
    ),
    (r"Argument for ntile must be greater than zero", 2330, "42601", "NTILE argument must be at least 1"),
    (
        r"(no argument for repetition operator.*|missing [\])].*|invalid (?:escape sequence|character class).*)",
        100048,
        "2201B",
        "Invalid regular expression: {0}",
    ),
    (r"CUBE or ROLLUP column list cannot be empty", 1003, "42000", "syntax error unexpected ')'."),
    (r"aggregate function calls cannot be nested", 2078, "42601", "Aggregate functions cannot be nested"),
)

_DUCKDB_PATTERNS: Final = (
    (r"Could not convert string '(.*?)' to (?:U?INT|BIGINT|DOUBLE|DECIMAL|HUGEINT|INTEGER|FLOAT)", 100038),
    (r"Could not convert string \"(.*?)\" to DECIMAL", 100038),
    (r"Could not convert string '(.*?)' to BOOL", 100037),
    (r"invalid timestamp field format: \"(.*?)\"", 100035),
    (r"Could not parse string \"(.*?)\" according to format specifier", 100035),
    (r"invalid date field format: \"(.*?)\"", 100040),
    (r"invalid time field format: \"(.*?)\"", 100108),
    (r"date field value out of range: \"(.*?)\"", 100040),
    (r"Malformed JSON[^\n]*?(?:Input: \"(.*))", 100069),
    (r"More than one row returned by a subquery()", 100090),
)


def runtime_error_call(errno: int, *arguments: str) -> str:
    """Write a DuckDB ``error()`` call that :func:`from_duckdb` turns into this Snowflake error.

    Each argument is DuckDB SQL for a text that goes into the message.
    """
    parts = "".join(f" || '#' || coalesce(CAST({argument} AS VARCHAR), 'NULL')" for argument in arguments)
    return f"error('{RUNTIME_MARK}{errno}'{parts})"


def carried(failure: ProgrammingError) -> RuntimeError:
    """Wrap an error that a Python function called by DuckDB wants to raise: DuckDB keeps nothing of it but its text."""
    return RuntimeError(CARRIED_MARK + json.dumps([failure.errno, failure.sqlstate, failure.raw_msg]))


def from_duckdb(failure: duckdb.Error) -> ProgrammingError:
    """Turn an error of DuckDB's into the nearest of Snowflake's."""
    import duckdb

    message = str(failure)
    if CARRIED_MARK in message:
        (errno, sqlstate, text), _ = json.JSONDecoder().raw_decode(message.split(CARRIED_MARK, 1)[1])
        return error(errno, sqlstate, text)
    if RUNTIME_MARK in message:
        number_text, *arguments = message.split(RUNTIME_MARK, 1)[1].split("\n")[0].split("#")
        sqlstate, template = _RUNTIME[int(number_text)]
        return error(int(number_text), sqlstate, template.format(*arguments, "", ""))
    if isinstance(failure, duckdb.InterruptException):
        return cancelled_error()
    for pattern, errno in _DUCKDB_PATTERNS:
        if found := re.search(pattern, message):
            sqlstate, template = _RUNTIME[errno]
            return error(errno, sqlstate, template.format(found[1], ""))
    for pattern, errno, sqlstate, template in _COMPILATION_PATTERNS:
        if found := re.search(pattern, message):
            return error(errno, sqlstate, COMPILATION + template.format(*found.groups()))
    if found := re.search(r"NOT NULL constraint failed: .*?\.([^.\s]+)$", message, re.MULTILINE):
        return null_in_not_null(found[1])
    if isinstance(failure, duckdb.OutOfRangeException) or "out of range" in message:
        return error(100039, "22003", f"Numeric value out of range in the sandbox: {message}")
    return error(1, "XX000", f"The sandbox's database engine refused the translated statement: {message}")
