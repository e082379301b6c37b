"""``features.udf``: Python functions of the project become functions of the platform and run next to the rows."""

from __future__ import annotations

import inspect
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from snowflake.snowpark import functions as sf
from snowflake.snowpark.exceptions import SnowparkSQLException
from snowflake.snowpark.types import PandasSeriesType

from firnline.domain import Grid
from firnline.errors import DataError, UsageError
from firnline_snowpark.columns import quoted, resolve_columns, unquoted
from firnline_snowpark.prepare.apply import TYPES
from firnline_snowpark.query.project_code import load_function, module_files
from firnline_snowpark.query.result import described
from firnline_snowpark.tables import write_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from snowflake.snowpark import Column, Session
    from snowflake.snowpark.types import DataType

    from firnline.domain import Outputs, StepContext, Table
    from firnline_snowpark.query.function_params import ColumnFunction, ColumnFunctionsParams


def run(context: StepContext, params: ColumnFunctionsParams, table: Table) -> Outputs:
    """Add a column for each function.

    Raises:
        UsageError: a function is not there, or takes another number of arguments.
        DataError: a column is not there, or a function fails on the rows.
    """
    session = context.session  # the one that knows the functions: they are its own
    frame = session.table(table.name)
    types = {unquoted(field.name): field.datatype for field in frame.schema.fields}
    where = f"stage {context.stage}"
    kept = resolve_columns(params.keep, list(types), where=where) if params.keep is not None else tuple(types)
    made: dict[str, Column] = {}
    for written, applied in params.apply.items():
        name = written if written in types else written.upper()
        if name in kept:
            raise DataError(f"{where}: column {name!r} is there already", hint="give the new column another name")
        if name in made:
            raise DataError(f"{where}: column {name!r} is made twice", hint="give one of them another name")
        context.progress(f"registering {applied.function}")
        made[name] = _call(context, session, params, applied, types)
    columns = [sf.col(quoted(name)) for name in kept]
    chosen = frame.select(*columns, *(value.alias(quoted(name)) for name, value in made.items()))
    context.progress("applying the functions")
    try:
        result = write_table(context, chosen)
    except SnowparkSQLException as error:
        listed = ", ".join(applied.function for applied in params.apply.values())
        raise DataError(
            f"{where}: a function fails on the rows: {error.message}",
            hint=f"try it alone on such a row; applied were {listed}",
        ) from error
    rows = tuple(
        (name, applied.function, ", ".join(applied.columns), "vectorised" if applied.vectorized else "row by row")
        for name, applied in zip(made, params.apply.values(), strict=True)
    )
    grid = Grid(title="Functions", columns=("column", "function", "of", "how"), rows=rows)
    return {"table": result, "report": described(context, result, "Columns by functions", grid)}


def _call(
    context: StepContext,
    session: Session,
    params: ColumnFunctionsParams,
    applied: ColumnFunction,
    types: Mapping[str, DataType],
) -> Column:
    taken = resolve_columns(applied.columns, list(types), where=f"stage {context.stage}")
    function = load_function(applied.function, context.project)
    _refuse_other_arity(function, applied)
    inputs, output = [types[name] for name in taken], TYPES[applied.type]
    options: dict[str, Any] = {"strict": applied.nulls == "null"}
    if applied.vectorized:
        inputs, output = [PandasSeriesType(kind) for kind in inputs], PandasSeriesType(output)
        options = {"max_batch_size": applied.batch_rows}
    packages = list(params.packages)
    if applied.vectorized and not any(package.startswith("pandas") for package in packages):
        packages.append("pandas")
    with _carried_along(applied.function.partition(":")[0], context.project):
        registered = session.udf.register(
            function, return_type=output, input_types=inputs, packages=packages, **options
        )
    called: Column = registered(*[sf.col(quoted(name)) for name in taken])
    return called


@contextmanager
def _carried_along(module: str, project: Path) -> Iterator[None]:
    """Let the function travel with the code of its modules: the platform does not have the project's files."""
    import cloudpickle

    carried = [sys.modules[name] for name in module_files(module, project) if name in sys.modules]
    for loaded in carried:
        cloudpickle.register_pickle_by_value(loaded)
    try:
        yield
    finally:
        for loaded in carried:
            cloudpickle.unregister_pickle_by_value(loaded)


def _refuse_other_arity(function: Callable[..., Any], applied: ColumnFunction) -> None:
    signature = inspect.signature(function)
    try:
        signature.bind(*applied.columns)
    except TypeError as error:
        raise UsageError(
            f"{applied.function}{signature} cannot be called with {len(applied.columns)} columns: {error}",
            hint=f"columns says what it is called with: {', '.join(applied.columns)}",
        ) from error
