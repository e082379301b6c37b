"""SHOW PARAMETERS, VARIABLES, USERS, TRANSACTIONS, and the names of things that the sandbox has none of."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox import parameters
from firnline_sandbox.errors import unsupported
from firnline_sandbox.statements.listing import answer, matches, read_like
from firnline_sandbox.statements.registry import statement
from firnline_sandbox.statements.showing import read_show
from firnline_sandbox.types import INTEGER, TEXT, TIMESTAMP_LTZ

if TYPE_CHECKING:
    from firnline_sandbox.context import Context
    from firnline_sandbox.result import Result
    from firnline_sandbox.statements.listing import Columns
    from firnline_sandbox.statements.scanner import Scanner

PARAMETER_COLUMNS: Final[Columns] = dict.fromkeys(("key", "value", "default", "level", "description", "type"), TEXT)
VARIABLE_COLUMNS: Final[Columns] = {
    "session_id": TEXT,
    "created_on": TIMESTAMP_LTZ,
    "updated_on": TIMESTAMP_LTZ,
    "name": TEXT,
    "value": TEXT,
    "type": TEXT,
    "comment": TEXT,
}
TRANSACTION_COLUMNS: Final[Columns] = {
    "id": INTEGER,
    "user": TEXT,
    "session": INTEGER,
    "name": TEXT,
    "started_on": TIMESTAMP_LTZ,
    "state": TEXT,
    "scope": INTEGER,
}
USER_COLUMNS: Final[Columns] = {"name": TEXT, "created_on": TIMESTAMP_LTZ} | dict.fromkeys(
    (
        "login_name", "display_name", "first_name", "last_name", "email", "mins_to_unlock", "days_to_expiry",
        "comment", "disabled", "must_change_password", "snowflake_lock", "default_warehouse", "default_namespace",
        "default_role", "default_secondary_roles", "ext_authn_duo", "ext_authn_uid", "mins_to_bypass_mfa", "owner",
        "last_success_login", "expires_at_time", "locked_until_time", "has_password", "has_rsa_public_key", "type",
        "has_mfa",
    ),
    TEXT,
)  # fmt: skip
_WITHOUT_VALUES: Final = ("ACCOUNT", "USER")


@statement("SHOW PARAMETERS", writes=False)
def show_parameters(context: Context, sql: str) -> Result:
    """List the session's parameters; those of a warehouse come from the warehouse."""
    scanner = context.scanner(sql)
    scanner.expect("SHOW", "PARAMETERS")
    pattern = read_like(scanner)
    level = _read_level(scanner)
    pattern = pattern if pattern is not None else read_like(scanner)
    scanner.expect_end()
    changed = context.connection.set_parameters() if level == "SESSION" else {}
    rows = [
        _parameter_row(name, changed.get(name, default), default, level=level if name in changed else "")
        for name, default in (
            parameters.DEFAULTS | {name: "" for name in changed if name not in parameters.DEFAULTS}
        ).items()
        if matches(pattern, name)
    ]
    return answer(PARAMETER_COLUMNS, rows)


def _read_level(scanner: Scanner) -> str:
    if not scanner.take_any("IN", "FOR"):
        return "SESSION"
    level = scanner.take_any("SESSION", *_WITHOUT_VALUES)
    if level is None:
        raise unsupported(f"SHOW PARAMETERS IN {scanner.here.text}")
    if level == "USER" and scanner.here.kind in {"word", "quoted"} and not scanner.sees("LIKE"):
        scanner.identifier()
    return level


def _parameter_row(name: str, value: Any, default: Any, *, level: str) -> dict[str, Any]:
    kind = {bool: "BOOLEAN", int: "NUMBER"}.get(type(default), "STRING")
    return {
        "key": name,
        "value": _shown(value),
        "default": _shown(default),
        "level": level,
        "description": "",
        "type": kind,
    }


def _shown(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex().upper()
    return str(value).lower() if isinstance(value, bool) else str(value)


@statement("SHOW VARIABLES", writes=False)
def show_variables(context: Context, sql: str) -> Result:
    """List the session's variables."""
    scanner = context.scanner(sql)
    scanner.expect("SHOW", "VARIABLES")
    pattern = read_like(scanner)
    scanner.expect_end()
    rows = [
        {
            "session_id": str(context.session_id),
            "created_on": None,
            "updated_on": None,
            "name": name,
            "value": None if value is None else _shown(value),
            "type": _variable_type(value),
            "comment": "",
        }
        for name, value in sorted(context.connection.variables.items())
        if matches(pattern, name)
    ]
    return answer(VARIABLE_COLUMNS, rows)


def _variable_type(value: Any) -> str:
    match value:
        case bool():
            return "boolean"
        case int() | Decimal():
            return "fixed"
        case float():
            return "real"
        case bytes():
            return "binary"
        case dt.datetime():
            return "timestamp_ntz" if value.tzinfo is None else "timestamp_ltz"
        case dt.date():
            return "date"
        case dt.time():
            return "time"
        case _:
            return "text"


@statement("SHOW TRANSACTIONS", writes=False)
def show_transactions(context: Context, sql: str) -> Result:
    """Show the session's open transaction."""
    scanner = context.scanner(sql)
    scanner.expect("SHOW", "TRANSACTIONS")
    if scanner.take("IN"):
        raise unsupported(f"SHOW TRANSACTIONS IN {scanner.here.text}")
    scanner.expect_end()
    connection = context.connection
    rows = []
    if connection.transaction is not None:
        rows.append(
            {
                "id": connection.session_id,
                "user": connection.user,
                "session": connection.session_id,
                "name": "",
                "started_on": None,
                "state": "running",
                "scope": 0,
            }
        )
    return answer(TRANSACTION_COLUMNS, rows)


@statement("SHOW USERS", "SHOW TERSE USERS", writes=False)
def show_users(context: Context, sql: str) -> Result:
    """Show the session's user: the sandbox keeps no others."""
    show = read_show(context, context.scanner(sql), "USERS", scope="ACCOUNT")
    connection = context.connection
    database = context.catalog.database(context.connection.database or "")
    row = dict.fromkeys(USER_COLUMNS) | {
        "name": connection.user,
        "created_on": None if database is None else database.created,
        "login_name": connection.user,
        "display_name": connection.user,
        "disabled": "false",
        "must_change_password": "false",
        "snowflake_lock": "false",
        "default_role": connection.role,
        "owner": connection.role,
        "has_password": "false",
        "has_rsa_public_key": "false",
        "type": "PERSON",
        "has_mfa": "false",
    }
    return show.answer(USER_COLUMNS, [row])
