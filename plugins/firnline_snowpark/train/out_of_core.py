"""Fit an estimator on rows that lie on disk, by what its library has for that."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from firnline.errors import InterruptedRunError
from firnline_snowpark.train.estimators import plain

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from firnline.domain import StepContext
    from firnline_snowpark.rows import LearningTask
    from firnline_snowpark.train.local_params import LocalParams
    from firnline_snowpark.train.spool import Spool

TREES: Final = 1_000
PASSES: Final = 50
PATIENCE: Final = 50
PASSES_PATIENCE: Final = 5
CELLS_WORTH_THREADS: Final = 1_000_000
LIGHTGBM_LOSSES: Final = {"binary": "binary_logloss", "multiclass": "multi_logloss", "regression": "rmse"}
XGBOOST_LOSSES: Final = {"binary": "logloss", "multiclass": "mlogloss", "regression": "rmse"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is to be fitted.

    Attributes:
        context: of the training stage.
        params: as it was configured.
        task: what is learned from what.
        train: rows to learn from.
        valid: rows that tell when to stop; None without.
        weights: of the classes; None where all rows weigh the same.
        cache: an empty folder for what a library keeps on disk.
    """

    context: StepContext
    params: LocalParams
    task: LearningTask
    train: Spool
    valid: Spool | None
    weights: np.ndarray[Any, Any] | None
    cache: Path

    def weights_of(self, labels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any] | None:
        """Return the weight of each row."""
        return None if self.weights is None else self.weights[labels.astype(int)]

    @property
    def settings(self) -> dict[str, Any]:
        """The estimator's own settings."""
        return {name: plain(value) for name, value in self.params.settings.items()}

    def round_done(self, number: int) -> bool:
        """Tell how far it is; True if the run is to stop."""
        if number % 50 == 0:
            self.context.progress(f"round {number}")
        return self.context.is_cancelled()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A fitted estimator, and how it came about.

    Attributes:
        estimator: takes encoded matrices, as scikit-learn's do.
        curves: losses named ``train`` and ``valid``.
        loss: what they are called.
        best: rounds that are used.
    """

    estimator: Any
    curves: dict[str, list[float]]
    loss: str
    best: int


def fit_xgboost(work: Work) -> Fitted:
    """Boost trees on pages that XGBoost keeps on disk (``ExtMemQuantileDMatrix``)."""
    import xgboost
    from xgboost.callback import TrainingCallback

    class Watch(TrainingCallback):  # type: ignore[misc]  # the library has no types
        """Tells how far the training is, and stops it when the run is cancelled."""

        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:  # noqa: ARG002 (the library's call)
            return work.round_done(epoch)

    loss = XGBOOST_LOSSES[work.task.task]
    estimator = _xgboost(work, loss)
    given = {name: value for name, value in estimator.get_xgb_params().items() if value is not None}
    if work.task.task == "multiclass":
        given["num_class"] = len(work.task.classes)
    bins = given.get("max_bin", 256)
    pages = xgboost.ExtMemQuantileDMatrix(_pages(work, work.train, "train"), max_bin=bins)
    sets = [(pages, "train")]
    if work.valid is not None:
        sets.append(
            (xgboost.ExtMemQuantileDMatrix(_pages(work, work.valid, "valid"), max_bin=bins, ref=pages), "valid")
        )
    history: dict[str, dict[str, list[float]]] = {}
    booster = xgboost.train(
        given,
        pages,
        num_boost_round=work.params.rounds or TREES,
        evals=sets,
        evals_result=history,
        early_stopping_rounds=(work.params.early_stopping_rounds or PATIENCE) if work.valid is not None else None,
        verbose_eval=False,
        callbacks=[Watch()],
    )
    _stop_if_cancelled(work)
    curves = {name: [float(value) for value in losses[loss]] for name, losses in history.items()}
    best = int(booster.best_iteration) + 1 if work.valid is not None else len(curves["train"])
    # By the library's own file: so the estimator is what `fit` would have made, its classes included.
    estimator.load_model(booster[:best].save_raw("ubj"))
    return Fitted(estimator=estimator, curves=curves, loss=loss, best=best)


def _xgboost(work: Work, loss: str) -> Any:
    from xgboost import XGBClassifier, XGBRegressor

    regression = work.task.task == "regression"
    objectives = {"binary": "binary:logistic", "multiclass": "multi:softprob", "regression": "reg:squarederror"}
    given = {
        "objective": objectives[work.task.task],
        "learning_rate": work.params.learning_rate,
        "tree_method": "hist",
        "random_state": work.params.seed,
        "eval_metric": loss,
        **_few_threads(work),
    }
    return (XGBRegressor if regression else XGBClassifier)(**given | work.settings)


def _few_threads(work: Work) -> dict[str, int]:
    """Return the setting for one thread on a small table, where threads that wait for each other cost more."""
    return {"n_jobs": 1} if work.train.rows * work.train.width < CELLS_WORTH_THREADS else {}


def _pages(work: Work, spool: Spool, name: str) -> Any:
    import numpy as np
    import xgboost

    class Pages(xgboost.DataIter):  # type: ignore[misc]  # the library has no types
        """Hands one part after the other over."""

        def __init__(self) -> None:
            self.at = 0
            super().__init__(cache_prefix=str(work.cache / name), release_data=True)

        def next(self, input_data: Any) -> bool:
            """Hand the next part over; False after the last."""
            if self.at == len(spool.parts):
                return False
            labels = spool.labels_of(self.at)
            weight = {} if work.weights is None else {"weight": work.weights_of(labels)}
            input_data(data=np.array(spool.part(self.at)), label=labels, **weight)
            self.at += 1
            return True

        def reset(self) -> None:
            """Begin again."""
            self.at = 0

    return Pages()


def fit_lightgbm(work: Work) -> Fitted:
    """Boost trees on rows that LightGBM asks for batch by batch (``Sequence``), and keeps as small histogram codes."""
    import lightgbm
    import numpy as np

    loss = LIGHTGBM_LOSSES[work.task.task]
    estimator = _lightgbm(work)
    given = {name: value for name, value in estimator.get_params().items() if value is not None}
    given = {name: value for name, value in given.items() if name not in {"n_estimators", "class_weight"}}
    given.setdefault("objective", work.task.task)
    given["metric"] = loss
    if work.task.task == "multiclass":
        given["num_class"] = len(work.task.classes)
    train = _sequences(work, work.train, given)
    sets, names = [train], ["train"]
    if work.valid is not None:
        sets.append(_sequences(work, work.valid, given, train))
        names.append("valid")
    history: dict[str, dict[str, list[float]]] = {}
    callbacks = [lightgbm.record_evaluation(history), _lightgbm_watch(work)]
    if work.valid is not None:
        patience = work.params.early_stopping_rounds or PATIENCE
        callbacks.append(lightgbm.early_stopping(patience, verbose=False))
    booster = lightgbm.train(
        given,
        train,
        num_boost_round=work.params.rounds or TREES,
        valid_sets=sets,
        valid_names=names,
        callbacks=callbacks,
    )
    _stop_if_cancelled(work)
    curves = {name: [float(value) for value in losses[loss]] for name, losses in history.items()}
    best = int(booster.best_iteration) if work.valid is not None else len(curves["train"])
    # What makes the estimator a fitted one comes from a row a class; then it gets the booster that has learned.
    codes = np.arange(max(len(work.task.classes), 2))
    estimator.set_params(n_estimators=1, min_child_samples=1)
    estimator.fit(np.zeros((len(codes), work.train.width), dtype=np.float32) + codes[:, None], codes)
    estimator.set_params(n_estimators=work.params.rounds or TREES, min_child_samples=given["min_child_samples"])
    estimator._Booster = lightgbm.Booster(model_str=booster.model_to_string(num_iteration=best))  # noqa: SLF001
    return Fitted(estimator=estimator, curves=curves, loss=loss, best=best)


def _lightgbm(work: Work) -> Any:
    from lightgbm import LGBMClassifier, LGBMRegressor

    given = {"learning_rate": work.params.learning_rate, "random_state": work.params.seed, "verbose": -1}
    given |= _few_threads(work)
    return (LGBMRegressor if work.task.task == "regression" else LGBMClassifier)(**given | work.settings)


def _lightgbm_watch(work: Work) -> Any:
    from lightgbm.callback import EarlyStopException

    def watch(environment: Any) -> None:
        if work.round_done(environment.iteration):
            raise EarlyStopException(environment.iteration, environment.evaluation_result_list)

    return watch


def _sequences(work: Work, spool: Spool, given: dict[str, Any], reference: Any = None) -> Any:
    import lightgbm
    import numpy as np

    class Part(lightgbm.Sequence):  # type: ignore[misc]  # the library has no types
        """The rows of one file."""

        batch_size = work.params.batch_rows

        def __init__(self, number: int) -> None:
            self.number = number

        def __getitem__(self, index: Any) -> Any:
            return np.array(spool.part(self.number)[index], dtype=np.float64)

        def __len__(self) -> int:
            return spool.parts[self.number]

    parts = [Part(number) for number in range(len(spool.parts))]
    return lightgbm.Dataset(
        parts, label=spool.labels, weight=work.weights_of(spool.labels), reference=reference, params=given
    )


def fit_linear(work: Work) -> Fitted:
    """Pass over the rows again and again (``partial_fit``), and keep the best pass."""
    import numpy as np
    from sklearn.linear_model import SGDClassifier, SGDRegressor

    regression = work.task.task == "regression"
    # By default the L2 penalty that train.logistic has: 1 over all rows, so this much a row.
    given: dict[str, Any] = {"random_state": work.params.seed, "alpha": 1 / work.train.rows} | work.settings
    model = SGDRegressor(**given) if regression else SGDClassifier(**{"loss": "log_loss"} | given)
    classes = {} if regression else {"classes": np.arange(len(work.task.classes))}
    patience = work.params.early_stopping_rounds or PASSES_PATIENCE
    curves: dict[str, list[float]] = {"train": []} if work.valid is None else {"train": [], "valid": []}
    kept, best = model, 0
    for number in range(work.params.rounds or PASSES):
        for matrix, labels in work.train.each():
            model.partial_fit(matrix, labels, sample_weight=work.weights_of(labels), **classes)
            _stop_if_cancelled(work)
        curves["train"].append(_loss(model, work.train, regression=regression))
        work.context.progress(f"pass {number + 1}")
        watched = curves["train"]
        if work.valid is not None:
            watched = curves["valid"]
            watched.append(_loss(model, work.valid, regression=regression))
        if number == 0 or watched[number] < watched[best]:
            kept, best = copy.deepcopy(model), number
        if number - best >= patience:
            break
    return Fitted(estimator=kept, curves=curves, loss="rmse" if regression else "logloss", best=best + 1)


def _loss(model: Any, spool: Spool, *, regression: bool) -> float:
    """Return the loss of a linear model over all parts."""
    import numpy as np

    total = 0.0
    for matrix, labels in spool.each():
        if regression:
            total += float(np.square(model.predict(matrix) - labels).sum())
        else:
            said = model.predict_proba(matrix)[np.arange(len(labels)), labels.astype(int)]
            total -= float(np.log(np.clip(said, 1e-15, None)).sum())
    return float(np.sqrt(total / spool.rows)) if regression else total / spool.rows


def _stop_if_cancelled(work: Work) -> None:
    if work.context.is_cancelled():
        raise InterruptedRunError("the training was stopped")
