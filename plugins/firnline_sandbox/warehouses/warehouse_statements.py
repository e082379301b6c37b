"""CREATE, ALTER, DROP, SHOW and DESCRIBE of warehouses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from firnline_sandbox.catalog import Warehouse, changed
from firnline_sandbox.catalog.snapshot import new_fields
from firnline_sandbox.errors import already_exists, error, missing_object, unsupported
from firnline_sandbox.result import Result
from firnline_sandbox.statements.creation import read_creation, read_tags
from firnline_sandbox.statements.listing import answer
from firnline_sandbox.statements.registry import statement
from firnline_sandbox.statements.showing import read_show, yes_no
from firnline_sandbox.statements.tags import set_tags, unset_tags
from firnline_sandbox.types import INTEGER, TEXT, TIMESTAMP_LTZ
from firnline_sandbox.warehouses.monitors import ResourceMonitor
from firnline_sandbox.warehouses.rates import size_named

if TYPE_CHECKING:
    from firnline_sandbox.context import Context
    from firnline_sandbox.statements.listing import Columns
    from firnline_sandbox.statements.scanner import Scanner
    from firnline_sandbox.warehouses.meter import WarehouseMeter

_NUMBERS: Final = frozenset(
    {"min_cluster_count", "max_cluster_count", "started_clusters", "running", "queued", "auto_suspend"}
)
_TIMES: Final = frozenset({"created_on", "resumed_on", "updated_on"})
WAREHOUSE_COLUMNS: Final[Columns] = {
    name: INTEGER if name in _NUMBERS else TIMESTAMP_LTZ if name in _TIMES else TEXT
    for name in (
        "name", "state", "type", "size", "min_cluster_count", "max_cluster_count", "started_clusters", "running",
        "queued", "is_default", "is_current", "auto_suspend", "auto_resume", "available", "provisioning", "quiescing",
        "other", "created_on", "resumed_on", "updated_on", "owner", "comment", "enable_query_acceleration",
        "query_acceleration_max_scale_factor", "resource_monitor", "actives", "pendings", "failed", "suspended", "uuid",
        "scaling_policy", "budget", "owner_role_type", "resource_constraint",
    )
}  # fmt: skip
# Parameters that change nothing here: what a sandbox carries out never queues.
_WITHOUT_EFFECT: Final = frozenset({"MAX_CONCURRENCY_LEVEL", "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS"})
_UNSET: Final[dict[str, dict[str, Any]]] = {
    "AUTO_SUSPEND": {"auto_suspend": 600},
    "AUTO_RESUME": {"auto_resume": True},
    "COMMENT": {"comment": ""},
    "RESOURCE_MONITOR": {"resource_monitor": ""},
    "STATEMENT_TIMEOUT_IN_SECONDS": {"statement_timeout": 0},
    "MIN_CLUSTER_COUNT": {"min_cluster_count": 1},
    "MAX_CLUSTER_COUNT": {"max_cluster_count": 1},
    "SCALING_POLICY": {"scaling_policy": "STANDARD"},
}


def meter_of(context: Context) -> WarehouseMeter:
    """Give the engine's meter of warehouses."""
    return cast("WarehouseMeter", context.engine.part("warehouses"))


def find_warehouse(context: Context, name: str) -> Warehouse:
    """Find a warehouse.

    Raises:
        ProgrammingError: 2003, there is none.
    """
    found = context.catalog.find(Warehouse, ("", "", name))
    if found is None:
        raise missing_object("warehouse", name)
    return found


@statement("CREATE WAREHOUSE")
def create_warehouse(context: Context, sql: str) -> Result:
    """Create a warehouse, start it, and make it the current one."""
    scanner = context.scanner(sql)
    creation = read_creation(scanner, "WAREHOUSE")
    (name,) = creation.parts
    options, starts = read_warehouse_options(context, scanner)
    old = context.catalog.find(Warehouse, ("", "", name))
    meter = meter_of(context)
    if old is not None and creation.if_not_exists:
        return Result.status(f"{name} already exists, statement succeeded.")
    if old is not None:
        if not creation.replace:
            raise already_exists(name)
        replaced = old
        context.catalog.remove(replaced)
        context.transaction.after_commit(lambda: meter.forget(replaced))
    warehouse = Warehouse(**new_fields(name=name, owner=context.connection.role or "") | options)
    context.catalog.add(warehouse)
    if starts:
        context.transaction.after_commit(lambda: _start(meter, warehouse))
    context.connection.warehouse = name
    return Result.status(f"Warehouse {name} successfully created.")


