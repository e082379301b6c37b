"""Evidently's page: its plots from a sample of the rows, its numbers from all of them.

Evidently looks each column's number up instead of computing it from the sample, by a statistic that is registered for
the time of one report. Such statistics live in Evidently's ``legacy`` part (0.7), hence the pin, and a test that fails
when they move.
"""

from __future__ import annotations

import os
from contextvars import ContextVar
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from firnline_evidently.measures import TITLES
from firnline_evidently.reference import draw_sample

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from firnline.domain import StepContext
    from firnline_evidently.params import Method, MonitorParams
    from firnline_evidently.profile import Profile
    from firnline_evidently.verdict import ColumnVerdict, Verdict

FILE: Final = "evidently.html"
# What the registered statistics answer with, for the report that this thread makes.
_verdicts: Final[ContextVar[Mapping[str, ColumnVerdict]]] = ContextVar("verdicts")


def write_page(
    context: StepContext,
    folder: Path,
    params: MonitorParams,
    sources: tuple[str, str],
    profile: Profile,
    verdict: Verdict,
) -> None:
    """Write Evidently's page, and its numbers as JSON, into a folder.

    Args:
        context: of the stage.
        folder: where ``evidently.html`` and ``evidently.json`` go.
        params: of the monitor.
        sources: reference and current rows, ready for SQL.
        profile: of the reference.
        verdict: the numbers of all rows.
    """
    names = tuple(column.name for column in profile.columns)
    before, now = (draw_sample(context.session, source, names, params.sample) for source in sources)
    os.environ.setdefault("DO_NOT_TRACK", "1")
    snapshot = _run(context, _prepared(before, profile), _prepared(now, profile), profile, verdict)
    (folder / FILE).write_text(snapshot.get_html_str(as_iframe=False), encoding="utf-8")
    (folder / "evidently.json").write_text(snapshot.json(), encoding="utf-8")


def _run(context: StepContext, before: pd.DataFrame, now: pd.DataFrame, profile: Profile, verdict: Verdict) -> Any:
    from evidently import DataDefinition, Dataset, Report
    from evidently.metrics import ValueDrift
    from evidently.tests import lt

    definition = DataDefinition(
        numerical_columns=[column.name for column in profile.columns if column.kind == "number"],
        categorical_columns=[column.name for column in profile.columns if column.kind == "category"],
    )
    known = _verdicts.set({found.column: found for found in verdict.columns})
    try:
        report = Report(
            [
                ValueDrift(
                    column=found.column,
                    method=_statistic(found.method),
                    threshold=found.threshold,
                    tests=[lt(found.threshold)],
                )
                for found in verdict.columns
                if before[found.column].notna().any() and now[found.column].notna().any()
            ],
            metadata={
                "pipeline": context.pipeline,
                "run": context.run_id,
                "numbers": "from all rows, counted in the platform",
                "plots": f"from samples of {len(before)} and {len(now)} rows",
            },
        )
        return report.run(
            Dataset.from_pandas(now, data_definition=definition),
            Dataset.from_pandas(before, data_definition=definition),
        )
    finally:
        _verdicts.reset(known)


@lru_cache
def _statistic(method: Method) -> str:
    """Register, once in this process, the statistic that looks a number up; return its name."""
    from evidently.legacy.calculations.stattests.registry import StatTest, register_stattest
    from evidently.legacy.core import ColumnType

    statistic = StatTest(
        name=f"firnline_{method}",
        display_name=f"{TITLES[method]} (all rows)",
        allowed_feature_types=[ColumnType.Numerical, ColumnType.Categorical],
    )

    def look_up(reference: Any, _current: Any, _kind: Any, _threshold: float) -> tuple[float, bool]:
        found = _verdicts.get()[str(reference.name)]
        return found.value, found.drifted

    register_stattest(statistic, look_up)
    return f"firnline_{method}"


def _prepared(frame: pd.DataFrame, profile: Profile) -> pd.DataFrame:
    """Give each column the plain type that Evidently expects of its kind."""
    prepared = {
        column.name: frame[column.name].astype("float64")
        if column.kind == "number"
        else frame[column.name].map(lambda value: None if pd.isna(value) else str(value)).astype("object")
        for column in profile.columns
    }
    return pd.DataFrame(prepared)
