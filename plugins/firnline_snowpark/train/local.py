"""``train.local``: an estimator fitted on this machine on more rows than its memory holds."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from firnline.errors import DataError
from firnline_snowpark.rows import UNKNOWN_LABEL, read_all
from firnline_snowpark.train.curves import learning_curve
from firnline_snowpark.train.estimators import LOCAL_ESTIMATORS, settings_problem
from firnline_snowpark.train.out_of_core import Work, fit_lightgbm, fit_linear, fit_xgboost
from firnline_snowpark.train.outcome import outcome
from firnline_snowpark.train.preprocessing import preprocessing
from firnline_snowpark.train.roles import assign_roles
from firnline_snowpark.train.spool import refuse_missing_classes, spool_matrix, spool_rows, weights

if TYPE_CHECKING:
    from firnline.domain import Outputs, StepContext, Table, Value
    from firnline_snowpark.train.local_params import LocalParams
    from firnline_snowpark.train.out_of_core import Fitted
    from firnline_snowpark.train.roles import Roles
    from firnline_snowpark.train.spool import Spool

FITS = {"xgboost": fit_xgboost, "lightgbm": fit_lightgbm, "linear": fit_linear}


def run(
    context: StepContext,
    params: LocalParams,
    train: Table,
    valid: Table | None = None,
    profile: Value | None = None,
) -> Outputs:
    """Fit encoders on a sample, write all rows encoded to disk, and let the library learn from them part by part.

    Raises:
        DataError: there is no target, no feature, or no row to learn from; a setting is not one of the estimator's.
    """
    from sklearn.pipeline import Pipeline

    roles = assign_roles(context, params, train, profile)
    _refuse_wrong_settings(context, params, roles)
    with TemporaryDirectory(prefix="firnline-rows-") as place:
        front, rows = _learned_from(context, params, roles, train, Path(place) / "train")
        refuse_missing_classes(rows, roles.task, train.name)
        held_out = None
        if valid is not None:
            held_out = _spooled(context, params, roles, front, valid, Path(place) / "valid", whole=True)
        balanced = params.class_weight == "balanced" and roles.task.task != "regression"
        cache = Path(place) / "cache"
        cache.mkdir()
        work = Work(
            context=context,
            params=params,
            task=roles.task,
            train=rows,
            valid=held_out if held_out is not None and held_out.rows else None,
            weights=weights(rows, len(roles.task.classes)) if balanced else None,
            cache=cache,
        )
        fitted = FITS[params.estimator](work)
    return outcome(
        context,
        Pipeline([("columns", front), ("model", fitted.estimator)]),
        roles,
        params,
        framework=LOCAL_ESTIMATORS[params.estimator].library,
        rows=rows.rows,
        story=_story(params, rows, fitted, stopped=work.valid is not None),
        figures=(learning_curve(fitted.curves, fitted.loss, _unit(params)),),
    )


def _refuse_wrong_settings(context: StepContext, params: LocalParams, roles: Roles) -> None:
    purpose: Any = "regression" if roles.task.task == "regression" else "classification"
    if problem := settings_problem(LOCAL_ESTIMATORS[params.estimator], params.settings, purpose):
        raise DataError(
            f"stage {context.stage}: {problem}", hint="the other class takes it, but the target asks for this one"
        )


def _learned_from(
    context: StepContext, params: LocalParams, roles: Roles, train: Table, folder: Path
) -> tuple[Any, Spool]:
    """Fit the preprocessing on a sample that depends on the seed alone; return it, and all rows encoded by it.

    Where the sample is all rows, they are encoded by target means that leave out the fold that a row is in.
    """
    import numpy as np

    limit = min(params.sample_rows, params.max_rows or params.sample_rows)
    sample = read_all(
        context.session,
        train.name,
        roles.task,
        order=roles.order,
        limit=limit,
        seed=params.seed,
        batch_rows=params.batch_rows,
    )
    scaled = not LOCAL_ESTIMATORS[params.estimator].takes_gaps
    front = preprocessing(roles, sample.features, one_hot_limit=params.one_hot_limit, scaled=scaled, seed=params.seed)
    all_known = roles.task.task == "regression" or bool(np.all(sample.labels != UNKNOWN_LABEL))
    if all_known and (len(sample.labels) < limit or limit == params.max_rows):
        matrix = front.fit_transform(sample.features, sample.labels)
        folder.mkdir()
        return front, spool_matrix(matrix, sample.labels, folder, batch_rows=params.batch_rows)
    front.fit(sample.features, sample.labels)
    return front, _spooled(context, params, roles, front, train, folder)


def _spooled(
    context: StepContext,
    params: LocalParams,
    roles: Roles,
    front: Any,
    table: Table,
    folder: Path,
    *,
    whole: bool = False,
) -> Spool:
    folder.mkdir()
    return spool_rows(
        context,
        front,
        roles.task,
        table.name,
        folder,
        order=roles.order,
        limit=None if whole else params.max_rows,
        seed=params.seed,
        batch_rows=params.batch_rows,
    )


def _unit(params: LocalParams) -> str:
    return "pass" if params.estimator == "linear" else "round"


def _story(params: LocalParams, rows: Spool, fitted: Fitted, *, stopped: bool) -> str:
    name = type(fitted.estimator).__name__
    unit = "passes" if params.estimator == "linear" else "rounds"
    parts = f"{len(rows.parts):,} parts of at most {rows.largest:,} rows" if len(rows.parts) > 1 else "one part"
    story = f"{name}, fitted here on {parts}."
    tried = len(fitted.curves["train"])
    if not stopped:
        return f"{story} {tried:,} {unit}; there were no validation rows to stop early on."
    best = fitted.curves["valid"][fitted.best - 1]
    return (
        f"{story} The validation {fitted.loss} was smallest after {fitted.best:,} {unit} ({best:.4f}); "
        f"{tried:,} were tried, the later ones are not used."
    )