def _start(meter: WarehouseMeter, warehouse: Warehouse) -> None:
    if meter.watch.spent(warehouse) is None:
        meter.resume(warehouse)


def read_warehouse_options(context: Context, scanner: Scanner) -> tuple[dict[str, Any], bool]:
    """Read the options of CREATE WAREHOUSE and ALTER WAREHOUSE SET, and whether it is to start."""
    options: dict[str, Any] = {}
    starts = True
    scanner.take("WITH")
    while not scanner.at_end:
        if scanner.take("TAG"):
            options["tags"] = read_tags(context, scanner)
            continue
        key = scanner.identifier()
        scanner.expect("=")
        value = scanner.value()
        if key == "INITIALLY_SUSPENDED":
            starts = value is not True
        else:
            options |= _option(context, key, value)
        scanner.take(",")
    return options, starts


def _option(context: Context, key: str, value: Any) -> dict[str, Any]:
    match key:
        case "WAREHOUSE_SIZE" if (size := size_named(str(value))) is not None:
            return {"size": size}
        case "AUTO_SUSPEND":
            return {"auto_suspend": int(value or 0)}
        case "AUTO_RESUME":
            return {"auto_resume": value is True}
        case "COMMENT":
            return {"comment": str(value)}
        case "MIN_CLUSTER_COUNT" | "MAX_CLUSTER_COUNT" if isinstance(value, int) and 1 <= value <= 10:
            return {key.lower(): value}
        case "SCALING_POLICY" if str(value).upper() in {"STANDARD", "ECONOMY"}:
            return {"scaling_policy": str(value).upper()}
        case "STATEMENT_TIMEOUT_IN_SECONDS":
            return {"statement_timeout": int(value)}
        case "RESOURCE_MONITOR":
            return {"resource_monitor": _monitor_name(context, value)}
        case "WAREHOUSE_TYPE" if str(value).upper() == "STANDARD":
            return {}
        case "ENABLE_QUERY_ACCELERATION" if value is False:
            return {}
        case _ if key in _WITHOUT_EFFECT:
            return {}
        case _:
            raise unsupported(f"warehouse option {key} = {value}")


def _monitor_name(context: Context, value: Any) -> str:
    name = "" if value is None else str(value).upper()
    if name and context.catalog.find(ResourceMonitor, ("", "", name)) is None:
        raise missing_object("resource monitor", name)
    return name


@statement("ALTER WAREHOUSE")
def alter_warehouse(context: Context, sql: str) -> Result:
    """SUSPEND, RESUME, ABORT ALL QUERIES, RENAME TO, SET and UNSET."""
    scanner = context.scanner(sql)
    scanner.expect("ALTER", "WAREHOUSE")
    if_exists = scanner.take("IF", "EXISTS")
    verbs = ("SUSPEND", "RESUME", "ABORT", "SET", "UNSET")
    unnamed = scanner.here.keyword in verbs and context.connection.warehouse is not None
    name = str(context.connection.warehouse) if unnamed else scanner.name()[-1]
    if if_exists and context.catalog.find(Warehouse, ("", "", name)) is None:
        return Result.status()
    warehouse = find_warehouse(context, name)
    match scanner.take_any(*verbs, "RENAME"):
        case "SUSPEND" | "RESUME" | "ABORT" as verb:
            _switch(context, scanner, warehouse, verb)
        case "RENAME":
            scanner.expect("TO")
            context.catalog.rename(warehouse, ("", "", scanner.identifier()))
        case "SET":
            _put(context, _set(context, scanner, warehouse))
        case "UNSET":
            _put(context, _unset(context, scanner, warehouse))
        case _:
            raise scanner.unexpected()
    scanner.expect_end()
    return Result.status()


def _switch(context: Context, scanner: Scanner, warehouse: Warehouse, verb: str) -> None:
    meter = meter_of(context)
    if verb == "ABORT":
        scanner.expect("ALL", "QUERIES")
        for query in list(getattr(meter.state(warehouse), "queries", {}).values()):
            query.cancel()
        context.engine.write_lock.wake()
    elif verb == "SUSPEND":
        if not meter.suspend(warehouse):
            raise error(90064, "22000", f"Invalid state. Warehouse '{warehouse.name}' cannot be suspended.")
    else:
        if_suspended = scanner.take("IF", "SUSPENDED")
        if not meter.resume(warehouse) and not if_suspended:
            raise error(90063, "22000", f"Invalid state. Warehouse '{warehouse.name}' cannot be resumed.")


