"""The guard: judge a plan by its estimate, cap the warehouse for the run, and stop the run in time."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from firnline.domain import Assessment
from firnline.domain.wording import credits_text
from firnline.errors import PlatformError, RefusedError
from firnline_costguard.caps import Cap, lift_cap, missing_privileges, put_cap, refuse_foreign, undo_dead
from firnline_costguard.estimate import estimate_plan, overhead
from firnline_costguard.leases import Leases
from firnline_costguard.sweeps import SweepLedger
from firnline_costguard.warehouses import Warehouse, current_warehouse, find_monitor, find_warehouse
from firnline_costguard.watchdog import Watchdog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from snowflake.snowpark import Session

    from firnline.domain import CreditEstimate, GuardContext, GuardedRun, Plan
    from firnline_costguard.params import CreditGuardParams

_SECONDS_PER_HOUR: Final = 3_600
_LONGEST_TIMEOUT_S: Final = 604_800  # Snowflake takes no more


class CreditGuard:
    """Keeps one run to its budget."""

    def __init__(self, params: CreditGuardParams, context: GuardContext) -> None:
        self._params, self._context = params, context
        self._leases = Leases(context.folder)
        self._ledger = SweepLedger(context.folder, context.sweep_id) if context.sweep_id is not None else None
        self._run_id = ""
        self._timeout_s: int | None = None
        self._expected = 0.0

    def assess(self, plan: Plan) -> Assessment:
        """Estimate and judge a plan; statements that need no warehouse are all that is run."""
        if self._context.open_platform is None:
            return Assessment(
                budget=self._params.budget.credits,
                multirun_budget=self._multirun_left(),
                judge_by=self._params.budget.judge_by,
            )
        with self._session() as session:
            warehouse = self._warehouse(session)
            stages = estimate_plan(plan, self._context.history, warehouse, self._params)
            beside = overhead(stages, warehouse)
            self._expected = self._sum(stages, beside)
            with self._leases.locked():  # no other run of the project puts its cap on meanwhile
                undo_dead(session, self._leases)
                budget = self._budget()
                refusals = list(self._over(budget))
                if stages and budget is not None and self._params.monitor:
                    refusals += self._obstacles(session)
                left = self._multirun_left()
        return Assessment(
            stages=stages,
            overhead=beside,
            budget=budget,
            refusals=tuple(refusals),
            out_of_budget=self._ledger is not None and left is not None and self._expected > left,
            multirun_budget=left,
            judge_by=self._params.budget.judge_by,
        )

    def prepare(self, session: Session, stage: str) -> None:
        """Bound the statements of a stage's session, and tag them with who pays."""
        if self._timeout_s is not None:
            session.sql(f"ALTER SESSION SET STATEMENT_TIMEOUT_IN_SECONDS = {self._timeout_s}").collect()
        labels = {"team": self._params.team, "model": self._params.model}
        if any(labels.values()):
            tag = {"tool": "firnline", "pipeline": self._context.pipeline, "stage": stage, "run": self._run_id}
            session.query_tag = json.dumps(tag | {name: value for name, value in labels.items() if value})

    @contextmanager
    def around(self, run: GuardedRun) -> Iterator[None]:
        """Cap and watch; afterwards the warehouse is as it was."""
        self._run_id = run.run_id
        if self._context.open_platform is None or self._expected <= 0 or not self._is_limited:
            yield
            return
        with self._session() as session, self._capped(session, run) as cap:
            self._timeout_s = self._timeout(cap)
            with self._watched(session, run, cap):
                yield

    @property
    def _is_limited(self) -> bool:
        budget = self._params.budget
        return budget.credits is not None or (budget.multirun is not None and self._ledger is not None)

    @contextmanager
    def _capped(self, session: Session, run: GuardedRun) -> Iterator[Cap]:
        with self._leases.locked():
            undo_dead(session, self._leases)
            warehouse, amount = self._warehouse(session), self._reserve(run.run_id)
            cap = Cap(warehouse=warehouse, amount=amount)
            if self._params.monitor:
                cap = put_cap(session, self._leases, warehouse, run.run_id, amount)
        try:
            yield cap
        finally:
            with self._leases.locked():
                if cap.lease is not None:
                    lift_cap(session, self._leases, cap.lease)

    @contextmanager
    def _watched(self, session: Session, run: GuardedRun, cap: Cap) -> Iterator[None]:
        limit = cap.amount * self._params.budget.stop_at
        watchdog = Watchdog(session, cap, limit=limit, poll_s=self._params.poll_s, stop=run.stop)
        watchdog.start()
        try:
            yield
        finally:
            watchdog.end()
            if self._ledger is not None:
                self._ledger.note(run.run_id, watchdog.used)

    @contextmanager
    def _session(self) -> Iterator[Session]:
        assert self._context.open_platform is not None, "asked for after it was looked at"
        tag = {"tool": "firnline", "pipeline": self._context.pipeline, "stage": "guard", "run": self._run_id}
        session = self._context.open_platform().session(json.dumps(tag))
        try:
            yield session
        finally:
            session.close()

    def _warehouse(self, session: Session) -> Warehouse:
        name = self._params.warehouse or current_warehouse(session)
        if name is None:
            raise PlatformError("the session has no warehouse to guard", hint="name it: guard.warehouse=NAME")
        found = find_warehouse(session, name)
        if found is None:
            raise PlatformError(
                f"there is no warehouse {name} that the role can see",
                hint="guard.warehouse takes the exact name, mostly in capitals; the role needs USAGE or MONITOR on it",
            )
        return found

    def _budget(self) -> float | None:
        """Return what the run may use: its own budget, or what the multirun has left if that is less."""
        budget = self._params.budget
        bounds = [budget.credits] if budget.credits is not None else []
        left = self._multirun_left()
        if left is not None and self._ledger is not None:
            bounds.append(left)
        return min(bounds, default=None)

    def _multirun_left(self) -> float | None:
        """Return what the multirun may still use; before it is started, all of its budget."""
        whole = self._params.budget.multirun
        if whole is None or self._ledger is None:
            return whole
        return max(whole - self._ledger.used(), 0.0)

    def _reserve(self, run_id: str) -> float:
        """Take the run's share of what is left of the multirun, so that jobs side by side do not all count on it."""
        budget = self._budget()
        assert budget is not None, "there is one, or nothing is guarded"
        if budget <= 0:
            raise RefusedError(
                "the budget of the multirun is used up", hint="raise guard.budget.multirun", out_of_budget=True
            )
        if self._ledger is not None:
            self._ledger.note(run_id, min(self._expected, budget))
        return budget

    def _sum(self, stages: dict[str, CreditEstimate], beside: CreditEstimate | None) -> float:
        estimates = [*stages.values(), *([beside] if beside is not None else [])]
        judge_by = self._params.budget.judge_by
        return sum(estimate.p90 if judge_by == "p90" else estimate.p50 for estimate in estimates)

    def _over(self, budget: float | None) -> Iterator[str]:
        if budget is not None and self._expected > budget:
            is_left = self._ledger is not None and budget != self._params.budget.credits
            what = (
                f"what the multirun has left of its budget, {credits_text(budget)}" if is_left else credits_text(budget)
            )
            yield (
                f"it is expected to use {credits_text(self._expected)} credits ({self._params.budget.judge_by}), "
                f"more than {what} (guard.budget.{'multirun' if is_left else 'credits'})"
            )

    def _obstacles(self, session: Session) -> Iterator[str]:
        """Say what keeps the cap from being put on the warehouse."""
        warehouse = self._warehouse(session)  # without the monitors of dead runs
        if warehouse.monitor in self._leases.monitors():
            return  # a run of this project that goes on has shown that it can be done
        refuse_foreign(warehouse)
        for lacking in missing_privileges(session, warehouse):
            yield f"{lacking}; grant it, or do without the cap: guard.monitor=false"
        monitor = find_monitor(session, warehouse.monitor) if warehouse.monitor else None
        if monitor is not None and monitor.remaining is not None and monitor.remaining <= 0:
            yield f"the resource monitor {monitor.name} of warehouse {warehouse.name} has no credits left"

    def _timeout(self, cap: Cap) -> int:
        """Return the seconds that one statement may take: by default as many as the budget pays for."""
        paid = max(int(cap.amount / cap.warehouse.credits_per_hour * _SECONDS_PER_HOUR), 1)
        given = self._params.statement_timeout_s
        return min(given if given is not None else paid, _LONGEST_TIMEOUT_S)
