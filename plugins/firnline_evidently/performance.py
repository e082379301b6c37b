"""How well the model predicted, once it is known what was true: metrics by one query over all labelled rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from firnline.domain import quote_constant, quote_name
from firnline.errors import DataError
from firnline_evidently.verdict import MetricVerdict, Performance

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from snowflake.snowpark import Session

    from firnline.domain import Metrics
    from firnline_evidently.params import PerformanceParams

Task: TypeAlias = Literal["binary", "multiclass", "regression"]

PREDICTION: Final = "PREDICTION"
PROBABILITY: Final = "PROBABILITY"
DECIDING: Final[Mapping[Task, str]] = {"binary": "roc_auc", "multiclass": "accuracy", "regression": "rmse"}
_LOWER_IS_BETTER: Final = frozenset({"log_loss", "brier", "rmse", "mae"})
_ERRORS: Final = 3  # standard errors that chance is given
_TINY: Final = 1e-15  # a probability of 0 that turned out true would cost infinitely much


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A metric, and its standard error as far as it is known."""

    value: float
    error: float = 0.0


def measure_performance(
    session: Session,
    predictions: tuple[str, Sequence[str]],
    labels: tuple[str, Sequence[str]],
    params: PerformanceParams,
    evaluated: Metrics | None,
) -> Performance:
    """Join results and labels by key, in the platform, and judge the metrics.

    Args:
        session: where both tables are.
        predictions: the results table and its columns.
        labels: the table of labels and its columns.
        params: of the monitor.
        evaluated: the model's metrics on rows that it had not seen.

    Raises:
        DataError: a column is missing, a key is not unique, or the metric that decides is not among those of the task.
    """
    _check(session, predictions, labels, params)
    predicted, labelled = _count(session, predictions[0], labels[0], params)
    if not labelled:
        return Performance(predicted=predicted, labelled=0, fewest=params.rows)
    joined = joined_sql(predictions[0], labels[0], params, predictions[1])
    task, classes = _task(session, joined, predictions[1], params)
    match task:
        case "binary":
            found = _binary(session, joined, classes[-1])
        case "multiclass":
            found = _multiclass(session, joined)
        case "regression":
            found = _regression(session, joined)
    deciding = params.metric if params.metric is not None else DECIDING[task]
    if deciding not in found and params.metric is not None:
        raise DataError(
            f"the metric {deciding!r} that decides is not among those of the labels that have arrived",
            hint=f"monitor.params.performance.metric may be {', '.join(found)} here",
        )
    known = evaluated.values if evaluated is not None else {}
    metrics = tuple(
        _judge(name, one, known.get(name), params, judged=name == deciding and labelled >= params.rows)
        for name, one in found.items()
    )
    return Performance(predicted=predicted, labelled=labelled, fewest=params.rows, metrics=metrics)


def joined_sql(predictions: str, labels: str, params: PerformanceParams, columns: Sequence[str]) -> str:
    """Return the query of the labelled rows in parentheses: SAID, CHANCE if there is a probability, and TRUTH."""
    on = " AND ".join(f"P.{quote_name(name)} = L.{quote_name(name)}" for name in params.key)
    label = f"L.{quote_name(params.label)}"
    taken = f"P.{PREDICTION} AS SAID" + (f", P.{PROBABILITY} AS CHANCE" if PROBABILITY in columns else "")
    return (
        f"(SELECT {taken}, {label} AS TRUTH FROM {predictions} P "  # noqa: S608 (quoted)
        f"JOIN {labels} L ON {on} WHERE {label} IS NOT NULL)"
    )


