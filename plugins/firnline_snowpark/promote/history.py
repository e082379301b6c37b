"""Decisions about an alias, kept among the metrics of the version that they are about, and what follows from them.

The client puts texts between ``$$`` and ``$$``, so they are kept without dollar signs.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from firnline_snowpark.promote.versions import holder_of, listed_versions
from firnline_snowpark.register.facts import DOLLAR_WRITTEN
from firnline_snowpark.register.model import move_alias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snowflake.ml.model import ModelVersion
    from snowflake.ml.registry import Registry

    from firnline_snowpark.promote.versions import ListedVersion

NAME: Final = "firnline_promotions"
"""The metric under which the registry keeps a version's decisions."""
MOST_REFUSALS: Final = 20
Verdict: TypeAlias = Literal["first", "won", "lost", "forced", "by hand", "rolled back"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One decision about whether a version gets an alias.

    Attributes:
        version: the version that was decided about.
        alias: the alias.
        verdict: how it was decided; ``first``: no version had the alias.
        reason: one sentence.
        previous: the version that had the alias.
        at: when, as ISO 8601 in UTC.
        run_id: the run; "" for a command.
        by: user and role.
        note: why, in a person's words.
        test_version: content key of the rows that both were compared on.
        numbers: what was measured; empty without a comparison.
        moved: whether the alias has been moved. A killed run may leave a decision that was not carried out.
    """

    version: str
    alias: str
    verdict: Verdict
    reason: str
    previous: str | None
    at: str
    run_id: str = ""
    by: str = ""
    note: str = ""
    test_version: str = ""
    numbers: Mapping[str, Any]
    moved: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON data without dollar signs."""
        data: dict[str, Any] = json.loads(json.dumps(asdict(self)).replace("$", DOLLAR_WRITTEN))
        return data

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Decision:
        """Rebuild what :meth:`to_json` returned; what a later version of Firnline has added is left out."""
        data = json.loads(json.dumps(data).replace(DOLLAR_WRITTEN, "$"))
        return Decision(**{field.name: data[field.name] for field in fields(Decision) if field.name in data})


def now() -> str:
    """Return the time as decisions keep it."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def decisions_of(metrics: Mapping[str, Any]) -> list[Decision]:
    """Return the decisions among a version's metrics, oldest first."""
    return [Decision.from_json(data) for data in metrics.get(NAME, [])]


def keep(version: ModelVersion, decision: Decision) -> None:
    """Keep a decision with its version, in place of the same one before it was carried out."""
    known = decisions_of(version.show_metrics())
    others = [other for other in known if other.at != decision.at]
    refusals = [other for other in others if other.verdict == "lost"]
    dropped = {other.at for other in refusals[: max(len(refusals) - MOST_REFUSALS + 1, 0)]}
    kept = [other for other in others if other.at not in dropped]
    version.set_metric(NAME, [each.to_json() for each in (*kept, decision)])
    if decision.note and decision.moved:
        _add_to_comment(version, f"{decision.alias} {decision.verdict}: {decision.note}")


def carry_out(registry: Registry, model: str, decision: Decision) -> None:
    """Keep the decision, move the alias, and keep that it was moved: whatever is killed in between is seen later."""
    version = registry.get_model(model).version(decision.version)
    keep(version, decision)
    move_alias(registry, model, decision.version, decision.alias)
    keep(version, replace(decision, moved=True))


def complete(registry: Registry, model: str, version: ListedVersion, alias: str) -> None:
    """Note of a version that has the alias that its last decision was carried out, where a killed run did not."""
    open_ones = [
        decision
        for decision in decisions_of(version.metrics)
        if decision.alias == alias and decision.verdict != "lost" and not decision.moved
    ]
    if open_ones:
        keep(registry.get_model(model).version(version.name), replace(open_ones[-1], moved=True))


def previous_holder(versions: list[ListedVersion], alias: str) -> str | None:
    """Return the version that had the alias before the one that has it now, as the kept decisions tell.

    A promotion puts a version on top of those before it, a rollback takes off what is above its version. Versions that
    were deleted are left out. A holder that the decisions do not know of was made so by other means, on top of all.
    """
    moves = sorted(
        (decision for version in versions for decision in decisions_of(version.metrics) if decision.moved),
        key=lambda decision: decision.at,
    )
    stack: list[str] = []
    for move in moves:
        if move.alias != alias.upper():
            continue
        if move.verdict == "rolled back" and move.version in stack:
            while stack[-1] != move.version:
                stack.pop()
        elif not stack or stack[-1] != move.version:
            # Who had it at that time may have got it by other means.
            if move.previous and move.previous not in stack[-1:] and any(v.name == move.previous for v in versions):
                stack.append(move.previous)
            stack.append(move.version)
    holder = holder_of(versions, alias)
    while stack and stack[-1] == holder:
        stack.pop()
    return stack[-1] if stack else None


def versions_with_history(registry: Registry, model: str, alias: str) -> list[ListedVersion]:
    """Return a model's versions after what a killed run had left open is noted."""
    versions = listed_versions(registry, model)
    holder = holder_of(versions, alias)
    held = next((version for version in versions if version.name == holder), None)
    if held is None or all(decision.moved or decision.verdict == "lost" for decision in decisions_of(held.metrics)):
        return versions
    complete(registry, model, held, alias.upper())
    return listed_versions(registry, model)


def _add_to_comment(version: ModelVersion, sentence: str) -> None:
    sentence = re.sub(r"\$(?=\$)", "$ ", sentence.rstrip(".") + ".")
    known = version.comment or ""
    if sentence not in known:
        version.comment = f"{known} {sentence}".strip()
