"""``features.sql`` and ``prepare.sql``: a query of the user's own becomes a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snowflake.snowpark.exceptions import SnowparkSQLException

from firnline.domain import Text
from firnline.errors import DataError
from firnline_snowpark.literals import literal
from firnline_snowpark.query.named import named
from firnline_snowpark.query.params import query_text
from firnline_snowpark.query.result import described
from firnline_snowpark.query.text import render_query
from firnline_snowpark.tables import write_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from firnline.domain import Outputs, StepContext, Table
    from firnline_snowpark.query.params import Constant, SqlParams

LONGEST_SHOWN = 20_000


def run(context: StepContext, params: SqlParams, tables: Sequence[Table]) -> Outputs:
    """Run the query and keep its result.

    Raises:
        DataError: the inputs and their names do not fit together, or the platform refuses the query.
    """
    inputs = named(tables, params.names, where=context.stage)
    query = rendered(context, params, inputs)
    context.progress("running the query")
    try:
        table = write_table(context, context.session.sql(query))
    except SnowparkSQLException as error:
        raise DataError(
            f"stage {context.stage}: the platform refuses the query: {error.message}",
            hint=f"the inputs are {'; '.join(f'{name}: {_columns(table)}' for name, table in inputs.items())}",
        ) from error
    context.progress("ran the query", table.rows)
    shown = query if len(query) <= LONGEST_SHOWN else query[:LONGEST_SHOWN] + " …"
    return {"table": table, "report": described(context, table, "Result of the query", Text(title="Query", body=shown))}


def rendered(context: StepContext, params: SqlParams, inputs: Mapping[str, Table]) -> str:
    """Return the query of the config, or of its file, with tables and constants in their places."""
    stand_for = {name: table.name for name, table in inputs.items()}
    stand_for |= {name: _constants(value) for name, value in params.values.items()}
    return render_query(query_text(params, context.project), stand_for)


def _constants(value: Constant | tuple[Constant, ...]) -> str:
    return ", ".join(map(literal, value)) if isinstance(value, tuple) else literal(value)


def _columns(table: Table) -> str:
    return ", ".join(table.columns[:30]) + (", …" if len(table.columns) > 30 else "")
