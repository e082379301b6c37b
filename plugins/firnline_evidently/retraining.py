"""Ask for a retraining, unless one was asked for lately or often: a table on the platform remembers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from firnline.domain import quote_constant, quote_name

if TYPE_CHECKING:
    from firnline.domain import StepContext
    from firnline_evidently.params import RetrainParams
    from firnline_evidently.verdict import Verdict

_COLUMNS: Final = (
    "ASKED_AT TIMESTAMP_NTZ, TRAINING VARCHAR, RUN_ID VARCHAR, STAGE_KEY VARCHAR, PIPELINE VARCHAR, STAGE VARCHAR, "
    "REASON VARCHAR"
)
_NOW: Final = "CURRENT_TIMESTAMP()::TIMESTAMP_NTZ"
_DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Whether a retraining was asked for, and in words why, or why not."""

    asked: bool
    told: str


def ask_for_retraining(context: StepContext, params: RetrainParams, verdict: Verdict) -> Answer:
    """Ask for the run that trains anew, at most once a run of this one, and no more often than the params allow."""
    name = f"{context.schema}.{quote_name(params.table)}"
    session = context.session
    session.sql(f"CREATE TABLE IF NOT EXISTS {name} ({_COLUMNS})").collect()
    mine = f"RUN_ID = {quote_constant(context.run_id)} AND STAGE = {quote_constant(context.stage)}"
    if session.sql(f"SELECT 1 FROM {name} WHERE {mine}").collect():  # noqa: S608 (quoted)
        return Answer(asked=False, told="This run has asked for a retraining already.")  # an earlier attempt has
    reason = reason_of(context, verdict)
    facts = (params.pipeline, context.run_id, context.key, context.pipeline, context.stage, reason)
    of_target = f"FROM {name} WHERE TRAINING = {quote_constant(params.pipeline)} AND ASKED_AT > "
    lately = f"SELECT 1 {of_target}{_ago(params.cooldown_days)}"
    often = f"SELECT COUNT(*) {of_target}{_ago(params.within_days)}"
    # One statement: of two monitors at once, the second one sees what the first has asked for.
    session.sql(
        f"INSERT INTO {name} SELECT {_NOW}, {', '.join(quote_constant(fact) for fact in facts)} "
        f"WHERE NOT EXISTS ({lately}) AND ({often}) < {params.at_most}"
    ).collect()
    if session.sql(f"SELECT 1 FROM {name} WHERE {mine}").collect():  # noqa: S608 (quoted)
        context.request_run((f"pipeline={params.pipeline}", *params.overrides), reason)
        return Answer(asked=True, told=f"A run of {params.pipeline} is asked for: it starts when this run has ended.")
    return Answer(asked=False, told=_why_not(context, params, name))


def reason_of(context: StepContext, verdict: Verdict) -> str:
    """Return why the model is trained anew, for the record of the run that does it."""
    return f"drift found by {context.pipeline}.{context.stage} in run {context.run_id}: {'; '.join(verdict.reasons)}"


def _why_not(context: StepContext, params: RetrainParams, name: str) -> str:
    [row] = context.session.sql(
        f"SELECT MAX(ASKED_AT), COUNT(IFF(ASKED_AT > {_ago(params.within_days)}, 1, NULL)), "  # noqa: S608 (quoted)
        f"COUNT(IFF(ASKED_AT > {_ago(params.cooldown_days)}, 1, NULL)) FROM {name} "
        f"WHERE TRAINING = {quote_constant(params.pipeline)}"
    ).collect()
    if row[2]:
        return (
            f"No retraining is asked for: the last one was on {row[0]:%Y-%m-%d %H:%M}, "
            f"and the cool-down is {params.cooldown_days:g} days."
        )
    return (
        f"No retraining is asked for: there were {row[1]} within {params.within_days:g} days already, and no more than "
        f"{params.at_most} are allowed. Retraining does not seem to help: have a look."
    )


def _ago(days: float) -> str:
    return f"DATEADD(SECOND, -{round(days * _DAY_S)}, {_NOW})"
