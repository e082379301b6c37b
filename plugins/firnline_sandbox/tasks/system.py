"""SYSTEM$ functions of tasks: what a body asks about its run, and resuming a whole graph."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from firnline_sandbox.errors import error, invalid_argument
from firnline_sandbox.statements.registry import statement, system_function
from firnline_sandbox.tasks.objects import finalizer_of, graph_of, root_of
from firnline_sandbox.tasks.statements import find_task, resume

if TYPE_CHECKING:
    from firnline_sandbox.context import Context
    from firnline_sandbox.result import Result
    from firnline_sandbox.tasks.objects import Task
    from firnline_sandbox.tasks.runs import TaskRun


def _run_of(context: Context, function: str) -> tuple[Task, TaskRun]:
    found = context.connection.task
    if found is None:
        raise error(91090, "55000", f"function {function} may be called by a task alone")
    task, run = found
    return task, run


@system_function("SYSTEM$SET_RETURN_VALUE")
def set_return_value(context: Context, arguments: list[Any]) -> str:
    """Set what the run gives to the tasks that come after it."""
    (value,) = arguments
    _, run = _run_of(context, "SYSTEM$SET_RETURN_VALUE")
    run.return_value = None if value is None else str(value)
    return "null" if value is None else str(value)


@system_function("SYSTEM$GET_PREDECESSOR_RETURN_VALUE")
def predecessor_value(context: Context, arguments: list[Any]) -> str | None:
    """Give what a predecessor set; its name may be left out when there is only one."""
    _, run = _run_of(context, "SYSTEM$GET_PREDECESSOR_RETURN_VALUE")
    values = run.predecessor_values or {}
    if arguments:
        name = str(arguments[0]).upper()
        values = {
            key: value for key, value in values.items() if key.upper() == name or key.upper().endswith(f".{name}")
        }
    if len(values) != 1:
        raise invalid_argument("SYSTEM$GET_PREDECESSOR_RETURN_VALUE: name one predecessor of the task")
    return next(iter(values.values()))


@system_function("SYSTEM$CURRENT_USER_TASK_NAME")
def current_task_name(context: Context, arguments: list[Any]) -> str:
    """Give the name of the task that is running."""
    del arguments
    return _run_of(context, "SYSTEM$CURRENT_USER_TASK_NAME")[0].full_name


@system_function("SYSTEM$GET_TASK_GRAPH_CONFIG")
def graph_config(context: Context, arguments: list[Any]) -> str | None:
    """Give the root's CONFIG, or one value of it by its key."""
    _, run = _run_of(context, "SYSTEM$GET_TASK_GRAPH_CONFIG")
    if not arguments or not run.config:
        return run.config or None
    value: Any = json.loads(run.config)
    for key in str(arguments[0]).split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value if value is None or isinstance(value, str) else json.dumps(value)


@system_function("SYSTEM$TASK_RUNTIME_INFO")
def runtime_info(context: Context, arguments: list[Any]) -> str | None:
    """Give one fact of the run that goes on."""
    (what,) = arguments
    task, run = _run_of(context, "SYSTEM$TASK_RUNTIME_INFO")
    root = root_of(context.catalog, task)
    facts = {
        "CURRENT_TASK_NAME": task.full_name,
        "CURRENT_ROOT_TASK_NAME": root.full_name,
        "CURRENT_ROOT_TASK_UUID": root.id,
        "CURRENT_TASK_GRAPH_ORIGINAL_SCHEDULED_TIMESTAMP": run.scheduled.isoformat(),
        "CURRENT_TASK_GRAPH_RUN_GROUP_ID": run.group,
    }
    if str(what).upper() not in facts:
        raise invalid_argument(f"SYSTEM$TASK_RUNTIME_INFO knows no '{what}'")
    return facts[str(what).upper()]


@statement("SELECT SYSTEM$TASK_DEPENDENTS_ENABLE", "CALL SYSTEM$TASK_DEPENDENTS_ENABLE")
def enable_dependents(context: Context, sql: str) -> Result:
    """Resume a task and all that come after it."""
    from firnline_sandbox.result import Result

    scanner = context.scanner(sql)
    scanner.take_any("SELECT", "CALL")
    scanner.identifier()
    scanner.expect("(")
    root = find_task(context, scanner.text())
    scanner.expect(")")
    scanner.expect_end()
    finalizer = finalizer_of(context.catalog, root)
    for task in [*graph_of(context.catalog, root)[1:], *([finalizer] if finalizer else []), root]:
        resume(context, task)
    return Result.status("true")
