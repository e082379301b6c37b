"""Models and versions for a terminal, and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from firnline.domain.wording import printable
from firnline_snowpark.evaluate.measures import PRIMARY
from firnline_snowpark.evaluate.wording import legend, number
from firnline_snowpark.promote.history import decisions_of
from firnline_snowpark.register.facts import NAME, VersionFacts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firnline_snowpark.promote.history import Decision
    from firnline_snowpark.promote.versions import ListedVersion

_DIGITS = 12
_BY_PLATFORM = frozenset({"DEFAULT", "FIRST", "LAST"})


def version_line(version: ListedVersion) -> dict[str, Any]:
    """Return the figures of a version's line in the list; None for what is not known of it."""
    facts = _facts(version)
    known = {name: getattr(facts, name, None) for name in ("data_version", "feature_version", "run_id", "pipeline")}
    return {
        "model": version.model,
        "version": version.name,
        "aliases": [alias for alias in version.aliases if alias not in _BY_PLATFORM],
        "metrics": _metrics(version),
        **known,
        "created": version.created.isoformat(timespec="seconds"),
    }


def version_details(version: ListedVersion) -> dict[str, Any]:
    """Return everything that is known of a version as plain data."""
    facts = _facts(version)
    return {
        **version_line(version),
        "comment": version.comment,
        "facts": asdict(facts) if facts is not None else None,
        "promotions": [asdict(decision) for decision in decisions_of(version.metrics)],
    }


def render_versions(versions: Sequence[ListedVersion]) -> RenderableType:
    """Return one line a version."""
    if not versions:
        return Text("No model is registered. The step register.model registers one: firnline run")
    table = _table("model", "version", "aliases", "metric", "data", "features", "run", "created")
    for version in versions:
        line, facts = version_line(version), _facts(version)
        primary = PRIMARY[facts.task] if facts is not None else ""
        value = line["metrics"].get(primary)
        cells = [
            version.model,
            version.name,
            ", ".join(line["aliases"]),
            f"{legend(primary)} {number(value)}" if value is not None else "",
            (line["data_version"] or "")[:_DIGITS],
            (line["feature_version"] or "")[:_DIGITS],
            line["run_id"] or "",
            f"{version.created:%Y-%m-%d %H:%M}",
        ]
        table.add_row(*(_cell(cell) for cell in cells))
    return table


def render_model(model: str, versions: Sequence[ListedVersion]) -> RenderableType:
    """Return a model's versions, newest first, and the decisions about them, newest first."""
    decisions = [decision for version in versions for decision in decisions_of(version.metrics)]
    parts: list[RenderableType] = [Text(printable(model), "bold"), render_versions(versions[::-1])]
    if decisions:
        parts += [Text(), Text("Promotions", "bold"), _decisions(decisions)]
    return Group(*parts)


def render_version(version: ListedVersion) -> RenderableType:
    """Return everything that is known of a version."""
    facts = _facts(version)
    table = _table("what", "value")
    lines = {
        "aliases": ", ".join(version.aliases),
        "created": f"{version.created:%Y-%m-%d %H:%M:%S %Z}",
        "comment": version.comment,
        **{legend(name): number(value) for name, value in _metrics(version).items()},
    }
    if facts is not None:
        lines |= {
            "predicts": f"{facts.target} ({facts.task}) from {len(facts.features):,} columns",
            "data version": facts.data_version,
            "feature version": facts.feature_version,
            "model version": facts.model_version,
            "run": f"{facts.run_id} of pipeline {facts.pipeline}",
            "owner": facts.owner,
            "params": ", ".join(f"{name}={value}" for name, value in facts.params.items()),
            "code": ", ".join(f"{name} {value}" for name, value in facts.code.items()),
            "environment": ", ".join(f"{name} {value}" for name, value in facts.environment.items()),
        }
    for name, value in lines.items():
        table.add_row(_cell(name), _cell(value))
    parts: list[RenderableType] = [Text(printable(f"{version.model} {version.name}"), "bold"), table]
    if decisions := decisions_of(version.metrics):
        parts += [Text(), Text("Promotions", "bold"), _decisions(decisions)]
    return Group(*parts)


def _decisions(decisions: Sequence[Decision]) -> Table:
    table = _table("when", "version", "alias", "verdict", "instead of", "why", "by", "run")
    for decision in sorted(decisions, key=lambda each: each.at, reverse=True):
        why = f"{decision.reason}. {decision.note}" if decision.note else decision.reason
        verdict = decision.verdict if decision.moved or decision.verdict == "lost" else f"{decision.verdict}, not moved"
        cells = [
            decision.at[:16].replace("T", " "),
            decision.version,
            decision.alias,
            verdict,
            decision.previous or "",
            why,
            decision.by,
            decision.run_id,
        ]
        table.add_row(*(_cell(cell) for cell in cells))
    return table


def _facts(version: ListedVersion) -> VersionFacts | None:
    return VersionFacts.from_json(version.metrics[NAME]) if NAME in version.metrics else None


def _metrics(version: ListedVersion) -> dict[str, float]:
    return {name: value for name, value in version.metrics.items() if isinstance(value, int | float)}


def _cell(text: str) -> Text:
    return Text(printable(text) or "–")


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