def _check(
    session: Session,
    predictions: tuple[str, Sequence[str]],
    labels: tuple[str, Sequence[str]],
    params: PerformanceParams,
) -> None:
    wanted = (("results", predictions, (*params.key, PREDICTION)), ("labels", labels, (*params.key, params.label)))
    for what, (table, columns), names in wanted:
        lacking = [name for name in names if name not in columns]
        if lacking:
            raise DataError(
                f"the table of {what} has no column {lacking[0]!r}",
                hint=f"{table} has {', '.join(list(columns)[:30])}; see monitor.params.performance",
            )
        key = ", ".join(quote_name(name) for name in params.key)
        filled = f" WHERE {quote_name(params.label)} IS NOT NULL" if what == "labels" else ""
        twice = f"SELECT {key} FROM {table}{filled} GROUP BY {key} HAVING COUNT(*) > 1"  # noqa: S608 (quoted)
        [row] = session.sql(f"SELECT COUNT(*) FROM ({twice})").collect()  # noqa: S608 (quoted)
        if row[0]:
            raise DataError(
                f"the table of {what} has keys that stand more than once ({row[0]:,}): which row counts is not known",
                hint="monitor.params.performance.key must name a row, with its day if there are several days",
            )


def _count(session: Session, predictions: str, labels: str, params: PerformanceParams) -> tuple[int, int]:
    on = " AND ".join(f"P.{quote_name(name)} = L.{quote_name(name)}" for name in params.key)
    [row] = session.sql(
        f"SELECT COUNT(*), COUNT(L.{quote_name(params.label)}) FROM {predictions} P "  # noqa: S608 (quoted)
        f"LEFT JOIN {labels} L ON {on} AND L.{quote_name(params.label)} IS NOT NULL"
    ).collect()
    return int(row[0]), int(row[1])


def _task(
    session: Session, joined: str, columns: Sequence[str], params: PerformanceParams
) -> tuple[Task, tuple[str, ...]]:
    """Tell the task from the results table, and for two classes their texts, the positive one last."""
    if PROBABILITY not in columns:
        return "regression", ()
    rows = session.sql(
        f"SELECT DISTINCT CAST(TRUTH AS VARCHAR) AS V FROM {joined} "  # noqa: S608 (quoted)
        f"UNION SELECT DISTINCT CAST(SAID AS VARCHAR) FROM {joined} WHERE SAID IS NOT NULL ORDER BY 1 LIMIT 3"
    ).collect()
    classes = tuple(str(row[0]) for row in rows)
    if len(classes) > 2:
        return "multiclass", classes
    if params.positive is None:
        if len(classes) < 2:
            raise DataError(
                f"all labels and predictions so far are {classes[0]!r}, so the positive class is not known",
                hint="say it: monitor.params.performance.positive",
            )
        return "binary", classes
    if params.positive not in classes and len(classes) == 2:
        raise DataError(
            f"the positive class {params.positive!r} is neither predicted nor true anywhere",
            hint=f"the classes are {' and '.join(classes)}",
        )
    return "binary", (params.positive,)


def _binary(session: Session, joined: str, positive: str) -> dict[str, Measured]:
    """Two classes: the ROC curve's area by ranks, ties shared, and what follows from counts (Hanley, McNeil, 1982)."""
    true = f"IFF(CAST(TRUTH AS VARCHAR) = {quote_constant(positive)}, 1, 0)"
    said = f"IFF(CAST(SAID AS VARCHAR) = {quote_constant(positive)}, 1, 0)"
    inner = f"SELECT {true} AS Y, {said} AS S, CAST(CHANCE AS FLOAT) AS P FROM {joined} WHERE CHANCE IS NOT NULL"  # noqa: S608 (quoted)
    bounded = f"LEAST(GREATEST(P, {_TINY!r}), {1 - _TINY!r})"
    loss = f"-LN(IFF(Y = 1, {bounded}, 1 - {bounded}))"
    ranked = (
        f"SELECT Y, S, {loss} AS LOSS, (P - Y) * (P - Y) AS MISS, "  # noqa: S608 (quoted)
        f"RANK() OVER (ORDER BY P) + (COUNT(*) OVER (PARTITION BY P) - 1) / 2.0 AS PLACE FROM ({inner})"
    )
    [row] = session.sql(
        "SELECT COUNT(*), SUM(Y), SUM(S), SUM(Y * S), SUM(IFF(Y = S, 1, 0)), SUM(IFF(Y = 1, PLACE, 0)), "  # noqa: S608 (quoted)
        f"AVG(LOSS), STDDEV_POP(LOSS), AVG(MISS), STDDEV_POP(MISS) FROM ({ranked})"
    ).collect()
    if not row[0]:
        raise DataError("no labelled row has a probability", hint="the results table's PROBABILITY is NULL everywhere")
    n, wanted, flagged, hits, right, places = (float(value) for value in row[:6])
    loss_mean, loss_spread, miss_mean, miss_spread = (float(value) for value in row[6:])
    found: dict[str, Measured] = {}
    if 0 < wanted < n:
        area = (places - wanted * (wanted + 1) / 2) / (wanted * (n - wanted))
        found["roc_auc"] = Measured(value=area, error=_area_error(area, wanted, n - wanted))
    found["log_loss"] = Measured(value=loss_mean, error=loss_spread / math.sqrt(n))
    found["brier"] = Measured(value=miss_mean, error=miss_spread / math.sqrt(n))
    found["accuracy"] = _share(right, n)
    if wanted:
        found["recall"] = _share(hits, wanted)
    if flagged:
        found["precision"] = _share(hits, flagged)
    if wanted + flagged:
        found["f1"] = _share(2 * hits, wanted + flagged)
    return found


