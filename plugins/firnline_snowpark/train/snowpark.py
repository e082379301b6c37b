"""``train.snowpark``: an estimator of Snowpark ML, fitted by a stored procedure where the rows are.

What travels is the order (a query, an unfitted pipeline) and the fitted model; no row comes here.
"""

from __future__ import annotations

import json
import pickle
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from firnline.domain import Grid
from firnline.errors import DataError
from firnline_snowpark.columns import quoted
from firnline_snowpark.rows import feature_sql, rows_query
from firnline_snowpark.tables import stop_if_cancelled
from firnline_snowpark.train import in_platform
from firnline_snowpark.train.estimators import ESTIMATORS, plain, settings_problem, takes
from firnline_snowpark.train.outcome import outcome
from firnline_snowpark.train.preprocessing import numbers, transformer
from firnline_snowpark.train.roles import assign_roles

if TYPE_CHECKING:
    from firnline.domain import Outputs, StepContext, Table, Value
    from firnline_snowpark.train.estimators import Purpose
    from firnline_snowpark.train.roles import Roles
    from firnline_snowpark.train.snowpark_params import SnowparkParams

UNWEIGHTED: Final = frozenset({"mlp"})
"""Estimators that Snowpark ML hands no weights of rows to."""
_BUILDS: Final = {"xgboost": ("xgboost", "xgboost-cpu"), "lightgbm": ("lightgbm",), "sklearn": ()}


def run(
    context: StepContext,
    params: SnowparkParams,
    train: Table,
    valid: Table | None = None,  # noqa: ARG001 (trainers are exchangeable; this one needs no validation rows)
    profile: Value | None = None,
) -> Outputs:
    """Let the platform fit the estimator on the training rows, and take the pipeline over.

    Raises:
        DataError: there is no target, no feature, or no row to learn from; the estimator is not for such a target, or
            the library refuses its settings.
    """
    roles = assign_roles(context, params, train, profile)
    order = _order(context, params, roles, train)
    stop_if_cancelled(context)
    context.progress(f"fitting {order['estimator'][1]} on the platform")
    told, pipeline = _fit(context, params, order)
    return outcome(
        context,
        pipeline,
        roles,
        params,
        framework=ESTIMATORS[params.estimator].library,
        rows=told["rows"],
        story=_story(params, order, told),
        figures=_candidates(told["search"], order),
    )


def _order(context: StepContext, params: SnowparkParams, roles: Roles, train: Table) -> dict[str, Any]:
    """Return what the procedure is told to do."""
    estimator = ESTIMATORS[params.estimator]
    purpose: Purpose = "regression" if roles.task.task == "regression" else "classification"
    name = estimator.class_for(purpose)
    where = f"stage {context.stage}"
    if name is None:
        fitting = [other for other, each in ESTIMATORS.items() if each.class_for(purpose) is not None]
        raise DataError(
            f"{where}: {params.estimator} is not for {purpose}, and {roles.task.target} is a matter of that",
            hint=f"one of {', '.join(fitting)}",
        )
    searched = params.search.values if params.search is not None else {}
    if problem := settings_problem(estimator, [*params.settings, *searched], purpose):
        raise DataError(f"{where}: {problem}", hint="the other class takes it, but the target asks for this one")
    balanced = params.class_weight == "balanced" and purpose == "classification"
    if balanced and params.estimator in UNWEIGHTED:
        raise DataError(f"{where}: {name} of Snowpark ML takes no weights", hint="leave class_weight at none")
    seeded = {"random_state": params.seed} if takes(estimator, "random_state", purpose) else {}
    if estimator.library == "lightgbm":
        seeded["verbose"] = -1
    kinds = {**roles.kinds, roles.task.target: _target_kind(context, train, roles)}
    return {
        "query": rows_query(kinds, train.name, roles.task, order=roles.order, limit=params.max_rows, seed=params.seed),
        "features": roles.task.features,
        "numbers": frozenset(roles.numbers),
        "classes": roles.task.classes,
        "front": _front(context, params, roles, train),
        "estimator": (estimator.module, name),
        "library": estimator.library,
        "settings": seeded | {key: plain(value) for key, value in params.settings.items()},
        "balanced": balanced,
        "search": _search(params, purpose),
        "seed": params.seed,
    }


def _target_kind(context: StepContext, train: Table, roles: Roles) -> Any:
    from firnline_snowpark.rows import column_kinds

    return column_kinds(context.session, train.name)[roles.task.target]


def _search(params: SnowparkParams, purpose: Purpose) -> dict[str, Any] | None:
    if params.search is None:
        return None
    default = "neg_root_mean_squared_error" if purpose == "regression" else "neg_log_loss"
    return {
        **params.search.model_dump(),
        "scoring": params.search.scoring or default,
        "values": {name: [plain(value) for value in tried] for name, tried in params.search.values.items()},
    }


