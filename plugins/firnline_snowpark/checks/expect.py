"""The checking steps: gates that let a table pass as it is, or stop the pipeline and keep the rows that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from snowflake.snowpark import functions as sf

from firnline.domain import Grid, Metrics, Report, Text
from firnline.errors import StoppedByGateError
from firnline_snowpark.checks.evaluate import Outcome, describe, evaluate, failing_rows
from firnline_snowpark.columns import quoted, unquoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from snowflake.snowpark import DataFrame

    from firnline.domain import Artifact, StepContext, Table
    from firnline_snowpark.checks.expectations import CheckTableParams, Expectations, ExpectParams

EXAMPLES: Final = 3
LONGEST_EXAMPLE: Final = 120
TOLD: Final = 5
_PLACE: Final = {"table": "expect"}  # where a port's expectations stand in the params, if not under its name
FAILED: Final = "FAILED_EXPECTATION"


def run(
    context: StepContext, params: ExpectParams, customers: Table, events: Table, tickets: Table
) -> Mapping[str, Artifact]:
    """Check the three tables of a subscription business."""
    tables = {"customers": customers, "events": events, "tickets": tickets}
    expectations = {"customers": params.customers, "events": params.events, "tickets": params.tickets}
    return _check(context, tables, expectations, params.keep_rows)


def run_table(context: StepContext, params: CheckTableParams, table: Table) -> Mapping[str, Artifact]:
    """Check one table."""
    return _check(context, {"table": table}, {"table": params.expect}, params.keep_rows)


def _check(
    context: StepContext, tables: Mapping[str, Table], expectations: Mapping[str, Expectations], keep_rows: int
) -> Mapping[str, Artifact]:
    outcomes: dict[str, tuple[Outcome, ...]] = {}
    for port, table in tables.items():
        context.progress(f"checking {len(expectations[port])} expectations of {port}", table.rows)
        frame = context.session.table(table.name)
        outcomes[port] = evaluate(frame, expectations[port], where=f"{context.stage}.params.{_PLACE.get(port, port)}")
    told: list[str] = []
    for port, found in outcomes.items():
        broken = [o for o in found if not o.met and o.expectation.severity == "error"]
        told += _keep(context, port, tables[port], broken, keep_rows)
    if told:
        raise StoppedByGateError(_message(context.stage, told), hint=_HINT)
    return {**tables, "metrics": _metrics(outcomes), "report": _report(outcomes)}


_HINT: Final = (
    "look at the kept rows, then mend the data or the step that makes it; "
    "where such rows are all right, give the expectation a tolerance or severity: warning"
)


def _message(stage: str, told: Sequence[str]) -> str:
    count = f"{len(told)} expectation{'s' if len(told) > 1 else ''} not met"
    more = [f"… and {len(told) - TOLD} more"] if len(told) > TOLD else []
    return "\n".join([f"{stage}: {count}", *told[:TOLD], *more])


def _keep(context: StepContext, port: str, table: Table, failed: Sequence[Outcome], keep_rows: int) -> list[str]:
    """Keep the failing rows of one table; return one sentence on each expectation."""
    if not failed:
        return []
    frame = context.session.table(table.name)
    kept = context.table_name(f"{port}_failed") if keep_rows else ""
    parts: list[DataFrame] = []
    told = []
    for outcome in failed:
        says = f"  {port}.{outcome.name}: {describe(outcome.expectation)}"
        rows = failing_rows(frame, outcome)
        if rows is None:
            told.append(f"{says}; the table {table.name} has {outcome.rows:,}")
            continue
        parts.append(rows.limit(keep_rows).select(sf.lit(outcome.name).alias(FAILED), *frame.columns))
        where = f", kept in {kept}" if kept else ""
        counts = f"{outcome.failing:,} of {outcome.rows:,} rows fail"
        told.append(f"{says}; {counts}{where}, e.g. {_examples(rows, outcome)}")
    if parts and kept:
        together = parts[0]
        for part in parts[1:]:
            together = together.union_all(part)
        together.write.save_as_table(kept, mode="errorifexists")
    return told


def _examples(rows: DataFrame, outcome: Outcome) -> str:
    """Show the first column, which mostly names the row, and the columns in question of some rows."""
    shown = list(dict.fromkeys([quoted(unquoted(rows.columns[0])), *[quoted(name) for name in outcome.columns]]))
    found = rows.select(*shown).limit(EXAMPLES).collect()
    texts = [", ".join(f"{name}={value!r}" for name, value in row.as_dict().items()) for row in found]
    return "; ".join(f"({text[:LONGEST_EXAMPLE]})" for text in texts)


def _metrics(outcomes: Mapping[str, Sequence[Outcome]]) -> Metrics:
    every = [outcome for found in outcomes.values() for outcome in found]
    warned = [outcome for outcome in every if not outcome.met]
    return Metrics(
        values={
            "expectations": float(len(every)),
            "warnings": float(len(warned)),
            "failing_rows": float(sum(outcome.failing for outcome in every)),
        }
    )


def _report(outcomes: Mapping[str, Sequence[Outcome]]) -> Report:
    rows = tuple(
        (port, o.name, describe(o.expectation), o.rows, o.failing, "met" if o.met else "not met (warning)")
        for port, found in outcomes.items()
        for o in found
    )
    if not rows:
        return Report(title="Expectations", sections=(Text(body="Nothing is expected of the data."),))
    columns = ("table", "expectation", "what", "rows", "failing", "verdict")
    return Report(title="Expectations", sections=(Grid(title="Expectations", columns=columns, rows=rows),))
