"""SHOW EXPERIMENTS, RUNS, RUN METRICS and RUN PARAMETERS."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox.experiments import points
from firnline_sandbox.experiments.lookup import experiment_for
from firnline_sandbox.experiments.objects import Experiment
from firnline_sandbox.statements.listing import answer, matches, read_like, read_scope
from firnline_sandbox.statements.registry import statement
from firnline_sandbox.types import FLOAT, TEXT, TIMESTAMP_LTZ

if TYPE_CHECKING:
    from collections.abc import Callable

    from firnline_sandbox.context import Context
    from firnline_sandbox.result import Result
    from firnline_sandbox.statements.listing import Columns

EXPERIMENT_COLUMNS: Final[Columns] = {
    "created_on": TIMESTAMP_LTZ,
    "name": TEXT,
    "database_name": TEXT,
    "schema_name": TEXT,
    "comment": TEXT,
    "owner": TEXT,
}
RUN_COLUMNS: Final[Columns] = {"created_on": TIMESTAMP_LTZ, "name": TEXT, "metadata": TEXT}


@statement("SHOW EXPERIMENTS", writes=False)
def show_experiments(context: Context, sql: str) -> Result:
    """``SHOW EXPERIMENTS [LIKE 'e'] [IN ...]``."""
    scanner = context.scanner(sql)
    scanner.expect("SHOW", "EXPERIMENTS")
    pattern = read_like(scanner)
    database, schema = read_scope(context, scanner)
    found = context.catalog.entries(Experiment, database=database, schema=schema)
    rows = [
        {
            "created_on": each.created,
            "name": each.name,
            "database_name": each.database,
            "schema_name": each.schema,
            "comment": each.comment or None,
            "owner": each.owner,
        }
        for each in found
        if matches(pattern, each.name)
    ]
    return answer(EXPERIMENT_COLUMNS, rows)


@statement("SHOW RUNS", writes=False)
def show_runs(context: Context, sql: str) -> Result:
    """``SHOW RUNS [LIKE 'r'] IN EXPERIMENT e``."""
    scanner = context.scanner(sql)
    scanner.expect("SHOW", "RUNS")
    pattern = read_like(scanner)
    scanner.expect("IN", "EXPERIMENT")
    experiment = experiment_for(context, scanner.name())
    scanner.expect_end()
    rows = [
        {"created_on": dt.datetime.fromisoformat(run.created), "name": run.name, "metadata": run.metadata}
        for run in experiment.runs
        if matches(pattern, run.name)
    ]
    return answer(RUN_COLUMNS, rows)


@statement("SHOW RUN METRICS", writes=False)
def show_metrics(context: Context, sql: str) -> Result:
    """``SHOW RUN METRICS [LIKE 'm'] IN EXPERIMENT e [RUN r]``: each metric's value at its highest step."""
    columns: Columns = {"run_name": TEXT, "name": TEXT, "value": FLOAT}
    return _show_points(context, sql, "METRICS", columns, points.last_metrics)


@statement("SHOW RUN PARAMETERS", writes=False)
def show_parameters(context: Context, sql: str) -> Result:
    """``SHOW RUN PARAMETERS [LIKE 'p'] IN EXPERIMENT e [RUN r]``."""
    columns: Columns = {"run_name": TEXT, "name": TEXT, "value": TEXT}
    return _show_points(context, sql, "PARAMETERS", columns, points.parameters)


def _show_points(
    context: Context, sql: str, word: str, columns: Columns, read: Callable[[Any, str], list[tuple[str, Any]]]
) -> Result:
    scanner = context.scanner(sql)
    scanner.expect("SHOW", "RUN", word)
    pattern = read_like(scanner)
    scanner.expect("IN", "EXPERIMENT")
    experiment = experiment_for(context, scanner.name())
    runs = (experiment.run(scanner.identifier()),) if scanner.take("RUN") else experiment.runs
    scanner.expect_end()
    rows = [
        {"run_name": run.name, "name": name, "value": value}
        for run in runs
        for name, value in read(context.duckdb, run.id)
        if matches(pattern, name)
    ]
    return answer(columns, rows)
