"""``train.xgboost``: gradient-boosted trees on numbers as they are and categories one-hot or target-encoded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from firnline.errors import InterruptedRunError
from firnline_snowpark.train.curves import learning_curve
from firnline_snowpark.train.outcome import outcome
from firnline_snowpark.train.preprocessing import preprocessing
from firnline_snowpark.train.roles import assign_roles
from firnline_snowpark.train.samples import sample_weights, training_rows, validation_rows

if TYPE_CHECKING:
    from firnline.domain import Outputs, StepContext, Table, Value
    from firnline_snowpark.rows import LabelledRows, LearningTask
    from firnline_snowpark.train.params import XGBoostParams

CELLS_WORTH_THREADS = 1_000_000
LOSSES = {"binary": "logloss", "multiclass": "mlogloss", "regression": "rmse"}


def run(
    context: StepContext,
    params: XGBoostParams,
    train: Table,
    valid: Table | None = None,
    profile: Value | None = None,
) -> Outputs:
    """Fit the trees; with validation rows, keep those up to the round with the smallest validation loss.

    Raises:
        DataError: there is no target, no feature, or no row to learn from.
    """
    roles = assign_roles(context, params, train, profile)
    rows = training_rows(context, params, roles, train)
    held_out = validation_rows(context, roles, valid) if valid is not None else None
    pipeline, curves = fit(context, params, roles, rows, held_out)
    return outcome(
        context,
        pipeline,
        roles,
        params,
        framework="xgboost",
        rows=len(rows.labels),
        story=_story(curves, pipeline[-1], roles.task),
        figures=(learning_curve(curves, LOSSES[roles.task.task]),),
    )


def fit(
    context: StepContext, params: XGBoostParams, roles: Any, rows: LabelledRows, held_out: LabelledRows | None
) -> tuple[Any, dict[str, list[float]]]:
    """Return the fitted pipeline and the losses by round, for ``train`` and ``valid``."""
    from sklearn.pipeline import Pipeline

    front = preprocessing(roles, rows.features, one_hot_limit=params.one_hot_limit, scaled=False, seed=params.seed)
    matrix = front.fit_transform(rows.features, rows.labels)
    sets = [(matrix, rows.labels)]
    if held_out is not None:
        sets.append((front.transform(held_out.features), held_out.labels))
    # Threads that wait for each other cost more than they save on a small table.
    threads = 1 if matrix.size < CELLS_WORTH_THREADS else None
    trees = _estimator(context, params, roles.task, stops=held_out is not None, threads=threads)
    trees.fit(
        matrix,
        rows.labels,
        sample_weight=sample_weights(params, roles, rows.labels),
        eval_set=sets,
        verbose=False,
    )
    if context.is_cancelled():
        raise InterruptedRunError("the training was stopped")
    trees.set_params(callbacks=None)  # they belong to this run; the model must not carry them
    history = trees.evals_result()
    loss = LOSSES[roles.task.task]
    curves = {name: history[key][loss] for name, key in zip(("train", "valid"), history, strict=False)}
    return Pipeline([("columns", front), ("trees", trees)]), curves


def _estimator(
    context: StepContext, params: XGBoostParams, task: LearningTask, *, stops: bool, threads: int | None
) -> Any:
    from xgboost import XGBClassifier, XGBRegressor
    from xgboost.callback import TrainingCallback

    class Watch(TrainingCallback):  # type: ignore[misc]  # the library has no types
        """Tells how far the training is, and stops it when the run is cancelled."""

        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:  # noqa: ARG002 (the library's call)
            losses = zip(("train", "valid"), evals_log.values(), strict=False)
            context.measured(epoch + 1, **{f"{of}_{name}": said[name][-1] for of, said in losses for name in said})
            if epoch % 50 == 0:
                context.progress(f"round {epoch}")
            return context.is_cancelled()

    kind = XGBRegressor if task.task == "regression" else XGBClassifier
    return kind(
        n_estimators=params.rounds,
        learning_rate=params.learning_rate,
        max_depth=params.max_depth,
        min_child_weight=params.min_child_weight,
        subsample=params.subsample,
        colsample_bytree=params.colsample,
        reg_lambda=params.reg_lambda,
        tree_method="hist",
        eval_metric=LOSSES[task.task],
        early_stopping_rounds=params.early_stopping_rounds if stops else None,
        random_state=params.seed,
        n_jobs=params.threads or threads,
        callbacks=[Watch()],
    )


def _story(curves: dict[str, list[float]], trees: Any, task: LearningTask) -> str:
    loss = LOSSES[task.task]
    if "valid" not in curves:
        return f"{len(curves['train']):,} rounds; there were no validation rows to stop early on."
    best = int(trees.best_iteration)
    return (
        f"The validation {loss} was smallest after {best + 1:,} rounds ({curves['valid'][best]:.4f}); "
        f"{len(curves['valid']):,} rounds were tried, the later ones are not used."
    )
