"""Running one suite in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

INSIDE: Final = Path(__file__).with_name("inside")
TEST_TIMEOUT_S: Final = 120
SUITE_TIMEOUT_S: Final = 1_200


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one suite: each test's outcome, and the reasons of those that failed."""

    suite: str
    tests: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    output: str = ""
    finished: bool = True

    @property
    def counts(self) -> Counter[str]:
        """Count the tests by outcome."""
        return Counter(self.tests.values())


def run_suite(checkout: Path, suite: str, folder: Path) -> Outcome:
    """Run one suite; a test that hangs is stopped, and so is a suite that does not end."""
    outcomes = path_of(suite, folder)
    outcomes.unlink(missing_ok=True)
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ},
        "PYTHONPATH": os.pathsep.join([str(INSIDE), *filter(None, [os.environ.get("PYTHONPATH")])]),
        "PYTHONHASHSEED": "0",
        "SNOWPARK_SUITES_OUTCOMES": str(outcomes),
    }
    command = [
        *(sys.executable, "-m", "pytest", "-q", "-p", "sandbox_instead", "-p", "no:cacheprovider"),
        *("-p", "no:firnline_sandbox", "--skip_sql_count_check", "--tb=line", f"--timeout={TEST_TIMEOUT_S}"),
        *("-o", "addopts=", "-o", "log_cli=false", "-o", "log_level=CRITICAL", f"tests/integ/{suite}"),
    ]
    try:
        done = subprocess.run(  # noqa: S603 (our own interpreter, and suites named in our own table)
            command,
            cwd=checkout,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SUITE_TIMEOUT_S,
            check=False,
        )
        output, finished = done.stdout, done.returncode in {0, 1}
    except subprocess.TimeoutExpired as failure:
        output, finished = str(failure.stdout or ""), False
    return read_outcomes(suite, outcomes, output[-4_000:], finished=finished and outcomes.exists())


def path_of(suite: str, folder: Path) -> Path:
    """Give the file into which a suite's outcomes are written."""
    return folder / (suite.replace("/", "_") + ".jsonl")


def read_outcomes(suite: str, path: Path, output: str, *, finished: bool) -> Outcome:
    """Read the lines that the plugin wrote."""
    tests, reasons = {}, {}
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    for line in map(json.loads, lines):
        name = line["test"].split("::", 1)[1]
        tests[name] = line["outcome"]
        if line["outcome"] == "failed":
            reasons[name] = line["reason"]
    return Outcome(suite=suite, tests=tests, reasons=reasons, output=output, finished=finished)
