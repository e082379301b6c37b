"""``features.dynamic``: a query of the user's own as a dynamic table, which the platform refreshes by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snowflake.snowpark.exceptions import SnowparkSQLException

from firnline.domain import Text, content_hash
from firnline.errors import DataError
from firnline_snowpark.literals import literal
from firnline_snowpark.object_names import shown_row, written
from firnline_snowpark.query.named import named
from firnline_snowpark.query.result import described
from firnline_snowpark.query.select import rendered
from firnline_snowpark.schedules import warehouse_of
from firnline_snowpark.tables import described_table, stop_if_cancelled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firnline.domain import Outputs, StepContext, Table
    from firnline_snowpark.features.dynamic_params import DynamicParams


def run(context: StepContext, params: DynamicParams, tables: Sequence[Table]) -> Outputs:
    """Create the dynamic table, keep the one that is there, or replace the one that was made otherwise.

    Raises:
        DataError: the inputs and their names do not fit together, something else has the name, or the platform
            refuses the query.
    """
    session = context.session
    query = rendered(context, params, named(tables, params.names, where=context.stage))
    warehouse = warehouse_of(context, params.warehouse)
    made_from = f"firnline {content_hash([query, params.target_lag, warehouse])}"
    name = f"{context.schema}.{written(params.name.upper())}"
    old = shown_row(session, "DYNAMIC TABLES", context.schema, params.name.upper())
    kept = old is not None and old["comment"] == made_from
    context.progress(f"{name} is as the config says" if kept else f"making {name}")
    if not kept:
        stop_if_cancelled(context)
        verb = "CREATE" if old is None else "CREATE OR REPLACE"
        try:
            session.sql(
                f"{verb} DYNAMIC TABLE {name} TARGET_LAG = {literal(params.target_lag)} WAREHOUSE = {warehouse} "
                f"COMMENT = {literal(made_from)} AS {query}"
            ).collect()
        except SnowparkSQLException as error:
            raise DataError(
                f"stage {context.stage}: the platform refuses the dynamic table {params.name}: {error.message}",
                hint="look at the query, at the warehouse, and whether another table or view has the name",
            ) from error
    table = described_table(session, name)
    done = (
        "kept as it was" if kept else "created" if old is None else "replaced: its query, lag or warehouse is another"
    )
    story = Text(body=f"Refreshed by {warehouse}, target lag {params.target_lag.lower()}; {done}.")
    report = described(context, table, f"Dynamic table {params.name}", story, Text(title="Query", body=query))
    return {"table": table, "report": report}
