"""Both versions asked about the same rows in one statement; a few numbers a row come here, of at most so many rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from firnline.errors import DataError
from firnline_snowpark.calls import PREDICT, PREDICT_PROBA, PREDICTION, function_of, output_sql, probability
from firnline_snowpark.columns import quoted
from firnline_snowpark.evaluate.predictions import Predictions
from firnline_snowpark.rows import FEATURE_KINDS, UNKNOWN_LABEL, LearningTask, feature_sql, label_codes, label_sql

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import pandas as pd
    from snowflake.ml.model import ModelVersion
    from snowflake.snowpark import Session

    from firnline_snowpark.calls import Function
    from firnline_snowpark.register.facts import VersionFacts
    from firnline_snowpark.rows import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A version and what is known of it."""

    version: ModelVersion
    facts: VersionFacts

    @property
    def name(self) -> str:
        """The version's name."""
        return str(self.version.version_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What both say of the same rows.

    Attributes:
        candidate: the candidate's predictions.
        production: those of the version in production, in the order of the candidate's classes.
        of_rows: how many labelled rows the table has.
    """

    candidate: Predictions
    production: Predictions
    of_rows: int


def ask_both(
    session: Session,
    table: str,
    kinds: Mapping[str, Kind],
    candidate: Contender,
    production: Contender,
    *,
    others: Sequence[str],
    max_rows: int,
    seed: int,
) -> Asked:
    """Let both predict the labelled rows of a table, or a sample of them that depends on the rows and the seed alone.

    Raises:
        DataError: they do not predict the same, the table lacks columns, or no row has a label that both know.
    """
    _refuse_incomparable(candidate, production, table, kinds)
    facts = candidate.facts
    task = LearningTask(features=facts.features, target=facts.target, task=facts.task, classes=facts.classes)
    expressions = [
        *_answers(candidate, "CANDIDATE"),
        *_answers(production, "PRODUCTION", order=[production.facts.classes.index(label) for label in facts.classes]),
    ]
    extra = [f"O{index}" for index in range(len(others))]
    inner = [
        f"{label_sql(task.target, kinds[task.target])} AS LABEL",
        f"{_call(candidate, kinds)} AS CANDIDATE",
        f"{_call(production, kinds)} AS PRODUCTION",
        *(f"CAST({quoted(name)} AS TEXT) AS {short}" for name, short in zip(others, extra, strict=True)),
    ]
    labelled = f"FROM {table} WHERE {quoted(task.target)} IS NOT NULL"
    picked = ", ".join([*(feature_sql(name, kinds[name]) for name in facts.features), quoted(task.target), str(seed)])
    query = (
        f"SELECT {', '.join(['LABEL', *extra, *expressions])} FROM (SELECT {', '.join(inner)} "  # noqa: S608 (all quoted)
        f"FROM (SELECT * {labelled} ORDER BY HASH({picked}) LIMIT {max_rows}))"
    )
    [counted] = session.sql(f"SELECT COUNT(*) {labelled}").collect()
    frame = session.sql(query).to_arrow().to_pandas()
    return _asked(frame, task, others, len(expressions) // 2, int(counted[0]), table)


def _asked(
    frame: pd.DataFrame, task: LearningTask, others: Sequence[str], width: int, of_rows: int, table: str
) -> Asked:
    import numpy as np

    labels = label_codes(frame.iloc[:, 0], task)
    known = np.isfinite(labels) if task.task == "regression" else labels != UNKNOWN_LABEL
    if not known.any():
        raise DataError(
            f"{table} has no row with a known value in {task.target!r}", hint="is the right table connected to `test`?"
        )
    texts = frame.iloc[:, 1 : 1 + len(others)].set_axis(list(others), axis=1)[known].reset_index(drop=True)
    said = frame.iloc[:, 1 + len(others) :].to_numpy(dtype=np.float64)[known]

    def predictions(scores: np.ndarray[Any, Any]) -> Predictions:
        shaped = scores if task.task == "multiclass" else scores[:, -1]
        return Predictions(task=task, labels=labels[known], scores=shaped, others=texts, unknown=int((~known).sum()))

    return Asked(candidate=predictions(said[:, :width]), production=predictions(said[:, width:]), of_rows=of_rows)


def _call(contender: Contender, kinds: Mapping[str, Kind]) -> str:
    return _function(contender).sql(contender.facts.features, kinds)


def _function(contender: Contender) -> Function:
    return function_of(contender.version, PREDICT if contender.facts.task == "regression" else PREDICT_PROBA)


def _answers(contender: Contender, said: str, order: Sequence[int] | None = None) -> list[str]:
    """Return the expressions of one version's numbers: the amount, or a probability a class."""
    function = _function(contender)
    if contender.facts.task == "regression":
        return [output_sql(said, function, PREDICTION)]
    codes = range(len(contender.facts.classes)) if order is None else order
    return [output_sql(said, function, probability(code)) for code in codes]


def _refuse_incomparable(candidate: Contender, production: Contender, table: str, kinds: Mapping[str, Kind]) -> None:
    ours, theirs = candidate.facts, production.facts
    if (ours.task, ours.target) != (theirs.task, theirs.target):
        raise DataError(
            f"version {candidate.name} predicts {ours.target} ({ours.task}), version {production.name} predicts "
            f"{theirs.target} ({theirs.task}): they cannot be compared",
            hint="register them under different names, or promote with `force` and a `note`",
        )
    if set(ours.classes) != set(theirs.classes):
        raise DataError(
            f"version {candidate.name} knows the classes {list(ours.classes)}, version {production.name} "
            f"{list(theirs.classes)}: their probabilities cannot be compared",
            hint="promote with `force` and a `note`",
        )
    for contender in (candidate, production):
        wanted = (*contender.facts.features, ours.target)
        lacking = [name for name in wanted if name not in kinds]
        lacking += [name for name in contender.facts.features if kinds.get(name, "text") not in FEATURE_KINDS]
        if lacking:
            raise DataError(
                f"version {contender.name} cannot be asked about {table}: it lacks, or holds otherwise, "
                f"{', '.join(lacking[:10])}",
                hint="connect `test` to rows with the columns of both versions, or promote with `force` and a `note`",
            )
