"""``check.dbt``: what dbt has tested need not be tested again; what failed there stops here."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING, Final

from firnline.domain import Grid, Metrics, Report, Text
from firnline.errors import DataError, StoppedByGateError
from firnline_snowpark.checks.dbt_params import dbt_files
from firnline_snowpark.checks.dbt_results import read_run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firnline.domain import Outputs, StepContext, Table
    from firnline_snowpark.checks.dbt_params import DbtParams
    from firnline_snowpark.checks.dbt_results import DbtResult, DbtRun

TOLD: Final = 10
SHOWN: Final = 300
LONGEST_MESSAGE: Final = 160
_ORDER: Final = {"failed": 0, "skipped": 1, "warned": 2, "passed": 3}


def run(context: StepContext, params: DbtParams, table: Table) -> Outputs:
    """Let the table pass if dbt's tests did.

    Raises:
        DataError: the files are not what dbt writes, too old, or hold no test.
        StoppedByGateError: a test failed; all that failed are listed.
    """
    results, manifest = dbt_files(params, context.project)
    found = read_run(results, manifest)
    _refuse_old(context.stage, params, found)
    looked_at = _chosen(context.stage, params, found)
    stopping = [result for result in looked_at if _stops(result, params)]
    if stopping:
        raise StoppedByGateError(
            _message(context.stage, stopping, looked_at),
            hint="mend the data or the test, and run dbt again (its results of "
            f"{found.generated_at:%Y-%m-%d %H:%M} were read); {context.stage}.params.stop_on=never only tells",
        )
    counts = Counter(result.verdict for result in looked_at)
    values = {name: float(counts[name]) for name in ("passed", "warned", "failed", "skipped")}
    return {
        "table": table,
        "metrics": Metrics(values={"tests": float(sum(result.is_test for result in looked_at)), **values}),
        "report": _report(found, looked_at),
    }


def _refuse_old(stage: str, params: DbtParams, found: DbtRun) -> None:
    age = dt.datetime.now(dt.UTC) - found.generated_at
    if params.max_age_hours is not None and age > dt.timedelta(hours=params.max_age_hours):
        raise DataError(
            f"stage {stage}: dbt's results are of {found.generated_at:%Y-%m-%d %H:%M} UTC, "
            f"{age.total_seconds() / 3600:,.1f} hours ago",
            hint="run dbt again, or raise max_age_hours",
        )


def _chosen(stage: str, params: DbtParams, found: DbtRun) -> list[DbtResult]:
    """Return the tests, and what dbt failed to build: what was built needs no word."""
    looked_at = [result for result in found.results if result.is_test or result.verdict in {"failed", "skipped"}]
    if params.models:
        if params.manifest is None:
            raise DataError(f"stage {stage}: models can be told with the manifest only", hint="say params.manifest")
        wanted = {model.lower() for model in params.models}
        looked_at = [r for r in looked_at if r.model.partition(".")[0].lower() in wanted or r.name.lower() in wanted]
    if not any(result.is_test for result in looked_at):
        of = f" of {', '.join(params.models)}" if params.models else ""
        raise DataError(
            f"stage {stage}: dbt's results hold no test{of}", hint="run `dbt test` or `dbt build` before, not `dbt run`"
        )
    return sorted(looked_at, key=lambda result: (_ORDER[result.verdict], result.name))


def _stops(result: DbtResult, params: DbtParams) -> bool:
    if params.stop_on == "never":
        return False
    match result.verdict:
        case "failed":
            return True
        case "warned":
            return params.stop_on == "warning"
        case "skipped":
            return params.skipped == "stop"
        case "passed":
            return False


def _message(stage: str, stopping: Sequence[DbtResult], looked_at: Sequence[DbtResult]) -> str:
    lines = [f"{stage}: {len(stopping)} of {len(looked_at)} results of dbt do not let the table pass"]
    lines += [f"  {_line(result)}" for result in stopping[:TOLD]]
    more = len(stopping) - TOLD
    return "\n".join([*lines, *([f"  … and {more} more"] if more > 0 else [])])


def _line(result: DbtResult) -> str:
    of = f" ({result.model})" if result.model else ""
    rows = f", {result.failures:,} rows" if result.failures else ""
    said = f": {result.message[:LONGEST_MESSAGE]}" if result.message else ""
    return f"{result.name}{of} {result.verdict}{rows}{said}"


def _report(found: DbtRun, looked_at: Sequence[DbtResult]) -> Report:
    story = f"dbt {found.version} wrote these results on {found.generated_at:%Y-%m-%d %H:%M} UTC."
    if len(looked_at) > SHOWN:
        story += f" The first {SHOWN} of {len(looked_at):,} are shown."
    rows = tuple(
        (r.name, r.model, r.verdict, "" if r.failures is None else r.failures, r.message[:LONGEST_MESSAGE])
        for r in looked_at[:SHOWN]
    )
    grid = Grid(title="dbt's tests", columns=("test", "of", "verdict", "failing rows", "message"), rows=rows)
    return Report(title="What dbt tested", sections=(Text(body=story), grid))
