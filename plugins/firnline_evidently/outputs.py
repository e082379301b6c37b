"""What the model says today, and what turned out to be true, held against the same of the reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from firnline.domain import quote_name
from firnline.errors import DataError
from firnline_evidently.performance import joined_sql, measure_performance
from firnline_evidently.profiles import check_columns, reference_profile
from firnline_evidently.reference import column_kinds, count_current
from firnline_evidently.rules import judge_outputs

if TYPE_CHECKING:
    from firnline.domain import Metrics, RegisteredModel, StepContext, Table
    from firnline_evidently.params import MonitorParams
    from firnline_evidently.profile import Profile
    from firnline_evidently.verdict import ColumnVerdict, Kind, Performance


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """The tables that tell what a model said and what was true; None where there is none.

    Attributes:
        predictions: today's rows, as the model scored them.
        reference_predictions: the reference's rows, as the model scored them.
        labels: what turned out to be true.
        evaluated: the model's metrics on rows that it had not seen.
    """

    predictions: Table | None = None
    reference_predictions: Table | None = None
    labels: Table | None = None
    evaluated: Metrics | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Two profiles of the same bins, and what they amount to."""

    before: Profile
    now: Profile
    verdicts: tuple[ColumnVerdict, ...]


def check_scored(params: MonitorParams, scored: Scored) -> None:
    """Refuse tables that cannot say anything without another one.

    Raises:
        DataError: one of them is missing.
    """
    if scored.reference_predictions is not None and scored.predictions is None:
        raise DataError(
            "there are predictions of the reference, but none of today", hint="connect monitor.inputs.predictions"
        )
    if scored.labels is not None and (scored.predictions is None or params.performance is None):
        lacking = "inputs.predictions" if scored.predictions is None else "params.performance (key and label)"
        raise DataError("labels alone do not tell how the model did", hint=f"monitor.{lacking} is missing")
    if scored.predictions is not None and scored.reference_predictions is None and scored.labels is None:
        raise DataError(
            "there is nothing to hold today's predictions against",
            hint="connect monitor.inputs.reference_predictions (a second score stage on the reference), or labels",
        )


def compare_predictions(
    context: StepContext, params: MonitorParams, scored: Scored, model: RegisteredModel | None
) -> Compared | None:
    """Compare what the model says of today's rows with what it says of the reference's; None without both tables."""
    before, now = scored.reference_predictions, scored.predictions
    if before is None or now is None:
        return None
    kinds = [column_kinds(context.session, table.name) for table in (before, now)]
    names = tuple(name for name in params.prediction_columns if all(name in of_table for of_table in kinds))
    if not names:
        raise DataError(
            f"the results tables have none of the columns {', '.join(params.prediction_columns)} in common",
            hint="name what the model says with monitor.params.prediction_columns",
        )
    own = _of_outputs(params, names)
    profile = reference_profile(context, own, before, before.name, model, port="reference_predictions")
    check_columns(context, profile, now.name, "the predictions of today")
    return _compare(context, own, profile, now.name, "prediction")


def compare_labels(
    context: StepContext, params: MonitorParams, reference: Table, source: str, scored: Scored
) -> Compared | None:
    """Compare the labels that have arrived with those of the reference; None if the reference has none."""
    performance, predictions, labels = params.performance, scored.predictions, scored.labels
    if performance is None or predictions is None or labels is None:
        return None
    kinds = column_kinds(context.session, reference.name)
    if kinds.get(performance.label) is None:
        return None
    own = _of_outputs(params, (performance.label,))
    profile = reference_profile(context, own, reference, source, None, port="labels")
    joined = joined_sql(predictions.name, labels.name, performance, ())
    current = f"(SELECT TRUTH AS {quote_name(performance.label)} FROM {joined})"  # noqa: S608 (quoted)
    check_columns(context, profile, labels.name, "the labels")
    return _compare(context, own, profile, current, "label")


def measure(context: StepContext, params: MonitorParams, scored: Scored) -> Performance | None:
    """Return how the model did; None without a table of labels."""
    if params.performance is None or scored.predictions is None or scored.labels is None:
        return None
    named = [
        (table.name, tuple(column_kinds(context.session, table.name))) for table in (scored.predictions, scored.labels)
    ]
    return measure_performance(context.session, named[0], named[1], params.performance, scored.evaluated)


def _of_outputs(params: MonitorParams, names: tuple[str, ...]) -> MonitorParams:
    changed = {"columns": names, "ignore": (), "slices": (), "thresholds": {}, "pairs": 0}
    return params.model_copy(update=changed | {"time": None, "season": None, "usual": None})


def _compare(context: StepContext, params: MonitorParams, before: Profile, current: str, kind: Kind) -> Compared:
    now = count_current(context.session, current, before, params)
    return Compared(before=before, now=now, verdicts=judge_outputs(before, now, params, kind))
