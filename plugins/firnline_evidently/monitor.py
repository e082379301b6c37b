"""Compare the reference with the rows of today: counts from the platform, verdict, report, history, alerts."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from firnline.domain import Files, Metrics, RegisteredModel, Table
from firnline.errors import DataError, StoppedByGateError
from firnline_evidently.alerts import send_alerts
from firnline_evidently.history import keep_history, write_verdicts
from firnline_evidently.kept import find_kept, keep
from firnline_evidently.profile import EVERYTHING, Profile
from firnline_evidently.reference import build_profile, column_kinds, count_current, season_filter, settings_of
from firnline_evidently.rules import judge
from firnline_evidently.sections import report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firnline.domain import Artifact, StepContext
    from firnline_evidently.params import MonitorParams
    from firnline_evidently.rules import Verdict


def run(
    context: StepContext,
    params: MonitorParams,
    reference: Table,
    current: Table,
    model: RegisteredModel | None = None,
) -> Mapping[str, Artifact]:
    """Measure drift, tell about it, and stop the pipeline if that is wanted.

    Raises:
        DataError: the tables cannot be compared.
        StoppedByGateError: the data has drifted, and ``fail_on_drift`` is set.
    """
    source = season_filter(context.session, reference.name, current.name, params)
    before = _reference_profile(context, params, reference, source, model)
    _check_columns(context, before, current)
    context.progress("counting the rows of today")
    now = count_current(context.session, current.name, before, params)
    rows = max((counts.rows for counts in now.counts[EVERYTHING].values()), default=0)
    if not rows:
        raise DataError("there are no rows to monitor", hint=f"{current.name} is empty")
    verdict = judge(before, now, params)
    table = write_verdicts(context, verdict)
    folder = _page(context, params, source, current, before, verdict)
    if verdict.drifted:
        send_alerts(context, params, verdict)
    # Others see the history at once, so it is written when nothing else can fail any more.
    past = keep_history(context, params.history, table, rows) if params.history is not None else {}
    if verdict.drifted and params.fail_on_drift:
        worst = ", ".join(found.column for found in verdict.drifted_columns[:5])
        raise StoppedByGateError(
            f"the data has drifted: {len(verdict.drifted_columns)} of {len(verdict.columns)} columns, worst {worst}",
            hint=f"the numbers are in {table.name}; train anew, or accept it with monitor.params.fail_on_drift=false",
        )
    return {
        "metrics": Metrics(values=_metrics(verdict, rows)),
        "report": report(before, now, verdict, params, past),
        "table": table,
        "page": folder,
    }


def _reference_profile(
    context: StepContext, params: MonitorParams, reference: Table, source: str, model: RegisteredModel | None
) -> Profile:
    """Take the counts kept with the model version, or count the reference and keep the counts there."""
    identity = f"{context.input_keys.get('reference', reference.name)} {source if params.season else ''}".strip()
    if model is not None:
        kept = find_kept(context, model, identity, settings_of(params))
        if kept is not None:
            context.logger.info("the reference's counts were kept with %s version %s", model.name, model.version)
            return kept
    context.progress("counting the reference", reference.rows)
    profile = build_profile(context.session, reference.name, source, params)
    if model is not None:
        keep(context, model, identity, profile)
    return profile


def _check_columns(context: StepContext, reference: Profile, current: Table) -> None:
    kinds = column_kinds(context.session, current.name)
    for column in reference.columns:
        if column.name not in kinds:
            raise DataError(
                f"the rows of today have no column {column.name!r}",
                hint="leave it out with monitor.params.ignore, if it is not theirs to have (a label, for one)",
            )
        if kinds[column.name] != column.kind:
            raise DataError(
                f"column {column.name!r} is a {column.kind} in the reference, today a {kinds[column.name]}",
                hint="the feature pipeline has changed its type: train anew, or mend it",
            )


def _page(
    context: StepContext,
    params: MonitorParams,
    source: str,
    current: Table,
    profile: Profile,
    verdict: Verdict,
) -> Files:
    folder = context.directory / "page"
    folder.mkdir()
    if params.page:
        from firnline_evidently.evidently_page import write_page

        context.progress("drawing Evidently's page")
        write_page(context, folder, params, (source, current.name), profile, verdict)
    return Files(path=folder)


def _metrics(verdict: Verdict, rows: int) -> dict[str, float]:
    values: dict[str, Any] = {
        "drift": float(verdict.drifted),
        "drifted_share": verdict.drifted_share,
        "drifted_columns": float(len(verdict.drifted_columns)),
        "rows": float(rows),
    }
    for name in ("psi", "jensen_shannon", "wasserstein", "kolmogorov_smirnov"):
        found = [asdict(column.measures)[name] for column in verdict.columns]
        known = [value for value in found if value is not None]
        if known:
            values[f"worst_{name}"] = max(known)
    values["worst_missing_change"] = max((abs(column.missing_change) for column in verdict.columns), default=0.0)
    return values
