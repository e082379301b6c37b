"""What the platform goes on doing by itself after a run, and the warehouse that it does it on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firnline.errors import DataError
from firnline_snowpark.columns import unquoted
from firnline_snowpark.object_names import written

if TYPE_CHECKING:
    from firnline.domain import StepContext


def warehouse_of(context: StepContext, given: str | None) -> str:
    """Return the warehouse that a param names, or that of the session, as SQL reads it.

    Raises:
        DataError: there is neither.
    """
    name = given.upper() if given is not None else unquoted(context.session.get_current_warehouse() or "")
    if not name:
        raise DataError(
            f"stage {context.stage}: the session uses no warehouse",
            hint=f"name one that works while nobody is logged in: {context.stage}.params.warehouse",
        )
    return written(name)
