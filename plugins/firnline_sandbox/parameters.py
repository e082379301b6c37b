"""Session parameters: which ones there are, what they start as, and which the sandbox acts on."""

from __future__ import annotations

import zoneinfo
from typing import Any, Final

from firnline_sandbox.errors import error, invalid_parameter, unsupported

# Parameters that the sandbox acts on.
OBEYED: Final[dict[str, Any]] = {
    "AUTOCOMMIT": True,
    "ERROR_ON_NONDETERMINISTIC_UPDATE": False,
    "LOCK_TIMEOUT": 43_200,
    "QUERY_TAG": "",
    "STATEMENT_TIMEOUT_IN_SECONDS": 172_800,
    "TIMEZONE": "UTC",
}

# Parameters that change results in Snowflake; the sandbox knows their defaults only.
_FIXED: Final[dict[str, Any]] = {
    "BINARY_INPUT_FORMAT": "HEX",
    "BINARY_OUTPUT_FORMAT": "HEX",
    "DATE_INPUT_FORMAT": "AUTO",
    "DATE_OUTPUT_FORMAT": "YYYY-MM-DD",
    "ERROR_ON_NONDETERMINISTIC_MERGE": True,
    "QUOTED_IDENTIFIERS_IGNORE_CASE": False,
    "STRICT_JSON_OUTPUT": False,
    "TIMESTAMP_DAY_IS_ALWAYS_24H": False,
    "TIMESTAMP_INPUT_FORMAT": "AUTO",
    "TIMESTAMP_LTZ_OUTPUT_FORMAT": "",
    "TIMESTAMP_NTZ_OUTPUT_FORMAT": "YYYY-MM-DD HH24:MI:SS.FF3",
    "TIMESTAMP_OUTPUT_FORMAT": "YYYY-MM-DD HH24:MI:SS.FF3 TZHTZM",
    "TIMESTAMP_TYPE_MAPPING": "TIMESTAMP_NTZ",
    "TIMESTAMP_TZ_OUTPUT_FORMAT": "",
    "TIME_INPUT_FORMAT": "AUTO",
    "TIME_OUTPUT_FORMAT": "HH24:MI:SS",
    "TWO_DIGIT_CENTURY_START": 1970,
    "WEEK_OF_YEAR_POLICY": 0,
    "WEEK_START": 0,
}

# Parameters about caching, transport and clients: any value is right, for nothing depends on it here.
_INERT: Final[dict[str, Any]] = {
    "ABORT_DETACHED_QUERY": False,
    "CLIENT_MEMORY_LIMIT": 1536,
    "CLIENT_PREFETCH_THREADS": 4,
    "CLIENT_RESULT_CHUNK_SIZE": 160,
    "CLIENT_SESSION_KEEP_ALIVE": False,
    "JSON_INDENT": 2,
    "MULTI_STATEMENT_COUNT": 1,
    "ROWS_PER_RESULTSET": 0,
    "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS": 0,
    "USE_CACHED_RESULT": True,
}
_INERT_PREFIXES: Final = ("PYTHON_", "CLIENT_", "SNOWPARK_", "PYTHON_CONNECTOR_", "ENABLE_", "JDBC_", "ODBC_")

DEFAULTS: Final[dict[str, Any]] = dict(sorted({**OBEYED, **_FIXED, **_INERT}.items()))


def checked(name: str, value: Any) -> Any:
    """Give the value to keep for a parameter.

    Raises:
        ProgrammingError: 1006, there is no such parameter; 2, the sandbox lacks the value's effect.
    """
    if name in _FIXED:
        default = _FIXED[name]
        same = str(value).upper() == str(default).upper()
        if not same:
            raise unsupported(f"{name} = {value!r}")
        return default
    if name == "TIMEZONE":
        return _zone(str(value))
    if name in OBEYED:
        return _typed(name, value, OBEYED[name])
    if name in _INERT or name.startswith(_INERT_PREFIXES):
        return value
    raise invalid_parameter(name)


def _zone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as failure:
        raise error(1104, "22023", f"Invalid value '{name}' for parameter 'TIMEZONE'") from failure
    return "UTC" if name in {"Etc/UTC", "GMT"} else name


def _typed(name: str, value: Any, default: Any) -> Any:
    match default:
        case bool():
            if isinstance(value, bool):
                return value
            if str(value).upper() in {"TRUE", "FALSE"}:
                return str(value).upper() == "TRUE"
        case int():
            if str(value).isdigit():
                return int(value)
        case _:
            return str(value)
    raise invalid_parameter(f"{name} = {value!r}")
