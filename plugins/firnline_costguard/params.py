"""What the guard may be told: the ``guard`` node of the configuration."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from firnline.domain import Params


class BudgetParams(Params):
    """Credits that may be used. Without any, costs are estimated and nothing is refused or capped."""

    credits: float | None = Field(default=None, gt=0, description="credits that one run may use")
    multirun: float | None = Field(
        default=None, gt=0, description="credits that all jobs of a multirun may use together"
    )
    judge_by: Literal["p50", "p90"] = Field(
        default="p90", description="the estimate that must fit into the budget before the run may start"
    )
    stop_at: float = Field(
        default=0.9, gt=0, le=1, description="share of the budget at which the run is stopped; at all of it the "
        "resource monitor suspends the warehouse",
    )  # fmt: skip


class CreditGuardParams(Params):
    """How a run is kept to its budget."""

    budget: BudgetParams = Field(default_factory=BudgetParams, description="credits that may be used")
    warehouse: str | None = Field(
        default=None, min_length=1, description="the warehouse to watch; by default the one that sessions get"
    )
    monitor: bool = Field(
        default=True,
        description="put a resource monitor on the warehouse for the time of the run; without it a killed client "
        "leaves the statement timeout as the only bound",
    )
    statement_timeout_s: int | None = Field(
        default=None,
        ge=1,
        description="seconds after which Snowflake ends a statement; by default as the budget pays for",
    )
    poll_s: float = Field(default=5.0, gt=0, le=300, description="seconds between two readings of the credits used")
    default_s: float = Field(
        default=60.0, ge=0, description="seconds that a stage without history is expected to compute (p50)"
    )
    default_p90_s: float = Field(default=300.0, ge=0, description="the same, in nine of ten cases (p90)")
    team: str | None = Field(
        default=None, description="who pays: part of the query tag, so that costs can be told by it"
    )
    model: str | None = Field(default=None, description="what for: part of the query tag, as team is")
