"""``promote.champion``: the candidate takes the alias of production only where it wins on the same rows."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from firnline.domain import Metrics, RegisteredModel
from firnline.errors import DataError, StoppedByGateError, TransientError
from firnline_snowpark.columns import resolve_columns
from firnline_snowpark.evaluate.wording import legend, number
from firnline_snowpark.object_names import split_name
from firnline_snowpark.promote.comparison import compare, why_it_loses
from firnline_snowpark.promote.history import Decision, carry_out, keep, now, versions_with_history
from firnline_snowpark.promote.report import promotion_report
from firnline_snowpark.promote.rows import Contender, ask_both
from firnline_snowpark.promote.versions import holder_of, listed_versions
from firnline_snowpark.register.facts import facts_of
from firnline_snowpark.register.model import find_version, open_registry
from firnline_snowpark.rows import column_kinds
from firnline_snowpark.tables import stop_if_cancelled

if TYPE_CHECKING:
    from snowflake.ml.registry import Registry

    from firnline.domain import Outputs, StepContext, Table
    from firnline_snowpark.promote.comparison import Comparison
    from firnline_snowpark.promote.history import Verdict
    from firnline_snowpark.promote.params import ChampionParams

SHOWN_REASONS: Final = 5


def run(
    context: StepContext,
    params: ChampionParams,
    registered: RegisteredModel,
    test: Table,
    metrics: Metrics | None = None,
) -> Outputs:
    """Compare, decide, keep the decision with the version, and move the alias.

    Raises:
        DataError: the versions cannot be compared.
        StoppedByGateError: the candidate does not win.
        TransientError: the alias was moved meanwhile: compared with a version that is not in production any more.
    """
    registry, model = open_registry(context), split_name(registered.name)[-1]
    candidate = find_version(registry, model, registered.version)
    if candidate is None:
        raise DataError(
            f"stage {context.stage}: {registered.name} has no version {registered.version} in the registry",
            hint="was it deleted? `--from register` registers it again",
        )
    name = candidate.version_name
    holder = holder_of(versions_with_history(registry, model, params.alias), params.alias)
    decision: Decision | None = None
    found: Comparison | None = None
    if holder != name:
        found, trouble = _compared(context, params, registry, model, (name, holder), test)
        decision = _decide(context, params, name, holder, found, trouble)
        _act(context, registry, model, decision, found)
    context.progress(f"{name} is {params.alias} of {model}")
    return {
        "promoted": RegisteredModel(name=candidate.fully_qualified_model_name, version=name),
        "metrics": Metrics(values=_numbers(found)),
        "report": promotion_report(model, name, params, decision, found, metrics),
    }


def _compared(
    context: StepContext,
    params: ChampionParams,
    registry: Registry,
    model: str,
    versions: tuple[str, str | None],
    test: Table,
) -> tuple[Comparison | None, str]:
    """Return the comparison, or why there is none: no version is in production, or (only when forced) it cannot be."""
    name, holder = versions
    if holder is None:
        return None, ""
    context.progress(f"comparing {name} with {holder}, which is {params.alias}")
    known = registry.get_model(model)
    try:
        candidate, production = (
            Contender(version=version, facts=facts_of(version, context.stage))
            for version in (known.version(name), known.version(holder))
        )
        kinds = column_kinds(context.session, test.name)
        columns = resolve_columns(params.slices, list(kinds), where=f"stage {context.stage}")
        asked = ask_both(
            context.session,
            test.name,
            kinds,
            candidate,
            production,
            others=columns,
            max_rows=params.max_rows,
            seed=params.seed,
        )
        return compare(asked, params, kinds, lambda: stop_if_cancelled(context)), ""
    except DataError as error:
        if not params.force:
            raise
        return None, error.message


def _decide(
    context: StepContext,
    params: ChampionParams,
    name: str,
    holder: str | None,
    found: Comparison | None,
    trouble: str,
) -> Decision:
    verdict: Verdict
    if holder is None:
        verdict, reason = "first", f"no version was {params.alias}"
    elif found is None:
        verdict, reason = "forced", f"not compared: {trouble}"
    else:
        reasons = why_it_loses(found, params)
        more = [f"and {len(reasons) - SHOWN_REASONS} more"] if len(reasons) > SHOWN_REASONS else []
        verdict = "won" if not reasons else "forced" if params.force else "lost"
        reason = "; ".join([*reasons[:SHOWN_REASONS], *more]) or f"it is better by {found.gain:.4g}"
    [owner] = context.session.sql("SELECT CURRENT_USER() || ' as ' || CURRENT_ROLE()").collect()
    return Decision(
        version=name,
        alias=params.alias.upper(),
        verdict=verdict,
        reason=reason,
        previous=holder,
        at=now(),
        run_id=context.run_id,
        by=str(owner[0]),
        note=params.note if params.force else "",
        test_version=context.input_keys.get("test", ""),
        numbers=asdict(found) if found is not None else {},
    )


def _act(context: StepContext, registry: Registry, model: str, decision: Decision, found: Comparison | None) -> None:
    stop_if_cancelled(context)
    holder = holder_of(listed_versions(registry, model), decision.alias)
    if holder != decision.previous:
        raise TransientError(
            f"stage {context.stage}: {decision.alias} of {model} was moved from {decision.previous} to {holder} "
            "while the versions were compared"
        )
    if decision.verdict != "lost":
        carry_out(registry, model, decision)
        return
    keep(registry.get_model(model).version(decision.version), decision)
    assert found is not None, "only a comparison is lost"
    low, high = found.interval
    raise StoppedByGateError(
        f"{context.stage}: {model} version {decision.version} is not promoted: {decision.reason}\n"
        f"  {legend(found.metric)} {number(found.candidate)}, version {decision.previous} ({decision.alias}) "
        f"{number(found.production)}; better by {found.gain:.4g} (95 % interval {low:.4g} to {high:.4g}, "
        f"p {found.p:.3g}) on {found.rows:,} rows",
        hint=f'to promote it all the same: {context.stage}.params.force=true {context.stage}.params.note="why", '
        f'or `firnline models promote {model} {decision.version} --note "why"`',
    )


def _numbers(found: Comparison | None) -> dict[str, float]:
    if found is None:
        return {}
    return {
        f"candidate_{found.metric}": found.candidate,
        f"production_{found.metric}": found.production,
        "gain": found.gain,
        "p": found.p,
    }
