"""A stage asks for another run: it starts when this one has ended, says why, and asks for none itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from firnline.cli.requested import requested_overrides
from firnline.domain import RunRecord
from firnline.record import Store, list_runs
from tests.core.conftest import Start

STAGES = {"watch": {"uses": "toy.ask", "params": {"overrides": ["~watch", "+other.uses=toy.source"]}}}


def records(tmp_path: Path) -> list[RunRecord]:
    """Return the runs of the project, oldest first."""
    store = Store(tmp_path / "project" / ".firnline")
    try:
        return list(reversed(list_runs(store)))
    finally:
        store.close()


def test_the_run_starts_after_the_one_that_asks_and_says_why(start: Start, tmp_path: Path) -> None:
    asking = start(STAGES)
    assert asking.wait(60) == 0, asking.output
    first, second = records(tmp_path)
    assert [request.overrides for request in first.requests] == [("~watch", "+other.uses=toy.source")]
    assert (second.reason, second.requested_by) == ("the numbers have moved", first.run_id)
    assert second.overrides == ("~watch", "+other.uses=toy.source")
    assert (list(first.stages), list(second.stages)) == (["watch"], ["other"])
    assert "watch asks for a run: firnline run '~watch' +other.uses=toy.source\nthe numbers have moved" in asking.output
    shown = start(STAGES, "runs", "show", second.run_id)
    assert shown.wait(60) == 0
    assert "the numbers have moved" in shown.output
    assert first.run_id in shown.output
    assert "the numbers have moved" in (tmp_path / f"project/.firnline/runs/{second.run_id}/report.html").read_text()


def test_a_gate_stops_the_asking_run_with_its_code_and_the_other_starts_and_starts_no_third(
    start: Start, tmp_path: Path
) -> None:
    """The run that is asked for asks again, with the same words: there the chain ends."""
    asking = start({"watch": {"uses": "toy.ask", "params": {"overrides": ["watch.params.hang=false"], "gate": True}}})
    assert asking.wait(60) == 4
    first, second = records(tmp_path)
    assert (first.status, second.status) == ("stopped", "stopped")
    assert second.requests
    assert f"not started: this run was asked for itself, by {first.run_id}" in " ".join(asking.output.split())


def test_an_interrupted_run_starts_none(start: Start, tmp_path: Path) -> None:
    asking = start({"watch": {"uses": "toy.ask", "params": {"hang": True}}})
    asking.wait_for("asks for a run")
    asking.press_ctrl_c()
    assert asking.wait(60) == 130
    assert "not started: the run was interrupted" in " ".join(asking.output.split())
    assert len(records(tmp_path)) == 1


@pytest.mark.parametrize(
    ("own", "asked", "made"),
    [
        (["platform=snowflake", "train=torch"], ["pipeline=churn"], ("platform=snowflake", "pipeline=churn")),
        (["platform=snowflake"], ["platform=sandbox"], ("platform=sandbox",)),
        (["++store.folder=x", "platforms=y"], [], ("++store.folder=x",)),
    ],
)
def test_it_is_made_where_the_asking_run_was(own: Sequence[str], asked: Sequence[str], made: Sequence[str]) -> None:
    assert requested_overrides(own, asked) == made
