"""Compare the reference with the rows of today: counts from the platform, verdict, report, history, alerts."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from firnline.domain import Files, Metrics, RegisteredModel, Table
from firnline.errors import DataError, StoppedByGateError
from firnline_evidently.alerts import send_alerts
from firnline_evidently.history import keep_history, write_verdicts
from firnline_evidently.outputs import Scored, check_scored, compare_labels, compare_predictions, measure
from firnline_evidently.profiles import check_columns, reference_profile
from firnline_evidently.reference import column_kinds, count_current, season_filter
from firnline_evidently.relations import judge_pairs
from firnline_evidently.retraining import ask_for_retraining
from firnline_evidently.rules import decide, judge_columns
from firnline_evidently.sections import Seen, report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firnline.domain import Artifact, StepContext
    from firnline_evidently.params import MonitorParams
    from firnline_evidently.profile import Profile
    from firnline_evidently.verdict import Verdict


def run(
    context: StepContext,
    params: MonitorParams,
    reference: Table,
    current: Table,
    model: RegisteredModel | None = None,
    predictions: Table | None = None,
    reference_predictions: Table | None = None,
    labels: Table | None = None,
    evaluated: Metrics | None = None,
) -> Mapping[str, Artifact]:
    """Measure drift, tell about it, ask for a retraining or stop the pipeline if that is wanted.

    Raises:
        DataError: the tables cannot be compared.
        StoppedByGateError: it is drift, and ``fail_on_drift`` is set.
    """
    scored = Scored(
        predictions=predictions, reference_predictions=reference_predictions, labels=labels, evaluated=evaluated
    )
    check_scored(params, scored)
    params = _without_label(context, params, reference, current, scored)
    source = season_filter(context.session, reference.name, current.name, params)
    seen, verdict = _compare(context, params, (reference, source), current, model, scored)
    table = write_verdicts(context, verdict)
    folder = _page(context, params, source, current, seen.before, verdict)
    retraining = _told(context, params, verdict)
    # Others see the history at once, so it is written when nothing else can fail any more.
    past = keep_history(context, params.history, table, seen.now.rows) if params.history is not None else {}
    if verdict.drifted and params.fail_on_drift:
        raise StoppedByGateError(
            f"the data has drifted: {'; '.join(verdict.reasons)}",
            hint=f"the numbers are in {table.name}; train anew, or accept it with monitor.params.fail_on_drift=false",
        )
    return {
        "metrics": Metrics(values=_metrics(verdict, seen.now.rows)),
        "report": report(replace(seen, past=past), verdict, params, retraining),
        "table": table,
        "page": folder,
    }


def _compare(
    context: StepContext,
    params: MonitorParams,
    reference: tuple[Table, str],
    current: Table,
    model: RegisteredModel | None,
    scored: Scored,
) -> tuple[Seen, Verdict]:
    before = reference_profile(context, params, *reference, model, port="reference")
    check_columns(context, before, current.name, "the rows of today")
    context.progress("counting the rows of today")
    now = count_current(context.session, current.name, before, params)
    if not now.rows:
        raise DataError("there are no rows to monitor", hint=f"{current.name} is empty")
    performance = measure(context, params, scored)
    said = compare_predictions(context, params, scored, model)
    labelled = performance is not None and performance.labelled > 0
    true = compare_labels(context, params, *reference, scored) if labelled else None
    outputs = tuple(compared for compared in (said, true) if compared is not None)
    verdict = replace(
        judge_columns(before, now, params),
        pairs=judge_pairs(before, now, params),
        predictions=tuple(found for compared in outputs for found in compared.verdicts),
        performance=performance,
    )
    return Seen(before=before, now=now, outputs=outputs), decide(verdict, params)


def _without_label(
    context: StepContext, params: MonitorParams, reference: Table, current: Table, scored: Scored
) -> MonitorParams:
    """Leave the label out of the features where only the reference has it; it is compared by itself."""
    if scored.labels is None or params.performance is None:
        return params
    label = params.performance.label
    before, now = (column_kinds(context.session, table.name) for table in (reference, current))
    if label in before and label not in now and label not in params.columns:
        return params.model_copy(update={"ignore": (*params.ignore, label)})
    return params


def _told(context: StepContext, params: MonitorParams, verdict: Verdict) -> str:
    """Act on drift: ask for a retraining, then tell the receivers; returns what came of the first."""
    if not verdict.drifted:
        return ""
    retraining = ""
    if params.on_drift == "retrain" and params.retrain is not None:
        answer = ask_for_retraining(context, params.retrain, verdict)
        context.logger.info(answer.told)
        retraining = answer.told
    send_alerts(context, params, verdict, retraining)
    return retraining


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
        "drifted_pairs": float(len(verdict.drifted_pairs)),
        "rows": float(rows),
    }
    for name in ("psi", "jensen_shannon", "wasserstein", "kolmogorov_smirnov"):
        found = [asdict(column.measures)[name] for column in verdict.columns]
        known = [value for value in found if value is not None]
        if known:
            values[f"worst_{name}"] = max(known)
    values["worst_missing_change"] = max((abs(column.missing_change) for column in verdict.columns), default=0.0)
    if verdict.pairs:
        values["worst_correlation_change"] = max(pair.change for pair in verdict.pairs)
    for output in verdict.predictions:
        values[f"{output.kind}_{output.column}".lower()] = output.value
    if verdict.performance is not None:
        values["labelled_rows"] = float(verdict.performance.labelled)
        values |= {f"today_{metric.name}": metric.value for metric in verdict.performance.metrics}
    return values
