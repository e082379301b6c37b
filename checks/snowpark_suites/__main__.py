"""``python -m checks.snowpark_suites CHECKOUT``: run Snowpark's own suites against the sandbox and compare the counts.

Exit code 1 if a suite passes fewer tests than were reached before, or did not get to its end.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import sys
import tempfile
from pathlib import Path

from checks.snowpark_suites import ratchet
from checks.snowpark_suites.running import Outcome, path_of, read_outcomes, run_suite
from checks.snowpark_suites.suites import SLOW, SUITES


def main(arguments: list[str] | None = None) -> int:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(prog="python -m checks.snowpark_suites", description=__doc__)
    parser.add_argument("checkout", type=Path, help="a checkout of snowflakedb/snowpark-python")
    parser.add_argument("--suite", action="append", default=[], help="run the suites whose name contains this")
    parser.add_argument("--workers", type=int, default=2, help="suites that run at the same time")
    parser.add_argument("--update", action="store_true", help="write the counts and the list of what remains")
    parser.add_argument("--read", action="store_true", help="take the outcomes that --keep kept instead of running")
    parser.add_argument("--keep", type=Path, help="keep each test's outcome in this folder")
    given = parser.parse_args(arguments)
    if not (given.checkout / "tests" / "integ" / "conftest.py").exists():
        parser.error(f"{given.checkout} is no checkout of snowpark-python: it has no tests/integ")
    chosen = [suite for suite in SUITES if not given.suite or any(part in suite for part in given.suite)]
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if given.read:
            outcomes = [read_outcomes(suite, path_of(suite, folder), "", finished=True) for suite in chosen]
            return _conclude(outcomes, update=given.update)
        outcomes = _run_all(given.checkout.resolve(), chosen, folder.resolve(), given.workers)
    return _conclude(outcomes, update=given.update)


def _run_all(checkout: Path, chosen: list[str], folder: Path, workers: int) -> list[Outcome]:
    order = sorted(chosen, key=lambda suite: (suite not in SLOW, chosen.index(suite)))
    found: dict[str, Outcome] = {}
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        pending = {pool.submit(run_suite, checkout, suite, folder): suite for suite in order}
        for done in concurrent.futures.as_completed(pending):
            outcome = done.result()
            found[outcome.suite] = outcome
            counts = outcome.counts
            sys.stderr.write(f"{outcome.suite}: {counts['passed']} passed, {counts['failed']} failed\n")
    return [found[suite] for suite in chosen]


def _conclude(outcomes: list[Outcome], *, update: bool) -> int:
    reached = ratchet.load()
    sys.stdout.write(ratchet.table(outcomes, reached) + "\n")
    if update:
        counts = ratchet.raise_counts(outcomes, reached)
        ratchet.write_page(counts, ratchet.write_remaining(outcomes))
    unfinished = [outcome for outcome in outcomes if not outcome.finished]
    for outcome in unfinished:
        sys.stderr.write(f"\n{outcome.suite} did not get to its end:\n{outcome.output}\n")
    fallen = ratchet.fallen(outcomes, reached)
    for line in fallen:
        sys.stderr.write(f"fallen: {line}\n")
    return 1 if fallen or unfinished else 0


if __name__ == "__main__":
    sys.exit(main())
