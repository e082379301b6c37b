"""CREATE, ALTER, DROP and SHOW of resource monitors."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox.catalog import Warehouse, changed
from firnline_sandbox.catalog.snapshot import new_fields
from firnline_sandbox.errors import already_exists, invalid_argument, missing_object, unsupported
from firnline_sandbox.result import Result
from firnline_sandbox.statements.creation import read_creation
from firnline_sandbox.statements.registry import statement
from firnline_sandbox.statements.showing import read_show
from firnline_sandbox.types import TEXT, TIMESTAMP_LTZ
from firnline_sandbox.warehouses.monitors import (
    FREQUENCIES,
    NOTIFY,
    SUSPEND,
    SUSPEND_IMMEDIATE,
    ResourceMonitor,
)
from firnline_sandbox.warehouses.warehouse_statements import meter_of

if TYPE_CHECKING:
    from firnline_sandbox.context import Context
    from firnline_sandbox.statements.listing import Columns
    from firnline_sandbox.statements.scanner import Scanner

_TIMES: Final = frozenset({"start_time", "end_time", "created_on"})
MONITOR_COLUMNS: Final[Columns] = {
    name: TIMESTAMP_LTZ if name in _TIMES else TEXT
    for name in (
        "name", "credit_quota", "used_credits", "remaining_credits", "level", "frequency", "start_time", "end_time",
        "notify_at", "suspend_at", "suspend_immediately_at", "created_on", "owner", "comment", "notify_users",
    )
}  # fmt: skip


@statement("CREATE RESOURCE MONITOR")
def create_monitor(context: Context, sql: str) -> Result:
    """Create a resource monitor; it watches nothing until a warehouse or the account has it."""
    scanner = context.scanner(sql)
    creation = read_creation(scanner, "RESOURCE", "MONITOR")
    (name,) = creation.parts
    old = context.catalog.find(ResourceMonitor, ("", "", name))
    if old is not None and creation.if_not_exists:
        return Result.status(f"{name} already exists, statement succeeded.")
    if old is not None and not creation.replace:
        raise already_exists(name)
    scanner.take("WITH")
    options = _read_options(context, scanner)
    if old is not None:
        context.catalog.remove(old)
    now = context.engine.clock.now()
    fields = new_fields(name=name, owner=context.connection.role or "") | {"created": now, "altered": now}
    context.catalog.add(ResourceMonitor(**fields | options))
    _recheck(context)
    return Result.status(f"Resource monitor {name} successfully created.")


def _recheck(context: Context) -> None:
    context.transaction.after_commit(meter_of(context).check)


def _read_options(context: Context, scanner: Scanner) -> dict[str, Any]:
    options: dict[str, Any] = {}
    scanner.take("SET")
    while not scanner.at_end:
        if scanner.take("TRIGGERS"):
            options["triggers"] = _read_triggers(scanner)
            continue
        key = scanner.identifier()
        scanner.expect("=")
        match key:
            case "CREDIT_QUOTA":
                value = scanner.value()
                options["quota"] = None if value is None else float(value)
            case "FREQUENCY":
                options["frequency"] = _frequency(scanner)
            case "START_TIMESTAMP":
                options["start"] = _time(context, scanner)
            case "END_TIMESTAMP":
                options["end"] = _time(context, scanner)
            case "NOTIFY_USERS":
                options["notify_users"] = tuple(scanner.items(scanner.identifier))
            case _:
                raise unsupported(f"resource monitor option {key}")
        scanner.take(",")
    if bool(options.get("frequency")) != bool(options.get("start")):
        raise invalid_argument("FREQUENCY and START_TIMESTAMP of a resource monitor go together")
    return options


def _frequency(scanner: Scanner) -> str:
    value = str(scanner.value()).upper()
    if value not in FREQUENCIES:
        raise invalid_argument(f"invalid value '{value}' for property 'FREQUENCY'")
    return value


def _time(context: Context, scanner: Scanner) -> str:
    text = str(scanner.value())
    if text.upper() == "IMMEDIATELY":
        return context.engine.clock.now().isoformat()
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError as failure:
        raise invalid_argument(f"Timestamp '{text}' is not recognized") from failure
    return (found if found.tzinfo is not None else found.replace(tzinfo=dt.UTC)).isoformat()


def _read_triggers(scanner: Scanner) -> tuple[tuple[int, str], ...]:
    found = []
    while scanner.take("ON"):
        percent = scanner.integer()
        scanner.expect("PERCENT", "DO")
        action = scanner.take_any(SUSPEND_IMMEDIATE, SUSPEND, NOTIFY)
        if action is None:
            raise scanner.unexpected()
        found.append((percent, action))
    for action in (SUSPEND, SUSPEND_IMMEDIATE):
        if sum(each == action for _, each in found) > 1:
            raise invalid_argument(f"a resource monitor has one {action} trigger at most")
    return tuple(found)


def _find(context: Context, name: str) -> ResourceMonitor:
    found = context.catalog.find(ResourceMonitor, ("", "", name))
    if found is None:
        raise missing_object("resource monitor", name)
    return found


@statement("ALTER RESOURCE MONITOR")
def alter_monitor(context: Context, sql: str) -> Result:
    """Change a resource monitor's quota, period, users or triggers."""
    scanner = context.scanner(sql)
    scanner.expect("ALTER", "RESOURCE", "MONITOR")
    if_exists = scanner.take("IF", "EXISTS")
    name = scanner.name()[-1]
    if if_exists and context.catalog.find(ResourceMonitor, ("", "", name)) is None:
        return Result.status()
    monitor = _find(context, name)
    context.catalog.put(changed(monitor, **_read_options(context, scanner)))
    _recheck(context)
    return Result.status()


