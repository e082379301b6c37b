"""A guard estimates what a plan costs, may refuse it, and watches over the run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from firnline.domain.history import History
from firnline.domain.params import Params
from firnline.domain.plan import Plan
from firnline.domain.platform import Platform

if TYPE_CHECKING:
    from snowflake.snowpark import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditEstimate:
    """Credits that something is expected to cost.

    Attributes:
        p50: the median.
        p90: the 90th percentile.
        basis: what the numbers are made from, in words.
    """

    p50: float
    p90: float
    basis: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What a guard thinks of a plan.

    Attributes:
        stages: stage → its estimate; stages that cost nothing are left out.
        overhead: what is paid beside the stages (a warehouse's first minute, its idling before it suspends).
        budget: credits that the run may use; None for no limit.
        refusals: why the plan may not be run; empty lets it through.
        out_of_budget: whether it is refused because of what is left of ``multirun_budget``.
        multirun_budget: credits that all jobs of a multirun may use together, or what is left of them; None: no limit.
        judge_by: the estimate that must fit into a budget.
    """

    stages: Mapping[str, CreditEstimate] = field(default_factory=dict)
    overhead: CreditEstimate | None = None
    budget: float | None = None
    refusals: tuple[str, ...] = ()
    out_of_budget: bool = False
    multirun_budget: float | None = None
    judge_by: Literal["p50", "p90"] = "p90"


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardedRun:
    """A run that a guard watches.

    Attributes:
        run_id: the run.
        plan: what it executes.
        stop: stops the run, and takes the reason: what runs is cancelled, what has finished is kept. May be called
            from any thread.
    """

    run_id: str
    plan: Plan
    stop: Callable[[str], None] = field(repr=False)


class Guard(Protocol):
    """A guard of one run, opened for its plan. An error of any method stops the run."""

    def assess(self, plan: Plan) -> Assessment:
        """Estimate and judge a plan. Must not spend anything."""

    def prepare(self, session: Session, stage: str) -> None:
        """Set up a session that a stage has just opened; called from the stage's thread."""

    def around(self, run: GuardedRun) -> AbstractContextManager[None]:
        """Watch a run: entered before its first stage starts, left after the last one has ended, in whatever way.

        A process that is killed does not leave it: what must not stay is written down first, for the next run.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardContext:
    """What a guard is opened with.

    Attributes:
        pipeline: the pipeline's name.
        folder: where the guard may keep files of the project's; it need not exist yet.
        open_platform: returns the opened platform; None if no stage uses one.
        history: earlier runs.
        sweep_id: the multirun that the run is a job of.
    """

    pipeline: str
    folder: Path
    history: History
    open_platform: Callable[[], Platform] | None = field(default=None, repr=False)
    sweep_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardSpec:
    """What a plugin registers for a guard.

    Attributes:
        name: what stands in ``guard.name``.
        summary: one sentence.
        params: the pydantic model of the other keys of the ``guard`` node.
        open: takes (params, :class:`GuardContext`) and returns a guard; imports its SDK only when needed.
        modules: import names that must be installed.
        extra: the extra of Firnline that installs them.
    """

    name: str
    summary: str
    params: type[Params]
    open: Callable[[Any, GuardContext], Guard]
    modules: tuple[str, ...] = ()
    extra: str | None = None