def _put(context: Context, warehouse: Warehouse) -> None:
    meter = meter_of(context)
    context.catalog.put(warehouse)

    def apply() -> None:
        meter.resize(warehouse)
        meter.check()

    context.transaction.after_commit(apply)


def _set(context: Context, scanner: Scanner, warehouse: Warehouse) -> Warehouse:
    if scanner.take("TAG"):
        return set_tags(context, scanner, warehouse)
    scanner_options, _ = read_warehouse_options(context, scanner)
    return changed(warehouse, **scanner_options)


def _unset(context: Context, scanner: Scanner, warehouse: Warehouse) -> Warehouse:
    if scanner.take("TAG"):
        return unset_tags(context, scanner, warehouse)
    options: dict[str, Any] = {}
    while not scanner.at_end:
        key = scanner.identifier()
        if key not in _UNSET and key not in _WITHOUT_EFFECT:
            raise unsupported(f"ALTER WAREHOUSE UNSET {key}")
        options |= _UNSET.get(key, {})
        scanner.take(",")
    return changed(warehouse, **options)


@statement("DROP WAREHOUSE")
def drop_warehouse(context: Context, sql: str) -> Result:
    """Drop a warehouse; what it cost stays on the account."""
    scanner = context.scanner(sql)
    scanner.expect("DROP", "WAREHOUSE")
    if_exists = scanner.take("IF", "EXISTS")
    name = scanner.name()[-1]
    scanner.expect_end()
    warehouse = context.catalog.find(Warehouse, ("", "", name))
    if warehouse is None:
        if if_exists:
            return Result.status(f"Drop statement executed successfully ({name} already dropped).")
        raise missing_object("warehouse", name)
    dropped, meter = warehouse, meter_of(context)
    context.catalog.remove(dropped)
    context.transaction.after_commit(lambda: meter.forget(dropped))
    if context.connection.warehouse == name:
        context.connection.warehouse = None
    return Result.status(f"{name} successfully dropped.")


@statement("SHOW WAREHOUSES", writes=False)
def show_warehouses(context: Context, sql: str) -> Result:
    """List warehouses with what they are doing."""
    show = read_show(context, context.scanner(sql), "WAREHOUSES", scope="ACCOUNT")
    rows = [_row(context, warehouse) for warehouse in context.catalog.entries(Warehouse)]
    return show.answer(WAREHOUSE_COLUMNS, rows)


def _row(context: Context, warehouse: Warehouse) -> dict[str, Any]:
    running = meter_of(context).state(warehouse)
    started = 0 if running is None else warehouse.min_cluster_count
    return dict.fromkeys(WAREHOUSE_COLUMNS) | {
        "name": warehouse.name,
        "state": "SUSPENDED" if running is None else "STARTED",
        "type": "STANDARD",
        "size": warehouse.size,
        "min_cluster_count": warehouse.min_cluster_count,
        "max_cluster_count": warehouse.max_cluster_count,
        "started_clusters": started,
        "running": 0 if running is None else len(running.queries),
        "queued": 0,
        "is_default": "N",
        "is_current": yes_no(warehouse.name == context.connection.warehouse),
        "auto_suspend": warehouse.auto_suspend or None,
        "auto_resume": str(warehouse.auto_resume).lower(),
        "available": "" if running is None else "100",
        "provisioning": "" if running is None else "0",
        "quiescing": "" if running is None else "0",
        "other": "" if running is None else "0",
        "created_on": warehouse.created,
        "resumed_on": None if running is None else running.since,
        "updated_on": warehouse.altered,
        "owner": warehouse.owner,
        "comment": warehouse.comment,
        "enable_query_acceleration": "false",
        "query_acceleration_max_scale_factor": "8",
        "resource_monitor": warehouse.resource_monitor or "null",
        "actives": str(started),
        "pendings": "0",
        "failed": "0",
        "suspended": str(warehouse.min_cluster_count - started),
        "uuid": warehouse.id,
        "scaling_policy": warehouse.scaling_policy,
        "owner_role_type": "ROLE",
    }


@statement("DESC WAREHOUSE", "DESCRIBE WAREHOUSE", writes=False)
def describe_warehouse(context: Context, sql: str) -> Result:
    """Describe a warehouse."""
    scanner = context.scanner(sql)
    scanner.take_any("DESC", "DESCRIBE")
    scanner.expect("WAREHOUSE")
    warehouse = find_warehouse(context, scanner.name()[-1])
    scanner.expect_end()
    columns = {"created_on": TIMESTAMP_LTZ, "name": TEXT, "kind": TEXT}
    return answer(columns, [{"created_on": warehouse.created, "name": warehouse.name, "kind": "WAREHOUSE"}])