@statement("DROP RESOURCE MONITOR")
def drop_monitor(context: Context, sql: str) -> Result:
    """Drop a resource monitor; its warehouses may run again."""
    scanner = context.scanner(sql)
    scanner.expect("DROP", "RESOURCE", "MONITOR")
    if_exists = scanner.take("IF", "EXISTS")
    name = scanner.name()[-1]
    scanner.expect_end()
    if if_exists and context.catalog.find(ResourceMonitor, ("", "", name)) is None:
        return Result.status(f"Drop statement executed successfully ({name} already dropped).")
    context.catalog.remove(_find(context, name))
    for warehouse in context.catalog.entries(Warehouse):
        if warehouse.resource_monitor == name:
            context.catalog.put(changed(warehouse, resource_monitor=""))
    _recheck(context)
    return Result.status(f"{name} successfully dropped.")


@statement("ALTER ACCOUNT SET RESOURCE_MONITOR", "ALTER ACCOUNT UNSET RESOURCE_MONITOR")
def set_account_monitor(context: Context, sql: str) -> Result:
    """``ALTER ACCOUNT SET RESOURCE_MONITOR = m``, or UNSET: one monitor for all warehouses."""
    scanner = context.scanner(sql)
    scanner.expect("ALTER", "ACCOUNT")
    wanted = ""
    if scanner.take_any("SET", "UNSET") == "SET":
        scanner.expect("RESOURCE_MONITOR", "=")
        wanted = scanner.name()[-1]
        wanted = "" if wanted == "NULL" else _find(context, wanted).name
    else:
        scanner.expect("RESOURCE_MONITOR")
    scanner.expect_end()
    for monitor in context.catalog.entries(ResourceMonitor):
        if monitor.is_for_account != (monitor.name == wanted):
            context.catalog.put(changed(monitor, is_for_account=monitor.name == wanted))
    _recheck(context)
    return Result.status()


@statement("SHOW RESOURCE MONITORS", writes=False)
def show_monitors(context: Context, sql: str) -> Result:
    """List resource monitors with the credits that were used in the running period."""
    show = read_show(context, context.scanner(sql), "RESOURCE", "MONITORS", scope="ACCOUNT")
    rows = [_row(context, monitor) for monitor in context.catalog.entries(ResourceMonitor)]
    return show.answer(MONITOR_COLUMNS, rows)


def _row(context: Context, monitor: ResourceMonitor) -> dict[str, Any]:
    used = meter_of(context).watch.used(monitor)
    on_warehouse = any(warehouse.resource_monitor == monitor.name for warehouse in context.catalog.entries(Warehouse))

    def at(action: str) -> str | None:
        return ",".join(f"{percent}%" for _, percent, each in monitor.thresholds(action) if each == action) or None

    return {
        "name": monitor.name,
        "credit_quota": None if monitor.quota is None else f"{monitor.quota:.2f}",
        "used_credits": f"{used:.2f}",
        "remaining_credits": None if monitor.quota is None else f"{max(monitor.quota - used, 0):.2f}",
        "level": "ACCOUNT" if monitor.is_for_account else "WAREHOUSE" if on_warehouse else None,
        "frequency": monitor.frequency or "MONTHLY",
        "start_time": monitor.began,
        "end_time": monitor.ends,
        "notify_at": at(NOTIFY),
        "suspend_at": at(SUSPEND),
        "suspend_immediately_at": at(SUSPEND_IMMEDIATE),
        "created_on": monitor.created,
        "owner": monitor.owner,
        "comment": monitor.comment,
        "notify_users": ",".join(monitor.notify_users),
    }
