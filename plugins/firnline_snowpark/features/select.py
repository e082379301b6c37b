"""``features.select``: score every column on the platform, keep those worth keeping, and say why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from snowflake.snowpark import functions as sf
from snowflake.snowpark.types import BooleanType, DoubleType, LongType, StringType, StructField, StructType

from firnline.domain import Grid, Metrics, Report, Text
from firnline.errors import DataError
from firnline_snowpark.columns import quoted, resolve_column, resolve_columns
from firnline_snowpark.features.importance import importances
from firnline_snowpark.features.scores import Score, column_scores, correlations
from firnline_snowpark.rows import FEATURE_KINDS, column_kinds
from firnline_snowpark.tables import stop_if_cancelled, write_table
from firnline_snowpark.tabular.profile import ColumnProfile, Profile
from firnline_snowpark.tabular.target import examine_target

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from snowflake.snowpark import Session

    from firnline.domain import Outputs, StepContext, Table, Value
    from firnline_snowpark.features.select_params import SelectParams
    from firnline_snowpark.rows import Kind
    from firnline_snowpark.tabular.profile import Role, Target

SHOWN: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """What is asked: which columns of which table tell most of which target."""

    table: str
    kinds: Mapping[str, Kind]
    target: Target
    candidates: tuple[str, ...]
    identifiers: tuple[str, ...]
    always: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What becomes of a column: kept where ``reason`` is empty."""

    score: Score
    reason: str = ""
    twin: str = ""
    correlation: float | None = None


def run(context: StepContext, params: SelectParams, table: Table, profile: Value | None = None) -> Outputs:
    """Score the columns, and cut the table to those that are kept.

    Raises:
        DataError: there is no target, a named column is not there, or no feature is left.
    """
    session = context.session
    question = _question(context, session, params, table, profile)
    context.progress(f"scoring {len(question.candidates):,} columns", table.rows)
    verdicts = _judged(context, session, params, question)
    kept = [verdict.score.name for verdict in verdicts if not verdict.reason]
    if not kept:
        raise DataError(
            f"stage {context.stage}: none of {len(verdicts):,} columns is worth keeping",
            hint="lower min_information, raise max_missing, or name columns in always",
        )
    context.progress(f"keeping {len(kept):,} of {len(verdicts):,} columns")
    dropped = {verdict.score.name for verdict in verdicts if verdict.reason}
    remaining = [name for name in question.kinds if name not in dropped]
    cut = session.table(table.name).select(*[sf.col(quoted(name)) for name in remaining])
    found = {
        "table": write_table(context, cut, "table"),
        "scores": write_table(context, session.create_dataframe(_lines(verdicts), schema=_SCHEMA), "scores"),
    }
    before = profile.load() if profile is not None else None
    return {
        **found,
        "profile": context.save(_profile(question, verdicts, before, found["table"].rows or 0), "profile.pkl"),
        "metrics": Metrics(values={"columns": float(len(verdicts)), "kept": float(len(kept))}),
        "report": _report(question, verdicts, params),
    }


def _question(
    context: StepContext, session: Session, params: SelectParams, table: Table, profile: Value | None
) -> _Question:
    kinds = column_kinds(session, table.name)
    names = list(kinds)
    where = f"stage {context.stage}"
    known = profile.load() if profile is not None else None
    if known is not None and not isinstance(known, Profile):
        raise DataError(f"{where}: the profile is a {type(known).__name__}", hint="connect prepare.tabular's profile")
    identifiers = resolve_columns(params.identifiers, names, where=where)
    others = {*identifiers, *resolve_columns(params.set_aside, names, where=where)}
    if known is not None:
        target = known.target
        candidates = [name for name in known.features if name in kinds]
        identifiers = tuple(dict.fromkeys([*known.identifiers, *identifiers]))
    else:
        if params.target is None:
            raise DataError(f"{where}: no target is named", hint=f"say {context.stage}.params.target=COLUMN")
        name = resolve_column(params.target, names, where=where)
        target = examine_target(session, table.name, name, kinds[name], task=params.task)
        candidates = [name for name in names if name != target.name]
    always = frozenset(resolve_columns(params.always, names, where=where))
    chosen = tuple(name for name in candidates if name not in others and kinds[name] in FEATURE_KINDS)
    if not chosen:
        raise DataError(f"{where}: there is no column to select from", hint="each one was set aside or is a date")
    if strange := sorted(always - set(chosen)):
        raise DataError(f"{where}: {strange[0]!r} in always is no feature", hint="take it out of always")
    return _Question(
        table=table.name, kinds=kinds, target=target, candidates=chosen, identifiers=identifiers, always=always
    )


