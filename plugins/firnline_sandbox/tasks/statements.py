"""CREATE, ALTER, DROP and EXECUTE TASK."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox import parameters
from firnline_sandbox.catalog import Warehouse, changed
from firnline_sandbox.dispatch import find_handler
from firnline_sandbox.errors import COMPILATION, already_exists, error, invalid_argument, missing_object, unsupported
from firnline_sandbox.result import Result
from firnline_sandbox.statements.creation import entry_fields, read_creation, read_tags, replaced, require_schema
from firnline_sandbox.statements.registry import statement
from firnline_sandbox.statements.removal import remove_entry
from firnline_sandbox.statements.tags import set_tags, unset_tags
from firnline_sandbox.statements.words import leading_words
from firnline_sandbox.tasks.objects import STARTED, SUSPENDED, Task, root_of, task_named
from firnline_sandbox.tasks.schedule import next_time

if TYPE_CHECKING:
    from firnline_sandbox.context import Context
    from firnline_sandbox.statements.scanner import Scanner

_WITHOUT_EFFECT: Final = frozenset(
    {
        "USER_TASK_MANAGED_INITIAL_WAREHOUSE_SIZE",
        "SERVERLESS_TASK_MIN_STATEMENT_SIZE",
        "SERVERLESS_TASK_MAX_STATEMENT_SIZE",
        "TARGET_COMPLETION_INTERVAL",
        "USER_TASK_MINIMUM_TRIGGER_INTERVAL_IN_SECONDS",
        "LOG_LEVEL",
    }
)
_NUMBERS: Final = {
    "SUSPEND_TASK_AFTER_NUM_FAILURES": "failures_allowed",
    "TASK_AUTO_RETRY_ATTEMPTS": "retries",
    "USER_TASK_TIMEOUT_MS": "timeout_ms",
}
_DEFAULTS: Final[dict[str, Any]] = {
    "warehouse": "",
    "schedule": "",
    "config": "",
    "comment": "",
    "overlaps": False,
    "failures_allowed": 10,
    "retries": 0,
    "timeout_ms": 0,
}
_FIELDS: Final = {name.upper(): name for name in ("warehouse", "schedule", "config", "comment")} | {
    "ALLOW_OVERLAPPING_EXECUTION": "overlaps",
    **_NUMBERS,
}


@statement("CREATE TASK")
def create_task(context: Context, sql: str) -> Result:
    """Create a task, suspended as Snowflake's are."""
    scanner = context.scanner(sql)
    creation = read_creation(scanner, "TASK")
    names = context.qualify(creation.parts)
    require_schema(context, names)
    if scanner.sees("CLONE"):
        raise unsupported("CREATE TASK CLONE")
    old = replaced(context, Task, creation, names)
    if old is not None and creation.if_not_exists:
        return Result.status(f"{names[2]} already exists, statement succeeded.")
    if old is not None and not creation.replace:
        raise already_exists(".".join(names))
    options = _read_options(context, scanner)
    scanner.expect("AS")
    definition = _checked_body(scanner.rest())
    task = Task(**entry_fields(context, creation, names) | options, definition=definition)
    if task.schedule and not task.is_root:
        raise invalid_argument("A task with predecessors, or one that finalizes a graph, cannot have a schedule")
    if isinstance(old, Task):
        _require_suspended(context, old)
        remove_entry(context.transaction, context.engine, old)
    _require_suspended(context, task)
    context.catalog.add(task)
    return Result.status(f"Task {names[2]} successfully created.")


def _checked_body(text: str) -> str:
    """Refuse a body that the sandbox could never run."""
    words = leading_words(text)
    if words[:1] in (["BEGIN"], ["DECLARE"], ["EXECUTE"]):
        raise unsupported("Snowflake Scripting in a task")
    find_handler(text, words)
    return text.strip()


def _read_options(context: Context, scanner: Scanner) -> dict[str, Any]:
    options: dict[str, Any] = {}
    parameters_: dict[str, Any] = {}
    while not scanner.sees("AS"):
        if scanner.take("AFTER"):
            options["predecessors"] = tuple(_read_predecessors(context, scanner))
        elif scanner.take("WHEN"):
            options["condition"] = scanner.until("AS").strip()
        elif scanner.sees("TAG") or scanner.sees("WITH", "TAG"):
            scanner.take("WITH")
            scanner.expect("TAG")
            options["tags"] = read_tags(context, scanner)
        elif scanner.at_end:
            raise scanner.unexpected()
        else:
            _read_option(context, scanner, options, parameters_)
        scanner.take(",")
    return options | ({"parameters": parameters_} if parameters_ else {})


