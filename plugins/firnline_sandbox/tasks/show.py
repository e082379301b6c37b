"""SHOW and DESCRIBE TASK, and the table functions TASK_HISTORY and TASK_DEPENDENTS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox.statements.listing import answer
from firnline_sandbox.statements.registry import statement, table_function
from firnline_sandbox.statements.rows_relation import rows_relation
from firnline_sandbox.statements.showing import TERSE, read_show
from firnline_sandbox.statements.usage_views import as_time, by_name, row_limit
from firnline_sandbox.tasks.objects import STARTED, Task, graph_of
from firnline_sandbox.tasks.statements import find_task
from firnline_sandbox.types import INTEGER, TEXT, TIMESTAMP_LTZ

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from firnline_sandbox.context import Context
    from firnline_sandbox.result import Result
    from firnline_sandbox.statements.listing import Columns
    from firnline_sandbox.tasks.runs import TaskRun
    from firnline_sandbox.translate.surroundings import Relation

_TIMES: Final = frozenset({"created_on", "last_committed_on", "last_suspended_on"})
TASK_COLUMNS: Final[Columns] = {
    name: TIMESTAMP_LTZ if name in _TIMES else TEXT
    for name in (
        "created_on", "name", "id", "database_name", "schema_name", "owner", "comment", "warehouse", "schedule",
        "predecessors", "state", "definition", "condition", "allow_overlapping_execution", "error_integration",
        "last_committed_on", "last_suspended_on", "owner_role_type", "config", "budget", "task_relations",
        "last_suspended_reason",
    )
}  # fmt: skip
HISTORY_COLUMNS: Final[Columns] = {
    "QUERY_ID": TEXT,
    "NAME": TEXT,
    "DATABASE_NAME": TEXT,
    "SCHEMA_NAME": TEXT,
    "QUERY_TEXT": TEXT,
    "CONDITION_TEXT": TEXT,
    "STATE": TEXT,
    "ERROR_CODE": TEXT,
    "ERROR_MESSAGE": TEXT,
    "SCHEDULED_TIME": TIMESTAMP_LTZ,
    "QUERY_START_TIME": TIMESTAMP_LTZ,
    "NEXT_SCHEDULED_TIME": TIMESTAMP_LTZ,
    "COMPLETED_TIME": TIMESTAMP_LTZ,
    "ROOT_TASK_ID": TEXT,
    "GRAPH_VERSION": INTEGER,
    "RUN_ID": INTEGER,
    "RETURN_VALUE": TEXT,
    "SCHEDULED_FROM": TEXT,
    "INSTANCE_ID": TEXT,
    "ATTEMPT_NUMBER": INTEGER,
    "CONFIG": TEXT,
    "QUERY_HASH": TEXT,
    "GRAPH_RUN_GROUP_ID": TEXT,
}


def task_row(task: Task) -> dict[str, Any]:
    """Describe a task as SHOW TASKS does."""
    relations: dict[str, Any] = {"Predecessors": list(task.predecessors)}
    if task.finalizes:
        relations["FinalizedRootTask"] = task.finalizes
    return dict.fromkeys(TASK_COLUMNS) | {
        "created_on": task.created,
        "name": task.name,
        "id": task.id,
        "kind": "TASK",
        "database_name": task.database,
        "schema_name": task.schema,
        "owner": task.owner,
        "comment": task.comment,
        "warehouse": task.warehouse or None,
        "schedule": task.schedule or None,
        "predecessors": json.dumps(list(task.predecessors)),
        "state": task.state,
        "definition": task.definition,
        "condition": task.condition or None,
        "allow_overlapping_execution": str(task.overlaps).lower(),
        "error_integration": "null",
        "last_committed_on": task.altered if task.state == STARTED else None,
        "last_suspended_on": task.altered if task.suspended_reason else None,
        "owner_role_type": "ROLE",
        "config": task.config or None,
        "task_relations": json.dumps(relations),
        "last_suspended_reason": task.suspended_reason or None,
    }


@statement("SHOW TASKS", "SHOW TERSE TASKS", writes=False)
def show_tasks(context: Context, sql: str) -> Result:
    """List tasks."""
    show = read_show(context, context.scanner(sql), "TASKS")
    found = context.catalog.entries(Task, database=show.database, schema=show.schema)
    return show.answer(TASK_COLUMNS, [task_row(task) for task in found], terse=TERSE)


@statement("DESC TASK", "DESCRIBE TASK", writes=False)
def describe_task(context: Context, sql: str) -> Result:
    """Describe a task as SHOW TASKS does."""
    scanner = context.scanner(sql)
    scanner.take_any("DESC", "DESCRIBE")
    scanner.expect("TASK")
    name = ".".join(f'"{part}"' for part in context.qualify(scanner.name()))
    scanner.expect_end()
    return answer(TASK_COLUMNS, [task_row(find_task(context, name))])


def _history_row(run: TaskRun) -> dict[str, Any]:
    return {
        "QUERY_ID": run.query_id,
        "NAME": run.name,
        "DATABASE_NAME": run.database,
        "SCHEMA_NAME": run.schema,
        "QUERY_TEXT": run.text,
        "CONDITION_TEXT": run.condition or None,
        "STATE": run.state,
        "ERROR_CODE": run.error_code,
        "ERROR_MESSAGE": run.error_message,
        "SCHEDULED_TIME": run.scheduled,
        "QUERY_START_TIME": run.started,
        "COMPLETED_TIME": run.ended,
        "ROOT_TASK_ID": run.root,
        "GRAPH_VERSION": 1,
        "RUN_ID": int(run.scheduled.timestamp() * 1000),
        "RETURN_VALUE": run.return_value,
        "SCHEDULED_FROM": run.scheduled_from,
        "ATTEMPT_NUMBER": run.attempt,
        "CONFIG": run.config or None,
        "GRAPH_RUN_GROUP_ID": run.group,
    }


_ARGUMENTS: Final = (
    "SCHEDULED_TIME_RANGE_START", "SCHEDULED_TIME_RANGE_END", "RESULT_LIMIT", "TASK_NAME", "ERROR_ONLY", "ROOT_TASK_ID",
)  # fmt: skip


@table_function("TASK_HISTORY")
def task_history(context: Context, arguments: Sequence[Any], named: Mapping[str, Any]) -> Relation:
    """List the runs of tasks, the latest first."""
    given = by_name("TASK_HISTORY", _ARGUMENTS, arguments, named)
    since, until = (as_time(given.get(f"SCHEDULED_TIME_RANGE_{end}")) for end in ("START", "END"))
    limit = row_limit(given.get("RESULT_LIMIT"))
    name, root = given.get("TASK_NAME"), given.get("ROOT_TASK_ID")
    found = [
        run
        for run in reversed(context.engine.part("tasks").history.runs())
        if (since is None or run.scheduled >= since)
        and (until is None or run.scheduled <= until)
        and (name is None or run.name.upper() == str(name).upper())
        and (root is None or run.root == root)
        and (given.get("ERROR_ONLY") is not True or run.state == "FAILED")
    ]
    return rows_relation(context, HISTORY_COLUMNS, [_history_row(run) for run in found[:limit]])


@table_function("TASK_DEPENDENTS")
def task_dependents(context: Context, arguments: Sequence[Any], named: Mapping[str, Any]) -> Relation:
    """List a task and what comes after it; with RECURSIVE => FALSE what comes right after it."""
    given = by_name("TASK_DEPENDENTS", ("TASK_NAME", "RECURSIVE"), arguments, named)
    task = find_task(context, str(given.get("TASK_NAME")))
    found = graph_of(context.catalog, task)
    if given.get("RECURSIVE") is False:
        found = [each for each in found if each is task or task.full_name in each.predecessors]
    columns = {name.upper(): type_ for name, type_ in TASK_COLUMNS.items()}
    rows = [{name.upper(): value for name, value in task_row(each).items()} for each in found]
    return rows_relation(context, columns, rows)
