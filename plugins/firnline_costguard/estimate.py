"""What stages are expected to cost: seconds of earlier runs, scaled by rows, times what the warehouse costs."""

from __future__ import annotations

from statistics import quantiles
from typing import TYPE_CHECKING, Final

from firnline.domain import CreditEstimate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from firnline.domain import History, Plan, PlannedStage, StageSample
    from firnline_costguard.params import CreditGuardParams
    from firnline_costguard.warehouses import Warehouse

_ONE_RUN_FACTOR: Final = 2.0  # how much longer than a single earlier run a stage may take in nine of ten cases
_SECONDS_PER_HOUR: Final = 3_600.0
LEAST_SECONDS: Final = 60.0  # are billed each time that a warehouse starts


def estimate_plan(
    plan: Plan, history: History, warehouse: Warehouse, params: CreditGuardParams
) -> dict[str, CreditEstimate]:
    """Estimate the stages that will use the warehouse.

    A stage is charged for all of its time, as if it had the warehouse to itself: stages that run side by side share it
    in truth, so the sum is an upper bound.
    """
    running = [stage for stage in plan.stages if stage.action == "run" and uses_warehouse(stage, plan)]
    samples = history.samples(plan.pipeline)
    rows = _rows_taken(plan, history)
    return {
        stage.name: _estimate(samples.get((stage.name, stage.step), ()), rows.get(stage.name), warehouse, params)
        for stage in running
    }


def uses_warehouse(stage: PlannedStage, plan: Plan) -> bool:
    """Tell whether a stage gets a session of the platform."""
    return stage.where == plan.platform


def overhead(stages: Mapping[str, CreditEstimate], warehouse: Warehouse) -> CreditEstimate | None:
    """Estimate what is paid beside the stages: the rest of the least minute, and idling until the suspension."""
    if not stages:
        return None
    busy_s = sum(estimate.p50 for estimate in stages.values()) / warehouse.credits_per_hour * _SECONDS_PER_HOUR
    idle = warehouse.auto_suspend_s
    seconds = max(LEAST_SECONDS - busy_s - idle, 0.0) + idle
    paid = seconds * warehouse.credits_per_hour / _SECONDS_PER_HOUR
    basis = f"{idle:g} s until {warehouse.name} suspends" if idle else f"{warehouse.name} never suspends by itself"
    return CreditEstimate(p50=paid, p90=paid, basis=basis)


def _rows_taken(plan: Plan, history: History) -> dict[str, int]:
    """Return stage → rows of the tables that it takes in, where all of them are there already."""
    by_name = {stage.name: stage for stage in plan.stages}
    made = history.outputs([stage.key for stage in plan.stages if stage.action == "reuse"])
    found: dict[str, int] = {}
    for stage in plan.stages:
        links = [link for of_port in stage.inputs.values() for link in of_port]
        if not links or any(by_name[link.stage].action != "reuse" for link in links):
            continue
        counts = [made[by_name[link.stage].key].rows(link.port) for link in links if by_name[link.stage].key in made]
        known = [count for count in counts if count is not None]
        if known:
            found[stage.name] = sum(known)
    return found


def _estimate(
    samples: Sequence[StageSample], rows: int | None, warehouse: Warehouse, params: CreditGuardParams
) -> CreditEstimate:
    pays = warehouse.credits_per_hour / _SECONDS_PER_HOUR
    if not samples:
        worst = max(params.default_s, params.default_p90_s)
        basis = (
            f"no history: guard.default_s = {params.default_s:g} s, guard.default_p90_s = {params.default_p90_s:g} s"
        )
        return CreditEstimate(p50=params.default_s * pays, p90=worst * pays, basis=basis)
    scaled = [(sample.seconds * _scale(sample, rows), _scale(sample, rows) != 1.0) for sample in samples]
    seconds = [one for one, _ in scaled]
    how = ", scaled by rows" if any(is_scaled for _, is_scaled in scaled) else ""
    if len(seconds) == 1:
        basis = f"1 earlier run{how}; p90 is taken as {_ONE_RUN_FACTOR:g} times that"
        return CreditEstimate(p50=seconds[0] * pays, p90=seconds[0] * _ONE_RUN_FACTOR * pays, basis=basis)
    deciles = quantiles(seconds, n=10, method="inclusive")
    return CreditEstimate(p50=deciles[4] * pays, p90=deciles[8] * pays, basis=f"{len(seconds)} earlier runs{how}")


def _scale(sample: StageSample, rows: int | None) -> float:
    """Return by how much more rows there are than then; a stage is taken to be linear in them."""
    return rows / sample.rows if rows and sample.rows else 1.0