def _read_option(context: Context, scanner: Scanner, options: dict[str, Any], session: dict[str, Any]) -> None:
    key = scanner.identifier()
    scanner.expect("=")
    match key:
        case "WAREHOUSE":
            name = scanner.name()[-1] if scanner.here.kind != "string" else scanner.text().upper()
            if context.catalog.find(Warehouse, ("", "", name)) is None:
                raise missing_object("warehouse", name)
            options["warehouse"] = name
        case "SCHEDULE":
            schedule = scanner.text()
            now = context.engine.clock.now()
            next_time(schedule, now, now)
            options["schedule"] = schedule
        case "CONFIG":
            options["config"] = _checked_config(scanner.text())
        case "COMMENT":
            options["comment"] = scanner.text()
        case "ALLOW_OVERLAPPING_EXECUTION":
            options["overlaps"] = scanner.value() is True
        case "FINALIZE":
            options["finalizes"] = _task(context, context.qualify(scanner.name())).full_name
        case _ if key in _NUMBERS:
            options[_NUMBERS[key]] = scanner.integer()
        case _ if key in _WITHOUT_EFFECT:
            scanner.value()
        case _ if key in parameters.DEFAULTS:
            session[key] = parameters.checked(key, scanner.value())
        case _:
            raise unsupported(f"task option {key}")


def _checked_config(text: str) -> str:
    try:
        json.loads(text)
    except ValueError as failure:
        raise invalid_argument(f"CONFIG is not JSON: {failure}") from failure
    return text


def _read_predecessors(context: Context, scanner: Scanner) -> list[str]:
    found = [_task(context, context.qualify(scanner.name())).full_name]
    while scanner.take(","):
        found.append(_task(context, context.qualify(scanner.name())).full_name)
    return found


def _task(context: Context, names: tuple[str, str, str]) -> Task:
    found = context.catalog.find(Task, names)
    if found is None:
        raise missing_object("task", ".".join(names))
    return found


def find_task(context: Context, name: str) -> Task:
    """Find a task by a name in a text.

    Raises:
        ProgrammingError: 2003, there is none.
    """
    return _task(context, context.resolve(name))


def _require_suspended(context: Context, task: Task) -> None:
    """Refuse to change a graph that may be running.

    Raises:
        ProgrammingError: 91083, its root is not suspended.
    """
    root = root_of(context.catalog, task)
    if root.state == STARTED:
        text = f"Unable to update graph with root task {root.full_name} since that root task is not suspended."
        raise error(91083, "55000", COMPILATION + text)


@statement("ALTER TASK")
def alter_task(context: Context, sql: str) -> Result:
    """RESUME, SUSPEND, SET, UNSET, MODIFY AS, MODIFY WHEN, ADD AFTER, REMOVE AFTER."""
    scanner = context.scanner(sql)
    scanner.expect("ALTER", "TASK")
    if_exists = scanner.take("IF", "EXISTS")
    names = context.qualify(scanner.name())
    if if_exists and context.catalog.find(Task, names) is None:
        return Result.status()
    task = _task(context, names)
    match scanner.take_any("RESUME", "SUSPEND", "SET", "UNSET", "MODIFY", "ADD", "REMOVE"):
        case "RESUME":
            resume(context, task)
        case "SUSPEND":
            context.catalog.put(changed(task, state=SUSPENDED, suspended_reason="USER_SUSPENDED"))
        case "SET" if scanner.take("TAG"):
            context.catalog.put(set_tags(context, scanner, task))
        case "UNSET" if scanner.take("TAG"):
            context.catalog.put(unset_tags(context, scanner, task))
        case None:
            raise unsupported(f"ALTER TASK {scanner.rest()}")
        case verb:
            _require_suspended(context, task)
            altered = changed(task, **_changes(context, scanner, task, verb))
            _require_suspended(context, altered)
            context.catalog.put(altered)
    scanner.expect_end()
    return Result.status()


