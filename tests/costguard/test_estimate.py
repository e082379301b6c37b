"""Estimates: from history, scaled by rows, or from the stated default."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pytest

from firnline.domain import EarlierOutput, EarlierStage, Link, Plan, PlannedStage, StageSample
from firnline_costguard.estimate import estimate_plan, overhead
from firnline_costguard.params import CreditGuardParams
from firnline_costguard.warehouses import Warehouse

MEDIUM = Warehouse(name="W", size="Medium", auto_suspend_s=60)  # 4 credits an hour
PARAMS = CreditGuardParams()


class Known:
    """A history that knows some samples, and one finished output of a thousand rows."""

    def __init__(self, samples: Sequence[StageSample] = (), rows: int = 1000) -> None:
        self._samples, self._rows = samples, rows

    def outputs(self, keys: Collection[str]) -> Mapping[str, EarlierOutput]:
        table = {"table": {"kind": "Table", "name": "T", "rows": self._rows}}
        return {key: EarlierOutput(run_id="r", outputs=table) for key in keys}

    def stages(self, pipeline: str) -> Mapping[str, EarlierStage]:
        return {}

    def durations(self, pipeline: str) -> Mapping[tuple[str, str], Sequence[float]]:
        return {}

    def samples(self, pipeline: str) -> Mapping[tuple[str, str], Sequence[StageSample]]:
        return {("train", "s.train"): self._samples}


def stage(name: str, **changes: Any) -> PlannedStage:
    fields: dict[str, Any] = {
        "name": name, "step": f"s.{name}", "plugin": "p 1", "where": "snowflake", "runs_in": "thread", "key": name,
        "inputs": {}, "params": {}, "action": "run", "reason": "",
    }  # fmt: skip
    return PlannedStage(**fields | changes)


def plan(*stages: PlannedStage) -> Plan:
    return Plan(pipeline="p", platform="snowflake", platform_params={}, workers=1, stages=stages)


TRAIN = stage("train", inputs={"table": (Link(stage="split", port="table"),)})
SPLIT = stage("split", action="reuse", reuse_from="r")


def test_without_history_the_stated_default_is_told() -> None:
    found = estimate_plan(plan(SPLIT, TRAIN), Known(), MEDIUM, PARAMS)["train"]
    assert (found.p50, found.p90) == (pytest.approx(60 * 4 / 3600), pytest.approx(300 * 4 / 3600))
    assert "guard.default_s = 60 s" in found.basis


def test_history_gives_median_and_ninetieth_percentile() -> None:
    samples = [StageSample(run_id=str(seconds), seconds=seconds) for seconds in range(1, 12)]
    found = estimate_plan(plan(SPLIT, TRAIN), Known(samples), MEDIUM, PARAMS)["train"]
    assert (found.p50 * 900, found.p90 * 900) == (pytest.approx(6), pytest.approx(10))
    assert found.basis == "11 earlier runs"


def test_one_run_is_little_and_says_so() -> None:
    found = estimate_plan(plan(SPLIT, TRAIN), Known([StageSample(run_id="r", seconds=9)]), MEDIUM, PARAMS)["train"]
    assert (found.p50 * 900, found.p90 * 900) == (pytest.approx(9), pytest.approx(18))
    assert "1 earlier run" in found.basis


def test_more_rows_take_longer_where_both_are_known() -> None:
    samples = [StageSample(run_id="a", seconds=10, rows=500), StageSample(run_id="b", seconds=10, rows=None)]
    found = estimate_plan(plan(SPLIT, TRAIN), Known(samples, rows=1500), MEDIUM, PARAMS)["train"]
    assert found.p50 * 900 == pytest.approx((30 + 10) / 2)
    assert "scaled by rows" in found.basis
    unknown = estimate_plan(plan(stage("split"), TRAIN), Known(samples, rows=1500), MEDIUM, PARAMS)["train"]
    assert unknown.p50 * 900 == pytest.approx(10)


def test_stages_without_a_warehouse_cost_nothing() -> None:
    found = estimate_plan(
        plan(SPLIT, stage("local", where="local"), stage("burn", where="snowflake process")), Known(), MEDIUM, PARAMS
    )
    assert found == {}
    assert overhead(found, MEDIUM) is None


def test_starting_and_idling_are_paid_too() -> None:
    short = estimate_plan(plan(SPLIT, TRAIN), Known([StageSample(run_id="r", seconds=1)]), MEDIUM, PARAMS)
    idles, suspends_at_once = (
        overhead(short, MEDIUM),
        overhead(short, Warehouse(name="W", size="Medium", auto_suspend_s=1)),
    )
    assert idles is not None
    assert suspends_at_once is not None
    assert idles.p50 * 900 == pytest.approx(60)
    assert suspends_at_once.p50 * 900 == pytest.approx(59)  # with the second of work a minute, which is the least
