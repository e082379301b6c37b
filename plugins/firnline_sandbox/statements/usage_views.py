"""The history of queries and of credits: views of ACCOUNT_USAGE, and table functions of INFORMATION_SCHEMA."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox.errors import invalid_argument
from firnline_sandbox.statements.information_schema import ACCOUNT_USAGE, information_view
from firnline_sandbox.statements.registry import table_function
from firnline_sandbox.statements.rows_relation import rows_relation
from firnline_sandbox.types import FLOAT, INTEGER, TEXT, TIMESTAMP_LTZ, number
from firnline_sandbox.warehouses.attribution import attributed, hourly

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from firnline_sandbox.context import Context
    from firnline_sandbox.history import QueryRecord
    from firnline_sandbox.statements.listing import Columns
    from firnline_sandbox.translate.surroundings import Relation

_CREDITS: Final = number(38, 9)
_MEASURES: Final = (
    "TOTAL_ELAPSED_TIME", "BYTES_SCANNED", "ROWS_PRODUCED", "COMPILATION_TIME", "EXECUTION_TIME",
    "QUEUED_PROVISIONING_TIME", "QUEUED_REPAIR_TIME", "QUEUED_OVERLOAD_TIME", "TRANSACTION_BLOCKED_TIME",
)  # fmt: skip
_INTEGERS: Final = frozenset({"SESSION_ID", "CLUSTER_NUMBER"})
HISTORY_COLUMNS: Final[Columns] = (
    {
        name: INTEGER if name in _INTEGERS else TEXT
        for name in (
            "QUERY_ID", "QUERY_TEXT", "DATABASE_NAME", "SCHEMA_NAME", "QUERY_TYPE", "SESSION_ID", "USER_NAME",
            "ROLE_NAME", "WAREHOUSE_ID", "WAREHOUSE_NAME", "WAREHOUSE_SIZE", "WAREHOUSE_TYPE", "CLUSTER_NUMBER",
            "QUERY_TAG", "EXECUTION_STATUS", "ERROR_CODE", "ERROR_MESSAGE",
        )
    }
    | {"START_TIME": TIMESTAMP_LTZ, "END_TIME": TIMESTAMP_LTZ}
    | dict.fromkeys(_MEASURES, INTEGER)
    | {"CREDITS_USED_CLOUD_SERVICES": FLOAT}
)  # fmt: skip
METERING_COLUMNS: Final[Columns] = {
    "START_TIME": TIMESTAMP_LTZ,
    "END_TIME": TIMESTAMP_LTZ,
    "WAREHOUSE_ID": TEXT,
    "WAREHOUSE_NAME": TEXT,
    "CREDITS_USED": _CREDITS,
    "CREDITS_USED_COMPUTE": _CREDITS,
    "CREDITS_USED_CLOUD_SERVICES": _CREDITS,
}
ATTRIBUTION_COLUMNS: Final[Columns] = {
    "QUERY_ID": TEXT,
    "PARENT_QUERY_ID": TEXT,
    "ROOT_QUERY_ID": TEXT,
    "WAREHOUSE_ID": TEXT,
    "WAREHOUSE_NAME": TEXT,
    "QUERY_HASH": TEXT,
    "QUERY_PARAMETERIZED_HASH": TEXT,
    "QUERY_TAG": TEXT,
    "USER_NAME": TEXT,
    "START_TIME": TIMESTAMP_LTZ,
    "END_TIME": TIMESTAMP_LTZ,
    "CREDITS_ATTRIBUTED_COMPUTE": _CREDITS,
    "CREDITS_USED_QUERY_ACCELERATION": _CREDITS,
}
_USAGE_STATUS: Final = {"SUCCESS": "success", "FAILED_WITH_ERROR": "fail"}
_DEFAULT_ROWS: Final = 100
_MOST_ROWS: Final = 10_000


# -- queries


def history_row(record: QueryRecord, now: dt.datetime) -> dict[str, Any]:
    """Describe a statement as QUERY_HISTORY does."""
    elapsed = int(((record.ended or now) - record.started).total_seconds() * 1000)
    nothing = ("QUEUED_PROVISIONING_TIME", "QUEUED_REPAIR_TIME", "QUEUED_OVERLOAD_TIME", "TRANSACTION_BLOCKED_TIME")
    return dict.fromkeys(nothing, 0) | {
        "QUERY_ID": record.query_id,
        "QUERY_TEXT": record.text,
        "DATABASE_NAME": record.database or None,
        "SCHEMA_NAME": record.schema or None,
        "QUERY_TYPE": record.kind,
        "SESSION_ID": record.session_id,
        "USER_NAME": record.user,
        "ROLE_NAME": record.role or None,
        "WAREHOUSE_ID": record.warehouse_id,
        "WAREHOUSE_NAME": record.warehouse or None,
        "WAREHOUSE_SIZE": record.warehouse_size,
        "WAREHOUSE_TYPE": "STANDARD" if record.warehouse_size else None,
        "CLUSTER_NUMBER": 1 if record.warehouse_size else None,
        "QUERY_TAG": record.query_tag,
        "EXECUTION_STATUS": record.status,
        "ERROR_CODE": None if record.error_code is None else str(record.error_code),
        "ERROR_MESSAGE": record.error_message,
        "START_TIME": record.started,
        "END_TIME": record.ended,
        "TOTAL_ELAPSED_TIME": elapsed,
        "ROWS_PRODUCED": record.rows,
        "COMPILATION_TIME": 0,
        "EXECUTION_TIME": elapsed,
        "CREDITS_USED_CLOUD_SERVICES": 0.0,
    }


def account_records(context: Context) -> list[QueryRecord]:
    """List what was run: what computed on a warehouse since the sandbox was made, and all of this process."""
    engine = context.engine
    records = [*engine.query_log.records(), *engine.history.records()]
    return list({record.query_id: record for record in records}.values())


@information_view("QUERY_HISTORY", HISTORY_COLUMNS, schema=ACCOUNT_USAGE)
def all_queries(context: Context, _database: str) -> list[dict[str, Any]]:
    """List the statements that have ended, as far back as the sandbox remembers."""
    now = context.engine.clock.now()
    rows = [history_row(record, now) for record in account_records(context) if record.ended is not None]
    for row in rows:
        row["EXECUTION_STATUS"] = _USAGE_STATUS[row["EXECUTION_STATUS"]]
    return rows


_RANGE: Final = ("END_TIME_RANGE_START", "END_TIME_RANGE_END", "RESULT_LIMIT", "INCLUDE_CLIENT_GENERATED_STATEMENT")


def _history(context: Context, given: Mapping[str, Any], keeps: Callable[[QueryRecord], bool]) -> Relation:
    """List statements, the latest first, that ended in a span of time, or have not ended yet."""
    now = context.engine.clock.now()
    since, until = as_time(given.get("END_TIME_RANGE_START")), as_time(given.get("END_TIME_RANGE_END"))
    limit = row_limit(given.get("RESULT_LIMIT"))
    found = []
    for record in reversed(context.engine.history.records()):
        end = record.ended or now
        if keeps(record) and (since is None or end >= since) and (until is None or end <= until):
            found.append(history_row(record, now))
        if len(found) == limit:
            break
    return rows_relation(context, HISTORY_COLUMNS, found)


def row_limit(value: Any) -> int:
    """Read RESULT_LIMIT.

    Raises:
        ProgrammingError: 1015, it is out of range.
    """
    limit = _DEFAULT_ROWS if value is None else int(value)
    if not 1 <= limit <= _MOST_ROWS:
        raise invalid_argument(f"RESULT_LIMIT must be from 1 to {_MOST_ROWS}, not {limit}")
    return limit


def as_time(value: Any) -> dt.datetime | None:
    """Read the end of a span of time.

    Raises:
        ProgrammingError: 1015, it is no time.
    """
    match value:
        case None:
            return None
        case dt.datetime():
            return value if value.tzinfo is not None else value.replace(tzinfo=dt.UTC)
        case dt.date():
            return dt.datetime(value.year, value.month, value.day, tzinfo=dt.UTC)
        case _:
            try:
                return as_time(dt.datetime.fromisoformat(str(value)))
            except ValueError as failure:
                raise invalid_argument(f"Timestamp '{value}' is not recognized") from failure


def by_name(function: str, names: Sequence[str], arguments: Sequence[Any], named: Mapping[str, Any]) -> dict[str, Any]:
    """Give arguments by their names, those without a name in order."""
    if unknown := sorted(named.keys() - set(names)):
        raise invalid_argument(f"function {function} has no argument {unknown[0]}")
    if len(arguments) > len(names):
        raise invalid_argument(f"too many arguments for function {function}")
    return dict(zip(names, arguments, strict=False)) | dict(named)


@table_function("QUERY_HISTORY")
def query_history(context: Context, arguments: Sequence[Any], named: Mapping[str, Any]) -> Relation:
    """List the account's statements."""
    return _history(context, by_name("QUERY_HISTORY", _RANGE, arguments, named), lambda _: True)