def _multiclass(session: Session, joined: str) -> dict[str, Measured]:
    [row] = session.sql(
        f"SELECT COUNT(*), SUM(IFF(CAST(TRUTH AS VARCHAR) = CAST(SAID AS VARCHAR), 1, 0)) FROM {joined}"  # noqa: S608 (quoted)
    ).collect()
    return {"accuracy": _share(float(row[1]), float(row[0]))}


def _regression(session: Session, joined: str) -> dict[str, Measured]:
    error = "CAST(SAID AS FLOAT) - CAST(TRUTH AS FLOAT)"
    inner = f"SELECT {error} AS E, CAST(TRUTH AS FLOAT) AS Y FROM {joined} WHERE SAID IS NOT NULL"  # noqa: S608 (quoted)
    [row] = session.sql(
        "SELECT COUNT(*), AVG(E * E), STDDEV_POP(E * E), AVG(ABS(E)), STDDEV_POP(ABS(E)), VAR_POP(Y) "  # noqa: S608 (quoted)
        f"FROM ({inner})"
    ).collect()
    if not row[0]:
        raise DataError("no labelled row has a prediction", hint="the results table's PREDICTION is NULL everywhere")
    n, square, square_spread, size, size_spread, spread = (float(value) for value in row)
    root = math.sqrt(square)
    error_of_root = square_spread / (2 * root * math.sqrt(n)) if root > 0 else 0.0
    found = {
        "rmse": Measured(value=root, error=error_of_root),
        "mae": Measured(value=size, error=size_spread / math.sqrt(n)),
    }
    if spread > 0:
        found["r2"] = Measured(value=1 - square / spread, error=square_spread / spread / math.sqrt(n))
    return found


def _share(part: float, whole: float) -> Measured:
    share = part / whole
    return Measured(value=share, error=math.sqrt(share * (1 - share) / whole))


def _area_error(area: float, positives: float, negatives: float) -> float:
    """Return the standard error of the ROC curve's area (Hanley and McNeil, Radiology 143, 1982)."""
    one, two = area / (2 - area), 2 * area * area / (1 + area)
    variance = area * (1 - area) + (positives - 1) * (one - area * area) + (negatives - 1) * (two - area * area)
    return math.sqrt(max(variance, 0.0) / (positives * negatives))


def _judge(
    name: str, found: Measured, evaluated: float | None, params: PerformanceParams, *, judged: bool
) -> MetricVerdict:
    higher = name not in _LOWER_IS_BETTER
    bound = params.bound
    if bound is None and evaluated is not None:
        room = params.drop * abs(evaluated) + _ERRORS * found.error
        bound = evaluated - room if higher else evaluated + room
    return MetricVerdict(
        name=name,
        value=found.value,
        evaluated=evaluated,
        bound=bound if judged else None,
        higher_is_better=higher,
    )
