"""The counts that were reached, kept in the repository: they may only rise."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from checks.snowpark_suites.reasons import reason_of
from checks.snowpark_suites.suites import CORE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from checks.snowpark_suites.running import Outcome

REACHED: Final = Path(__file__).with_name("reached.json")
REMAINING: Final = Path(__file__).with_name("remaining.json")
_IDENTITY: Final = re.compile(r"\(1304\): [0-9a-f-]{36}: |SNOWPARK_TEMP_\w+|0x[0-9a-f]+")
FLAKY: Final = 2
"""So many tests fewer than were reached count as the same: some of theirs depend on time and threads."""


def load(path: Path = REACHED) -> dict[str, int]:
    """Read how many tests of each suite passed."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def fallen(outcomes: Sequence[Outcome], reached: Mapping[str, int]) -> list[str]:
    """Say which suites pass fewer tests than were reached."""
    return [
        f"{outcome.suite}: {outcome.counts['passed']} passed, {reached[outcome.suite]} were reached"
        for outcome in outcomes
        if outcome.counts["passed"] + FLAKY < reached.get(outcome.suite, 0)
    ]


def raise_counts(outcomes: Sequence[Outcome], reached: Mapping[str, int]) -> None:
    """Write the counts, each at least what it was."""
    counts = dict(reached)
    for outcome in outcomes:
        counts[outcome.suite] = max(counts.get(outcome.suite, 0), outcome.counts["passed"])
    REACHED.write_text(json.dumps(dict(sorted(counts.items())), indent=2) + "\n", encoding="utf-8")


def write_remaining(outcomes: Sequence[Outcome]) -> None:
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


def table(outcomes: Sequence[Outcome], reached: Mapping[str, int]) -> str:
    """Show the counts a suite, those of the core suites and all."""
    lines = [f"{'suite':<45}{'pass':>6}{'fail':>6}{'skip':>6}{'share':>8}{'reached':>9}"]
    for outcome in outcomes:
        mark = "" if outcome.finished else "  did not finish"
        lines.append(_line(outcome.suite, outcome.counts, str(reached.get(outcome.suite, "-"))) + mark)
    core = sum((outcome.counts for outcome in outcomes if outcome.suite in CORE), Counter())
    lines.append(_line("core", core, ""))
    lines.append(_line("all", sum((outcome.counts for outcome in outcomes), Counter()), ""))
    return "\n".join(lines)


def _line(name: str, counts: Counter[str], reached: str) -> str:
    run = counts["passed"] + counts["failed"]
    share = f"{100 * counts['passed'] / run:.1f} %" if run else "-"
    return f"{name:<45}{counts['passed']:>6}{counts['failed']:>6}{counts['skipped']:>6}{share:>8}{reached:>9}"