def _judged(context: StepContext, session: Session, params: SelectParams, question: _Question) -> list[Verdict]:
    target, target_kind = question.target, question.kinds[question.target.name]
    kinds = {name: question.kinds[name] for name in question.candidates}
    scores = column_scores(session, question.table, kinds, target, target_kind, bins=params.bins)
    stop_if_cancelled(context)
    verdicts = [Verdict(score=score, reason=_first_reason(score, params, question.always)) for score in scores]
    open_ = [verdict.score for verdict in verdicts if not verdict.reason]
    if params.rank_by == "importance" and open_:
        context.progress(f"fitting a model on {len(open_):,} columns")
        gains = importances(
            session,
            question.table,
            {score.name: score.kind for score in open_},
            target,
            target_kind,
            rows=params.importance_rows,
            seed=params.seed,
        )
        open_ = [replace(score, importance=gains[score.name]) for score in open_]
        stop_if_cancelled(context)
    ranked = sorted(open_, key=lambda score: (score.name not in question.always, -_rank(score), score.name))
    judged = _without_twins(session, params, question, ranked)
    judged = _best(judged, params.keep, question.always)
    return [*judged, *(verdict for verdict in verdicts if verdict.reason)]


def _rank(score: Score) -> float:
    return score.importance if score.importance is not None else score.information


def _first_reason(score: Score, params: SelectParams, always: frozenset[str]) -> str:
    if score.name in always:
        return ""
    if score.missing > params.max_missing:
        return f"missing in {score.missing:.1%} of the rows"
    if score.distinct < 2 and (score.missing == 0 or score.distinct == 0):
        return "has one value only"
    if score.variance is not None and score.variance <= params.min_variance and not _missing_tells(score, params):
        return f"its variance is {score.variance:.3g}"
    if score.information < params.min_information:
        return f"explains {score.information:.2%} of the target"
    return ""


def _missing_tells(score: Score, params: SelectParams) -> bool:
    """Tell whether a column of one value is kept for where it has none: only if nobody asks for more variance."""
    return score.missing > 0 and not params.min_variance and score.information > 0


def _without_twins(
    session: Session, params: SelectParams, question: _Question, ranked: Sequence[Score]
) -> list[Verdict]:
    """Go from the best to the worst, and leave out what a better one tells already."""
    numbers = [score.name for score in ranked if score.kind != "text"][: params.compared]
    found: dict[tuple[str, str], float] = {}
    if params.max_correlation is not None:
        found = correlations(session, question.table, question.target.name, numbers, question.kinds)
    judged: list[Verdict] = []
    kept: list[str] = []
    for score in ranked:
        near = [(abs(found.get((better, score.name), 0.0)), better) for better in kept]
        closest, twin = max(near, default=(0.0, ""))
        verdict = Verdict(score=score, twin=twin if closest else "", correlation=closest or None)
        if (
            params.max_correlation is not None
            and closest > params.max_correlation
            and score.name not in question.always
        ):
            verdict = replace(verdict, reason=f"correlates with {twin} ({closest:.3f})")
        else:
            kept.append(score.name)
        judged.append(verdict)
    return judged


