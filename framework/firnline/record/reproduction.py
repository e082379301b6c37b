"""A run made again from its record: what is not as it was, and whether the same came out. Pure functions of values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from firnline.domain import Plan, PlannedStage, RunRecord
from firnline.domain.wording import count_text, dotted, one_line

Agreement: TypeAlias = Literal["same", "close", "differs"]

_VALUE_LIMIT: Final = 60
_DONE: Final = frozenset({"finished", "reused"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that is not as it was when the run was made.

    Attributes:
        where: the stage, or ``environment``.
        what: what of it: its code, its plugin, a param's default, what it reads, or a fact of the environment.
        then: as it was.
        now: as it is.
    """

    where: str
    what: str
    then: str
    now: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A number that both runs give; None for a run that does not give it.

    Attributes:
        name: ``stage.metric``, or ``stage rows``.
        then: what the first run gave.
        now: what this one gives.
        agreement: ``close`` is within the tolerance.
    """

    name: str
    then: float | None
    now: float | None
    agreement: Agreement


def changes_of_plan(then: Plan, now: Plan) -> tuple[Change, ...]:
    """Return what makes stages of one configuration have other keys: code, plugins, defaults of params, sources."""
    before = {stage.name: stage for stage in then.stages}
    found = [change for stage in now.stages if stage.name in before for change in _changes(before[stage.name], stage)]
    names = {stage.name for stage in now.stages}
    for name in before.keys() ^ names:
        there, gone = ("planned", "") if name in before else ("", "planned")
        found.append(Change(where=name, what="the stage", then=there, now=gone))
    return tuple(found)


def _changes(then: PlannedStage, now: PlannedStage) -> list[Change]:
    parts = {name: (then.parts.get(name, ""), now.parts.get(name, "")) for name in {**then.parts, **now.parts}}
    differing = {name: pair for name, pair in parts.items() if pair[0] != pair[1]}
    found = []
    if then.plugin != now.plugin:
        found.append(Change(where=now.name, what="its plugin", then=then.plugin, now=now.plugin))
    for part, what in (("step", "its step"), ("code", "its code"), ("platform", "its platform")):
        if part in differing:
            found.append(Change(where=now.name, what=what, then=differing[part][0], now=differing[part][1]))
    if "source" in differing:
        found.append(Change(where=now.name, what="what it reads", then="one state", now="another state"))
    if "params" in differing:
        before, after = dotted(then.params), dotted(now.params)
        for name in {**before, **after}:
            if before.get(name) != after.get(name):
                first, second = (one_line(str(values.get(name, "")), _VALUE_LIMIT) for values in (before, after))
                found.append(Change(where=now.name, what=f"the param {name}", then=first, now=second))
    return found


def changes_of_environment(then: Mapping[str, str], now: Mapping[str, str]) -> tuple[Change, ...]:
    """Return the facts of the environment that differ: versions, machine, commit."""
    names = [name for name in {**then, **now} if then.get(name) != now.get(name)]
    return tuple(
        Change(where="environment", what=name, then=then.get(name, ""), now=now.get(name, "")) for name in names
    )


def results(then: RunRecord, now: RunRecord, tolerance: float) -> tuple[Result, ...]:
    """Compare all metrics and rows of the stages that the first run finished.

    Args:
        then: the first run.
        now: the run that was made again.
        tolerance: relative to the larger of two numbers, absolute for numbers below 1.
    """
    found = []
    for stage in then.stages.values():
        if stage.status not in _DONE:
            continue
        again = now.stages.get(stage.name)
        metrics = again.metrics if again is not None and again.status in _DONE else {}
        found += [
            _result(f"{stage.name}.{name}", stage.metrics.get(name), metrics.get(name), tolerance)
            for name in {**stage.metrics, **metrics}
        ]
        # Of a stage that was reused no rows are told, in either run.
        if stage.rows is not None and again is not None and again.status != "reused":
            found.append(_result(f"{stage.name} rows", stage.rows, again.rows, tolerance))
    return tuple(found)


def _result(name: str, then: float | None, now: float | None, tolerance: float) -> Result:
    agreement: Agreement = "differs"
    if then == now or (then is not None and now is not None and math.isnan(then) and math.isnan(now)):
        agreement = "same"
    elif then is not None and now is not None and _close(then, now, tolerance):
        agreement = "close"
    return Result(name=name, then=then, now=now, agreement=agreement)


def _close(then: float, now: float, tolerance: float) -> bool:
    return math.isclose(then, now, rel_tol=tolerance, abs_tol=tolerance)


def verdict(then: RunRecord, now: RunRecord, compared: tuple[Result, ...]) -> tuple[bool, str]:
    """Return whether the first run is reproduced, and that in words."""
    wrong = [result for result in compared if result.agreement == "differs"]
    lacking = [
        stage.name
        for stage in then.stages.values()
        if stage.status in _DONE and (stage.name not in now.stages or now.stages[stage.name].status not in _DONE)
    ]
    if lacking:
        return False, f"not reproduced: {', '.join(lacking)} finished then, and not now"
    if wrong:
        return False, f"not reproduced: {len(wrong)} of {count_text(len(compared), 'number')} beyond the tolerance"
    reused = [stage.name for stage in now.stages.values() if stage.status == "reused"]
    anew = sum(stage.status == "finished" for stage in now.stages.values())
    if not anew:
        return True, "nothing was computed: every stage was reused; --no-cache computes anew and compares"
    kept = f"; {count_text(len(reused), 'stage')} reused, which --no-cache computes anew" if reused else ""
    if not compared:
        return True, f"the same stages finished, which give no numbers to compare{kept}"
    close = sum(result.agreement == "close" for result in compared)
    how = f"{close} of them within the tolerance, the others exactly equal" if close else "all exactly equal"
    return True, f"reproduced: {count_text(len(compared), 'number')} compared, {how}{kept}"


def as_json(run_id: str, changes: tuple[Change, ...], compared: tuple[Result, ...], told: tuple[bool, str]) -> Any:
    """Return plain data of a reproduction, for programs."""
    return {
        "event": "Reproduced",
        "from_run": run_id,
        "reproduced": told[0],
        "verdict": told[1],
        "changes": [{"where": c.where, "what": c.what, "then": c.then, "now": c.now} for c in changes],
        "results": [{"name": r.name, "then": r.then, "now": r.now, "agreement": r.agreement} for r in compared],
    }
