"""What this plugin offers: the guard of a credit budget. Light: Snowpark comes with the platform's session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firnline.domain import GuardSpec
from firnline.hooks.markers import hookimpl
from firnline_costguard.params import CreditGuardParams

if TYPE_CHECKING:
    from firnline.domain import Guard, GuardContext

FIRNLINE_API = ">=1,<2"


def open_guard(params: CreditGuardParams, context: GuardContext) -> Guard:
    """Open the guard for one plan; it connects when it is asked to judge it."""
    from firnline_costguard.guard import CreditGuard

    return CreditGuard(params, context)


CREDITS: Final = GuardSpec(
    name="credits",
    summary="Keep a run to its budget of credits: refuse it, cap the warehouse, stop it, account for it.",
    params=CreditGuardParams,
    open=open_guard,
)


@hookimpl
def firnline_guards() -> tuple[GuardSpec, ...]:
    """Offer the guard."""
    return (CREDITS,)