def _best(judged: Sequence[Verdict], keep: int | None, always: frozenset[str]) -> list[Verdict]:
    room = len(judged) if keep is None else keep
    result: list[Verdict] = []
    for verdict in judged:
        if verdict.reason:
            result.append(verdict)
        elif room > 0 or verdict.score.name in always:
            room -= 1
            result.append(verdict)
        else:
            result.append(replace(verdict, reason=f"not among the best {keep:,}"))
    return result


_SCHEMA: Final = StructType(
    [
        StructField("COLUMN_NAME", StringType()),
        StructField("KIND", StringType()),
        StructField("KEPT", BooleanType()),
        StructField("REASON", StringType()),
        StructField("MISSING_SHARE", DoubleType()),
        StructField("DISTINCT_VALUES", LongType()),
        StructField("VARIANCE", DoubleType()),
        StructField("INFORMATION", DoubleType()),
        StructField("IMPORTANCE", DoubleType()),
        StructField("MOST_ALIKE", StringType()),
        StructField("CORRELATION", DoubleType()),
    ]
)


def _lines(verdicts: Sequence[Verdict]) -> list[tuple[object, ...]]:
    return [
        (
            verdict.score.name,
            verdict.score.kind,
            not verdict.reason,
            verdict.reason or None,
            verdict.score.missing,
            verdict.score.distinct,
            verdict.score.variance,
            verdict.score.information,
            verdict.score.importance,
            verdict.twin or None,
            verdict.correlation,
        )
        for verdict in verdicts
    ]


def _profile(question: _Question, verdicts: Sequence[Verdict], before: Profile | None, rows: int) -> Profile:
    """Say what each column is for, so that a trainer learns from those that are kept, of whatever table."""
    dropped = {verdict.score.name: verdict.reason for verdict in verdicts if verdict.reason}
    features = {verdict.score.name for verdict in verdicts if not verdict.reason}
    if before is not None:
        return replace(before, columns=tuple(_narrowed(column, features, dropped) for column in before.columns))
    return Profile(
        rows=rows,
        target=question.target,
        columns=tuple(
            ColumnProfile(
                name=name,
                role=_role(question, name, features),
                kind=kind,
                note=dropped.get(name, ""),
                columns=() if name in dropped else (name,),
            )
            for name, kind in question.kinds.items()
        ),
    )


def _narrowed(column: ColumnProfile, features: Collection[str], dropped: Mapping[str, str]) -> ColumnProfile:
    if column.role != "feature":
        return column
    kept = tuple(name for name in column.columns if name in features)
    if kept:
        return replace(column, columns=kept)
    note = next((dropped[name] for name in column.columns if name in dropped), "set aside by the params")
    return replace(column, columns=(), note=note, role="set aside")


def _role(question: _Question, name: str, features: Collection[str]) -> Role:
    if name == question.target.name:
        return "target"
    if name in question.identifiers:
        return "identifier"
    return "feature" if name in features else "set aside"


def _report(question: _Question, verdicts: Sequence[Verdict], params: SelectParams) -> Report:
    kept = sum(not verdict.reason for verdict in verdicts)
    story = (
        f"{kept:,} of {len(verdicts):,} columns are kept to predict {question.target.name}, ranked by "
        f"{params.rank_by}. Information is the share of the target's entropy that a column explains by itself."
    )
    if len(verdicts) > SHOWN:
        story += f" The first {SHOWN} are shown; the table of scores has all of them."
    rows = tuple(
        (
            verdict.score.name,
            verdict.reason or "kept",
            f"{verdict.score.missing:.1%}",
            f"{verdict.score.information:.2%}",
            "" if verdict.score.importance is None else f"{verdict.score.importance:.2%}",
            "" if verdict.score.variance is None else f"{verdict.score.variance:.4g}",
        )
        for verdict in verdicts[:SHOWN]
    )
    columns = ("column", "verdict", "missing", "information", "importance", "variance")
    return Report(
        title="Selected features", sections=(Text(body=story), Grid(title="Scores", columns=columns, rows=rows))
    )
