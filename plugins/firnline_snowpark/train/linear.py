"""``train.logistic``: a linear model on imputed, scaled and one-hot-encoded columns."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from firnline.domain import Figure
from firnline_snowpark.figures import BLUE, ORANGE, draw_svg
from firnline_snowpark.train.outcome import outcome
from firnline_snowpark.train.preprocessing import preprocessing
from firnline_snowpark.train.roles import assign_roles
from firnline_snowpark.train.samples import sample_weights, training_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from firnline.domain import Outputs, StepContext, Table, Value
    from firnline_snowpark.rows import LabelledRows
    from firnline_snowpark.train.params import LogisticParams
    from firnline_snowpark.train.roles import Roles

SHOWN = 20


def run(
    context: StepContext,
    params: LogisticParams,
    train: Table,
    valid: Table | None = None,  # noqa: ARG001 (trainers are exchangeable; this one needs no validation rows)
    profile: Value | None = None,
) -> Outputs:
    """Fit logistic regression for classes, ridge regression for amounts.

    Raises:
        DataError: there is no target, no feature, or no row to learn from.
    """
    roles = assign_roles(context, params, train, profile)
    rows = training_rows(context, params, roles, train)
    pipeline, converged = fit(params, roles, rows)
    what = "Ridge regression" if roles.task.task == "regression" else "Logistic regression"
    story = f"{what} with an L2 penalty of {params.regularization:g}."
    if not converged:
        story += f" The solver did not converge in {params.max_iterations:,} iterations: raise max_iterations."
    return outcome(
        context,
        pipeline,
        roles,
        params,
        framework="sklearn",
        rows=len(rows.labels),
        story=story,
        figures=_figures(pipeline, roles),
    )


def fit(params: LogisticParams, roles: Roles, rows: LabelledRows) -> tuple[Any, bool]:
    """Return the fitted pipeline, and whether the solver converged."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import Pipeline

    front = preprocessing(roles, rows.features, one_hot_limit=params.one_hot_limit, scaled=True, seed=params.seed)
    if roles.task.task == "regression":
        estimator: Any = Ridge(alpha=params.regularization)
    else:
        estimator = LogisticRegression(C=1 / params.regularization, max_iter=params.max_iterations)
    pipeline = Pipeline([("columns", front), ("linear", estimator)])
    weights = sample_weights(params, roles, rows.labels)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        pipeline.fit(rows.features, rows.labels, linear__sample_weight=weights)
    return pipeline, not any(issubclass(warning.category, ConvergenceWarning) for warning in caught)


def _figures(pipeline: Any, roles: Roles) -> tuple[Figure, ...]:
    import numpy as np

    weights = np.atleast_2d(pipeline[-1].coef_)
    if len(weights) > 1:
        return ()  # one list a class says little at a glance
    names = list(pipeline[0].get_feature_names_out())
    strongest = np.argsort(-np.abs(weights[0]), kind="stable")[:SHOWN][::-1]

    def draw(axes: Axes) -> None:
        values = weights[0][strongest]
        axes.barh(range(len(values)), values, color=[BLUE if value > 0 else ORANGE for value in values])
        axes.set_yticks(range(len(values)), [_short(names[index]) for index in strongest])
        axes.axvline(0, color="black", linewidth=0.8)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("coefficient (columns are scaled)")

    toward = f"toward {roles.task.classes[-1]}" if roles.task.classes else "toward larger amounts"
    svg = draw_svg(draw, width=6.0, height=0.8 + 0.24 * len(strongest))
    return (Figure(title="Strongest coefficients", svg=svg, caption=f"Positive ones push {toward}."),)


def _short(name: str) -> str:
    return name if len(name) <= 40 else name[:39] + "…"
