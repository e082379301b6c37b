"""``features.snowpark``: a function of the project turns data frames into one, and the platform computes it."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from snowflake.snowpark import DataFrame

from firnline.domain import Text
from firnline.errors import DataError, UsageError
from firnline_snowpark.query.named import named
from firnline_snowpark.query.project_code import load_function, on_path
from firnline_snowpark.query.result import described
from firnline_snowpark.tables import write_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from firnline.domain import Outputs, StepContext, Table
    from firnline_snowpark.query.function_params import FrameFunctionParams


def run(context: StepContext, params: FrameFunctionParams, tables: Sequence[Table]) -> Outputs:
    """Call the function and keep what its data frame describes.

    Raises:
        UsageError: the function is not there, or takes other arguments.
        DataError: it returns no data frame.
    """
    inputs = named(tables, params.names, where=context.stage)
    session = context.session
    arguments: dict[str, Any] = {name: session.table(table.name) for name, table in inputs.items()}
    arguments |= params.arguments
    function = load_function(params.function, context.project)
    _refuse_other_arguments(function, params.function, arguments)
    with on_path(context.project):  # the function may import more when it is called
        frame = function(**arguments)
    if not isinstance(frame, DataFrame):
        raise DataError(
            f"stage {context.stage}: {params.function} returned a {type(frame).__name__}",
            hint="return a Snowpark DataFrame: what it describes is computed on the platform",
        )
    context.progress(f"computing what {params.function} describes")
    table = write_table(context, frame)
    context.progress("computed features", table.rows)
    called = ", ".join([*params.names, *(f"{name}={value!r}" for name, value in params.arguments.items())])
    story = Text(title="Function", body=f"{params.function}({called})")
    return {"table": table, "report": described(context, table, "Result of the function", story)}


def _refuse_other_arguments(function: Callable[..., Any], reference: str, arguments: dict[str, Any]) -> None:
    signature = inspect.signature(function)
    try:
        signature.bind(**arguments)
    except TypeError as error:
        raise UsageError(
            f"{reference}{signature} cannot be called with {', '.join(arguments)}: {error}",
            hint="params.names says which parameters take the tables, params.arguments gives the others",
        ) from error