def resume(context: Context, task: Task) -> None:
    """Let a task run from now on."""
    if task.state == STARTED:
        return
    if not task.is_root:
        _require_suspended(context, task)
    elif not (task.schedule or task.condition):
        raise error(91088, "55000", f"{COMPILATION}Task {task.full_name} cannot be resumed: it has no schedule.")
    now = context.engine.clock.now().isoformat()
    context.catalog.put(changed(task, state=STARTED, resumed=now, suspended_reason=""))
    context.transaction.after_commit(context.engine.part("tasks").start)


def _changes(context: Context, scanner: Scanner, task: Task, verb: str) -> dict[str, Any]:
    match verb:
        case "MODIFY" if scanner.take("AS"):
            return {"definition": _checked_body(scanner.rest())}
        case "MODIFY" if scanner.take("WHEN"):
            return {"condition": scanner.rest().strip()}
        case "ADD" if scanner.take("AFTER"):
            added = [name for name in _read_predecessors(context, scanner) if name not in task.predecessors]
            _refuse_cycle(context, task, added)
            return {"predecessors": (*task.predecessors, *added)}
        case "REMOVE" if scanner.take("AFTER"):
            gone = _read_predecessors(context, scanner)
            return {"predecessors": tuple(name for name in task.predecessors if name not in gone)}
        case "REMOVE" if scanner.take("WHEN"):
            return {"condition": ""}
        case "SET":
            options: dict[str, Any] = {}
            session = dict(task.parameters or {})
            while not scanner.at_end:
                _read_option(context, scanner, options, session)
                scanner.take(",")
            return options | {"parameters": session or None}
        case "UNSET":
            names = [scanner.identifier()]
            while scanner.take(","):
                names.append(scanner.identifier())
            if unknown := [name for name in names if name not in _FIELDS]:
                raise unsupported(f"ALTER TASK UNSET {unknown[0]}")
            return {_FIELDS[name]: _DEFAULTS[_FIELDS[name]] for name in names}
        case _:
            raise unsupported(f"ALTER TASK {verb} {scanner.rest()}")


def _refuse_cycle(context: Context, task: Task, added: list[str]) -> None:
    pending = list(added)
    while pending:
        name = pending.pop()
        if name == task.full_name:
            raise invalid_argument(f"Task {task.full_name} would come after itself")
        other = task_named(context.catalog, name)
        pending += other.predecessors if other is not None else ()


@statement("DROP TASK")
def drop_task(context: Context, sql: str) -> Result:
    """Drop a task; those that came after it alone become roots without a schedule."""
    scanner = context.scanner(sql)
    scanner.expect("DROP", "TASK")
    if_exists = scanner.take("IF", "EXISTS")
    names = context.qualify(scanner.name())
    scanner.expect_end()
    if if_exists and context.catalog.find(Task, names) is None:
        return Result.status(f"Drop statement executed successfully ({names[2]} already dropped).")
    task = _task(context, names)
    if not task.is_root:
        _require_suspended(context, task)
    remove_entry(context.transaction, context.engine, task)
    for other in context.catalog.entries(Task):
        if task.full_name in other.predecessors:
            left = tuple(name for name in other.predecessors if name != task.full_name)
            context.catalog.put(changed(other, predecessors=left, state=other.state if left else SUSPENDED))
    return Result.status(f"{names[2]} successfully dropped.")


@statement("EXECUTE TASK", writes=False)
def execute_task(context: Context, sql: str) -> Result:
    """Run a task, and what comes after it, in the background as soon as possible."""
    scanner = context.scanner(sql)
    scanner.expect("EXECUTE", "TASK")
    task = _task(context, context.qualify(scanner.name()))
    if scanner.take("RETRY", "LAST"):
        raise unsupported("EXECUTE TASK RETRY LAST")
    if scanner.take("USING"):
        raise unsupported("EXECUTE TASK USING CONFIG")
    scanner.expect_end()
    if not task.is_root:
        raise invalid_argument(f"Task {task.full_name} is not a root task and cannot be executed by itself")
    context.engine.part("tasks").execute(task)
    return Result.status(f"Task {task.name} is scheduled to run immediately.")
