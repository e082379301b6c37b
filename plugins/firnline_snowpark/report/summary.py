"""``report.summary``: one page for a reader who was not there: what was predicted from what, and how well."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from firnline.domain import Grid, Report, Section, Text
from firnline.errors import DataError
from firnline_snowpark.evaluate.evaluation import Evaluation
from firnline_snowpark.evaluate.measures import LOWER_IS_BETTER
from firnline_snowpark.evaluate.plots import importance_plot
from firnline_snowpark.evaluate.report import SLICE_MEASURES, metrics_grid, slices_grid
from firnline_snowpark.evaluate.wording import legend, number
from firnline_snowpark.object_names import split_name
from firnline_snowpark.tabular.profile import Profile

if TYPE_CHECKING:
    from firnline.domain import Metrics, Model, Outputs, RegisteredModel, StepContext, Table, Value
    from firnline_snowpark.evaluate.slices import Slice
    from firnline_snowpark.report.params import SummaryParams

WEAKEST_SLICES: Final = 5
TASKS: Final = {
    "binary": "one of two classes",
    "multiclass": "one of several classes",
    "regression": "an amount",
}


def run(
    context: StepContext,
    params: SummaryParams,
    model: Model,
    metrics: Metrics,
    details: Value,
    registered: RegisteredModel | None = None,
    predictions: Table | None = None,
    profile: Value | None = None,
) -> Outputs:
    """Put the essentials of the other stages on one page.

    Raises:
        DataError: ``details`` is not what an evaluation of this plugin found.
    """
    evaluation = details.load()
    if not isinstance(evaluation, Evaluation):
        raise DataError(
            f"stage {context.stage}: the details are a {type(evaluation).__name__}",
            hint="connect `details` to the details of evaluate.holdout",
        )
    evaluation = replace(evaluation, metrics=dict(metrics.values))
    sections: list[Section] = [
        Text(body=verdict(evaluation)),
        _facts(model, evaluation, registered, predictions, profile),
        metrics_grid(evaluation),
    ]
    if evaluation.importances:
        sections.append(importance_plot(evaluation.importances[: params.features], evaluation.primary))
    if weak := weakest(evaluation.slices, evaluation):
        sections.append(
            slices_grid(weak, evaluation.task.task, title=f"Where it is weakest, by {legend(_compared(evaluation))}")
        )
    return {"report": Report(title=f"{params.title}: {model.target}", sections=tuple(sections))}


def verdict(evaluation: Evaluation) -> str:
    """Say in a few sentences how good the model is, against a baseline that knows no features."""
    name = evaluation.primary
    value, plain = evaluation.metrics.get(name), evaluation.baseline.get(name)
    if value is None:
        return f"{legend(name)} is not defined on the {evaluation.rows:,} held-out rows."
    text = f"On {evaluation.rows:,} rows that it has not seen the model reaches {legend(name)} {number(value)}"
    interval = evaluation.intervals.get(name)
    if interval is not None:
        text += f" (95 % interval {number(interval[0])} to {number(interval[1])})"
    if plain is None:
        return f"{text}."
    text += f"; a baseline that knows no features reaches {number(plain)}."
    if interval is None:
        return text
    bound = interval[1] if name in LOWER_IS_BETTER else interval[0]
    better = bound < plain if name in LOWER_IS_BETTER else bound > plain
    judged = "The difference is larger than chance explains."
    return f"{text} {judged if better else 'That may be chance: the interval reaches the baseline.'}"


def weakest(slices: list[Slice], evaluation: Evaluation) -> list[Slice]:
    """Return the slices in which the model does worse than on all rows, the worst first."""
    name = _compared(evaluation)
    whole = evaluation.metrics.get(name)
    if whole is None:
        return []
    sign = 1 if name in LOWER_IS_BETTER else -1
    known = [part for part in slices if name in part.measures and sign * (part.measures[name] - whole) > 0]
    return sorted(known, key=lambda part: -sign * part.measures[name])[:WEAKEST_SLICES]


def _compared(evaluation: Evaluation) -> str:
    return SLICE_MEASURES[evaluation.task.task][0]


def _facts(
    model: Model,
    evaluation: Evaluation,
    registered: RegisteredModel | None,
    predictions: Table | None,
    profile: Value | None,
) -> Grid:
    lines = [("predicted", f"{model.target}, {TASKS[model.task]}")]
    if model.classes:
        shown = ", ".join(repr(label) for label in model.classes[:10]) + (", …" if len(model.classes) > 10 else "")
        lines.append(("classes", shown))
    if evaluation.share is not None:
        lines.append((f"share of {model.classes[-1]!r}", f"{evaluation.share:.1%} of the held-out rows"))
    lines += _data(profile)
    lines.append(("model", f"{model.framework}, {len(model.features):,} features"))
    if registered is not None:
        lines.append(("registered as", f"{split_name(registered.name)[-1]} version {registered.version}"))
    if predictions is not None:
        count = f"{predictions.rows:,} rows in " if predictions.rows is not None else ""
        lines.append(("scored", f"{count}{split_name(predictions.name)[-1]}"))
    return Grid(title="In short", columns=("what", "value"), rows=tuple(lines))


def _data(profile: Value | None) -> list[tuple[str, str]]:
    known = profile.load() if profile is not None else None
    if not isinstance(known, Profile):
        return []
    aside = [column.name for column in known.columns if column.role in {"set aside", "identifier"}]
    named = f"; {len(aside):,} left out: {', '.join(aside[:8])}{', …' if len(aside) > 8 else ''}" if aside else ""
    return [("data", f"{known.rows:,} rows, {len(known.columns):,} columns{named}")]
