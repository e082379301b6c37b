"""The errors that the sandbox raises: each is the connector's ProgrammingError with Snowflake's number and text.

SnowflakeError (private carrier, turned into snowflake.connector.errors.ProgrammingError at the cursor)
  made by: syntax_error 1003 · missing_object 2003 · already_exists 2002 · invalid_identifier 904 ·
           ambiguous_column 2028 · unknown_function 2140 · bad_number 100038 · bad_boolean 100037 · bad_date 100040 ·
           bad_timestamp 100035 · bad_cast 100069 · division_by_zero 100051 · null_in_not_null 100072 ·
           text_too_long 100078 · number_out_of_range 100039 · missing_file 253006 · cancelled 604 · locked 625 ·
           unsupported 2

The functions build the error; the caller raises it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from snowflake.connector.errors import ProgrammingError

if TYPE_CHECKING:
    import duckdb

COMPILATION: Final = "SQL compilation error:\n"
RUNTIME_MARK: Final = "firnline#"  # starts the message of error() calls that translated SQL makes


def error(errno: int, sqlstate: str, message: str) -> ProgrammingError:
    """Build an error with Snowflake's number, SQL state and text."""
    return ProgrammingError(msg=message, errno=errno, sqlstate=sqlstate)


def unsupported(feature: str) -> ProgrammingError:
    """Refuse, by name, a feature that Snowflake has and the sandbox lacks."""
    return error(2, "0A000", f"{COMPILATION}Unsupported feature '{feature}' in the sandbox.")


def syntax_error(message: str) -> ProgrammingError:
    """The text does not parse."""
    return error(1003, "42000", f"{COMPILATION}syntax error {message}")


def missing_object(kind: str, name: str) -> ProgrammingError:
    """An object is absent; Snowflake does not say whether it is hidden."""
    return error(2003, "42S02", f"{COMPILATION}{kind.capitalize()} '{name}' does not exist or not authorized.")


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


def ambiguous_column(name: str) -> ProgrammingError:
    """More than one column has this name."""
    return error(2028, "42601", f"{COMPILATION}ambiguous column name '{name}'")


def unknown_function(name: str) -> ProgrammingError:
    """The function is unknown to the sandbox; Snowflake may well have it."""
    return error(2140, "42601", f"{COMPILATION}Unknown function {name}")


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
}

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


def from_duckdb(failure: duckdb.Error) -> ProgrammingError:
    """Turn an error of DuckDB's into the nearest of Snowflake's."""
    import duckdb

    message = str(failure)
    if RUNTIME_MARK in message:
        number_text, *arguments = message.split(RUNTIME_MARK, 1)[1].split("\n")[0].split("#")
        sqlstate, template = _RUNTIME[int(number_text)]
        return error(int(number_text), sqlstate, template.format(*arguments, "", ""))
    if isinstance(failure, duckdb.InterruptException):
        return error(604, "57014", "SQL execution canceled")
    for pattern, errno in _DUCKDB_PATTERNS:
        if found := re.search(pattern, message):
            sqlstate, template = _RUNTIME[errno]
            return error(errno, sqlstate, template.format(found[1], ""))
    if found := re.search(r"NOT NULL constraint failed: .*?\.([^.\s]+)$", message, re.MULTILINE):
        return null_in_not_null(found[1])
    if isinstance(failure, duckdb.OutOfRangeException) or "out of range" in message:
        return error(100039, "22003", f"Numeric value out of range in the sandbox: {message}")
    return error(1, "XX000", f"The sandbox's database engine refused the translated statement: {message}")