@table_function("QUERY_HISTORY_BY_SESSION")
def query_history_by_session(context: Context, arguments: Sequence[Any], named: Mapping[str, Any]) -> Relation:
    """List a session's statements."""
    given = by_name("QUERY_HISTORY_BY_SESSION", ("SESSION_ID", *_RANGE), arguments, named)
    session = int(given.get("SESSION_ID") or context.session_id)
    return _history(context, given, lambda record: record.session_id == session)


@table_function("QUERY_HISTORY_BY_USER")
def query_history_by_user(context: Context, arguments: Sequence[Any], named: Mapping[str, Any]) -> Relation:
    """List a user's statements."""
    given = by_name("QUERY_HISTORY_BY_USER", ("USER_NAME", *_RANGE), arguments, named)
    user = str(given.get("USER_NAME") or context.connection.user).upper()
    return _history(context, given, lambda record: record.user == user)


@table_function("QUERY_HISTORY_BY_WAREHOUSE")
def query_history_by_warehouse(context: Context, arguments: Sequence[Any], named: Mapping[str, Any]) -> Relation:
    """List the statements that were given to a warehouse."""
    given = by_name("QUERY_HISTORY_BY_WAREHOUSE", ("WAREHOUSE_NAME", *_RANGE), arguments, named)
    warehouse = str(given.get("WAREHOUSE_NAME") or context.connection.warehouse or "").upper()
    return _history(context, given, lambda record: record.warehouse == warehouse)