def _front(context: StepContext, params: SnowparkParams, roles: Roles, train: Table) -> Any:
    """Return the unfitted preprocessing; how many values a column has is counted by the platform."""
    scaled = not ESTIMATORS[params.estimator].takes_gaps
    many = _many_valued(context, params, roles, train)
    prepared = _imputed(params) if scaled else numbers(scaled=False)
    return transformer(roles, many, numbers=prepared, scaled=scaled and params.scaler != "none", seed=params.seed)


def _imputed(params: SnowparkParams) -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

    imputer = SimpleImputer(strategy=params.imputer, add_indicator=True, keep_empty_features=True)
    if params.scaler == "none":
        return make_pipeline(imputer)
    scaler = {"standard": StandardScaler, "min_max": MinMaxScaler, "robust": RobustScaler}[params.scaler]
    return make_pipeline(imputer, scaler())


def _many_valued(context: StepContext, params: SnowparkParams, roles: Roles, train: Table) -> set[str]:
    if not roles.texts:
        return set()
    # A missing value is a category, too.
    counted = [
        f"COUNT(DISTINCT {feature_sql(name, 'text')}) + MAX(IFF({quoted(name)} IS NULL, 1, 0))" for name in roles.texts
    ]
    [row] = context.session.sql(f"SELECT {', '.join(counted)} FROM {train.name}").collect()  # noqa: S608 (all quoted)
    return {name for name, values in zip(roles.texts, row, strict=True) if (values or 0) > params.one_hot_limit}


def _fit(context: StepContext, params: SnowparkParams, order: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    """Call the procedure; return what it tells, and the fitted pipeline."""
    from snowflake.snowpark.exceptions import SnowparkSQLException
    from snowflake.snowpark.types import StringType

    session = context.session
    folder = f"{session.get_session_stage()}/train_{context.attempt.lower()}"
    with TemporaryDirectory() as place:
        (Path(place) / in_platform.ORDER).write_bytes(pickle.dumps(order, protocol=pickle.HIGHEST_PROTOCOL))
        session.file.put(str(Path(place) / in_platform.ORDER), folder, auto_compress=False, overwrite=True)
        procedure = session.sproc.register_from_file(
            str(in_platform.__file__),
            "fit",
            return_type=StringType(),
            input_types=[StringType()],
            packages=packages(order["library"]),
            execute_as="caller",
            artifact_repository=params.artifact_repository,
        )
        try:
            told: dict[str, Any] = json.loads(procedure(folder, session=session))
        except SnowparkSQLException as error:
            raise DataError(
                f"stage {context.stage}: the platform could not fit {order['estimator'][1]}: {_last_line(error)}",
                hint=f"check {context.stage}.params.settings against what the library takes",
            ) from error
        _refuse_absent(order, told)
        session.file.get(f"{folder}/{in_platform.RESULT}", place)
        return told, pickle.loads((Path(place) / in_platform.RESULT).read_bytes())  # noqa: S301 (of our procedure)


def packages(library: str) -> list[str]:
    """Return what the procedure needs, at the versions that are installed here: the model is unpickled here."""
    wanted: list[tuple[str, ...]] = [
        ("snowflake-snowpark-python",),
        ("snowflake-ml-python",),
        ("scikit-learn",),
        ("pandas",),
        ("numpy",),
    ]
    if _BUILDS[library]:
        wanted.append(_BUILDS[library])
    return [f"{names[0]}=={_version(names)}" for names in wanted]


def _version(names: tuple[str, ...]) -> str:
    for name in names:
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    raise DataError(f"{names[0]} is not installed", hint=f"pip install {names[-1]}")


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines if not line.startswith(("File ", "in function", "^"))]
    return (told or lines or [type(error).__name__])[-1][:400]


def _refuse_absent(order: dict[str, Any], told: dict[str, Any]) -> None:
    if not told["rows"]:
        raise DataError("the training table has no row with a label", hint="is the right table connected to `train`?")
    if told["absent"]:
        absent = ", ".join(repr(order["classes"][code]) for code in told["absent"][:5])
        raise DataError(
            f"no training row has the class {absent}",
            hint="such rare classes are better merged or removed; or split with another seed, or stratified",
        )


def _story(params: SnowparkParams, order: dict[str, Any], told: dict[str, Any]) -> str:
    module, name = order["estimator"]
    story = f"{name} of snowflake.ml.modeling.{module}, fitted by a stored procedure; no row left the platform."
    if told["search"]:
        best = told["search"][0]
        chosen = ", ".join(f"{key} = {value}" for key, value in best["settings"].items())
        assert params.search is not None, "only a search has results"
        story += (
            f" Of {len(told['search']):,} candidates shown, {chosen} was best in {params.search.folds}-fold "
            f"cross-validation: {order['search']['scoring']} {best['mean']:.4g}."
        )
    return story


def _candidates(search: list[dict[str, Any]], order: dict[str, Any]) -> tuple[Grid, ...]:
    if not search:
        return ()
    names = list(search[0]["settings"])
    rows = tuple(
        (*(str(found["settings"][name]) for name in names), f"{found['mean']:.4g}", f"{found['deviation']:.2g}")
        for found in search
    )
    return (Grid(title="Search", columns=(*names, order["search"]["scoring"], "deviation"), rows=rows),)
