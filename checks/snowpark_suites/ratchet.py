"""The counts that were reached, kept in the repository: they may only rise."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from checks.snowpark_suites.reasons import reason_of
from checks.snowpark_suites.suites import CORE, SUITES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from checks.snowpark_suites.running import Outcome

REACHED: Final = Path(__file__).with_name("reached.json")
REMAINING: Final = Path(__file__).with_name("remaining.json")
_IDENTITY: Final = re.compile(r"\(1304\): [0-9a-f-]{36}: |SNOWPARK_TEMP_\w+|0x[0-9a-f]+")
PAGE: Final = Path(__file__).parents[2] / "docs" / "reference" / "snowpark-suites.md"
WORDS: Final = ("passed", "failed", "skipped")
_HEAD: Final = """<!-- Written by `python -m checks.snowpark_suites CHECKOUT --update`; do not edit. -->

# Snowpark's own tests against the sandbox

The sandbox is measured by tests that its authors did not write: the integration suites of
[snowpark-python](https://github.com/snowflakedb/snowpark-python), as they are, with the connector's `connect` replaced
by a session of the sandbox. Their counts of the client's own queries are off.

    make conformance SNOWPARK=/path/to/snowpark-python

prints this table anew and fails if a suite passes fewer tests than here. Which test fails for which reason is listed in
`checks/snowpark_suites/remaining.json`.
"""
FLAKY: Final = 2
"""So many tests fewer than were reached count as the same: some of theirs depend on time and threads."""


def load(path: Path = REACHED) -> dict[str, dict[str, int]]:
    """Read how many tests of each suite passed, failed and were skipped when the counts were written."""
    found: dict[str, dict[str, int]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def fallen(outcomes: Sequence[Outcome], reached: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Say which suites pass fewer tests than were reached."""
    return [
        f"{outcome.suite}: {outcome.counts['passed']} passed, {reached[outcome.suite]['passed']} were reached"
        for outcome in outcomes
        if outcome.suite in reached and outcome.counts["passed"] + FLAKY < reached[outcome.suite]["passed"]
    ]


def raise_counts(outcomes: Sequence[Outcome], reached: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    """Write the counts of suites that pass at least as many tests as before; others keep what they had."""
    counts = {suite: dict(kept) for suite, kept in reached.items()}
    for outcome in outcomes:
        if outcome.counts["passed"] >= counts.get(outcome.suite, {}).get("passed", 0):
            counts[outcome.suite] = {word: outcome.counts[word] for word in WORDS}
    ordered = {suite: counts[suite] for suite in SUITES if suite in counts}
    REACHED.write_text(json.dumps(ordered, indent=1) + "\n", encoding="utf-8")
    return ordered


def write_remaining(outcomes: Sequence[Outcome]) -> dict[str, list[str]]:
    """Write every failure under its reason; suites that were not run keep what they had."""
    run = {outcome.suite for outcome in outcomes}
    kept = json.loads(REMAINING.read_text(encoding="utf-8")) if REMAINING.exists() else {}
    listed = {reason: [test for test in tests if test.split("::")[0] not in run] for reason, tests in kept.items()}
    for outcome in outcomes:
        for test, said in outcome.reasons.items():
            name = f"{outcome.suite}::{test}"
            listed.setdefault(reason_of(name, _IDENTITY.sub("", said)), []).append(name)
    ordered = {reason: sorted(tests) for reason, tests in sorted(listed.items()) if tests}
    REMAINING.write_text(json.dumps(ordered, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return ordered


def table(outcomes: Sequence[Outcome], reached: Mapping[str, Mapping[str, int]]) -> str:
    """Show the counts a suite, those of the core suites and all."""
    lines = [f"{'suite':<45}{'pass':>6}{'fail':>6}{'skip':>6}{'share':>8}{'reached':>9}"]
    for outcome in outcomes:
        mark = "" if outcome.finished else "  did not finish"
        before = str(reached[outcome.suite]["passed"]) if outcome.suite in reached else "-"
        lines.append(_line(outcome.suite, outcome.counts, before) + mark)
    core = sum((outcome.counts for outcome in outcomes if outcome.suite in CORE), Counter())
    lines.append(_line("core", core, ""))
    lines.append(_line("all", sum((outcome.counts for outcome in outcomes), Counter()), ""))
    return "\n".join(lines)


def _line(name: str, counts: Mapping[str, int], reached: str) -> str:
    return f"{name:<45}{counts['passed']:>6}{counts['failed']:>6}{counts['skipped']:>6}{share(counts):>8}{reached:>9}"


def share(counts: Mapping[str, int]) -> str:
    """Give the share of the tests that passed among those that were not skipped."""
    run = counts["passed"] + counts["failed"]
    return f"{100 * counts['passed'] / run:.1f} %" if run else "-"


def write_page(counts: Mapping[str, Mapping[str, int]], remaining: Mapping[str, Sequence[str]]) -> None:
    """Write the page of the reference that says how far the sandbox is."""
    lines = [_HEAD, "| suite | passed | failed | skipped | share |", "|---|---:|---:|---:|---:|"]
    core, total = Counter[str](), Counter[str]()
    for suite, found in counts.items():
        total.update(found)
        if suite in CORE:
            core.update(found)
        lines.append(_row(f"`{suite}`", found))
    lines += [_row("DataFrames, joins, aggregates, windows, set operations, merges, columns", core), _row("all", total)]
    lines += ["", "## Why the others fail", "", "| tests | reason |", "|---:|---|"]
    by_count = sorted(remaining.items(), key=lambda item: (-len(item[1]), item[0]))
    lines += [f"| {len(tests)} | {reason.replace('|', chr(92) + '|')} |" for reason, tests in by_count]
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _row(name: str, counts: Mapping[str, int]) -> str:
    return f"| {name} | {counts['passed']} | {counts['failed']} | {counts['skipped']} | {share(counts)} |"