# -- credits


def metering_rows(context: Context) -> list[dict[str, Any]]:
    """List what each warehouse used in each hour."""
    ledger = context.engine.part("warehouses").ledger
    return [
        {
            "START_TIME": hour,
            "END_TIME": hour + dt.timedelta(hours=1),
            "WAREHOUSE_ID": warehouse,
            "WAREHOUSE_NAME": name,
            "CREDITS_USED": used,
            "CREDITS_USED_COMPUTE": used,
            "CREDITS_USED_CLOUD_SERVICES": 0,
        }
        for (hour, warehouse, name), used in hourly(ledger.charges(), context.engine.clock.now())
    ]


def _with_queries(context: Context, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add what the queries of each hour themselves took."""
    now, records = context.engine.clock.now(), account_records(context)
    earliest = min((record.started for record in records), default=now)
    of_hours: dict[dt.datetime, list[tuple[QueryRecord, float]]] = {
        row["START_TIME"]: attributed(records, now, row["START_TIME"], row["END_TIME"])
        for row in rows
        if row["END_TIME"] > earliest
    }
    return [
        row
        | {
            "CREDITS_ATTRIBUTED_COMPUTE_QUERIES": sum(
                used
                for record, used in of_hours.get(row["START_TIME"], [])
                if record.warehouse_id == row["WAREHOUSE_ID"]
            )
        }
        for row in rows
    ]


@information_view(
    "WAREHOUSE_METERING_HISTORY",
    METERING_COLUMNS | {"CREDITS_ATTRIBUTED_COMPUTE_QUERIES": _CREDITS},
    schema=ACCOUNT_USAGE,
)
def warehouse_metering(context: Context, _database: str) -> list[dict[str, Any]]:
    """List what each warehouse used in each hour, and how much of it by queries."""
    return [_decimal(row) for row in _with_queries(context, metering_rows(context))]


@table_function("WAREHOUSE_METERING_HISTORY")
def warehouse_metering_history(context: Context, arguments: Sequence[Any], named: Mapping[str, Any]) -> Relation:
    """List what warehouses used in each hour of a span of time."""
    names = ("DATE_RANGE_START", "DATE_RANGE_END", "WAREHOUSE_NAME")
    given = by_name("WAREHOUSE_METERING_HISTORY", names, arguments, named)
    since, until = as_time(given.get("DATE_RANGE_START")), as_time(given.get("DATE_RANGE_END"))
    wanted = given.get("WAREHOUSE_NAME")
    rows = [
        _decimal(row)
        for row in metering_rows(context)
        if (since is None or row["END_TIME"] > since)
        and (until is None or row["START_TIME"] < until)
        and (wanted is None or row["WAREHOUSE_NAME"] == str(wanted).upper())
    ]
    return rows_relation(context, METERING_COLUMNS, rows)


def attribution_rows(context: Context) -> list[dict[str, Any]]:
    """List what each statement took of its warehouse while it ran."""
    return [
        {
            "QUERY_ID": record.query_id,
            "WAREHOUSE_ID": record.warehouse_id,
            "WAREHOUSE_NAME": record.warehouse,
            "QUERY_TAG": record.query_tag,
            "USER_NAME": record.user,
            "START_TIME": record.started,
            "END_TIME": record.ended,
            "CREDITS_ATTRIBUTED_COMPUTE": used,
        }
        for record, used in attributed(account_records(context), context.engine.clock.now())
        if record.ended is not None
    ]


@information_view("QUERY_ATTRIBUTION_HISTORY", ATTRIBUTION_COLUMNS, schema=ACCOUNT_USAGE)
def query_attribution(context: Context, _database: str) -> list[dict[str, Any]]:
    """List what each statement took of its warehouse; unlike Snowflake's, very short ones are listed too."""
    return [_decimal(row) for row in attribution_rows(context)]


def _decimal(row: dict[str, Any]) -> dict[str, Any]:
    import decimal

    place = decimal.Decimal(1).scaleb(-9)
    return {
        name: decimal.Decimal(value).quantize(place) if name.startswith("CREDITS") and value is not None else value
        for name, value in row.items()
    }
