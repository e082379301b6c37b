"""SHOW and DESCRIBE DYNAMIC TABLE, and DYNAMIC_TABLE_REFRESH_HISTORY."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox.dynamic.objects import ACTIVE, DynamicTable
from firnline_sandbox.dynamic.statements import find_dynamic
from firnline_sandbox.statements.describe import described
from firnline_sandbox.statements.registry import statement, table_function
from firnline_sandbox.statements.rows_relation import rows_relation
from firnline_sandbox.statements.showing import TERSE, read_show
from firnline_sandbox.statements.sizes import row_counts
from firnline_sandbox.statements.usage_views import by_name, row_limit
from firnline_sandbox.types import INTEGER, TEXT, TIMESTAMP_LTZ

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from firnline_sandbox.context import Context
    from firnline_sandbox.result import Result
    from firnline_sandbox.statements.listing import Columns
    from firnline_sandbox.translate.surroundings import Relation

REASON: Final = "The sandbox computes all rows at each refresh"
TABLE_COLUMNS: Final[Columns] = {
    name: TIMESTAMP_LTZ
    if name in {"created_on", "data_timestamp"}
    else INTEGER
    if name in {"rows", "bytes"}
    else TEXT
    for name in (
        "created_on", "name", "database_name", "schema_name", "cluster_by", "rows", "bytes", "owner", "target_lag",
        "refresh_mode", "refresh_mode_reason", "warehouse", "comment", "text", "automatic_clustering",
        "scheduling_state", "last_suspended_on", "is_clone", "is_replica", "is_iceberg", "data_timestamp",
        "owner_role_type",
    )
}  # fmt: skip
HISTORY_COLUMNS: Final[Columns] = {
    "NAME": TEXT,
    "SCHEMA_NAME": TEXT,
    "DATABASE_NAME": TEXT,
    "STATE": TEXT,
    "STATE_MESSAGE": TEXT,
    "QUERY_ID": TEXT,
    "DATA_TIMESTAMP": TIMESTAMP_LTZ,
    "REFRESH_START_TIME": TIMESTAMP_LTZ,
    "REFRESH_END_TIME": TIMESTAMP_LTZ,
    "REFRESH_ACTION": TEXT,
    "REFRESH_TRIGGER": TEXT,
    "TARGET_LAG_SEC": INTEGER,
    "NUM_INSERTED_ROWS": INTEGER,
    "NUM_DELETED_ROWS": INTEGER,
    "QUALIFIED_NAME": TEXT,
}


@statement("SHOW DYNAMIC TABLES", "SHOW TERSE DYNAMIC TABLES", writes=False)
def show_dynamic_tables(context: Context, sql: str) -> Result:
    """List dynamic tables."""
    show = read_show(context, context.scanner(sql), "DYNAMIC", "TABLES")
    found = context.catalog.entries(DynamicTable, database=show.database, schema=show.schema)
    counts = row_counts(context, found)
    return show.answer(TABLE_COLUMNS, [_row(table, counts[table.id]) for table in found], terse=TERSE)


def _row(table: DynamicTable, rows: int) -> dict[str, Any]:
    return dict.fromkeys(TABLE_COLUMNS) | {
        "created_on": table.created,
        "name": table.name,
        "kind": "DYNAMIC TABLE",
        "database_name": table.database,
        "schema_name": table.schema,
        "cluster_by": table.cluster_by,
        "rows": rows,
        "owner": table.owner,
        "target_lag": table.lag,
        "refresh_mode": "FULL",
        "refresh_mode_reason": REASON if table.mode == "AUTO" else None,
        "warehouse": table.warehouse,
        "comment": table.comment,
        "text": table.text,
        "automatic_clustering": "OFF",
        "scheduling_state": table.state if table.state == ACTIVE else "SUSPENDED",
        "is_clone": "false",
        "is_replica": "false",
        "is_iceberg": "false",
        "data_timestamp": dt.datetime.fromisoformat(table.refreshed) if table.refreshed else None,
        "owner_role_type": "ROLE",
    }


@statement("DESC DYNAMIC TABLE", "DESCRIBE DYNAMIC TABLE", writes=False)
def describe_dynamic_table(context: Context, sql: str) -> Result:
    """List the columns of a dynamic table."""
    scanner = context.scanner(sql)
    scanner.take_any("DESC", "DESCRIBE")
    scanner.expect("DYNAMIC", "TABLE")
    table = find_dynamic(context, scanner.name())
    scanner.expect_end()
    return described([column.column for column in table.columns])


@table_function("DYNAMIC_TABLE_REFRESH_HISTORY")
def refresh_history(context: Context, arguments: Sequence[Any], named: Mapping[str, Any]) -> Relation:
    """List refreshes, the latest first."""
    given = by_name("DYNAMIC_TABLE_REFRESH_HISTORY", ("NAME", "ERROR_ONLY", "RESULT_LIMIT"), arguments, named)
    wanted = None if given.get("NAME") is None else context.resolve(str(given["NAME"]))
    found = [
        each
        for each in reversed(context.engine.part("refreshes").refreshes())
        if (wanted is None or wanted == (each.database, each.schema, each.name))
        and (given.get("ERROR_ONLY") is not True or each.state == "FAILED")
    ]
    rows = [
        {
            "NAME": each.name,
            "SCHEMA_NAME": each.schema,
            "DATABASE_NAME": each.database,
            "STATE": each.state,
            "STATE_MESSAGE": each.message,
            "QUERY_ID": each.query_id or None,
            "DATA_TIMESTAMP": each.at,
            "REFRESH_START_TIME": each.at,
            "REFRESH_END_TIME": each.at,
            "REFRESH_ACTION": each.action,
            "REFRESH_TRIGGER": each.trigger,
            "TARGET_LAG_SEC": each.lag_s or None,
            "NUM_INSERTED_ROWS": each.inserted,
            "NUM_DELETED_ROWS": each.deleted,
            "QUALIFIED_NAME": f"{each.database}.{each.schema}.{each.name}",
        }
        for each in found[: row_limit(given.get("RESULT_LIMIT"))]
    ]
    return rows_relation(context, HISTORY_COLUMNS, rows)
